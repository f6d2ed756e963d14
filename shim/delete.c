#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "privsep/boot.h"
#include "privsep/msg.h"
#include "shim/bundle.h"
#include "shim/clean.h"
#include "shim/delete.h"
#include "shim/group.h"
#include "shim/logs.h"
#include "shim/output.h"
#include "shim/proto/task.pb-c.h"
#include "shim/report.h"
#include "shim/settings.h"
#include "unpriv/files.h"
#include "unpriv/log.h"

#define KILLED	      (128 + SIGKILL)
#define RESPONSE_SIZE 64 /* bytes; three numbers and a time */

/* What `start` has left: paths; the log is empty if there is none. */
struct found {
	char root[BOOT_PATH_SIZE];
	char log[BOOT_PATH_SIZE];
};

/*
 * What `start` used; where it did not get so far, or the bundle is not to be
 * trusted any more, what is configured.
 */
static int
found_read(int bundle_fd, struct found *found)
{
	static struct settings settings;
	struct settings_reading reading;
	int error = bundle_fd;

	if (bundle_fd >= 0) {
		error = bundle_linked(bundle_fd, BUNDLE_ROOT, found->root);
		if (bundle_linked(bundle_fd, BUNDLE_LOG, found->log) != 0)
			found->log[0] = '\0';
	}
	if (error == 0)
		return (0);
	if ((error = settings_read(&reading, -1)) != 0 ||
	    (error = settings_begin(&reading)) != 0 ||
	    (error = settings_end(&reading, &settings)) != 0)
		return (error);
	strcpy(found->root, settings.conf.node.runtime_root);
	strcpy(found->log, settings.conf.shim_log);
	return (0);
}

/* No log is no reason not to tidy up. */
static void
logs_begin(int bundle_fd, const char *path, const struct shim_args *args)
{
	const struct bundle bundle = { .fd = bundle_fd };
	const enum log_level level = args->debug ? LOG_LEVEL_DEBUG :
						   LOG_LEVEL_INFO;
	int file = -1, fifo = -1;

	if (bundle_fd >= 0)
		fifo = bundle_log(&bundle);
	if (path[0] != '\0')
		file = logs_try(path);
	log_open(fifo >= 0 ? fifo : -1, level);
	log_file(file >= 0 ? file : -1, level);
	log_context(args->namespace, NULL);
}

/* For all that is known it was killed, which is seen now. */
static void
exited_guess(struct msg_exited *exited)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	memset(exited, 0, sizeof(*exited));
	exited->status = KILLED;
	exited->seconds = now.tv_sec;
	exited->nanoseconds = (uint32_t)now.tv_nsec;
}

/*
 * Tells the group's shim, and removes the socket of one that is gone.  Its path
 * is what `start` wrote to the bundle; where there is no such file a later
 * deletion removes it.
 */
static void
socket_clean(int bundle_fd, const char *id)
{
	static const char scheme[] = GROUP_SCHEME;
	char path[GROUP_PATH_SIZE] = { 0 };
	struct files_text address;
	struct group group;

	if (files_read(bundle_fd, "address", sizeof(path) - 1 + strlen(scheme),
		&address) == 0) {
		if (address.length > strlen(scheme) &&
		    memcmp(address.text, scheme, strlen(scheme)) == 0)
			memcpy(path, address.text + strlen(scheme),
			    address.length - strlen(scheme));
		files_free(&address);
	}
	if (path[0] == '\0' || group_lock_path(&group, path, 1) != 0)
		return;
	group_leave(&group, id);
	group_unlock(&group);
}

static int
response_write(const struct msg_exited *exited)
{
	Containerd__Task__V2__DeleteResponse response =
	    CONTAINERD__TASK__V2__DELETE_RESPONSE__INIT;
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	uint8_t buffer[RESPONSE_SIZE];

	at.seconds = exited->seconds;
	at.nanos = (int32_t)exited->nanoseconds;
	response.pid = exited->pid;
	response.exit_status = exited->status;
	response.exited_at = &at;
	return (output_write(buffer,
	    containerd__task__v2__delete_response__pack(&response, buffer)));
}

int
delete_run(const struct shim_args *args)
{
	const char *bundle = args->bundle[0] != '\0' ? args->bundle : ".";
	struct msg_exited exited;
	struct found found;
	int fd;

	exited_guess(&exited);
	fd = files_directory(AT_FDCWD, bundle, O_PATH);
	if (found_read(fd, &found) != 0)
		return (1);
	logs_begin(fd, found.log, args);
	/* First: a shim that waits for this container alone ends by that. */
	if (fd >= 0)
		socket_clean(fd, args->id);
	if (clean_container(found.root, args->namespace, args->id, &exited) !=
	    0)
		return (1);
	group_sweep();
	log_event(LOG_LEVEL_DEBUG, "nothing is left", "id", args->id, NULL);
	return (response_write(&exited));
}
