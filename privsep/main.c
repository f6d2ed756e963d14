/*
 * reaper-privsep: the resident privileged helper of one pod's shim.
 *
 * It is executed by the shim's `start` with the descriptors of boot.h;
 * standard error is the log: a socket to the publisher.
 */
#include <sys/signalfd.h>

#include <sodium.h>

#include "privsep/helper.h"
#include "version.h"

enum { POLL_SIGNAL, POLL_CHANNEL, POLL_LAUNCH };

static struct helper helper;
static struct pollfd pollfds[POLL_LAUNCH + HELPER_RECORDS];

void
helper_send(struct helper *h, uint16_t op, const void *body, uint32_t length,
    int *fds)
{
	uint32_t nfds = 0;
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
	fdpass_close(fds, nfds);
	if (error != 0) {
		log_line("the shim does not listen", NULL, NULL, error);
		h->closing = 1;
	}
}

void
helper_publish(const struct helper *h, enum event_kind kind,
    const struct record *r)
{
	struct event_notice notice = { { kind, (uint32_t)r->pid, r->exited },
		"" };
	const int fds[] = { r->memory_fd, r->event_fd };
	size_t nfds = 0;
	int error = 0;

	if (!RECORD_IS_EXEC(r) && kind != EVENT_DELETE)
		error = state_write(h, r);
	if (error != 0)
		log_line("state.json was not written", &r->ref, NULL, error);
	if (kind == EVENT_EXIT)
		memcpy(notice.memory, r->memory, sizeof(notice.memory));
	while (kind == EVENT_CREATE && nfds < 2 && fds[nfds] >= 0)
		nfds++;
	/* Of containers whose shim is gone containerd says that itself. */
	error = h->closing && !RECORD_IS_EXEC(r) ? 0 :
	    fdpass_send(BOOT_EVENT_FD, &notice, sizeof(notice), fds, nfds);
	if (error != 0)
		log_line("an event was dropped", &r->ref, NULL, error);
}

/* A directory that only root can have filled. */
static int
directory_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 || path_trusted(fd, S_IFDIR) != 0)
		log_fatal(path);
	return (fd);
}

static void
wait_and_work(struct helper *h)
{
	struct pollfd *launch = pollfds + POLL_LAUNCH;
	struct signalfd_siginfo info;
	int ended = 0, fds[MSG_FDS_MAX], n;
	struct record *r;
	struct msg m;
	size_t i;

	pollfds[POLL_SIGNAL] = (struct pollfd){ h->signal_fd, POLLIN, 0 };
	pollfds[POLL_CHANNEL] = (struct pollfd){ h->closing ? -1 :
	    h->channel.fd, POLLIN, 0 };
	for (i = 0, r = h->records; i < h->nrecords; i++, r++)
		/* Of what ends, the last processes of its cgroup. */
		launch[i] = r->state == RECORD_ENDING ||
		    r->state == RECORD_UNDONE ?
		    (struct pollfd){ r->populated_fd, POLLPRI, 0 } :
		    (struct pollfd){ r->launch_fd, POLLIN, 0 };
	if (poll(pollfds, POLL_LAUNCH + h->nrecords, -1) == -1)
		log_fatal("poll");
	for (i = 0; i < h->nrecords; i++) {
		if (launch[i].revents != 0 && launch[i].events == POLLIN)
			process_started(h, &h->records[i]);
		ended |= launch[i].revents & POLLPRI;
	}
	if (ended != 0 || (pollfds[POLL_SIGNAL].revents != 0 &&
	    read(h->signal_fd, &info, sizeof(info)) > 0))
		process_reap(h);
	if (pollfds[POLL_CHANNEL].revents == 0 ||
	    (n = channel_receive(&h->channel, &m, fds)) == -EAGAIN)
		return;
	if (n == 1)
		n = optab_dispatch(h, &m, fds) == 0 ? 1 : -EBADMSG;
	fdpass_close(fds, MSG_FDS_MAX);
	if (n < 0)
		log_line("the shim broke the protocol", NULL, NULL, n);
	h->closing |= n <= 0;
}

/*
 * The shim is gone: so is, then, everything that this helper started.  What
 * state says how it ended, `delete` reads and removes.
 */
static void
helper_close(struct helper *h)
{
	struct record *r;
	int alive;

	for (;;) {
		alive = 0;
		RECORD_FOREACH(r, h) {
			alive += record_kill(h, r);
			alive += cgroup_remove(h, r, 1) == -EBUSY;
		}
		if (alive == 0)
			return;
		wait_and_work(h);
	}
}

int
main(void)
{
	const struct msg_ready ready = { (uint32_t)getpid() };
	struct helper *h = &helper;
	struct boot *boot = &h->boot;
	sigset_t all;

	umask(0);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    write(BOOT_FD, REAPER_VERSION, sizeof(REAPER_VERSION)) == -1)
		log_fatal("beginning");
	h->plan_fd = BOOT_PLAN_FD;
	h->own_pidns_fd = namespace_open(getpid(), PLAN_NS_PID);
	sigfillset(&all);
	h->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sodium_init() == -1 || h->own_pidns_fd < 0 || h->signal_fd == -1 ||
	    sigprocmask(SIG_SETMASK, &all, NULL) == -1 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1 ||
	    pipe2(h->lifeline, O_CLOEXEC) == -1 ||
	    close_range(BOOT_CHANNEL_FD, BOOT_PLAN_FD, CLOSE_RANGE_CLOEXEC))
		log_fatal("opening");
	cgroup_boot(h->cgroups);
	/* While `start` finds out what to tell. */
	if (read(BOOT_FD, boot, sizeof(*boot)) != sizeof(*boot) ||
	    boot->magic != BOOT_MAGIC)
		log_fatal("the boot record is malformed");
	/* No such workload will be: whatever is executed cannot have them. */
	if (boot->node.profile == NODE_CONFINED && caps_bound(~caps_host) != 0)
		log_fatal("the bounding set");
	h->bundles_fd = directory_open(boot->bundles);
	h->root_fd = directory_open(boot->node.runtime_root);
	if (channel_open(&h->channel, BOOT_CHANNEL_FD, CHANNEL_HELPER,
	    boot->key, (pid_t)boot->shim_pid, boot->shim_uid) != 0)
		log_fatal("the channel");
	sodium_memzero(boot->key, sizeof(boot->key));
	helper_send(h, MSG_READY, &ready, sizeof(ready), NULL);
	/* While containerd connects to the shim. */
	container_first(h);
	while (!h->closing)
		wait_and_work(h);
	helper_close(h);
	return (0);
}
