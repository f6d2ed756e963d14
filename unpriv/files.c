#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unpriv/files.h"

int
files_trusted(int fd, mode_t type)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return (-errno);
	if ((st.st_mode & S_IFMT) != type)
		return (-EBADF);
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return (-EPERM);
	return (0);
}

int
files_directory(int dirfd, const char *path, int flags)
{
	int error, fd;

	fd = openat(dirfd, path, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return (-errno);
	if ((error = files_trusted(fd, S_IFDIR)) != 0) {
		close(fd);
		return (error);
	}
	return (fd);
}

int
files_make_directory(int dirfd, const char *path, mode_t mode, int flags)
{
	mode_t mask;
	int error = 0;

	mask = umask(0);
	if (mkdirat(dirfd, path, mode) == -1 && errno != EEXIST)
		error = -errno;
	umask(mask);
	return (error != 0 ? error : files_directory(dirfd, path, flags));
}

/* Reads fd to its end.  Returns the number of bytes or a negative errno. */
static ssize_t
read_all(int fd, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t n;

	do {
		n = read(fd, buffer + length, size - length);
		if (n == -1)
			return (-errno);
		length += (size_t)n;
	} while (n > 0 && length < size);
	return ((ssize_t)length);
}

int
files_open(int dirfd, const char *path)
{
	int error, fd;

	fd =
	    openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return (-errno);
	if ((error = files_trusted(fd, S_IFREG)) != 0) {
		close(fd);
		return (error);
	}
	return (fd);
}

int
files_parent(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char parent[FILES_PATH_SIZE] = "/";

	if (path[0] != '/')
		return (-EINVAL);
	if (strlen(path) >= sizeof(parent))
		return (-ENAMETOOLONG);
	*name = slash + 1;
	if (slash != path)
		memcpy(parent, path, (size_t)(slash - path));
	return (files_directory(AT_FDCWD, parent, O_PATH));
}

int
files_read_fd(int fd, size_t max, struct files_text *file)
{
	struct stat st;
	ssize_t n;
	int error = 0;

	file->text = NULL;
	/* A byte more than there is shows a file that is growing. */
	if (fstat(fd, &st) == -1)
		return (-errno);
	if ((size_t)st.st_size > max)
		return (-EFBIG);
	if ((file->text = malloc((size_t)st.st_size + 1)) == NULL)
		return (-ENOMEM);
	if ((n = read_all(fd, file->text, (size_t)st.st_size + 1)) < 0)
		error = (int)n;
	else if (n > st.st_size)
		error = -EFBIG;
	else
		file->length = (size_t)n;
	if (error != 0)
		files_free(file);
	return (error);
}

int
files_read(int dirfd, const char *path, size_t max, struct files_text *file)
{
	int error, fd;

	file->text = NULL;
	if ((fd = files_open(dirfd, path)) < 0)
		return (fd);
	error = files_read_fd(fd, max, file);
	close(fd);
	return (error);
}

const char *
files_reason(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ -EPERM, "must belong to root, and nobody else may write it" },
		{ -EBADF, "is not a file of the expected type" },
		{ -ENOTDIR, "is not a directory" },
		{ -ELOOP, "must not be a symbolic link" },
		{ -EFBIG, "is larger than is accepted" },
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].error == error)
			return (texts[i].text);
	}
	return (NULL);
}

void
files_free(struct files_text *file)
{
	free(file->text);
	file->text = NULL;
	file->length = 0;
}
