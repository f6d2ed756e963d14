#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "shim/helper.h"
#include "shim/report.h"
#include "unpriv/files.h"
#include "unpriv/log.h"

#define FIRST_FD 3

/* The directory of this program, or a negative errno. */
static int
own_directory(void)
{
	char path[PATH_MAX];
	ssize_t n;

	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n == -1)
		return (-errno);
	path[n] = '\0';
	*(strrchr(path, '/') + 1) = '\0';
	return (files_directory(AT_FDCWD, path, O_PATH));
}

/* A detached, read-only clone of the mount at path, showing path alone. */
static int
clone_file(int dirfd, const char *path)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
		    MOUNT_ATTR_NODEV,
	};
	int error, fd;

	fd = open_tree(dirfd, path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (fd == -1)
		return (-errno);
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attributes,
		sizeof(attributes)) == -1) {
		error = -errno;
		close(fd);
		return (error);
	}
	return (fd);
}

int
helper_open(void)
{
	int directory, error, fd;

	if ((directory = own_directory()) < 0)
		return (
		    report_file(directory, "the directory of this program"));
	fd = clone_file(directory, HELPER_PROGRAM);
	close(directory);
	if (fd < 0)
		return (report_file(fd, HELPER_PROGRAM));
	/* Checked on the clone: nobody can put another file there now. */
	if ((error = files_trusted(fd, S_IFREG)) != 0) {
		close(fd);
		return (report_file(error, HELPER_PROGRAM));
	}
	return (fd);
}

int
helper_place(const int *fds, size_t n, int first, size_t cloexec)
{
	int high[HELPER_FDS_MAX];
	size_t i;

	if (n > HELPER_FDS_MAX)
		return (-E2BIG);
	/* Out of the way first: a target may be another's source. */
	for (i = 0; i < n; i++) {
		high[i] =
		    fcntl(fds[i], F_DUPFD_CLOEXEC, first + HELPER_FDS_MAX);
		if (high[i] == -1)
			return (-errno);
	}
	for (i = 0; i < n; i++) {
		if (dup3(high[i], first + (int)i,
			i < cloexec ? 0 : O_CLOEXEC) == -1)
			return (-errno);
	}
	if (close_range((unsigned)first + (unsigned)n, ~0U, 0) == -1)
		return (-errno);
	return (0);
}

static void __attribute__((noreturn))
helper_execute(int executable, const int *fds, size_t nfds)
{
	char program[] = HELPER_PROGRAM;
	char *argv[] = { program, NULL }, *envp[] = { NULL };
	int all[HELPER_FDS_MAX], error;
	sigset_t none;

	memcpy(all, fds, nfds * sizeof(*fds));
	/* Their descriptors are about to be others'. */
	log_open(-1, LOG_LEVEL_INFO);
	log_file(-1, LOG_LEVEL_INFO);
	all[nfds] = executable;
	all[nfds + 1] = report_fd();
	error = setsid() == -1 ? -errno :
				 helper_place(all, nfds + 2, FIRST_FD, nfds);
	if (error == 0) {
		report_to(FIRST_FD + (int)nfds + 1);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGCHLD, SIG_DFL);
		signal(SIGPIPE, SIG_DFL);
		signal(SIGXFSZ, SIG_DFL);
		execveat(FIRST_FD + (int)nfds, "", argv, envp, AT_EMPTY_PATH);
		error = -errno;
	}
	report_error(error, "executing " HELPER_PROGRAM);
	_exit(127);
}

pid_t
helper_spawn(int executable, const int *fds, size_t nfds)
{
	pid_t pid;

	if (nfds + 2 > HELPER_FDS_MAX)
		return (-E2BIG);
	if ((pid = fork()) == 0)
		helper_execute(executable, fds, nfds);
	return (pid == -1 ? -errno : pid);
}
