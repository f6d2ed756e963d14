/*
 * The minimal pid 1 of a container's own pid namespace: it holds the
 * namespace, lets the kernel reap orphans, and ends with the helper; when it
 * ends, the kernel kills everything else in the namespace.
 */

#include <linux/sched.h>

#include "privsep/helper.h"

static _Noreturn void
init_run(int lifeline)
{
	struct pollfd pollfd = { .fd = STEP_RESULT_FD };

	/*
	 * Children of a parent that ignores SIGCHLD are reaped by the kernel;
	 * other signals from inside do not reach a pid 1 without handlers.
	 */
	if (signal(SIGCHLD, SIG_IGN) == SIG_ERR ||
	    dup2(lifeline, STEP_RESULT_FD) == -1 ||
	    close_range(STEP_RESULT_FD + 1, ~0U, 0) == -1 ||
	    close_range(0, STEP_RESULT_FD - 1, 0) == -1 ||
	    prctl(PR_SET_NAME, "reaper-init") == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || caps_limit(0) != 0)
		_exit(1);
	step_confine(&policy_init);
	/* Readable never, hung up when the helper is gone. */
	while (poll(&pollfd, 1, -1) == -1 && errno == EINTR)
		continue;
	_exit(0);
}

int
init_spawn(struct helper *h, struct record *c)
{
	const struct clone_args args = { .flags = CLONE_NEWPID,
		.exit_signal = SIGCHLD };
	char path[64];
	long pid;

	if ((pid = syscall(SYS_clone3, &args, sizeof(args))) == 0)
		init_run(h->lifeline[0]);
	if (pid == -1)
		return (-errno);
	c->init_pid = (pid_t)pid;
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", c->init_pid);
	c->pidns_fd = open(path, O_RDONLY | O_CLOEXEC);
	return (c->pidns_fd == -1 ? -errno : 0);
}
