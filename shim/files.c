#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "shim/files.h"
#include "shim/report.h"

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
files_read(int dirfd, const char *path, size_t max, struct files_text *file)
{
	struct stat st;
	ssize_t n;
	int error, fd;

	file->text = NULL;
	fd =
	    openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return (-errno);
	if ((error = files_trusted(fd, S_IFREG)) != 0)
		goto out;
	/* A byte more than there is shows a file that is growing. */
	if (fstat(fd, &st) == -1)
		error = -errno;
	else if ((size_t)st.st_size > max)
		error = -EFBIG;
	else if ((file->text = malloc((size_t)st.st_size + 1)) == NULL)
		error = -ENOMEM;
	if (error != 0)
		goto out;
	if ((n = read_all(fd, file->text, (size_t)st.st_size + 1)) < 0)
		error = (int)n;
	else if (n > st.st_size)
		error = -EFBIG;
	else
		file->length = (size_t)n;
out:
	if (error != 0)
		files_free(file);
	close(fd);
	return (error);
}

int
files_report(int error, const char *path)
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
		if (texts[i].error == error) {
			report("%.256s: %s", path, texts[i].text);
			return (error);
		}
	}
	return (report_error(error, "%.256s", path));
}

void
files_free(struct files_text *file)
{
	free(file->text);
	file->text = NULL;
	file->length = 0;
}
