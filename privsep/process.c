/*
 * Processes of containers and execs: decoding, starting, signals, streams,
 * and what happens when one ends.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include <limits.h>
#include <time.h>

#include "privsep/helper.h"

#define SEALS	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Takes what a decode step wrote.  Returns NULL or what is wrong with it. */
static const char *
plan_take(struct record *rec)
{
	const size_t size = sizeof(rec->plan);
	const char *bad;
	struct stat st;
	char *map;

	if (fcntl(rec->strings_fd, F_ADD_SEALS, SEALS) == -1 ||
	    fstat(rec->strings_fd, &st) == -1 || st.st_size <= (off_t)size ||
	    st.st_size > (off_t)(size + PLAN_STRINGS_MAX))
		return ("the plan's size");
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
	    rec->strings_fd, 0);
	if (map == MAP_FAILED)
		return ("the plan's memory");
	memcpy(&rec->plan, map, size);
	bad = plan_check(&rec->plan, rec->ref.exec[0] != '\0' ? PLAN_PROCESS :
	    PLAN_BUNDLE, map + size, (size_t)st.st_size - size);
	munmap(map, (size_t)st.st_size);
	return (bad);
}

int
process_decode(struct helper *h, struct record *rec, int fd,
    struct msg_reply *reply)
{
	const char *bad;
	int fds[STEP_FDS_MAX] = { fd, -1 }, none, step_fd;

	reply->step = MSG_STEP_DECODE;
	fds[1] = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if ((rec->strings_fd = fds[1]) == -1)
		return (-errno);
	step_fd = step_run(h, rec, step_decode, -1, 0, fds, reply, &none,
	    NULL);
	if (step_fd < 0)
		return (step_fd);
	close(step_fd);
	if ((bad = plan_take(rec)) == NULL)
		return (0);
	strcpy(reply->text, bad);
	return (-EBADMSG);
}

int
process_launch(struct helper *h, const struct record *c, struct record *rec,
    struct msg_reply *reply)
{
	const uint64_t *sets = rec->plan.capabilities;
	const int fds[] = { rec->strings_fd, c->mntns_fd };
	int fd, none;

	fd = step_run(h, rec, step_launch, c->pidns_fd, caps_launch |
	    sets[PLAN_PERMITTED] | sets[PLAN_INHERITABLE], fds, reply, &none,
	    &rec->pid);
	if (fd < 0)
		return (fd);
	rec->launch_fd = fd;
	if (reply->text[0] != '\0')
		log_line("a warning", &rec->ref, reply->text, 0);
	memset(reply->text, 0, sizeof(reply->text));
	return (0);
}

/*
 * From an exec's document come the arguments, environment and working
 * directory, and a user only where the container is root's already; all else
 * is the container's.  Returns NULL or what is refused.
 */
static const char *
policy_refusal(const struct plan *c, struct plan *plan)
{
	const struct plan asked = *plan;

	if ((plan->flags & PLAN_TERMINAL) != 0)
		return ("terminals are not supported yet");
	if (c->uid != 0 && (plan->uid != c->uid || plan->gid != c->gid))
		return ("another user, and the container's is not root");
	*plan = *c;
	plan->argc = asked.argc;
	plan->envc = asked.envc;
	plan->strings_length = asked.strings_length;
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
process_exec(struct helper *h, struct record *rec, struct request *rq)
{
	const struct record *c = record_container(h, &rq->m->body.ref);
	const char *refusal;
	int error;

	if (c == NULL || c->state != RECORD_RUNNING)
		return (c == NULL ? -ENOENT : -ESRCH);
	/* Only a memfd has seals; the decode step bounds its size. */
	if ((fcntl(rq->fd, F_GET_SEALS) & (SEALS | INT_MIN)) != SEALS ||
	    lseek(rq->fd, 0, SEEK_SET) == -1)
		return (-EINVAL);
	if ((rec = record_new(h, &rq->m->body.ref)) == NULL)
		return (-EMFILE);
	error = process_decode(h, rec, rq->fd, &rq->reply);
	if (error == 0 &&
	    (refusal = policy_refusal(&c->plan, &rec->plan)) != NULL) {
		rq->reply.step = MSG_STEP_POLICY;
		strcpy(rq->reply.text, refusal);
		error = -EPERM;
	}
	if (error == 0) {
		helper_publish(EVENT_EXEC_ADDED, rec);
		return (0);
	}
	log_line("an exec was not created", &rec->ref, rq->reply.text, error);
	record_free(h, rec);
	return (error);
}

int
process_start(struct helper *h, struct record *rec, struct request *rq)
{
	const struct record *c = record_container(h, &rec->ref);
	struct step_go go = { 0 };
	int error, i, n = 0, streams[HELPER_STREAMS];

	if (rec != c && c->state != RECORD_RUNNING)
		return (-ESRCH);
	if (rec != c && (error = process_launch(h, c, rec, &rq->reply)) != 0)
		return (error);
	for (i = 0; i < HELPER_STREAMS; i++) {
		if (rec->stdio_fds[i] == -1)
			continue;
		go.streams |= 1u << i;
		streams[n++] = rec->stdio_fds[i];
	}
	rq->reply.step = MSG_STEP_LAUNCH;
	error = fdpass_send(rec->launch_fd, &go, sizeof(go), streams,
	    (size_t)n);
	if (error != 0)
		return (error);
	rec->state = RECORD_STARTING;
	rec->request = rq->m->header.sequence;
	return (1);
}

void
process_started(struct helper *h, struct record *rec)
{
	struct step_result result = { .error = -EIO, .step = MSG_STEP_LAUNCH };
	struct msg_reply reply = { .request = rec->request };
	int fd, fds[MSG_FDS_MAX] = { -1, -1 }, i, n;

	if ((n = step_receive(rec->launch_fd, &result, &fd)) == -EAGAIN)
		return;
	close(rec->launch_fd);
	rec->launch_fd = -1;
	/* One that ends before it was released is reported when reaped. */
	if (rec->state != RECORD_STARTING)
		return;
	/* Closed by execve(2), unless something was said before. */
	if (n == 0) {
		rec->state = RECORD_RUNNING;
		reply.pid = (uint32_t)rec->pid;
		if (rec->ref.exec[0] == '\0')
			state_write(h, rec);
		helper_publish(rec->ref.exec[0] != '\0' ? EVENT_EXEC_STARTED :
		    EVENT_START, rec);
	} else {
		reply.error = result.error;
		reply.step = result.step;
		memcpy(reply.text, result.text, sizeof(reply.text));
		log_line("a process was not started", &rec->ref, result.text,
		    result.error);
	}
	for (i = 0, n = 0; i < HELPER_STREAMS; i++) {
		if (rec->stdio_fds[i] == -1)
			continue;
		if (i != MSG_STDIN && reply.error == 0 &&
		    (fd = path_reopen(rec->stdio_fds[i], O_RDONLY)) >= 0) {
			fds[n++] = fd;
			reply.fds |= 1u << (i - MSG_STDOUT);
		}
		close(rec->stdio_fds[i]);
		rec->stdio_fds[i] = -1;
	}
	helper_send(h, MSG_REPLY, &reply, sizeof(reply), fds);
}

int
process_signal(struct helper *h, struct record *rec, struct request *rq)
{
	const struct msg_signal *sig = &rq->m->body.signal;
	struct record *r;

	if (rec->reaped)
		return (-ESRCH);
	if (sig->all && sig->signo == SIGKILL)
		return (record_kill(h, rec) > 0 ? 0 : -ESRCH);
	for (r = h->records; r < h->records + HELPER_RECORDS; r++) {
		if (r != rec && (!sig->all || !record_alive(r, rec->ref.id)))
			continue;
		/* An unreaped child of ours: the pid is still its own. */
		if (kill(r->pid, (int)sig->signo) == -1)
			return (-errno);
	}
	return (0);
}

int
process_delete(struct helper *h, struct record *rec, struct request *rq)
{
	int error = 0;

	rq->reply.step = MSG_STEP_STATE;
	if (rec->ref.exec[0] == '\0') {
		error = state_remove(h->root_fd, rec->state_fd, rec->ref.id);
		helper_publish(EVENT_DELETE, rec);
	}
	record_free(h, rec);
	return (error);
}

void
process_report(struct helper *h, const struct record *rec)
{
	helper_publish(EVENT_EXIT, rec);
	helper_send(h, MSG_EXITED, &rec->exited, sizeof(rec->exited), NULL);
}

static void
process_ended(struct helper *h, struct record *rec, int status)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	rec->exited.pid = (uint32_t)rec->pid;
	rec->exited.status = (uint32_t)(WIFSIGNALED(status) ?
	    128 + WTERMSIG(status) : WEXITSTATUS(status));
	rec->exited.seconds = now.tv_sec;
	rec->exited.nanoseconds = (uint32_t)now.tv_nsec;
	rec->reaped = 1;
	/* What it said before: a failure, or that it was executed. */
	if (rec->launch_fd != -1)
		process_started(h, rec);
	if (rec->ref.exec[0] == '\0') {
		rec->state = RECORD_ENDING;
	} else {
		rec->state = RECORD_STOPPED;
		process_report(h, rec);
	}
}

void
process_reap(struct helper *h)
{
	struct record *r, *end = h->records + HELPER_RECORDS;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (r = h->records; r < end; r++) {
			if (r->state == RECORD_FREE)
				continue;
			if (r->init_pid == pid)
				r->init_pid = 0;
			else if (r->pid == pid && !r->reaped)
				process_ended(h, r, status);
		}
	}
	for (r = h->records; r < end; r++)
		container_settle(h, r);
}
