/*
 * The cgroup of a container whose helper was killed.
 */
#ifndef SHIM_CGROUP_CLEAN_H
#define SHIM_CGROUP_CLEAN_H

/*
 * Kills what lives in it, waits until it is empty, and removes it.  state_fd is
 * the directory that the helper kept for this container of containerd's
 * namespace, whose link BOOT_CGROUP names it; without one there is none.
 * Returns 0 or -1 with errno set.  How long it may wait is the caller's
 * business: by alarm(2).
 */
int	 cgroup_clean(int state_fd, const char *namespace, const char *id);

#endif
