#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/bundle.h"
#include "shim/daemon.h"
#include "shim/files.h"
#include "shim/group.h"
#include "shim/helper.h"
#include "shim/output.h"
#include "shim/report.h"
#include "shim/settings.h"
#include "shim/start.h"

#define EMPTY	   "empty" /* below the runtime root; a reserved id */
#define UNDO_LIMIT 10	   /* seconds, to the end of a failed helper */

/* Everything that one start opens; -1 is not open. */
struct start {
	const struct shim_args *args;
	struct settings settings;
	struct bundle bundle;
	struct group group;
	int listener;
	int log_fd;
	int null_fd;
	int root_fd;
	int executable;
	int ready[2];
	pid_t daemon; /* 0: not running */
};

static void
fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The pod's sandbox, or a container that stands alone. */
static const char *
group_id(const struct start *start)
{
	const char *sandbox = start->settings.plan.sandbox_id;

	return (sandbox[0] != '\0' ? sandbox : start->args->id);
}

/* The runtime root, and in it the shim's root directory. */
static int
tree_make(struct start *start)
{
	const char *path = start->settings.conf.runtime_root;
	int fd;

	fd = files_make_directory(AT_FDCWD, path, 0700, O_PATH);
	if (fd < 0)
		return (files_report(fd, path));
	start->root_fd = files_make_directory(fd, EMPTY, 0555, O_RDONLY);
	close(fd);
	if (start->root_fd < 0)
		return (files_report(start->root_fd, EMPTY));
	return (0);
}

/* Opens what the daemon will need. */
static int
start_open(struct start *start)
{
	int error;

	if ((error = tree_make(start)) != 0)
		return (error);
	if ((start->executable = helper_open()) < 0)
		return (start->executable);
	start->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (start->null_fd == -1)
		return (report_error(-errno, "/dev/null"));
	/* A bundle without a listener on its log is served all the same. */
	if ((start->log_fd = bundle_log(&start->bundle)) < 0)
		start->log_fd = fcntl(start->null_fd, F_DUPFD_CLOEXEC, 0);
	if (start->log_fd == -1 || pipe2(start->ready, O_CLOEXEC) == -1)
		return (report_error(-errno, "opening the log"));
	if ((start->listener = group_listen(&start->group)) < 0)
		return (report_error(start->listener, "%s", start->group.path));
	return (0);
}

static int
daemon_fork(struct start *start)
{
	const struct daemon_args daemon = {
		.args = start->args,
		.conf = &start->settings.conf,
		.group = group_id(start),
		.bundles = start->bundle.parent,
		.listener = start->listener,
		.log_fd = start->log_fd,
		.null_fd = start->null_fd,
		.root_fd = start->root_fd,
		.executable = start->executable,
		.ready_fd = start->ready[1],
	};
	pid_t pid;

	if ((pid = fork()) == 0)
		daemon_run(&daemon);
	if (pid == -1)
		return (report_error(-errno, "fork"));
	start->daemon = pid;
	return (0);
}

/* Waits until the daemon is confined and has begun to serve. */
static int
ready_wait(struct start *start)
{
	char byte;
	ssize_t n;

	fd_close(&start->ready[1]);
	do {
		n = read(start->ready[0], &byte, sizeof(byte));
	} while (n == -1 && errno == EINTR);
	if (n == 1)
		return (0);
	report("the shim ended before it was ready; what it and its helper "
	       "logged is in containerd's log");
	return (-EIO);
}

/*
 * Ends the daemon, and waits for it and for the helper, which ends when its
 * channel does and is ours by then: start_run made us a subreaper.
 */
static void
daemon_undo(struct start *start)
{
	if (start->daemon == 0)
		return;
	kill(start->daemon, SIGKILL);
	alarm(UNDO_LIMIT);
	while (wait(NULL) != -1 || errno == EINTR)
		continue;
}

/* Tells containerd where the group's shim is. */
static int
answer(struct start *start)
{
	char address[sizeof(GROUP_SCHEME) + GROUP_PATH_SIZE];
	int error;

	snprintf(address, sizeof(address), GROUP_SCHEME "%s",
	    start->group.path);
	error = bundle_write_address(&start->bundle, address);
	if (error != 0)
		return (report_error(error, "the bundle's address file"));
	return (output_write(address, strlen(address)) == 0 ? 0 : -EIO);
}

/* The group is locked: answers with its shim, or starts it. */
static int
start_locked(struct start *start)
{
	int error;

	if ((error = group_alive(&start->group)) < 0)
		return (report_error(error, "%s", start->group.path));
	if (error == 1)
		return (answer(start));
	if ((error = start_open(start)) == 0 &&
	    (error = daemon_fork(start)) == 0 &&
	    (error = ready_wait(start)) == 0)
		error = answer(start);
	if (error != 0) {
		if (start->listener >= 0)
			unlink(start->group.path);
		daemon_undo(start);
	}
	return (error);
}

int
start_run(const struct shim_args *args)
{
	static struct start start;
	int error;

	start.args = args;
	start.listener = start.log_fd = start.null_fd = start.root_fd = -1;
	start.executable = start.ready[0] = start.ready[1] = -1;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1) {
		report_error(-errno, "becoming a subreaper");
		return (1);
	}
	if (bundle_open(&start.bundle, args->id) != 0 ||
	    settings_read(&start.settings, start.bundle.fd) != 0)
		return (1);
	error = group_lock(&start.group, args->address, args->namespace,
	    group_id(&start));
	if (error != 0) {
		report_error(error, "locking the socket in " GROUP_DIRECTORY);
		return (1);
	}
	error = start_locked(&start);
	group_unlock(&start.group);
	return (error != 0);
}
