#include <sys/stat.h>
#include <sys/vfs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
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
	char text[sizeof("populated 1") - 1] = { 0 };
	int cgroup, error = -ENODEV;

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
		if (events.fd != -1 &&
		    pread(events.fd, text, sizeof(text), 0) == -1)
			break;
		error = unlinkat(root, path, AT_REMOVEDIR) == -1 ? -errno : 0;
		/* Then a workload has made some below. */
		if (error == -EBUSY && text[sizeof(text) - 1] != '1')
			error = tree_remove(root, path);
		if (error != -EBUSY)
			break;
		(void)poll(&events, 1, events.fd == -1 ? TURN : -1);
	}
	if (events.fd != -1)
		close(events.fd);
	close(cgroup);
	return (error == 0 || error == -ENOENT || error == -ENODEV ? 0 : -1);
}

/* What a cgroup may be called. */
struct names {
	char path[PATH_SIZE]; /* as the bundle has it */
	char own[PATH_SIZE];  /* as the helper has it otherwise */
	const char *parent;   /* of the first, where clients choose it */
};

/* In one hierarchy it has the one name or the other. */
static int
hierarchy_clean(int root, const struct names *names)
{
	size_t length = strcspn(names->path, "/");

	if (directory_clean(root, names->path) != 0 ||
	    directory_clean(root, names->own) != 0)
		return (-1);
	/* As the helper does: the parent is not ours, but empty now. */
	if (length == strlen(names->parent) &&
	    strncmp(names->path, names->parent, length) == 0)
		(void)unlinkat(root, names->parent, AT_REMOVEDIR);
	return (0);
}

/* The same by the name of the hierarchy, if there is one. */
static int
named_clean(int root, const char *hierarchy, const struct names *names)
{
	int error, fd;

	fd = openat(root, hierarchy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (0);
	error = hierarchy_clean(fd, names);
	close(fd);
	return (error);
}

int
cgroup_clean(int state_fd, const char *namespace, const char *id)
{
	struct names names = { .parent = namespace };
	struct dirent *entry;
	struct statfs fs;
	int error = 0;
	DIR *root;

	if (readlinkat(state_fd, BOOT_CGROUP, names.path,
		sizeof(names.path) - 1) == -1)
		return (errno == ENOENT ? 0 : -1);
	snprintf(names.own, sizeof(names.own), "reaper:%s:%s", namespace, id);
	if ((root = opendir(ROOT)) == NULL)
		return (errno == ENOENT ? 0 : -1);
	if (fstatfs(dirfd(root), &fs) == 0 &&
	    fs.f_type == CGROUP2_SUPER_MAGIC) {
		/* What it contains is cgroups of others. */
		error = hierarchy_clean(dirfd(root), &names);
		closedir(root);
		return (error);
	}
	/* First where those are killed and thawed whose end all others await. */
	if ((error = named_clean(dirfd(root), "unified", &names)) == 0)
		error = named_clean(dirfd(root), "freezer", &names);
	/* A controller may be a link to two that are one. */
	while (error == 0 && (entry = readdir(root)) != NULL) {
		if (entry->d_name[0] != '.')
			error = named_clean(dirfd(root), entry->d_name, &names);
	}
	closedir(root);
	return (error);
}
