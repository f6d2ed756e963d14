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
enter_shim(void)
{
	return (sandbox_enter_shim(UID, empty));
}

static int
enter_publisher(void)
{
	return (sandbox_enter_publisher(empty));
}

/* By a function, or what a step of the helper does: its filter. */
static const struct role {
	const char *name;
	int (*enter)(void);
	const struct sock_fprog *filter;
} roles[] = {
	{ "decode", sandbox_enter_decode, NULL },
	{ "shim", enter_shim, NULL },
	{ "publisher", enter_publisher, NULL },
	{ "mount", NULL, &policy_mount },
	{ "init", NULL, &policy_init },
	{ "workload", NULL, &policy_workload },
};

static int
role_enter(const struct role *role)
{
	if (role->enter != NULL)
		return (role->enter());
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	return (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, role->filter));
}

/* Microseconds of the life of a process of this role, or of none: NULL. */
static double
life(const struct role *role)
{
	struct timespec begin, end;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	if ((pid = fork()) == 0)
		_exit(role != NULL && role_enter(role) != 0);
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
			free[k] = life(NULL);
			confined[k] = life(&roles[i]);
		}
		printf("%s %.1f\n", roles[i].name,
		    median(confined) - median(free));
	}
	return (0);
}
