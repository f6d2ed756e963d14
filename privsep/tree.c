/*
 * Trees of empty cgroups, which a workload that may has made in its own.
 */
#include <ftw.h>

#include "privsep/helper.h"

static int
directory_remove(const char *path, const struct stat *st, int type,
    struct FTW *position)
{
	(void)st;
	(void)position;
	return (type == FTW_DP && rmdir(path) == -1 ? -errno : 0);
}

int
tree_remove(int dirfd, const char *path)
{
	char full[PLAN_CGROUP_SIZE + 40];
	int error;

	snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", dirfd, path);
	error = nftw(full, directory_remove, 8, FTW_DEPTH | FTW_PHYS);
	return (error == -1 ? -errno : error);
}
