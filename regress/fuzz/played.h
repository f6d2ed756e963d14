/*
 * The kernel and the steps, played, for the helper's own loop: what a child
 * reports, when it executes and ends, and which files there are.  Functions
 * called __wrap_NAME stand for NAME.  For one program, which has included
 * privsep/main.c and says how each thing goes that may go otherwise than well.
 *
 * What is held to: no process is signalled but the helper's own children that
 * are not reaped; no file is opened but the expected.
 */
#ifndef REGRESS_PLAYED_H
#define REGRESS_PLAYED_H

#include <sys/wait.h>

#include <stdarg.h>

#include "regress/fuzz/fuzz.h"

#define CHILDREN  256
#define FIRST_PID 100000
#define GROUP	  "pod"
#define LOGS	  "/var/log/reaper"
#define PATHS	  48 /* descriptors, of which some are O_PATH */

/* What may go otherwise than well. */
enum play {
	PLAY_FIFO, PLAY_FILE, PLAY_REOPEN, PLAY_TRUST, PLAY_CGROUP_FILE,
	PLAY_STATE, PLAY_CGROUP, PLAY_ENTER, PLAY_DECODE, PLAY_PROC,
	PLAY_MOUNT, PLAY_LAUNCH, PLAY_NAMESPACE,
};

/*
 * By the program: how it goes.  7, modulo 8, is a failure; of a step modulo 16:
 * 15 that it reports one, 14 that there is none, 13 that it says nothing, and
 * with 16 then ends.  0 is well.
 */
static uint8_t play(enum play what);

/* By the program: what a decode step writes. */
static void plan_write(int fd, int exec);

/* One that was forked, until it is reaped. */
static struct child {
	step_program *program;
	int fd; /* its end of the socket to the helper, or -1 */
	int ended, status;
	int fatal;    /* was sent a SIGKILL */
	int held;     /* will report later */
	int said;     /* has reported that all is well */
	int silent;   /* will report nothing; else, when it is told to go on: */
	int error;    /* what, */
	int terminal; /* and whether the master of one comes with it */
} children[CHILDREN]; /* the pid is FIRST_PID and the index */
static size_t nchildren;

static const struct msg *asking; /* what the helper is to do */

/*
 * The kernel.
 */

/*
 * In use; the shim is gone; how often a cgroup is found busy; descriptors of
 * a device, by O_PATH, of a sealed file.
 */
static int active, closing, busy, null_fd, path_fd, sealed_fd;

/* The shim's end of a session; what the helper's begins as. */
static struct channel shim, spare;

int __real_open(const char *path, int flags, ...);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __real_kill(pid_t pid, int signo);
int __wrap___poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size);
pid_t __real_waitpid(pid_t pid, int *status, int options);
int __real_fdpass_send(int fd, const void *data, size_t size, const int *fds,
    size_t nfds);
int __wrap_open(const char *path, int flags, ...);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_kill(pid_t pid, int signo);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
int __real_waitid(idtype_t type, id_t pid, siginfo_t *info, int options);
int __wrap_waitid(idtype_t type, id_t pid, siginfo_t *info, int options);
/* The program has this one. */
int __wrap_fdpass_send(int fd, const void *data, size_t size, const int *fds,
    size_t nfds);
void __wrap_log_line(const char *m, const struct msg_ref *ref, const char *text,
    int error);
_Noreturn void __wrap_log_fatal(const char *m);
int __wrap_path_file(int dirfd, const char *dir, const char *name, int flags);
int __wrap_path_reopen(int fd, int flags, uint32_t owner);
int __wrap_path_trusted(int fd, mode_t type);
int __wrap_state_open(struct helper *h, struct record *c);
int __wrap_state_write(const struct helper *h, const struct record *c);
int __wrap_state_remove(int root_fd, int state_fd, const char *id);
int __wrap_cgroup_make(struct helper *h, struct record *c, struct request *rq);
int __wrap_cgroup_enter(const struct helper *h, const struct record *c,
    int fds[CGROUP_HIERARCHIES]);
void __wrap_cgroup_kill(const struct helper *h, const struct record *c);
int __wrap_cgroup_remove(const struct helper *h, struct record *c, int all);
int __wrap_path_open(int dirfd, const char *path, int flags, uint64_t resolve);
int
__wrap_step_fork(struct helper *h, const struct record *r, struct step *step);

static int
is_open(int fd)
{
	return (fcntl(fd, F_GETFD) != -1);
}

static int
new_fd(void)
{
	int fd = fcntl(null_fd, F_DUPFD_CLOEXEC, 3);

	must(fd != -1 && fd < FUZZ_FDS);
	return (fd);
}

static struct child *
child_of(pid_t pid)
{
	if (pid < FIRST_PID || (size_t)(pid - FIRST_PID) >= nchildren)
		return (NULL);
	return (&children[pid - FIRST_PID]);
}

static int
child_is_there(pid_t pid)
{
	const struct child *child = child_of(pid);

	return (child != NULL && child->program != NULL);
}

static void
child_end(struct child *child, int status)
{
	if (child->program == NULL || child->ended)
		return;
	child->ended = 1;
	child->status = status;
	fdpass_close(&child->fd, 1);
}

static void
step_say(int fd, int error, int given)
{
	struct msg_reply m = { .error = error };
	int sent;

	if (error != 0) {
		m.step = MSG_STEP_LAUNCH;
		strcpy(m.text, "\"so\"");
	}
	/* Nobody may listen any more. */
	sent = __real_fdpass_send(fd, &m, sizeof(m), &given, given != -1);
	must(sent == 0 || sent == -EPIPE);
}

/* Mount and launch steps report when they have been told to go on. */
static void
children_report(void)
{
	struct child *child;
	int fd, fds[MSG_FDS_MAX];
	char byte;

	for (child = children; child < children + nchildren; child++) {
		if (child->program == NULL || child->silent || child->held ||
		    child->fd == -1 ||
		    fdpass_receive(child->fd, &byte, 1, fds, NULL) <= 0)
			continue;
		fdpass_close(fds, MSG_FDS_MAX);
		fd = child->terminal && child->error == 0 ? new_fd() : -1;
		step_say(child->fd, child->error, fd);
		fdpass_close(&fd, 1);
		child->silent = 1;
		child->said = child->error == 0;
		/* That of a container's own namespace is its pid 1. */
		if (child->error != 0 || child->status != 0)
			child_end(child, child->error != 0 ? 1 << 8 : 0);
	}
}

int
__wrap_kill(pid_t pid, int signo)
{
	struct child *child;

	if (!active)
		return (__real_kill(pid, signo));
	must(signo > 0 && signo <= 64);
	/* One that is reaped may be anybody by now. */
	must(child_is_there(pid));
	child = child_of(pid);
	child->fatal |= signo == SIGKILL;
	return (0);
}

static pid_t
child_reap(struct child *child, int *status)
{
	if (status != NULL)
		*status = child->status;
	child->program = NULL;
	return (FIRST_PID + (pid_t)(child - children));
}

pid_t
__wrap_waitpid(pid_t pid, int *status, int options)
{
	struct child *child = children;

	if (!active)
		return (__real_waitpid(pid, status, options));
	if (pid != -1) {
		/* Without an end in sight it would wait for ever. */
		must(child_is_there(pid) &&
		    (child_of(pid)->fatal || child_of(pid)->ended));
		child_end(child_of(pid), SIGKILL);
		return (child_reap(child_of(pid), status));
	}
	must((options & WNOHANG) != 0);
	for (; child < children + nchildren; child++) {
		if (child->program != NULL && child->ended)
			return (child_reap(child, status));
	}
	return (0);
}

int
__wrap_waitid(idtype_t type, id_t pid, siginfo_t *info, int options)
{
	if (!active)
		return (__real_waitid(type, pid, info, options));
	must(type == P_PID &&
	    (options & (WNOHANG | WNOWAIT)) == (WNOHANG | WNOWAIT));
	errno = ECHILD;
	return (child_is_there((pid_t)pid) ? 0 : -1);
}

static int
is_prefix(const char *prefix, const char *s)
{
	return (strncmp(prefix, s, strlen(prefix)) == 0);
}

/* Of the process that is asked for, and of no other container of CRI's. */
static int
is_fifo(const char *path)
{
	static const char *const streams[] = { "stdin", "stdout", "stderr" };
	const struct msg_stdio *stdio = &asking->body.stdio;
	const struct msg_ref *ref = &stdio->ref;
	const char *cri = strstr(path, "/containers/");
	char last[2 * MSG_ID_SIZE];

	must(asking->header.op == MSG_STDIO && stdio->stream <= MSG_STDERR);
	snprintf(last, sizeof(last), "%s-%s",
	    ref->exec[0] != '\0' ? ref->exec : ref->id, streams[stdio->stream]);
	if (cri != NULL) {
		cri += strlen("/containers/");
		if (!is_prefix(ref->id, cri) ||
		    !is_prefix("/io/", cri + strlen(ref->id)))
			return (0);
	}
	return (path[0] == '/' && strstr(path, "/..") == NULL &&
	    strcmp(strrchr(path, '/') + 1, last) == 0);
}

int
__wrap_open(const char *path, int flags, ...)
{
	char name[8];
	va_list ap;
	int mode, pid;

	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	if (!active)
		return (__real_open(path, flags, mode));
	must((flags & O_CLOEXEC) != 0 && (flags & (O_CREAT | O_TRUNC)) == 0);
	if (strcmp(path, "/etc/passwd") == 0 ||
	    strcmp(path, "/proc/self/mountinfo") == 0) {
		must((flags & O_ACCMODE) == O_RDONLY);
	} else if (sscanf(path, "/proc/%d/ns/%7s", &pid, name) == 2) {
		must(pid == getpid() || child_is_there(pid));
		if (play(PLAY_NAMESPACE) % 16 == 15) {
			errno = ENOENT;
			return (-1);
		}
	} else if (is_prefix("/run/netns/", path)) {
		must(strchr(path + strlen("/run/netns/"), '/') == NULL);
	} else {
		must((flags & (O_PATH | O_NOFOLLOW)) == (O_PATH | O_NOFOLLOW) &&
		    is_fifo(path));
		if (play(PLAY_FIFO) % 8 == 7) {
			errno = ENOENT;
			return (-1);
		}
		return (fcntl(path_fd, F_DUPFD_CLOEXEC, 3));
	}
	return (new_fd());
}

static int
poll_now(struct pollfd *fds, nfds_t n)
{
	int found;

	/* libFuzzer's own alarm. */
	do
		found = __real_poll(fds, n, 0);
	while (found == -1 && errno == EINTR);
	return (found);
}

/* Nothing takes time: what does not come at once does not come. */
int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct child *child = children;
	nfds_t i;
	int found, ready = 0;

	if (!active)
		return (__real_poll(fds, n, timeout));
	children_report();
	/* The last to end are those that the helper has killed. */
	for (; closing && child < children + nchildren; child++) {
		if (child->fatal)
			child_end(child, SIGKILL);
	}
	for (child = children; child < children + nchildren; child++)
		ready |= child->program != NULL && child->ended;
	if ((found = poll_now(fds, n)) == -1 || timeout != -1)
		return (found);
	if (ready && fds[POLL_SIGNAL].revents == 0) {
		fds[POLL_SIGNAL].revents = POLLIN;
		found++;
	}
	for (i = POLL_LAUNCH; busy > 0 && i < n; i++) {
		if (fds[i].fd == -1 || fds[i].events != POLLPRI)
			continue;
		fds[i].revents = POLLPRI;
		found++;
	}
	return (found);
}

/* What a compiler may make of it. */
int
__wrap___poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
	must(n * sizeof(*fds) <= size);
	return (__wrap_poll(fds, n, timeout));
}

/*
 * What the helper has in files.
 */

int
__wrap_path_file(int dirfd, const char *dir, const char *name, int flags)
{
	struct msg_ref ref = { 0 };

	if (dirfd == helper.bundles_fd) {
		must(strlen(dir) < sizeof(ref.id));
		strcpy(ref.id, dir);
		must(msg_id_valid(ref.id) && strcmp(name, "config.json") == 0 &&
		    (flags & O_ACCMODE) == O_RDONLY);
	} else {
		must(dirfd == AT_FDCWD && is_prefix(&LOGS[1], dir) &&
		    strstr(dir, "..") == NULL && strchr(name, '/') == NULL &&
		    (flags & O_APPEND) != 0 && (flags & O_TRUNC) == 0);
	}
	switch (play(PLAY_FILE) % 8) {
	case 7:
		return (-ENOENT);
	case 6:
		/* One without a name, as a file that was removed. */
		return (fcntl(sealed_fd, F_DUPFD_CLOEXEC, 3));
	default:
		return (new_fd());
	}
}

int
__wrap_path_reopen(int fd, int flags, uint32_t owner)
{
	(void)flags;
	must(owner == 0 || owner == helper.boot.shim_pid);
	if (!is_open(fd))
		return (-ENOENT);
	return (play(PLAY_REOPEN) % 8 == 7 ? -ENXIO : new_fd());
}

int
__wrap_path_trusted(int fd, mode_t type)
{
	must(is_open(fd) && type != 0);
	return (play(PLAY_TRUST) % 8 == 7 ? -EPERM : 0);
}

/* Of the cgroup's files. */
int
__wrap_path_open(int dirfd, const char *path, int flags, uint64_t resolve)
{
	must(is_open(dirfd) && path[0] != '/' && path[0] != '.' &&
	    strstr(path, "/.") == NULL && resolve == 0 &&
	    (flags & (O_CREAT | O_TRUNC)) == 0);
	return (play(PLAY_CGROUP_FILE) % 8 == 7 ? -ENOENT : new_fd());
}

int
__wrap_state_open(struct helper *h, struct record *c)
{
	(void)h;
	must(c->state_fd == -1);
	if (play(PLAY_STATE) % 8 == 7)
		return (-EEXIST);
	c->state_fd = new_fd();
	return (0);
}

int
__wrap_state_write(const struct helper *h, const struct record *c)
{
	(void)h;
	must(is_open(c->state_fd));
	return (0);
}

int
__wrap_state_remove(int root_fd, int state_fd, const char *id)
{
	must(root_fd == helper.root_fd && is_open(state_fd) && id[0] != '\0');
	return (0);
}

static int
container_lives(struct helper *h, pid_t pid)
{
	const struct record *r;

	RECORD_FOREACH(r, h)
	{
		if (r->ref.exec[0] == '\0' && r->pid == pid && !r->reaped &&
		    child_is_there(pid))
			return (1);
	}
	return (0);
}

int
__wrap_cgroup_make(struct helper *h, struct record *c, struct request *rq)
{
	const uint8_t how = play(PLAY_CGROUP);
	int i;

	/* The namespaces that it joins are of containers that live. */
	for (i = 0; i < PLAN_NS_MAX; i++) {
		must(c->plan.ns_pids[i] == 0 ||
		    container_lives(h, (pid_t)c->plan.ns_pids[i]));
	}
	rq->reply.step = MSG_STEP_CGROUP;
	if (how % 8 == 7)
		return (-ENOSPC);
	c->has_cgroup = 1;
	if ((how & 8) == 0)
		c->memory_fd = new_fd();
	if ((how & 16) != 0)
		c->event_fd = new_fd();
	if ((how & 32) == 0)
		c->populated_fd = new_fd();
	return (0);
}

int
__wrap_cgroup_enter(const struct helper *h, const struct record *c,
    int fds[CGROUP_HIERARCHIES])
{
	(void)h;
	(void)c;
	memset(fds, -1, sizeof(*fds) * CGROUP_HIERARCHIES);
	if (play(PLAY_ENTER) % 8 == 7)
		return (-ENOENT);
	fds[0] = new_fd();
	fds[CGROUP_HIERARCHIES - 1] = new_fd();
	return (0);
}

void
__wrap_cgroup_kill(const struct helper *h, const struct record *c)
{
	(void)h;
	must(c->has_cgroup && c->ref.exec[0] == '\0');
}

int
__wrap_cgroup_remove(const struct helper *h, struct record *c, int all)
{
	(void)h;
	(void)all;
	if (c->has_cgroup && c->populated_fd >= 0 && busy > 0) {
		busy--;
		return (-EBUSY);
	}
	c->has_cgroup = 0;
	fdpass_close(&c->populated_fd, 1);
	return (0);
}

void
__wrap_log_line(const char *m, const struct msg_ref *ref, const char *text,
    int error)
{
	must(error <= 0 && is_line(m, 256));
	if (ref != NULL)
		must(msg_ref_valid(ref));
	if (text != NULL)
		must(is_line(text, MSG_TEXT_SIZE));
}

void
__wrap_log_fatal(const char *m)
{
	(void)m;
	abort();
}

/*
 * Steps.
 */

int
__wrap_step_fork(struct helper *h, const struct record *r, struct step *step)
{
	const enum play kind = step->program == step_decode ? PLAY_DECODE :
	    step->program == step_proc			    ? PLAY_PROC :
	    step->program == step_mount			    ? PLAY_MOUNT :
							      PLAY_LAUNCH;
	const uint8_t how = play(kind);
	struct child *child = &children[nchildren];
	int error = how % 16 == 15 ? -EIO : 0, i, pair[2];

	if (how % 16 == 14 || nchildren == CHILDREN)
		return (-EAGAIN);
	must(h == &helper && msg_ref_valid(&r->ref));
	for (i = 0; i < STEP_FDS_MAX && step->fds[i] > 0; i++)
		must(is_open(step->fds[i]));
	must(step->pidns_fd < 0 || is_open(step->pidns_fd));
	must(step->cgroup_fd == -1 || is_open(step->cgroup_fd));
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	*child = (struct child){ .program = step->program, .fd = pair[1] };
	step->pid = FIRST_PID + (pid_t)nchildren++;
	step->socket_fd = pair[0];
	if (step->program == step_decode) {
		must(step->keep == 0);
		plan_write(step->fds[1], RECORD_IS_EXEC(r));
	}
	/* It hangs, or says nothing and ends. */
	child->silent = how % 16 == 13;
	if (child->silent && (how & 16) != 0)
		child_end(child, 1 << 8);
	if (child->silent)
		return (0);
	child->error = error;
	if (step->program == step_mount || step->program == step_launch) {
		child->terminal = step->program == step_mount ||
		    (r->plan.flags & PLAN_TERMINAL) != 0;
		child->status = step->program == step_mount &&
		    step->pidns_fd != STEP_PIDNS_NEW;
		return (0);
	}
	i = step->program == step_proc && error == 0 ? new_fd() : -1;
	step_say(child->fd, error, i);
	fdpass_close(&i, 1);
	child_end(child, error != 0 ? 1 << 8 : 0);
	return (0);
}

/* A launch step goes on: executes, or fails to. */
static void
child_go(struct child *child, int error)
{
	char byte;
	int fds[MSG_FDS_MAX];

	if (child->program != step_launch || child->fd == -1 || !child->silent)
		return;
	while (fdpass_receive(child->fd, &byte, 1, fds, NULL) > 0)
		fdpass_close(fds, MSG_FDS_MAX);
	if (error != 0)
		step_say(child->fd, error, -1);
	fdpass_close(&child->fd, 1);
	if (error != 0)
		child_end(child, 126 << 8);
}

/* Those that poll(2) knows nothing of, O_PATH, too. */
static int
all_fds_count(void)
{
	int fd, n = fds_count();

	for (fd = null_fd; fd < null_fd + PATHS; fd++)
		n += (fcntl(fd, F_GETFL) & (O_PATH | INT_MIN)) == O_PATH;
	return (n);
}

/* Once: what stays open. */
static void
played_open(void)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE;
	const uint8_t key[CHANNEL_KEY_SIZE] = { 0 };

	must(channel_open(&shim, -1, CHANNEL_SHIM, key, getpid(), geteuid()) ==
		0 &&
	    channel_open(&spare, -1, CHANNEL_HELPER, key, getpid(),
		geteuid()) == 0);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	path_fd = open("/dev/null", O_PATH | O_CLOEXEC);
	sealed_fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	must(null_fd != -1 && path_fd != -1 && sealed_fd != -1 &&
	    write(sealed_fd, "{}", 2) == 2 &&
	    fcntl(sealed_fd, F_ADD_SEALS, seals) != -1);
	helper.bundles_fd = new_fd();
	helper.root_fd = new_fd();
	helper.signal_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	helper.own_pidns_fd = new_fd();
	must(pipe2(helper.lifeline, O_CLOEXEC) == 0);
	memset(helper.cgroups, -1, sizeof(helper.cgroups));
	helper.cgroups[CGROUP_HIERARCHIES - 1] = new_fd();
	helper.boot.shim_pid = (uint32_t)getpid();
	strcpy(helper.boot.group, GROUP);
	strcpy(helper.boot.containerd_namespace, "k8s.io");
	strcpy(helper.boot.planned, GROUP);
	strcpy(helper.boot.bundles, "/run/bundles");
	strcpy(helper.boot.node.runtime_root, "/run/reaper");
}

/* A new session, in which nothing has happened. */
static void
played_begin(void)
{
	int fds[2];

	must(endpoint_pair(fds) == 0);
	shim.fd = fds[0];
	shim.sent = shim.received = 0;
	helper.channel = spare;
	helper.channel.fd = fds[1];
	helper.closing = 0;
	helper.plan_fd = -1;
	nchildren = 0;
	closing = busy = 0;
	active = 1;
}

#endif
