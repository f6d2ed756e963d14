/*
 * Processes of containers and execs: decoding, starting, signals, streams,
 * and what happens when one ends.
 */
#include <sys/wait.h>

#include <time.h>

#include "privsep/helper.h"

#define SEALS	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Takes what a decode step wrote.  Returns NULL or what is wrong with it. */
static const char *
plan_take(struct record *r)
{
	const uint32_t kind = RECORD_IS_EXEC(r) ? PLAN_PROCESS : PLAN_BUNDLE;
	size_t length, size = sizeof(r->plan);
	const char *bad;
	struct stat st;
	char *map;

	if (fcntl(r->strings_fd, F_ADD_SEALS, SEALS) == -1 ||
	    fstat(r->strings_fd, &st) == -1 || st.st_size <= (off_t)size ||
	    st.st_size > (off_t)(size + PLAN_TAIL_MAX))
		return ("the plan's size");
	length = (size_t)st.st_size;
	map = mmap(NULL, length, PROT_READ, MAP_PRIVATE, r->strings_fd, 0);
	if (map == MAP_FAILED)
		return ("the plan's memory");
	memcpy(&r->plan, map, size);
	bad = plan_check(&r->plan, kind, map + size, length - size);
	munmap(map, length);
	return (bad);
}

int
process_mount(struct helper *h, struct record *c, struct request *rq)
{
	const int is_new = (c->plan.flags & PLAN_NEW_PIDNS) != 0;
	int error = 0, *ns = &c->ns_fds[PLAN_NS_PID], proc_fd = -1;
	struct step proc = { step_proc, *ns, policy_mount_capabilities,
		{ -1 }, -1, -1, 0 };

	if (*ns >= 0 && (error = step_fork(h, c, &proc)) == 0)
		error = step_wait(&proc, &proc_fd, rq);
	fdpass_close(&proc.socket_fd, 1);
	if (error != 0)
		return (error);
	c->mount = (struct step){ step_mount, is_new ? STEP_PIDNS_NEW : -1,
		policy_mount_capabilities,
		{ h->lifeline[0], c->strings_fd, proc_fd }, -1, -1, 0 };
	error = step_fork(h, c, &c->mount);
	fdpass_close(&proc_fd, 1);
	if (error != 0 || !is_new)
		return (error);
	c->init_pid = c->mount.pid;
	*ns = namespace_open(c->init_pid, PLAN_NS_PID);
	return (*ns < 0 ? *ns : 0);
}

int
process_launch(struct helper *h, struct record *r, struct request *rq)
{
	struct record *c = record_find(h, r->ref.id, "");
	const uint64_t *sets = r->plan.capabilities;
	struct step *launch = &r->launch;
	int error, *tasks = launch->fds + 2 + PLAN_NS_PID;

	*launch = (struct step){ step_launch, c->ns_fds[PLAN_NS_PID],
		policy_launch_capabilities | sets[PLAN_PERMITTED] |
		sets[PLAN_INHERITABLE],
		{ r->strings_fd, c->strings_fd /* has the filter */ }, -1, -1,
		0 };
	memcpy(launch->fds + 2, c->ns_fds, PLAN_NS_PID * sizeof(*c->ns_fds));
	rq->reply.step = MSG_STEP_CGROUP;
	if ((error = cgroup_enter(h, c, tasks)) == 0) {
		launch->cgroup_fd = tasks[CGROUP_HIERARCHIES - 1];
		rq->reply.step = MSG_STEP_NAMESPACE;
		error = step_fork(h, r, launch);
	}
	fdpass_close(tasks, CGROUP_HIERARCHIES);
	return (error);
}

int
process_ready(struct helper *h, struct record *r, struct request *rq)
{
	struct record *c = record_find(h, r->ref.id, "");
	int error = 0, *fd = &r->launch.socket_fd;

	/*
	 * Both at once: the one is told of the namespace the other made.  What
	 * that has to say comes first: without it there is no pid 1.
	 */
	if (r == c)
		error = step_wait(&c->mount, &c->mntns_fd, rq);
	if (error == 0) {
		rq->reply.step = MSG_STEP_NAMESPACE;
		error = fdpass_send(*fd, "", 1, &c->mntns_fd, 1);
	}
	/* One that has ended has said why; else an exec's could be held up. */
	if (error == -EPIPE || (r == c && error == 0))
		error = step_wait(&r->launch, &rq->fds[0], rq);
	fdpass_close(&c->mount.socket_fd, r == c);
	/* A step that nobody listens to ends. */
	fdpass_close(fd, error != 0);
	if (error != 0)
		return (error);
	r->launch_fd = *fd;
	*fd = -1;
	rq->reply.step = MSG_STEP_NAMESPACE;
	if (r == c && (error = namespaces_take(c)) != 0)
		return (error);
	if (rq->fds[0] != -1)
		rq->reply.fds = MSG_FDS_TERMINAL;
	return (0);
}

/*
 * Node policy: a bundle is of this pod.  From an exec's document come the
 * arguments, environment and working directory, and a user only where the
 * container is root's already; all else is the container's.  Returns NULL or
 * what is refused.
 */
static const char *
policy_refusal(struct helper *h, struct record *r)
{
	const struct record *container = record_find(h, r->ref.id, "");
	const struct plan *c = &container->plan;
	struct plan *plan = &r->plan;
	const struct plan asked = *plan;

	if (!RECORD_IS_EXEC(r) && strcmp(plan->sandbox_id[0] != '\0' ?
	    plan->sandbox_id : r->ref.id, h->boot.group) != 0)
		return ("the bundle belongs to another pod");
	if ((plan->flags & PLAN_HOST) != 0 &&
	    h->boot.node.profile == NODE_CONFINED)
		return ("the node takes no privileged pods");
	if (!RECORD_IS_EXEC(r))
		return (NULL);
	if ((c->flags & PLAN_CRI_SANDBOX) != 0)
		return ("the pod's sandbox has no programs");
	if ((c->flags & PLAN_NO_EXEC) != 0)
		return ("the pod's annotation reaper.runtime/restrict says "
		    "no-exec");
	if (c->uid != 0 && (plan->uid != c->uid || plan->gid != c->gid))
		return ("another user, and the container's is not root");
	r->on_node = container->on_node;
	*plan = *c;
	plan->flags &= ~(uint32_t)PLAN_TERMINAL;
	plan->flags |= asked.flags & PLAN_TERMINAL;
	plan->rows = asked.rows;
	plan->columns = asked.columns;
	plan->argc = asked.argc;
	plan->envc = asked.envc;
	plan->strings_length = asked.strings_length;
	plan->nmounts = 0;
	plan->gid = asked.gid;
	if (asked.uid == c->uid)
		return (NULL);
	/* Root that becomes somebody else keeps nothing of root's. */
	plan->uid = asked.uid;
	plan->ngroups = asked.ngroups;
	memcpy(plan->groups, asked.groups, sizeof(plan->groups));
	memset(plan->capabilities + PLAN_EFFECTIVE, 0,
	    (PLAN_CAPSETS - PLAN_EFFECTIVE) * sizeof(*plan->capabilities));
	return (NULL);
}

int
process_decode(struct helper *h, struct record *r, int fd, struct request *rq)
{
	struct step step = { step_decode, -1, 0, { fd, h->plan_fd, -1, -1 }, -1,
		-1, 0 };
	int error = 0, *plan_fd = &step.fds[1], *files = &step.fds[2];
	const char *bad;

	rq->reply.step = MSG_STEP_LAUNCH;
	if (*plan_fd != -1 && !RECORD_IS_EXEC(r) &&
	    strcmp(r->ref.id, h->boot.planned) == 0) {
		h->plan_fd = -1;
	} else {
		*plan_fd = memfd_create("plan",
		    MFD_CLOEXEC | MFD_ALLOW_SEALING);
		files[0] = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		/* Mounts are a container's. */
		files[1] = RECORD_IS_EXEC(r) ? -1 :
		    open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
		error = *plan_fd == -1 || files[0] == -1 || (files[1] == -1 &&
		    !RECORD_IS_EXEC(r)) ? -errno : step_fork(h, r, &step);
		if (error == 0)
			error = step_wait(&step, NULL, rq);
		fdpass_close(&step.socket_fd, 1);
		fdpass_close(files, 2);
	}
	r->strings_fd = *plan_fd;
	if (error != 0)
		return (error);
	rq->reply.step = MSG_STEP_DECODE;
	if ((bad = plan_take(r)) == NULL) {
		rq->reply.step = MSG_STEP_POLICY;
		bad = policy_refusal(h, r);
	}
	if (bad == NULL) {
		if (r->plan.error[0] != '\0')
			log_line("of its bundle", &r->ref, r->plan.error, 0);
		return (0);
	}
	strcpy(rq->reply.text, bad);
	return (rq->reply.step == MSG_STEP_POLICY ? -EPERM : -EBADMSG);
}

int
process_exec(struct helper *h, struct record *r, struct request *rq)
{
	const struct record *c = record_find(h, r->ref.id, "");

	if (c == NULL || c->state != RECORD_RUNNING)
		return (c == NULL ? -ENOENT : -ESRCH);
	/* Only a memfd has seals; the decode step bounds its size. */
	if ((fcntl(rq->fd, F_GET_SEALS) & (SEALS | INT_MIN)) != SEALS ||
	    lseek(rq->fd, 0, SEEK_SET) == -1)
		return (-EINVAL);
	rq->event = EVENT_EXEC_ADDED;
	return (process_decode(h, r, rq->fd, rq));
}

/* Lets the waiting process execute, with its streams. */
static int
process_release(const struct record *r)
{
	int i, streams[HELPER_STREAMS];
	unsigned char go = 0;
	size_t n = 0;

	for (i = 0; i < HELPER_STREAMS; i++) {
		if (r->stdio_fds[i] == -1)
			continue;
		go |= (unsigned char)(1u << i);
		streams[n++] = r->stdio_fds[i];
	}
	return (fdpass_send(r->launch_fd, &go, 1, streams, n));
}

int
process_start(struct helper *h, struct record *r, struct request *rq)
{
	const struct record *c = record_find(h, r->ref.id, "");
	int error;

	if (r != c && c->state != RECORD_RUNNING)
		return (-ESRCH);
	rq->reply.step = MSG_STEP_LAUNCH;
	if (r == c)
		error = process_release(r);
	else if ((error = process_launch(h, r, rq)) == 0 &&
	    (error = process_ready(h, r, rq)) == 0)
		/* It need not wait; one that has ended has said why. */
		(void)process_release(r);
	if (error != 0)
		return (error);
	r->pid = r->launch.pid;
	r->state = RECORD_STARTING;
	r->request = rq->m->header.sequence;
	return (1);
}

void
process_started(struct helper *h, struct record *r)
{
	struct msg_reply reply = { .error = -EIO, .step = MSG_STEP_LAUNCH };
	int fd, fds[MSG_FDS_MAX] = { -1, -1, -1 }, i, n;

	if ((n = step_receive(r->launch_fd, &reply, &fd)) == -EAGAIN)
		return;
	if (n == 1) {
		fdpass_close(&r->terminal_fd, 1);
		/* -2: it is ready, and has none. */
		r->terminal_fd = fd != -1 ? fd : -2;
	}
	/* An exec's is ready; one that is killed now will say nothing more. */
	if (n == 1 && reply.error == 0)
		return;
	fdpass_close(&r->launch_fd, 1);
	/* One that ends before it was released is reported when reaped. */
	if (r->state != RECORD_STARTING)
		return;
	/* Closed by execve(2), unless something was said before. */
	reply.request = r->request;
	if (n == 0 && (!RECORD_IS_EXEC(r) || r->terminal_fd != -1)) {
		r->state = RECORD_RUNNING;
		reply.error = reply.step = 0;
		reply.pid = (uint32_t)r->pid;
	} else {
		/* The text may be an argument. */
		log_line("not started", &r->ref, NULL, reply.error);
	}
	for (i = MSG_STDOUT, n = 0; reply.pid != 0 && i <= MSG_STDERR; i++) {
		/* Of a file, the shim gets nothing. */
		if ((fcntl(r->stdio_fds[i], F_GETFL) & O_PATH) != 0 &&
		    (fd = path_reopen(r->stdio_fds[i], O_RDWR,
		    h->boot.shim_pid)) >= 0) {
			fds[n++] = fd;
			reply.fds |= 1u << (i - MSG_STDOUT);
		}
	}
	if (reply.pid != 0 && r->terminal_fd >= 0) {
		fds[n] = r->terminal_fd;
		reply.fds = MSG_FDS_TERMINAL;
		r->terminal_fd = -1;
	}
	fdpass_close(r->stdio_fds, HELPER_STREAMS);
	log_operation(h, "START", &r->ref, reply.error);
	helper_send(h, MSG_REPLY, &reply, sizeof(reply), fds);
	if (reply.pid != 0)
		helper_publish(h, RECORD_IS_EXEC(r) ? EVENT_EXEC_STARTED :
		    EVENT_START, r);
}

int
process_signal(struct helper *h, struct record *t, struct request *rq)
{
	const struct msg_signal *sig = &rq->m->body.signal;
	struct record *r;

	if (t->reaped)
		return (-ESRCH);
	if (sig->all && sig->signo == SIGKILL)
		return (record_kill(h, t) > 0 ? 0 : -ESRCH);
	RECORD_FOREACH(r, h) {
		/* An unreaped child of ours: the pid is still its own. */
		if ((r == t || (sig->all && record_alive(r, t->ref.id))) &&
		    kill(r->pid, (int)sig->signo) == -1)
			return (-errno);
	}
	return (0);
}

int
process_delete(struct helper *h, struct record *r, struct request *rq)
{
	/* What is only prepared the table has undone. */
	rq->over = r->state != RECORD_PREPARED;
	if (!rq->over || RECORD_IS_EXEC(r))
		return (0);
	rq->event = EVENT_DELETE;
	rq->reply.step = MSG_STEP_STATE;
	/* Version 1 alone has not told when it was empty. */
	cgroup_remove(h, r, 1);
	return (state_remove(h->root_fd, r->state_fd, r->ref.id));
}

int
process_publish(struct helper *h, struct record *r, struct request *rq)
{
	(void)h;
	(void)r;
	rq->event = rq->m->body.choice.which;
	return (0);
}

static void
process_ended(struct helper *h, struct record *r, int status)
{
	struct timespec now;
	int i;

	clock_gettime(CLOCK_REALTIME, &now);
	r->exited = (struct msg_exited){ r->ref, now.tv_sec,
		(uint32_t)now.tv_nsec, (uint32_t)r->pid,
		(uint32_t)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
		WEXITSTATUS(status)), 0 };
	r->reaped = 1;
	/* While there is still a cgroup. */
	if (r->memory_fd >= 0 && pread(r->memory_fd, r->memory,
	    sizeof(r->memory) - 1, 0) == -1)
		log_line("memory events", &r->ref, NULL, -errno);
	/* What it said before: it was ready, then failed or was executed. */
	for (i = 0; i < 2 && r->launch_fd != -1; i++)
		process_started(h, r);
	/* Why one ended that is prepared, it has told who will ask for it. */
	if (r->state != RECORD_UNDONE && r->state != RECORD_PREPARED)
		r->state = RECORD_ENDING;
}

/*
 * The end of an exec is reported at once, that of a container when its execs
 * were reaped and everything else of it has been killed for good: nothing in a
 * namespace outlives its pid 1, whose own end is not waited for.
 */
void
process_settle(struct helper *h, struct record *r)
{
	const int undone = r->state == RECORD_UNDONE;
	int alive, busy;

	if (r->state != RECORD_ENDING && !undone)
		return;
	if (!RECORD_IS_EXEC(r)) {
		alive = record_kill(h, r);
		/* In any case: it has seen what has come until now. */
		busy = cgroup_remove(h, r, undone) == -EBUSY;
		if (busy || alive > (!undone && r->init_pid != 0))
			return;
	}
	if (undone) {
		if (r->state_fd >= 0)
			state_remove(h->root_fd, r->state_fd, r->ref.id);
		record_free(h, r);
		return;
	}
	r->state = RECORD_STOPPED;
	helper_send(h, MSG_EXITED, &r->exited, sizeof(r->exited), NULL);
	helper_publish(h, EVENT_EXIT, r);
	cgroup_remove(h, r, 1);
	/* Slow if it is the last reference: better while pid 1 has one. */
	fdpass_close(&r->mntns_fd, 1);
}

void
process_reap(struct helper *h)
{
	struct record *r;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		RECORD_FOREACH(r, h) {
			if (r->init_pid == pid)
				r->init_pid = 0;
			else if (r->pid == pid && !r->reaped)
				process_ended(h, r, status);
			/* An exec's end is told at once. */
			if (RECORD_IS_EXEC(r))
				process_settle(h, r);
		}
	}
	RECORD_FOREACH(r, h)
		process_settle(h, r);
}
