#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "privsep/boot.h"
#include "privsep/plan.h"
#include "shim/cgroup_clean.h"

#define ROOT	  "/sys/fs/cgroup"
#define PATH_SIZE (PLAN_CGROUP_SIZE + 40)
#define TURN	  10 /* ms; version 1 does not tell when one is empty */

/* Writes a text to a file of a cgroup, if it has that. */
static void
file_write(int cgroup, const char *name, const char *text)
{
	int fd = openat(cgroup, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return;
	if (write(fd, text, strlen(text)) == -1)
		errno = 0; /* then it is found to be busy */
	close(fd);
}

/* One directory of one hierarchy.  Returns 0 or -1. */
static int
directory_clean(int root, const char *path)
{
	struct pollfd events = { .events = POLLPRI };
	char byte;
	int cgroup, result = -1;

	cgroup =
	    openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (cgroup == -1)
		return (errno == ENOENT || errno == ENOTDIR ? 0 : -1);
	/* Version 1 keeps the frozen from dying. */
	file_write(cgroup, "freezer.state", "THAWED");
	file_write(cgroup, "cgroup.kill", "1");
	events.fd = openat(cgroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
	for (;;) {
		/* What happens after this makes it readable. */
		if (events.fd != -1 && pread(events.fd, &byte, 1, 0) == -1)
			break;
		result = unlinkat(root, path, AT_REMOVEDIR);
		if (result == 0 || errno != EBUSY)
			break;
		(void)poll(&events, 1, events.fd == -1 ? TURN : -1);
	}
	result = result == 0 || errno == ENOENT || errno == ENODEV ? 0 : -1;
	if (events.fd != -1)
		close(events.fd);
	close(cgroup);
	return (result);
}

/* In one hierarchy it has the one name or the other. */
static int
hierarchy_clean(int root, const char *path, const char *own,
    const char *namespace)
{
	size_t length = strcspn(path, "/");

	if (directory_clean(root, path) != 0 || directory_clean(root, own) != 0)
		return (-1);
	/* As the helper does: the parent is not ours, but empty now. */
	if (length == strlen(namespace) &&
	    strncmp(path, namespace, length) == 0)
		(void)unlinkat(root, namespace, AT_REMOVEDIR);
	return (0);
}

int
cgroup_clean(int state_fd, const char *namespace, const char *id)
{
	char own[PATH_SIZE], path[PATH_SIZE] = { 0 };
	struct dirent *entry;
	int error = 0, fd;
	DIR *root;

	if (readlinkat(state_fd, BOOT_CGROUP, path, sizeof(path) - 1) == -1)
		return (errno == ENOENT ? 0 : -1);
	snprintf(own, sizeof(own), "reaper:%s:%s", namespace, id);
	if ((root = opendir(ROOT)) == NULL)
		return (errno == ENOENT ? 0 : -1);
	/* Of version 2 alone this is the hierarchy. */
	error = hierarchy_clean(dirfd(root), path, own, namespace);
	while (error == 0 && (entry = readdir(root)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		/* A controller may be a link to two that are one. */
		fd = openat(dirfd(root), entry->d_name,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd == -1)
			continue;
		error = hierarchy_clean(fd, path, own, namespace);
		close(fd);
	}
	closedir(root);
	return (error);
}
