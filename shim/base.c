#include <sys/mount.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/base.h"
#include "shim/report.h"
#include "unpriv/files.h"

#define BOOT_ID	     "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 37 /* a UUID, with its NUL */
#define WALK_FDS     16 /* directories that are open at a time */

static int
boot_id_read(char id[BOOT_ID_SIZE])
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return (-errno);
	n = read(fd, id, BOOT_ID_SIZE - 1);
	close(fd);
	if (n != BOOT_ID_SIZE - 1)
		return (-EIO);
	id[BOOT_ID_SIZE - 1] = '\0';
	return (0);
}

static int
entry_remove(const char *path, const struct stat *st, int type,
    struct FTW *position)
{
	(void)st;
	(void)position;
	/* What cannot be removed is tried again at the next boot. */
	if (type == FTW_DP || type == FTW_DNR)
		rmdir(path);
	else
		unlink(path);
	return (0);
}

/* A directory that a boot has left has a name of that form; others' stay. */
static void
others_remove(const char *base, const char *id)
{
	static const char digits[] = "0123456789abcdef-";
	DIR *directory = opendir(base);
	struct dirent *entry;
	char path[PATH_MAX];

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (strspn(entry->d_name, digits) != BOOT_ID_SIZE - 1 ||
		    strlen(entry->d_name) != BOOT_ID_SIZE - 1 ||
		    strcmp(entry->d_name, id) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", base, entry->d_name);
		nftw(path, entry_remove, WALK_FDS,
		    FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	}
}

int
base_mount(const char *base, int target)
{
	char from[64], id[BOOT_ID_SIZE], to[64];
	int error, fd, in;
	pid_t pid;

	if ((error = boot_id_read(id)) != 0)
		return (report_error(error, BOOT_ID));
	fd = files_make_directory(AT_FDCWD, base, 0700, O_PATH);
	if (fd < 0)
		return (report_file(fd, base));
	in = files_make_directory(fd, id, 0700, O_PATH);
	close(fd);
	if (in < 0)
		return (report_file(in, base));
	snprintf(from, sizeof(from), "/proc/self/fd/%d", in);
	snprintf(to, sizeof(to), "/proc/self/fd/%d", target);
	if (mount(from, to, NULL, MS_BIND, NULL) == -1)
		error = report_error(-errno, "%.256s", base);
	close(in);
	if (error != 0)
		return (error);
	if ((pid = fork()) == 0) {
		/* containerd waits for the end of what is written to it. */
		setsid();
		close_range(0, ~0U, 0);
		others_remove(base, id);
		_exit(0);
	}
	return (pid == -1 ? report_error(-errno, "fork") : 0);
}
