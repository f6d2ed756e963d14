#include "privsep/helper.h"

int
path_open(int dirfd, const char *path, int flags, uint64_t resolve)
{
	const struct open_how how = { (uint64_t)(flags | O_CLOEXEC),
		(flags & O_CREAT) != 0 ? 0600 : 0,
		resolve != 0 ? resolve : RESOLVE_BENEATH |
		RESOLVE_NO_SYMLINKS };
	long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	return (fd == -1 ? -errno : (int)fd);
}

int
path_file(int dirfd, const char *dir, const char *name, int flags)
{
	int error, fd, in;

	if ((in = path_open(dirfd, dir, O_PATH | O_DIRECTORY, 0)) < 0)
		return (in);
	if ((fd = path_trusted(in, S_IFDIR)) == 0)
		fd = path_open(in, name, flags | O_NONBLOCK, 0);
	close(in);
	if (fd < 0 || (error = path_trusted(fd, S_IFREG)) == 0)
		return (fd);
	close(fd);
	return (error);
}

int
path_reopen(int fd, int flags, uint32_t owner)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((fd = open(path, flags | O_NONBLOCK | O_CLOEXEC)) == -1)
		return (-errno);
	if (fcntl(fd, F_SETOWN, (pid_t)owner) == -1)
		log_line("nobody is told of a stream", NULL, NULL, -errno);
	return (fd);
}

int
path_trusted(int fd, mode_t type)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return (-errno);
	if ((st.st_mode & S_IFMT) != type)
		return (-EINVAL);
	return (st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 ?
	    0 : -EPERM);
}
