#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "shim/base.h"
#include "shim/report.h"
#include "shim/root.h"
#include "unpriv/files.h"

#define EMPTY "empty"
#define LOCK  "root.lock"

/* Where overlays lie, if not here. */
static int
overlay_mount(const char *base, int fd)
{
	return (base[0] != '\0' ? base_mount(base, fd) : 0);
}

/*
 * A copy of /run or / for a privileged workload has it not: with a file of a
 * younger namespace in it the kernel would place none.
 */
static int
ns_mount(const char *base, int fd)
{
	char path[64];

	(void)base;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mount(path, path, NULL, MS_BIND, NULL) == -1)
		return (-errno);
	/* What is there now is not what fd refers to. */
	fd = openat(fd, "../ns", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return (-errno);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mount(NULL, path, NULL, MS_UNBINDABLE, NULL) == -1) {
		close(fd);
		return (-errno);
	}
	close(fd);
	return (0);
}

/* All are reserved ids; what makes more than a directory of one. */
static const struct {
	const char *name;
	mode_t mode;
	int (*make)(const char *base, int fd);
} directories[] = {
	{ "overlay", 0700, overlay_mount },
	{ "merged", 0700, NULL },
	{ "ns", 0700, ns_mount },
	{ EMPTY, 0555, NULL },
};

/* 1 if fd is the root of a mount, 0 if not, or a negative errno. */
static int
is_mount(int fd)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, 0, &stx) == -1)
		return (-errno);
	return ((stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0);
}

/* Makes the directories in the mount at fd. */
static int
directories_make(int fd, const char *base)
{
	int error = 0, i, in;

	for (i = 0; error >= 0 &&
	     i < (int)(sizeof(directories) / sizeof(directories[0]));
	     i++) {
		in = files_make_directory(fd, directories[i].name,
		    directories[i].mode, O_PATH);
		if (in < 0)
			return (in);
		if (directories[i].make != NULL && (error = is_mount(in)) == 0)
			error = directories[i].make(base, in);
		close(in);
	}
	return (error);
}

/*
 * One of several at the same time does it, with what lies in it; the lock file
 * is below the mount, and stays.
 */
static int
mount_make(int fd, const char *path, const char *base)
{
	int error, in, lock;

	lock =
	    openat(fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock == -1 || flock(lock, LOCK_EX) == -1)
		return (-errno);
	in = files_directory(AT_FDCWD, path, O_PATH);
	error = in < 0 ? in : is_mount(in);
	if (error == 0 &&
	    (mount(path, path, NULL, MS_BIND, NULL) == -1 ||
		mount(NULL, path, NULL, MS_PRIVATE, NULL) == -1))
		error = -errno;
	if (in >= 0)
		close(in);
	if (error >= 0) {
		/* What is mounted in it, in what is mounted now. */
		in = files_directory(AT_FDCWD, path, O_PATH);
		error = in < 0 ? in : directories_make(in, base);
		if (in >= 0)
			close(in);
	}
	close(lock);
	return (error < 0 ? error : 0);
}

int
root_make(const char *path, const char *base)
{
	int empty = -1, error, fd;

	fd = files_make_directory(AT_FDCWD, path, 0700, O_PATH);
	if (fd < 0)
		return (report_file(fd, path));
	/* The last one is there when another has finished. */
	if ((error = is_mount(fd)) == 0 ||
	    faccessat(fd, EMPTY, F_OK, AT_SYMLINK_NOFOLLOW) == -1)
		error = mount_make(fd, path, base);
	if (error >= 0)
		error = empty = files_directory(fd, EMPTY, O_RDONLY);
	close(fd);
	return (error < 0 ? report_error(error, "%.256s", path) : empty);
}
