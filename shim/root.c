#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "shim/report.h"
#include "shim/root.h"
#include "unpriv/files.h"

#define EMPTY "empty"
#define LOCK  "root.lock"

/* All are reserved ids. */
static const struct {
	const char *name;
	mode_t mode;
} directories[] = {
	{ "overlay", 0700 },
	{ "merged", 0700 },
	{ "ns", 0700 },
	{ EMPTY, 0555 },
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

/*
 * One of several at the same time does it, with what lies in it; the lock file
 * is below the mount, and stays.
 */
static int
mount_make(int fd, const char *path)
{
	int error, i, in, lock;

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
	for (i = 0; error >= 0 &&
	     i < (int)(sizeof(directories) / sizeof(directories[0]));
	     i++) {
		error = files_make_directory(fd, directories[i].name,
		    directories[i].mode, O_PATH);
		if (error >= 0)
			close(error);
	}
	close(lock);
	return (error < 0 ? error : 0);
}

int
root_make(const char *path)
{
	int empty = -1, error, fd;

	fd = files_make_directory(AT_FDCWD, path, 0700, O_PATH);
	if (fd < 0)
		return (report_file(fd, path));
	if ((error = is_mount(fd)) == 0)
		error = mount_make(fd, path);
	if (error >= 0)
		error = empty = files_directory(fd, EMPTY, O_RDONLY);
	close(fd);
	return (error < 0 ? report_error(error, "%.256s", path) : empty);
}
