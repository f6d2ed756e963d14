/*
 * What is left of a container, for who removes it: the helper, or `delete`
 * where that was killed.  A workload that may has made cgroups in its own.
 */
#include <ftw.h>

#include "privsep/helper.h"

static int
entry_remove(const char *path, const struct stat *st, int type,
    struct FTW *position)
{
	(void)st;
	(void)position;
	/* Files of a cgroup stay, and go with it. */
	if (type != FTW_DP)
		unlink(path);
	return (type == FTW_DP && rmdir(path) == -1 ? -errno : 0);
}

int
tree_remove(int dirfd, const char *path)
{
	char full[PLAN_CGROUP_SIZE + 40];
	int error;

	snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", dirfd, path);
	error = nftw(full, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
	return (error == -1 ? -errno : error);
}

int
state_remove(int root_fd, int state_fd, const char *id)
{
	/* Another version may have left more than this one knows. */
	tree_remove(state_fd, ".");
	return (unlinkat(root_fd, id, AT_REMOVEDIR) == -1 && errno != ENOENT ?
	    -errno : 0);
}
