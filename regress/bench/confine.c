/*
 * confine: what it costs to confine the processes of one task.
 *
 * For each role, a process that enters its sandbox and ends is compared with
 * one that only ends, in turn.  Prints lines of a role and microseconds, the
 * difference of the two medians.  One after the other is the worst case: most
 * of a task's processes confine themselves while others work.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "policies.h"
#include "unpriv/sandbox.h"

#define TURNS 200
#define UID   65521

static int empty; /* a directory */

static int
enter_nothing(void)
{
	return (0);
}

static int
enter_decode(void)
{
	return (sandbox_enter_decode());
}

static int
enter_shim(void)
{
	return (sandbox_enter_shim(UID, empty));
}

static int
enter_publisher(void)
{
	return (sandbox_enter_publisher(empty));
}

static int
filter(const struct sock_fprog *policy)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	return (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, policy));
}

static int
enter_mount(void)
{
	return (filter(&policy_mount));
}

static int
enter_init(void)
{
	return (filter(&policy_init));
}

static int
enter_workload(void)
{
	return (filter(&policy_workload));
}

static const struct {
	const char *name;
	int (*enter)(void);
} roles[] = {
	{ "decode", enter_decode },
	{ "shim", enter_shim },
	{ "publisher", enter_publisher },
	{ "mount", enter_mount },
	{ "init", enter_init },
	{ "workload", enter_workload },
};

/* Microseconds of the life of a process that does this. */
static double
life(int (*enter)(void))
{
	struct timespec begin, end;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	if ((pid = fork()) == 0)
		_exit(enter() != 0);
	if (pid == -1 || waitpid(pid, &status, 0) != pid || status != 0)
		errx(1, "a role could not be entered");
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((double)(end.tv_sec - begin.tv_sec) * 1e6 +
	    (double)(end.tv_nsec - begin.tv_nsec) / 1e3);
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return ((*x > *y) - (*x < *y));
}

static double
median(double values[TURNS])
{
	qsort(values, TURNS, sizeof(*values), compare);
	return (values[TURNS / 2]);
}

int
main(int argc, char *argv[])
{
	static double confined[TURNS], free[TURNS];
	size_t i, k;

	if (argc != 2 || (empty = open(argv[1], O_PATH | O_DIRECTORY)) == -1)
		errx(2, "usage: confine EMPTY_DIRECTORY");
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		for (k = 0; k < TURNS; k++) {
			free[k] = life(enter_nothing);
			confined[k] = life(roles[i].enter);
		}
		printf("%s %.1f\n", roles[i].name,
		    median(confined) - median(free));
	}
	return (0);
}
