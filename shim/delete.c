#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "privsep/boot.h"
#include "shim/bundle.h"
#include "shim/delete.h"
#include "shim/files.h"
#include "shim/group.h"
#include "shim/helper.h"
#include "shim/output.h"
#include "shim/proto/task.pb-c.h"
#include "shim/report.h"
#include "shim/settings.h"

#define CLEAN_LIMIT   4000 /* ms; containerd gives delete 5 s */
#define KILLED	      (128 + SIGKILL)
#define RESPONSE_SIZE 64 /* bytes; three numbers and a time */

/* True if there is something of this id below the runtime root. */
static int
is_left(const char *runtime_root, const char *id)
{
	struct stat st;
	int fd, left;

	if ((fd = files_directory(AT_FDCWD, runtime_root, O_PATH)) < 0)
		return (fd == -ENOENT ? 0 : files_report(fd, runtime_root));
	left = fstatat(fd, id, &st, AT_SYMLINK_NOFOLLOW) == 0;
	close(fd);
	return (left);
}

/*
 * Starts `reaper-privsep --clean ID` with a boot record to read.  Returns its
 * pid, or a negative errno after a message.
 */
static pid_t
clean_spawn(const struct boot *boot, const char *id)
{
	int executable, fds[2];
	pid_t pid;

	if ((executable = helper_open()) < 0)
		return (executable);
	if (pipe2(fds, O_CLOEXEC) == -1) {
		close(executable);
		return (report_error(-errno, "pipe"));
	}
	/* Less than PIPE_BUF, so the pipe takes it before there is a reader. */
	if (write(fds[1], boot, sizeof(*boot)) != sizeof(*boot))
		pid = report_error(-EIO, "telling the helper");
	/* There is no channel: descriptor 3 is the same pipe, and unused. */
	else if ((pid = helper_spawn(executable, id,
		      (const int[]){ fds[0], fds[0] }, 2)) < 0)
		report_error((int)pid, "starting the helper");
	close(fds[0]);
	close(fds[1]);
	close(executable);
	return (pid);
}

/* Waits for the child, and kills it if it takes too long. */
static int
clean_wait(pid_t pid)
{
	struct pollfd ended = { .events = POLLIN };
	int n, status;

	if ((ended.fd = pidfd_open(pid, 0)) == -1)
		return (report_error(-errno, "pidfd_open"));
	do {
		n = poll(&ended, 1, CLEAN_LIMIT);
	} while (n == -1 && errno == EINTR);
	close(ended.fd);
	if (n != 1)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return (report_error(-errno, "waitpid"));
	}
	if (n != 1) {
		report("cleaning up took too long");
		return (-ETIMEDOUT);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		report("cleaning up failed");
		return (-EIO);
	}
	return (0);
}

/*
 * The runtime root that `start` used; where it did not get so far, or the
 * bundle is not to be trusted any more, the one that is configured.
 */
static int
root_find(const char *bundle, char root[BOOT_PATH_SIZE])
{
	static struct settings settings;
	struct settings_reading reading;
	int error, fd;

	fd = files_directory(AT_FDCWD, bundle, O_PATH);
	error = fd < 0 ? fd : bundle_linked(fd, root);
	if (fd >= 0)
		close(fd);
	if (error == 0)
		return (0);
	if ((error = settings_begin(&reading, -1)) != 0 ||
	    (error = settings_end(&reading, &settings)) != 0)
		return (error);
	strcpy(root, settings.conf.runtime_root);
	return (0);
}

/* What a killed helper may have left; a live one left nothing. */
static int
container_clean(const struct shim_args *args, const char *root)
{
	struct boot boot;
	pid_t pid;
	int error;

	error = is_left(root, args->id);
	if (error <= 0)
		return (error);
	memset(&boot, 0, sizeof(boot));
	boot.magic = BOOT_MAGIC;
	strcpy(boot.group, args->id);
	memcpy(boot.containerd_namespace, args->namespace,
	    sizeof(boot.containerd_namespace));
	strcpy(boot.runtime_root, root);
	pid = clean_spawn(&boot, args->id);
	return (pid < 0 ? (int)pid : clean_wait(pid));
}

/*
 * Removes the socket of a shim that is gone.  Its path is what `start` wrote
 * to the bundle; where there is no such file the next start of the group
 * removes it.
 */
static void
socket_clean(const char *bundle)
{
	static const char scheme[] = GROUP_SCHEME;
	char path[GROUP_PATH_SIZE] = { 0 };
	struct files_text address;
	struct group group;
	int fd;

	fd = files_directory(AT_FDCWD, bundle, O_PATH);
	if (fd < 0)
		return;
	if (files_read(fd, "address", sizeof(path) - 1 + strlen(scheme),
		&address) == 0) {
		if (address.length > strlen(scheme) &&
		    memcmp(address.text, scheme, strlen(scheme)) == 0)
			memcpy(path, address.text + strlen(scheme),
			    address.length - strlen(scheme));
		files_free(&address);
	}
	close(fd);
	if (path[0] == '\0' || group_lock_path(&group, path) != 0)
		return;
	(void)group_answers(&group);
	group_unlock(&group);
}

static int
response_write(void)
{
	Containerd__Task__V2__DeleteResponse response =
	    CONTAINERD__TASK__V2__DELETE_RESPONSE__INIT;
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	uint8_t buffer[RESPONSE_SIZE];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	at.seconds = now.tv_sec;
	at.nanos = (int32_t)now.tv_nsec;
	response.exit_status = KILLED;
	response.exited_at = &at;
	return (output_write(buffer,
	    containerd__task__v2__delete_response__pack(&response, buffer)));
}

int
delete_run(const struct shim_args *args)
{
	const char *bundle = args->bundle[0] != '\0' ? args->bundle : ".";
	char root[BOOT_PATH_SIZE];

	if (root_find(bundle, root) != 0 || container_clean(args, root) != 0)
		return (1);
	socket_clean(bundle);
	return (response_write());
}
