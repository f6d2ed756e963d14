#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "shim/logs.h"
#include "shim/report.h"
#include "unpriv/files.h"

int
logs_try(const char *path)
{
	const char *name;
	int directory, error, fd;

	directory = files_parent(path, &name);
	if (directory < 0)
		return (directory);
	fd = openat(directory, name,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
		O_CLOEXEC,
	    S_IRUSR | S_IWUSR);
	error = fd == -1 ? -errno : files_trusted(fd, S_IFREG);
	close(directory);
	if (error == 0)
		return (fd);
	if (fd != -1)
		close(fd);
	return (error);
}

int
logs_open(const char *key, const char *path)
{
	int fd = logs_try(path);

	/* No reader of a FIFO, a directory, a device, a socket. */
	if (fd == -ENXIO || fd == -EISDIR)
		fd = -EBADF;
	return (fd >= 0 ? fd :
			  report_error(fd == -EBADF ? -EINVAL : fd,
			      "%s: \"%.256s\": expected a regular file that "
			      "only root owns and may write, in such a "
			      "directory, without symbolic links",
			      key, path));
}
