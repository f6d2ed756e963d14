#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/confine.h"
#include "unpriv/sandbox.h"

static _Noreturn void
work_confined(confine_work *work, void *arg)
{
	int code = CLI_FAILED, error;

	if ((error = sandbox_enter_cli()) != 0)
		cli_error("giving up privilege: %s", strerror(-error));
	else
		code = work(arg);
	if (fflush(stdout) != 0 && code == CLI_DONE) {
		cli_error("standard output: %m");
		code = CLI_FAILED;
	}
	/* As in main. */
	for (;;)
		syscall(SYS_exit_group, code);
}

/* Waits for a signal of set, and hands it on, until the child has ended. */
static void
signals_forward(pid_t pid, const sigset_t *set, int to)
{
	unsigned char byte;
	siginfo_t info;
	ssize_t n;
	sigset_t all = *set;
	int signo;

	sigaddset(&all, SIGCHLD);
	for (;;) {
		if ((signo = sigwaitinfo(&all, &info)) == -1)
			continue;
		byte = (unsigned char)signo;
		if (signo != SIGCHLD) {
			/* A full pipe means a thousand that nobody took. */
			n = write(to, &byte, 1);
			(void)n;
		} else if (waitid(P_PID, (id_t)pid, &info,
			       WEXITED | WNOWAIT | WNOHANG) == -1 ||
		    info.si_pid != 0) {
			return;
		}
	}
}

pid_t
confine_begin(confine_work *work, void *arg)
{
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
			_exit(CLI_FAILED);
		work_confined(work, arg);
	}
	if (pid == -1)
		cli_error("fork: %s", strerror(errno));
	return (pid);
}

int
confine_end(pid_t pid, const sigset_t *set, int to)
{
	int status;

	if (pid == -1)
		return (CLI_FAILED);
	if (set != NULL)
		signals_forward(pid, set, to);
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return (CLI_FAILED);
	}
	if (WIFEXITED(status))
		return (WEXITSTATUS(status));
	cli_error("the confined process was killed by signal %d",
	    WTERMSIG(status));
	return (CLI_FAILED);
}

int
confine(confine_work *work, void *arg)
{
	return (confine_end(confine_begin(work, arg), NULL, -1));
}

static int
compare(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x - *y);
}

/* Leaves open what is kept; standard streams that are not become null. */
static int
descriptors_keep(const int *keep, size_t n)
{
	int kept[32], null;
	size_t count = 0, i;
	unsigned next = 0;

	if (n > sizeof(kept) / sizeof(kept[0]) ||
	    (null = open("/dev/null", O_RDWR)) == -1)
		return (-1);
	for (i = 0; i < n; i++) {
		if (keep[i] >= 0)
			kept[count++] = keep[i];
	}
	qsort(kept, count, sizeof(kept[0]), compare);
	for (i = 0; i < 3; i++) {
		if (bsearch(&(int){ (int)i }, kept, count, sizeof(kept[0]),
			compare) == NULL &&
		    dup2(null, (int)i) == -1)
			return (-1);
	}
	for (next = 3, i = 0; i < count; i++) {
		if ((unsigned)kept[i] > next)
			close_range(next, (unsigned)kept[i] - 1, 0);
		if ((unsigned)kept[i] >= next)
			next = (unsigned)kept[i] + 1;
	}
	return (close_range(next, ~0U, 0));
}

int
confine_leave(confine_work *work, void *arg, int tty, const int *keep, size_t n)
{
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		cli_silence();
		if (setsid() == -1 ||
		    (tty != -1 && ioctl(tty, TIOCSCTTY, 0) == -1) ||
		    descriptors_keep(keep, n) == -1 || chdir("/") == -1 ||
		    prctl(PR_SET_NAME, "reaper-attend") == -1)
			_exit(CLI_FAILED);
		work_confined(work, arg);
	}
	if (pid != -1)
		return (CLI_DONE);
	cli_error("fork: %s", strerror(errno));
	return (CLI_FAILED);
}

void *
confine_share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		cli_error("memory is short");
		_exit(CLI_FAILED);
	}
	return (memory);
}

void
signals_hold(sigset_t *set)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM,
		SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGWINCH };
	sigset_t all;
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set, signals[i]);
	all = *set;
	sigaddset(&all, SIGCHLD);
	sigprocmask(SIG_BLOCK, &all, NULL);
}
