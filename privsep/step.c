#include <sys/wait.h>

#include <linux/sched.h>
#include <linux/seccomp.h>

#include "privsep/helper.h"

int
step_receive(int socket_fd, struct msg_reply *reply, int *fd)
{
	int fds[MSG_FDS_MAX], n;
	struct msg_reply m;
	char *p;

	if ((n = fdpass_receive(socket_fd, &m, sizeof(m), fds, NULL)) <= 0)
		return (n);
	/* A step is our own code: this is a defect, or an attack on it. */
	if (n != sizeof(m) || m.error > 0 || m.step >= MSG_STEP_MAX ||
	    (m.error != 0) != (m.step != MSG_STEP_NONE) || m.request != 0 ||
	    m.pid != 0 || m.fds != 0 || fds[fd != NULL] != -1 ||
	    !msg_string_valid(m.text, sizeof(m.text))) {
		errno = EBADMSG;
		log_fatal("a step sent what it cannot mean");
	}
	/* It may be a path, or come from a step that was taken over. */
	for (p = m.text; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\')
			*p = *p == '"' ? '\'' : '?';
	}
	if (fd != NULL)
		*fd = fds[0];
	*reply = m;
	return (1);
}

void
step_report(int error, enum msg_step step, const char *text, int fd)
{
	struct msg_reply m = { .error = error, .step = step };

	if (text != NULL)
		strncpy(m.text, text, sizeof(m.text) - 1);
	/* A decode step's filter has no sendmsg(2). */
	if (fd == -1 ? write(STEP_RESULT_FD, &m, sizeof(m)) != sizeof(m) :
	    fdpass_send(STEP_RESULT_FD, &m, sizeof(m), &fd, 1) != 0)
		_exit(1);
}

void
step_fail(enum msg_step step, int error, const char *text)
{
	step_report(error < 0 ? error : -EIO, step, text, -1);
	/* As a shell says that a program is not there, or not executable. */
	_exit(step != MSG_STEP_EXEC ? 1 : error == -ENOENT ? 127 : 126);
}

int
step_must(enum msg_step step, long result, const char *text)
{
	if (result < 0)
		step_fail(step, -errno, text);
	return ((int)result);
}

void
step_confine(const struct sock_fprog *policy)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, policy) == -1)
		_exit(1);
}

void
step_wait_end(int lifeline)
{
	struct pollfd pollfd = { .fd = lifeline };

	if (caps_limit(0) != 0)
		_exit(1);
	step_confine(&policy_init);
	/* Readable never, hung up when the helper is gone. */
	while (poll(&pollfd, 1, -1) == -1 && errno == EINTR)
		continue;
	_exit(0);
}

static _Noreturn void
step_child(const struct helper *h, const struct record *r,
    const struct step *step, int socket_fd)
{
	int fds[1 + STEP_FDS_MAX] = { socket_fd }, i, n = 0;
	sigset_t none;

	sigemptyset(&none);
	memcpy(fds + 1, step->fds, sizeof(step->fds));
	/* A source may lie where one before it goes to: all move twice. */
	for (; n <= STEP_FDS_MAX && fds[n] > 0; n++)
		fds[n] = fcntl(fds[n], F_DUPFD_CLOEXEC, 2 * STEP_FDS_MAX);
	for (i = 0; i < n; i++) {
		if (dup3(fds[i], STEP_RESULT_FD + i, O_CLOEXEC) == -1)
			_exit(1);
	}
	if (close_range((unsigned int)(STEP_RESULT_FD + n), ~0U, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    caps_limit(step->keep) != 0 ||
	    signal(SIGPIPE, SIG_DFL) == SIG_ERR ||
	    sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		step_fail(MSG_STEP_LAUNCH, -errno, "preparing the step");
	step->program(h, r);
	_exit(0);
}

int
step_fork(struct helper *h, const struct record *r, struct step *step)
{
	const struct clone_args args = { .exit_signal = SIGCHLD, .flags =
	    (step->pidns_fd == STEP_PIDNS_NEW ? CLONE_NEWPID : 0) |
	    (step->cgroup_fd != -1 ? CLONE_INTO_CGROUP : 0),
	    .cgroup = (uint64_t)step->cgroup_fd };
	int error, pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return (-errno);
	step->pid = -1;
	if (step->pidns_fd < 0 || setns(step->pidns_fd, CLONE_NEWPID) == 0)
		step->pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (step->pid == 0)
		step_child(h, r, step, pair[1]);
	error = step->pid == -1 ? -errno : 0;
	/* With the wrong namespace for children nothing may go on. */
	if (step->pidns_fd >= 0 && setns(h->own_pidns_fd, CLONE_NEWPID) == -1)
		log_fatal("returning to the own pid namespace");
	close(pair[1]);
	step->socket_fd = pair[0];
	return (error);
}

int
step_wait(const struct step *step, int *fd, struct request *rq)
{
	struct pollfd pollfd = { step->socket_fd, POLLIN, 0 };
	struct msg_reply reply = { .step = MSG_STEP_LAUNCH };
	const int said = poll(&pollfd, 1, STEP_LIMIT) == 1,
	    n = said ? step_receive(step->socket_fd, &reply, fd) : -EIO;
	siginfo_t info;

	if (n != 1) {
		strcpy(reply.text, said ? "the step gave no result" :
		    "the step took more than 30 s");
		/* One that was reaped may be anybody by now. */
		if (waitid(P_PID, (id_t)step->pid, &info, WEXITED | WNOHANG |
		    WNOWAIT) == 0)
			kill(step->pid, SIGKILL);
		reply.error = n < 0 ? n : -EIO;
	}
	/* What succeeds says nothing of what may fail after it. */
	if (reply.error != 0)
		rq->reply = reply;
	return (reply.error);
}
