/*
 * reaper-privsep: the resident privileged helper of one pod's shim.
 *
 * It is executed by the shim's `start` with the descriptors of boot.h;
 * standard error is the log.  As `reaper-privsep --clean ID` it removes what
 * a killed helper left of a container.
 */
#include <sys/signalfd.h>

#include <sodium.h>

#include "privsep/helper.h"

#define CLEAN_LIMIT	4	/* seconds, by alarm(2) */

enum {
	POLL_SIGNAL,
	POLL_CHANNEL,
	POLL_LAUNCH,
};

static struct helper helper;
static struct pollfd pollfds[POLL_LAUNCH + HELPER_RECORDS];

void
helper_send(struct helper *h, uint16_t op, const void *body, uint32_t length,
    const int *fds)
{
	uint32_t i, nfds = 0;
	int error = 0;

	while (fds != NULL && nfds < MSG_FDS_MAX && fds[nfds] != -1)
		nfds++;
	/*
	 * The socket has room for the answers to all that a shim may ask at
	 * once and for the ends of all its processes.  One that does not read
	 * them is broken.
	 */
	if (!h->closing)
		error = channel_send(&h->channel, op, body, length, fds, nfds);
	for (i = 0; i < nfds; i++)
		close(fds[i]);
	if (error != 0) {
		log_line("the shim does not listen", NULL, NULL, error);
		h->closing = 1;
	}
}

void
helper_publish(enum event_kind kind, const struct record *rec)
{
	struct event event = {
		.kind = kind, .pid = (uint32_t)rec->pid,
		.exited = rec->exited,
	};

	if (send(BOOT_EVENT_FD, &event, sizeof(event),
	    MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(event))
		log_line("an event was dropped", &rec->ref, NULL, -errno);
}

static void
boot_read(struct boot *boot)
{
	/* Less than PIPE_BUF, written at once. */
	if (read(BOOT_FD, boot, sizeof(*boot)) != sizeof(*boot) ||
	    boot->magic != BOOT_MAGIC || boot->reserved != 0)
		log_fatal("the boot record is malformed");
	close(BOOT_FD);
}

/* A directory that only root can have filled. */
static int
directory_open(const char *path)
{
	int fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || path_trusted(fd, S_IFDIR) != 0)
		log_fatal(path);
	return (fd);
}

static void
helper_open(struct helper *h)
{
	const struct msg_ready ready = { .helper_pid = (uint32_t)getpid() };
	sigset_t all;

	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) == -1 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    (h->signal_fd = signalfd(-1, &all,
	    SFD_CLOEXEC | SFD_NONBLOCK)) == -1 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1 ||
	    (h->own_pidns_fd = open("/proc/self/ns/pid",
	    O_RDONLY | O_CLOEXEC)) == -1 ||
	    pipe2(h->lifeline, O_CLOEXEC) == -1 ||
	    fcntl(BOOT_CHANNEL_FD, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(BOOT_EVENT_FD, F_SETFD, FD_CLOEXEC) == -1)
		log_fatal("opening");
	h->bundles_fd = directory_open(h->boot.bundles);
	h->root_fd = directory_open(h->boot.runtime_root);
	if (channel_open(&h->channel, BOOT_CHANNEL_FD, CHANNEL_HELPER,
	    h->boot.key, (pid_t)h->boot.shim_pid,
	    (uid_t)h->boot.shim_uid) != 0)
		log_fatal("the channel");
	sodium_memzero(h->boot.key, sizeof(h->boot.key));
	helper_send(h, MSG_READY, &ready, sizeof(ready), NULL);
}

static void
requests_take(struct helper *h)
{
	struct msg m;
	int fds[MSG_FDS_MAX], i, n;

	while (!h->closing &&
	    (n = channel_receive(&h->channel, &m, fds)) != -EAGAIN) {
		if (n == 1)
			n = optab_dispatch(h, &m, fds);
		else
			h->closing = 1;
		for (i = 0; i < MSG_FDS_MAX; i++) {
			if (fds[i] != -1)
				close(fds[i]);
		}
		if (n >= 0)
			continue;
		log_line("the shim broke the protocol", NULL, NULL, n);
		h->closing = 1;
	}
}

static void
wait_and_work(struct helper *h)
{
	struct pollfd *launch = pollfds + POLL_LAUNCH;
	struct signalfd_siginfo info;
	size_t i;

	pollfds[POLL_SIGNAL].fd = h->signal_fd;
	pollfds[POLL_CHANNEL].fd = h->closing ? -1 : h->channel.fd;
	for (i = 0; i < HELPER_RECORDS; i++)
		launch[i].fd = h->records[i].state == RECORD_FREE ? -1 :
		    h->records[i].launch_fd;
	for (i = 0; i < POLL_LAUNCH + HELPER_RECORDS; i++)
		pollfds[i].events = POLLIN;
	if (poll(pollfds, POLL_LAUNCH + HELPER_RECORDS, -1) == -1)
		log_fatal("poll");
	for (i = 0; i < HELPER_RECORDS; i++) {
		if (launch[i].revents != 0)
			process_started(h, &h->records[i]);
	}
	if (pollfds[POLL_SIGNAL].revents != 0) {
		while (read(h->signal_fd, &info, sizeof(info)) > 0)
			continue;
		process_reap(h);
	}
	if (pollfds[POLL_CHANNEL].revents != 0)
		requests_take(h);
}

/* The shim is gone: so is, then, everything that this helper started. */
static void
helper_close(struct helper *h)
{
	struct record *r, *end = h->records + HELPER_RECORDS;
	int alive;

	do {
		alive = 0;
		for (r = h->records; r < end; r++) {
			if (r->state != RECORD_FREE)
				alive += record_kill(h, r);
		}
		if (alive > 0)
			wait_and_work(h);
	} while (alive > 0);
	for (r = h->records; r < end; r++) {
		if (r->state != RECORD_FREE && r->state_fd != -1)
			state_remove(h->root_fd, r->state_fd, r->ref.id);
	}
}

int
main(int argc, char *argv[])
{
	char id[MSG_ID_SIZE] = { 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		log_fatal("becoming non-dumpable");
	umask(0);
	boot_read(&helper.boot);
	if (argc == 3 && strcmp(argv[1], "--clean") == 0) {
		snprintf(id, sizeof(id), "%s", argv[2]);
		if (!msg_id_valid(id))
			log_fatal("--clean: not a container id");
		alarm(CLEAN_LIMIT);
		return (state_clean(directory_open(
		    helper.boot.runtime_root), id) != 0);
	}
	helper_open(&helper);
	while (!helper.closing)
		wait_and_work(&helper);
	helper_close(&helper);
	return (0);
}
