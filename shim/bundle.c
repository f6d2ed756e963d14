#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/bundle.h"
#include "shim/report.h"
#include "unpriv/files.h"

#define ADDRESS_NEW "address.new"

int
bundle_open(struct bundle *bundle, const char *id)
{
	char path[BOOT_PATH_SIZE + 80], *name;

	if (getcwd(path, sizeof(path)) == NULL)
		return (report_error(-errno, "the bundle's path"));
	name = strrchr(path, '/');
	if (name == NULL || strcmp(name + 1, id) != 0) {
		report("the working directory is not the bundle of \"%s\"", id);
		return (-EINVAL);
	}
	*name = '\0';
	if (strlen(path) >= sizeof(bundle->parent) || path[0] != '/') {
		report("the bundle's path is longer than %zu bytes",
		    sizeof(bundle->parent) - 1);
		return (-ENAMETOOLONG);
	}
	memset(bundle->parent, 0, sizeof(bundle->parent));
	memcpy(bundle->parent, path, strlen(path));
	bundle->fd = files_directory(AT_FDCWD, ".", O_RDONLY);
	if (bundle->fd < 0)
		return (report_file(bundle->fd, "the bundle"));
	return (0);
}

int
bundle_log(const struct bundle *bundle)
{
	struct stat st;
	int error, fd;

	fd = openat(bundle->fd, "log",
	    O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return (-errno);
	error = fstat(fd, &st) == -1 ? -errno :
	    S_ISFIFO(st.st_mode)     ? 0 :
				       -EINVAL;
	if (error != 0) {
		close(fd);
		return (error);
	}
	return (fd);
}

int
bundle_link(const struct bundle *bundle, const char *name, const char *target)
{
	/* Of an earlier start in the same bundle. */
	if (unlinkat(bundle->fd, name, 0) == -1 && errno != ENOENT)
		return (-errno);
	return (symlinkat(target, bundle->fd, name) == -1 ? -errno : 0);
}

int
bundle_linked(int dirfd, const char *name, char target[BOOT_PATH_SIZE])
{
	ssize_t n = readlinkat(dirfd, name, target, BOOT_PATH_SIZE);

	if (n == -1)
		return (-errno);
	if (n == BOOT_PATH_SIZE || target[0] != '/')
		return (-EINVAL);
	memset(target + n, 0, BOOT_PATH_SIZE - (size_t)n);
	return (0);
}

int
bundle_write_address(const struct bundle *bundle, const char *address)
{
	size_t length = strlen(address);
	int error = 0, fd;

	unlinkat(bundle->fd, ADDRESS_NEW, 0); /* of a killed start */
	fd = openat(bundle->fd, ADDRESS_NEW,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return (-errno);
	if (write(fd, address, length) != (ssize_t)length)
		error = errno != 0 ? -errno : -EIO;
	close(fd);
	if (error == 0 &&
	    renameat(bundle->fd, ADDRESS_NEW, bundle->fd, "address") == -1)
		error = -errno;
	if (error != 0)
		unlinkat(bundle->fd, ADDRESS_NEW, 0);
	return (error);
}
