#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
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
#include "shim/output.h"
#include "shim/proto/task.pb-c.h"
#include "shim/report.h"
#include "shim/settings.h"

#define CLEAN_LIMIT   4 /* s; containerd gives delete 5 */
#define KILLED	      (128 + SIGKILL)
#define RESPONSE_SIZE 64 /* bytes; three numbers and a time */

static void __attribute__((noreturn)) too_long(int signo)
{
	static const char text[] = "reaper: the helper does not end\n";

	(void)signo;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
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
	if ((error = settings_begin(&reading, -1, "")) != 0 ||
	    (error = settings_end(&reading, &settings)) != 0)
		return (error);
	strcpy(root, settings.conf.runtime_root);
	return (0);
}

/*
 * What a killed helper may have left; a live one left nothing.  A dying one
 * keeps the lock until it is gone.
 */
static int
container_clean(const char *path, const char *id)
{
	int error = 0, fd = -1, root;

	if ((root = files_directory(AT_FDCWD, path, O_PATH)) < 0)
		return (root == -ENOENT ? 0 : files_report(root, path));
	if ((fd = files_directory(root, id, O_RDONLY)) < 0) {
		error = fd == -ENOENT ? 0 : files_report(fd, id);
		goto out;
	}
	signal(SIGALRM, too_long);
	alarm(CLEAN_LIMIT);
	if (flock(fd, LOCK_EX) == -1 ||
	    (unlinkat(fd, BOOT_STATE, 0) == -1 && errno != ENOENT) ||
	    (unlinkat(fd, BOOT_STATE_NEW, 0) == -1 && errno != ENOENT) ||
	    (unlinkat(root, id, AT_REMOVEDIR) == -1 && errno != ENOENT))
		error = report_error(-errno, "cleaning up after \"%s\"", id);
	alarm(0);
	close(fd);
out:
	close(root);
	return (error);
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

	if (root_find(bundle, root) != 0 ||
	    container_clean(root, args->id) != 0)
		return (1);
	socket_clean(bundle);
	return (response_write());
}
