/*
 * A shim that may send anything, at any time, to the helper's own loop: its
 * channel, its table of operations, its records and processes.
 *
 * The steps are played, and with them the kernel's part: what a child reports,
 * what a decode step that was taken over writes as its plan, when a child
 * executes and ends.  Functions called __wrap_NAME stand for NAME.  An input
 * has what the shim sends and when children end, and then, for each thing that
 * may go otherwise than well, how it goes: at its end, well.  What is
 * held to: no process is signalled but the helper's own children that are not
 * reaped; a descriptor has one owner, and none is left; each request has one
 * answer, and each process one end; a container is of this pod, and an exec
 * has nothing that its container has not; no file is opened but the expected.
 */
#include <sys/wait.h>

#include <stdarg.h>

#include "unpriv/endpoint.h"
#include "regress/fuzz/fuzz.h"

/* Its loop is static there. */
#define main privsep_main
int privsep_main(void);
#include "privsep/main.c"
#undef main

#define CHILDREN  256
#define FIRST_PID 100000
#define NAMES	  16 /* containers and execs that inputs know */
#define GROUP	  "pod"
#define LOGS	  "/var/log/reaper"
#define TURNS	  64
#define PATHS	  48 /* descriptors, of which some are O_PATH */

/* One that was forked, until it is reaped. */
static struct child {
	step_program *program;
	int fd; /* its end of the socket to the helper, or -1 */
	int ended, status;
	int fatal;    /* was sent a SIGKILL */
	int silent;   /* will report nothing; else, when it is told to go on: */
	int error;    /* what, */
	int terminal; /* and whether the master of one comes with it */
} children[CHILDREN]; /* the pid is FIRST_PID and the index */
static size_t nchildren;

/* What the shim has been told of a name. */
static struct life {
	struct msg_ref ref;
	enum { NOTHING, MADE, ENDED } state;
	enum { UNSAID, CREATED, STARTED, EXITED } event;
} lives[NAMES];

static struct input in, world;
static const struct msg *asking; /* what the helper is to do */
static struct channel shim, spare;
static int active, closing, busy, corrupt, null_fd, path_fd, sealed_fd;
static size_t outstanding;
static uint64_t open_requests[CHILDREN];

/*
 * The kernel.
 */

int __real_open(const char *path, int flags, ...);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __real_kill(pid_t pid, int signo);
pid_t __real_waitpid(pid_t pid, int *status, int options);
int __real_fdpass_send(int fd, const void *data, size_t size, const int *fds,
    size_t nfds);
int __wrap_open(const char *path, int flags, ...);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_kill(pid_t pid, int signo);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
int __real_waitid(idtype_t type, id_t pid, siginfo_t *info, int options);
int __wrap_waitid(idtype_t type, id_t pid, siginfo_t *info, int options);
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
		if (child->program == NULL || child->silent ||
		    child->fd == -1 ||
		    fdpass_receive(child->fd, &byte, 1, fds, NULL) <= 0)
			continue;
		fdpass_close(fds, MSG_FDS_MAX);
		fd = child->terminal && child->error == 0 ? new_fd() : -1;
		step_say(child->fd, child->error, fd);
		fdpass_close(&fd, 1);
		child->silent = 1;
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
		if (input_byte(&world) % 16 == 15) {
			errno = ENOENT;
			return (-1);
		}
	} else if (is_prefix("/run/netns/", path)) {
		must(strchr(path + strlen("/run/netns/"), '/') == NULL);
	} else {
		must((flags & (O_PATH | O_NOFOLLOW)) == (O_PATH | O_NOFOLLOW) &&
		    is_fifo(path));
		if (input_byte(&world) % 8 == 7) {
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
	switch (input_byte(&world) % 8) {
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
	return (input_byte(&world) % 8 == 7 ? -ENXIO : new_fd());
}

int
__wrap_path_trusted(int fd, mode_t type)
{
	must(is_open(fd) && type != 0);
	return (input_byte(&world) % 8 == 7 ? -EPERM : 0);
}

/* Of the cgroup's files. */
int
__wrap_path_open(int dirfd, const char *path, int flags, uint64_t resolve)
{
	must(is_open(dirfd) && path[0] != '/' && path[0] != '.' &&
	    strstr(path, "/.") == NULL && resolve == 0 &&
	    (flags & (O_CREAT | O_TRUNC)) == 0);
	return (input_byte(&world) % 8 == 7 ? -ENOENT : new_fd());
}

int
__wrap_state_open(struct helper *h, struct record *c)
{
	(void)h;
	must(c->state_fd == -1);
	if (input_byte(&world) % 8 == 7)
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
	const uint8_t how = input_byte(&world);
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
	if (input_byte(&world) % 8 == 7)
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

/* A plan that is good, until the input says otherwise. */
static void
plan_write(int fd, int exec)
{
	static const char strings[] = "/\0command\0A=b";
	static const char others[][8] = { GROUP, "", "a", "other" };
	struct {
		struct plan plan;
		char strings[sizeof(strings)];
	} out = { .plan = { .magic = PLAN_MAGIC,
		      .kind = exec ? PLAN_PROCESS : PLAN_BUNDLE } };
	struct plan *plan = &out.plan;
	const uint8_t how = input_byte(&world), more = input_byte(&world);
	size_t length = offsetof(typeof(out), strings) + sizeof(strings);

	plan->argc = plan->envc = 1;
	plan->strings_length = sizeof(strings);
	memcpy(out.strings, strings, sizeof(strings));
	strcpy(plan->sandbox_id, others[how % 4]);
	plan->uid = (how & 4) != 0 ? 1000 : 0;
	plan->gid = (how & 8) != 0 ? 1000 : 0;
	plan->flags = ((how & 16) != 0 ? PLAN_TERMINAL : 0) |
	    ((how & 32) != 0 ? PLAN_NEW_PIDNS : 0) |
	    ((how & 64) != 0 ? PLAN_HOST : 0) |
	    ((how & 128) != 0 ? PLAN_NO_EXEC : 0);
	plan->capabilities[PLAN_PERMITTED] = more & 3;
	plan->capabilities[PLAN_EFFECTIVE] = more & 1;
	plan->capabilities[PLAN_BOUNDING] = more;
	if ((more & 4) != 0)
		plan->unshare = CLONE_NEWNET | CLONE_NEWUTS;
	if ((more & 8) != 0)
		plan->ns_pids[more % PLAN_NS_MAX] = FIRST_PID +
		    input_byte(&world);
	if ((more & 16) != 0)
		strcpy(plan->netns, "cni");
	if ((more & 32) != 0)
		strcpy(plan->cgroup, "kubepods/c");
	input_flip(&world, &out, sizeof(out));
	/* It may be too short, too. */
	length -= input_byte(&world) % 2;
	must(pwrite(fd, &out, length, 0) == (ssize_t)length);
}

int
__wrap_step_fork(struct helper *h, const struct record *r, struct step *step)
{
	const uint8_t how = input_byte(&world);
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

/*
 * What the helper says.
 */

static struct life *
life_find(const struct msg_ref *ref)
{
	struct life *life = lives;

	while (
	    life < lives + NAMES && memcmp(&life->ref, ref, sizeof(*ref)) != 0)
		life++;
	return (life == lives + NAMES ? NULL : life);
}

static void
life_over(const struct msg_ref *ref)
{
	struct life *life;

	for (life = lives; life < lives + NAMES; life++) {
		if (strcmp(life->ref.id, ref->id) == 0 &&
		    (ref->exec[0] == '\0' ||
			strcmp(life->ref.exec, ref->exec) == 0)) {
			life->state = NOTHING;
			life->event = UNSAID;
		}
	}
}

/* Each event comes after that which it follows from. */
static void
event_check(const struct event *event)
{
	const struct msg_exited *exited = &event->exited;
	struct life *life;

	must(msg_ref_valid(&exited->ref));
	if ((life = life_find(&exited->ref)) == NULL)
		return;
	switch ((enum event_kind)event->kind) {
	case EVENT_CREATE:
	case EVENT_EXEC_ADDED:
		must(life->event == UNSAID &&
		    (life->ref.exec[0] == '\0') ==
			(event->kind == EVENT_CREATE));
		life->event = CREATED;
		break;
	case EVENT_START:
	case EVENT_EXEC_STARTED:
		must(life->event == CREATED);
		must(child_of((pid_t)event->pid) != NULL);
		life->event = STARTED;
		break;
	case EVENT_EXIT:
		must(life->event == CREATED || life->event == STARTED);
		must(exited->status <= 255 && exited->pid > 1);
		life->event = EXITED;
		break;
	case EVENT_DELETE:
		must(life->event == EXITED);
		break;
	case EVENT_PAUSED:
	case EVENT_RESUMED:
		must(life->event == STARTED && life->ref.exec[0] == '\0');
		break;
	default:
		abort();
	}
}

int
__wrap_fdpass_send(int fd, const void *data, size_t size, const int *fds,
    size_t nfds)
{
	const struct event_notice *notice = data;
	uint8_t copy[sizeof(struct msg)];

	if (fd == BOOT_EVENT_FD) {
		must(size == sizeof(*notice) && nfds <= 2);
		event_check(&notice->event);
		return (0);
	}
	if (fd != shim.fd || corrupt == 0)
		return (__real_fdpass_send(fd, data, size, fds, nfds));
	memcpy(copy, data, size);
	copy[(size_t)corrupt / 8 % size] ^= (uint8_t)(1 << corrupt % 8);
	return (__real_fdpass_send(fd, copy, size, fds, nfds));
}

static void
reply_take(const struct msg *message, const struct msg *asked)
{
	const struct msg_reply *reply = &message->body.reply;
	const uint16_t op = asked->header.op;
	const struct msg_ref *ref = &asked->body.ref;
	struct life *life;
	size_t i = 0;

	while (i < outstanding && open_requests[i] != reply->request)
		i++;
	/* Answered once, and never without a question. */
	must(i < outstanding);
	open_requests[i] = open_requests[--outstanding];
	must(reply->error == 0 || message->header.nfds == 0);
	if (reply->error != 0 || reply->request != shim.sent ||
	    (life = life_find(ref)) == NULL)
		return;
	switch (op) {
	case MSG_CREATE:
	case MSG_EXEC:
		must(life->state == NOTHING);
		must(op == MSG_EXEC || child_is_there((pid_t)reply->pid));
		life->state = MADE;
		break;
	case MSG_DELETE:
		must(life->state != MADE || ref->exec[0] != '\0');
		life_over(ref);
		break;
	default:
		break;
	}
}

static void
replies_take(const struct msg *asked)
{
	struct msg message;
	struct life *life;
	int fds[MSG_FDS_MAX];

	while (channel_receive(&shim, &message, fds) == 1) {
		must(endpoint_body_check(message.header.op, &message.body,
			 message.header.length) == 0);
		if (message.header.op == MSG_REPLY)
			reply_take(&message, asked);
		if (message.header.op == MSG_EXITED &&
		    (life = life_find(&message.body.exited.ref)) != NULL) {
			must(life->state == MADE && message.header.nfds == 0);
			life->state = ENDED;
		}
		fdpass_close(fds, MSG_FDS_MAX);
	}
}

/*
 * What the helper has.
 */

static void
exec_check(const struct record *exec, const struct record *c)
{
	size_t i;

	must(c != NULL);
	if (exec->plan.magic == 0)
		return;
	must((c->plan.flags & PLAN_NO_EXEC) == 0);
	must((exec->plan.flags & ~(uint32_t)PLAN_TERMINAL) ==
	    (c->plan.flags & ~(uint32_t)PLAN_TERMINAL));
	must(c->plan.uid == 0 || exec->plan.uid == c->plan.uid);
	must(exec->on_node == c->on_node);
	for (i = 0; i < PLAN_CAPSETS; i++) {
		must((exec->plan.capabilities[i] & ~c->plan.capabilities[i]) ==
		    0);
	}
}

static void
record_check(const struct record *r)
{
	const struct plan *plan = &r->plan;

	must(r->state <= RECORD_UNDONE && msg_ref_valid(&r->ref));
	must(memcmp(&r->ref, &r->exited.ref, sizeof(r->ref)) == 0);
	must(r->pid == 0 || r->reaped || child_is_there(r->pid));
	must(r->init_pid == 0 || child_is_there(r->init_pid));
	must(r->state != RECORD_RUNNING || r->pid != 0);
	must(r->state < RECORD_CREATED || r->state > RECORD_RUNNING ||
	    !r->reaped);
	must(r->state != RECORD_STOPPED || r->reaped);
	if (RECORD_IS_EXEC(r)) {
		exec_check(r, record_find(&helper, r->ref.id, ""));
		return;
	}
	if (r->state == RECORD_UNDONE)
		return;
	must(strcmp(plan->sandbox_id[0] != '\0' ? plan->sandbox_id : r->ref.id,
		 GROUP) == 0);
	must((plan->flags & PLAN_HOST) == 0 ||
	    helper.boot.node.profile != NODE_CONFINED);
	must((plan->flags & (PLAN_HOST | PLAN_CRI_SANDBOX)) != 0 ||
	    ((plan->capabilities[PLAN_PERMITTED] |
		 plan->capabilities[PLAN_BOUNDING]) &
		(1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_PTRACE |
		    1ULL << CAP_MKNOD)) == 0);
}

static void
own(uint8_t owned[FUZZ_FDS], int fd)
{
	if (fd < 0)
		return;
	must(fd < FUZZ_FDS && !owned[fd]);
	owned[fd] = 1;
}

/* Also, in the end, that what it has is open. */
static void
helper_check(int last)
{
	uint8_t owned[FUZZ_FDS] = { 0 };
	struct record *r, *other;
	size_t i;

	must(helper.nrecords <= HELPER_RECORDS);
	RECORD_FOREACH(r, &helper)
	{
		record_check(r);
		for (other = helper.records; other < r; other++)
			must(other->state == RECORD_FREE ||
			    memcmp(&other->ref, &r->ref, sizeof(r->ref)) != 0);
		for (i = 0; i < sizeof(r->fds) / sizeof(r->fds[0]); i++)
			own(owned, r->fds[i]);
		own(owned, r->mount.socket_fd);
		own(owned, r->launch.socket_fd);
	}
	for (i = 0; last && i < FUZZ_FDS; i++)
		must(!owned[i] || is_open((int)i));
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

/*
 * The shim.
 */

static void
paths_set(struct msg_stdio *stdio, uint8_t how)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	const struct msg_ref *ref = &stdio->ref;
	const char *name = (how & 32) != 0 ? "other" :
	    ref->exec[0] != '\0'	   ? ref->exec :
					     ref->id;

	stdio->stream = how % 4;
	stdio->file = (how & 4) != 0;
	snprintf(stdio->path, sizeof(stdio->path), "%s/%s/io/%s-%s",
	    (how & 4) != 0     ? LOGS :
		(how & 8) != 0 ? "/run/cri/containers" :
				 "/run/fifo",
	    (how & 16) != 0 ? "other" : ref->id, name, names[how % 4 % 3]);
}

static void
message_send(void)
{
	static const uint16_t ops[] = { MSG_CREATE, MSG_START, MSG_EXEC,
		MSG_SIGNAL, MSG_STDIO, MSG_DELETE, MSG_CGROUP, MSG_PUBLISH,
		MSG_PREPARE };
	static const uint32_t lengths[] = { [MSG_SIGNAL] = sizeof(
						struct msg_signal),
		[MSG_STDIO] = sizeof(struct msg_stdio),
		[MSG_CGROUP] = sizeof(struct msg_choice),
		[MSG_PUBLISH] = sizeof(struct msg_choice) };
	const uint8_t how = input_byte(&in), name = input_byte(&in);
	const uint8_t value = input_byte(&in);
	struct msg asked = { .header.op = ops[how % 9] };
	uint16_t op = asked.header.op;
	uint32_t length = lengths[op] != 0 ? lengths[op] :
					     sizeof(struct msg_ref);
	int fds[2] = { sealed_fd, null_fd };
	uint32_t nfds = op == MSG_EXEC;

	asked.body.ref = lives[name % NAMES].ref;
	if (op == MSG_SIGNAL) {
		asked.body.signal.signo = value % 66;
		asked.body.signal.all = asked.body.ref.exec[0] == '\0' &&
		    (value & 128) != 0;
	} else if (op == MSG_STDIO) {
		paths_set(&asked.body.stdio, value);
	} else if (op == MSG_CGROUP || op == MSG_PUBLISH) {
		asked.body.choice.which = value;
	}
	if (name >= 128) {
		/* Any body of any operation, with any descriptors. */
		input_flip(&in, &asked.body, sizeof(asked.body));
		length += input_byte(&in) % 2;
		nfds = input_byte(&in) % 3;
		fds[0] = value % 2 ? null_fd : sealed_fd;
		op ^= input_byte(&in) % 32;
		asked.header.op = op;
	}
	if (name >= 224)
		corrupt = input_word(&in);
	if (channel_send(&shim, op, &asked.body, length, fds, nfds) == 0)
		open_requests[outstanding++] = shim.sent;
	asking = &asked;
	wait_and_work(&helper);
	/* Whoever has not the key is not listened to. */
	must(corrupt == 0 || helper.closing);
	corrupt = 0;
	replies_take(&asked);
}

static void
names_set(void)
{
	static const char *const ids[] = { GROUP, "a", "b", "c" };
	static const char *const execs[] = { "", "e", "f", GROUP };
	int i;

	memset(lives, 0, sizeof(lives));
	for (i = 0; i < NAMES; i++) {
		strcpy(lives[i].ref.id, ids[i % 4]);
		strcpy(lives[i].ref.exec, execs[i / 4]);
	}
}

/* Once: what stays open. */
static void
descriptors_open(void)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE;
	const uint8_t key[CHANNEL_KEY_SIZE] = { 0 };

	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	path_fd = open("/dev/null", O_PATH | O_CLOEXEC);
	sealed_fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	must(null_fd != -1 && path_fd != -1 && sealed_fd != -1 &&
	    write(sealed_fd, "{}", 2) == 2 &&
	    fcntl(sealed_fd, F_ADD_SEALS, seals) != -1);
	must(channel_open(&shim, -1, CHANNEL_SHIM, key, getpid(), geteuid()) ==
		0 &&
	    channel_open(&spare, -1, CHANNEL_HELPER, key, getpid(),
		geteuid()) == 0);
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

static void
helper_begin(uint8_t how)
{
	int fds[2];

	must(endpoint_pair(fds) == 0);
	shim.fd = fds[0];
	shim.sent = shim.received = 0;
	helper.channel = spare;
	helper.channel.fd = fds[1];
	helper.closing = 0;
	helper.plan_fd = -1;
	helper.boot.node.profile = how % 3;
	strcpy(helper.boot.node.log_dir, (how & 8) != 0 ? "" : LOGS);
	names_set();
	nchildren = outstanding = 0;
	closing = busy = corrupt = 0;
	asking = NULL;
	active = 1;
	if ((how & 4) == 0)
		return;
	helper.plan_fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	must(helper.plan_fd != -1);
	plan_write(helper.plan_fd, 0);
	container_first(&helper);
}

/* The shim hangs up: all that there is ends. */
static void
helper_end(void)
{
	struct record *r;
	size_t i;

	closing = 1;
	busy = busy > 3 ? 3 : busy;
	helper.closing = 1;
	helper_close(&helper);
	for (i = 0; i < nchildren; i++)
		child_end(&children[i], 0);
	process_reap(&helper);
	/* Whoever has no record is nobody's, and was not waited for. */
	RECORD_FOREACH(r, &helper)
	{
		must(r->pid == 0 || r->reaped);
		must(r->init_pid == 0);
	}
	RECORD_FOREACH(r, &helper)
	record_free(&helper, r);
	memset(helper.records, 0, helper.nrecords * sizeof(helper.records[0]));
	helper.nrecords = 0;
	active = 0;
	close(shim.fd);
	shim.fd = -1;
	close(helper.channel.fd);
	fdpass_close(&helper.plan_fd, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct msg nothing = { .header.op = 0 };
	struct child *child;
	uint8_t commands, what, which;
	int before, turns;

	if (null_fd == 0)
		descriptors_open();
	before = all_fds_count();
	in = (struct input){ data, size };
	turns = input_byte(&in);
	commands = input_byte(&in);
	world = in;
	if (commands < in.size) {
		world.data += commands;
		world.size -= commands;
		in.size = commands;
	} else {
		world.size = 0;
	}
	helper_begin((uint8_t)turns);
	for (turns = 0; in.size > 0 && !helper.closing && turns < TURNS;
	     turns++) {
		what = input_byte(&in);
		which = what / 8;
		child = which < nchildren ? &children[nchildren - 1 - which] :
					    NULL;
		switch (what % 8) {
		case 4:
			if (child != NULL)
				child_go(child, 0);
			break;
		case 5:
			if (child != NULL)
				child_go(child, -ENOENT);
			break;
		case 6:
			if (child != NULL)
				child_end(child, input_byte(&in) << 8);
			break;
		case 7:
			busy = which % 4;
			/* What it killed ends. */
			for (child = children; child < children + nchildren;
			     child++) {
				if (child->fatal)
					child_end(child, SIGKILL);
			}
			break;
		default:
			message_send();
			helper_check(0);
			continue;
		}
		wait_and_work(&helper);
		replies_take(&nothing);
		helper_check(0);
	}
	helper_check(1);
	helper_end();
	must(all_fds_count() == before);
	return (0);
}
