/*
 * The least that puts a task of the floor shim into the cgroup that its
 * bundle asks for, on cgroup v1 and v2: no statistics, no freezer, no devices.
 */
#ifndef REGRESS_BENCH_FLOOR_CGROUP_H
#define REGRESS_BENCH_FLOOR_CGROUP_H

#include <sys/types.h>

#define CGROUP_PATH_SIZE 256 /* bytes, with the NUL */

/* One cgroup, of the same path in each hierarchy; an empty path is none. */
struct cgroup {
	char path[CGROUP_PATH_SIZE];
};

/*
 * On v1 the first process that enters a cgroup waits for a grace period of
 * RCU, milliseconds, and the next ones do not.  Begins such a period in a
 * process of its own, which changes nothing; on v2 there is no need to.
 */
void	 cgroup_hurry(void);

/*
 * Makes the cgroup of cgroupsPath in the text of config.json, whose parent is
 * there, and sets its limits on CPU, memory and processes.  Makes none if the
 * bundle asks for none.  Returns 0 or -1.
 */
int	 cgroup_make(struct cgroup *cgroup, const char *config);

/*
 * Like fork, but the child is in the cgroup.  A child that cannot enter it
 * ends with 126.
 */
pid_t	 cgroup_fork(const struct cgroup *cgroup);

/* Removes the cgroup, in which no process is left.  Returns 0 or -1. */
int	 cgroup_remove(struct cgroup *cgroup);

#endif
