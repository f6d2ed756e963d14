#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "shim/report.h"
#include "shim/uid.h"
#include "unpriv/files.h"

#define DIRECTORY "_uids" /* no container has such a name */

/* Where in the range to begin, so that few are tried in vain. */
static uint32_t
begin_of(const char *group, uint32_t count)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *group != '\0'; group++)
		hash = (hash ^ (unsigned char)*group) * 16777619u;
	return (hash % count);
}

/* Returns the locked file of a user id, or a negative errno. */
static int
uid_lock(int directory, uint32_t uid)
{
	char name[16];
	int error, fd;

	snprintf(name, sizeof(name), "%u", uid);
	/* Whoever holds it can do no more than that. */
	fd = openat(directory, name,
	    O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd == -1)
		return (-errno);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return (fd);
	error = -errno;
	close(fd);
	return (error);
}

int
uid_take(const struct conf_uids *uids, const char *root, const char *group,
    int *fd_p)
{
	const uint32_t count = uids->last - uids->first + 1;
	uint32_t begin, i, uid = 0;
	int directory, fd = -EWOULDBLOCK;

	*fd_p = -1;
	if (count == 1)
		return ((int)uids->first);
	if ((fd = files_directory(AT_FDCWD, root, O_PATH)) < 0)
		return (report_file(fd, root));
	directory = files_make_directory(fd, DIRECTORY, 0700, O_PATH);
	close(fd);
	if (directory < 0)
		return (report_error(directory, "%s/" DIRECTORY, root));
	begin = begin_of(group, count);
	for (i = 0, fd = -EWOULDBLOCK; i < count && fd == -EWOULDBLOCK; i++) {
		uid = uids->first + (begin + i) % count;
		fd = uid_lock(directory, uid);
	}
	close(directory);
	if (fd == -EWOULDBLOCK) {
		report("REAPER_UID: all user ids from %u to %u are taken by "
		       "shims",
		    uids->first, uids->last);
		return (-EAGAIN);
	}
	if (fd < 0)
		return (report_error(fd, "%s/" DIRECTORY "/%u", root, uid));
	*fd_p = fd;
	return ((int)uid);
}
