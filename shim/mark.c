#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "shim/group.h"
#include "shim/mark.h"

#define PATH_SIZE (GROUP_PATH_SIZE + sizeof(MARK_SUFFIX))

static void
path_of(const char *socket, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s" MARK_SUFFIX, socket);
}

int
mark_make(const char *socket)
{
	char path[PATH_SIZE];
	int error, fd;

	/* One that is there is of a shim without a socket, which may end. */
	if ((error = mark_remove(socket)) != 0)
		return (error);
	path_of(socket, path);
	/* Whoever holds it can do no more than that. */
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd == -1)
		return (-errno);
	if (flock(fd, LOCK_EX) == 0)
		return (fd);
	error = -errno;
	close(fd);
	return (error);
}

int
mark_remove(const char *socket)
{
	char path[PATH_SIZE];

	path_of(socket, path);
	return (unlink(path) == -1 && errno != ENOENT ? -errno : 0);
}

enum mark_state
mark_state(const char *socket)
{
	enum mark_state state = MARK_LEFT;
	char path[PATH_SIZE];
	int fd;

	path_of(socket, path);
	if ((fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) == -1)
		return (MARK_NONE);
	if (flock(fd, LOCK_SH | LOCK_NB) == -1)
		state = MARK_HELD;
	close(fd);
	return (state);
}
