#include <sys/prctl.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/bundle.h"
#include "shim/clean.h"
#include "shim/group.h"
#include "shim/logs.h"
#include "shim/output.h"
#include "shim/report.h"
#include "shim/root.h"
#include "shim/settings.h"
#include "shim/spawn.h"
#include "shim/start.h"
#include "shim/uid.h"
#include "unpriv/files.h"
#include "unpriv/log.h"

#define ADDRESS_SIZE (sizeof(GROUP_SCHEME) + GROUP_PATH_SIZE)

struct start {
	const struct shim_args *args;
	struct settings settings;
	struct bundle bundle;
	struct group group;
	struct spawn spawn;
	int root; /* the empty directory, for a new shim */
	int uid;  /* the shim's */
};

/* The pod's sandbox, or a container that stands alone. */
static const char *
group_id(const struct start *start)
{
	const char *sandbox = start->settings.sandbox_id;

	return (sandbox[0] != '\0' ? sandbox : start->args->id);
}

/* Opens a log file, or what goes for none. */
static int
log_prepare(struct start *start, int i, const char *key, const char *path)
{
	int fd = path[0] != '\0' ? logs_open(key, path) : start->spawn.null_fd;

	start->spawn.files[i] = fd;
	return (fd < 0 ? fd : 0);
}

/*
 * The runtime root, below which the logs may lie; the logs, of which this
 * process uses one too.
 */
static int
files_prepare(struct start *start)
{
	const struct conf *conf = &start->settings.conf;
	struct spawn *spawn = &start->spawn;
	int error;

	if ((start->root = root_make(conf->node.runtime_root,
		 conf->node.overlay_base)) < 0)
		return (start->root);
	if ((start->uid = uid_take(&conf->uids, conf->node.runtime_root,
		 group_id(start), &spawn->files[DAEMON_UID])) < 0)
		return (start->uid);
	if (spawn->files[DAEMON_UID] == -1)
		spawn->files[DAEMON_UID] = spawn->null_fd;
	error = log_prepare(start, DAEMON_LOG_SHIM, "REAPER_SHIM_LOG",
	    conf->shim_log);
	if (error == 0)
		error = log_prepare(start, DAEMON_LOG_RUNTIME,
		    "REAPER_RUNTIME_LOG", conf->runtime_log);
	if (error != 0)
		return (error);
	log_open(spawn->log_fd, LOG_LEVEL_INFO);
	log_file(spawn->files[DAEMON_LOG_SHIM], LOG_LEVEL_INFO);
	log_context(start->args->namespace, group_id(start));
	return (0);
}

/* Starts a shim behind a new socket. */
static int
shim_start(struct start *start)
{
	int error, fds[DAEMON_FDS];

	if ((error = files_prepare(start)) != 0)
		return (error);
	fds[DAEMON_LISTENER] = group_listen(&start->group, &fds[DAEMON_MARK]);
	if (fds[DAEMON_LISTENER] < 0)
		return (report_error(fds[DAEMON_LISTENER], "%s",
		    start->group.path));
	fds[DAEMON_ROOT] = start->root;
	return (spawn_run(&start->spawn, start->args, &start->settings,
	    group_id(start), start->bundle.parent, (uid_t)start->uid, fds));
}

/* Notes in the bundle where the group's shim is, and what it works in. */
static int
bundle_mark(const struct start *start)
{
	const struct conf *conf = &start->settings.conf;
	char address[ADDRESS_SIZE];
	int error;

	snprintf(address, sizeof(address), GROUP_SCHEME "%s",
	    start->group.path);
	error =
	    bundle_link(&start->bundle, BUNDLE_ROOT, conf->node.runtime_root);
	if (error == 0 && conf->shim_log[0] != '\0')
		error = bundle_link(&start->bundle, BUNDLE_LOG, conf->shim_log);
	if (error != 0)
		return (report_error(error, "the bundle's links"));
	error = bundle_write_address(&start->bundle, address);
	if (error != 0)
		return (report_error(error, "the bundle's address file"));
	return (0);
}

/* Tells containerd where the group's shim is. */
static int
answer(const struct start *start)
{
	char address[ADDRESS_SIZE];

	snprintf(address, sizeof(address), GROUP_SCHEME "%s",
	    start->group.path);
	return (output_write(address, strlen(address)) == 0 ? 0 : -EIO);
}

/* The group is locked: answers with its shim, or starts it. */
static int
start_locked(struct start *start)
{
	struct msg_exited ignored;
	char pid[LOG_NUMBER_SIZE];
	int alive, error;

	if ((alive = group_join(&start->group, start->args->id)) < 0)
		return (report_error(alive, "%s", start->group.path));
	error = alive ? 0 : shim_start(start);
	if (error == 0)
		error = bundle_mark(start);
	if (error == 0 && !alive) {
		error = spawn_wait(&start->spawn);
		if (error == 0)
			log_event(LOG_LEVEL_INFO, "shim started", "id",
			    start->args->id, "pid",
			    log_number(pid, start->spawn.daemon), NULL);
	}
	if (error == 0)
		error = answer(start);
	if (error != 0 && !alive)
		(void)group_remove(&start->group);
	if (error != 0 || alive)
		spawn_undo(&start->spawn);
	/* Nobody runs `delete` where `start` has failed. */
	if (error != 0 && !alive)
		(void)clean_container(start->settings.conf.node.runtime_root,
		    start->args->namespace, start->args->id, &ignored);
	return (error);
}

/*
 * The container of a pod that has a shim: nothing is parsed here.  The bundle
 * of the pod's first one says what that shim works in, and whether the pod is
 * what the text looked like, the helper finds before it creates anything.
 * Returns 1; or 0 where there is more to do, or a negative errno.
 */
static int
start_join(struct start *start, const char *pod)
{
	struct conf *conf = &start->settings.conf;
	char path[MSG_ID_SIZE + 4];
	int error = 0, fd, found;

	if (pod[0] == '\0' || strcmp(pod, start->args->id) == 0)
		return (0);
	snprintf(path, sizeof(path), "../%s", pod);
	if ((fd = files_directory(start->bundle.fd, path, O_PATH)) < 0)
		return (0);
	found = bundle_linked(fd, BUNDLE_ROOT, conf->node.runtime_root) == 0;
	if (bundle_linked(fd, BUNDLE_LOG, conf->shim_log) != 0)
		conf->shim_log[0] = '\0';
	close(fd);
	if (!found ||
	    group_lock(&start->group, start->args->address,
		start->args->namespace, pod) != 0)
		return (0);
	if ((found = group_join(&start->group, start->args->id) == 1) &&
	    (error = bundle_mark(start)) == 0)
		error = answer(start);
	group_unlock(&start->group);
	return (error != 0 ? error : found);
}

int
start_run(const struct shim_args *args)
{
	static struct start start = { 0 };
	struct settings_reading reading;
	int error;

	start.args = args;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1) {
		report_error(-errno, "becoming a subreaper");
		return (1);
	}
	if (bundle_open(&start.bundle, args->id) != 0 ||
	    settings_read(&reading, start.bundle.fd) != 0)
		return (1);
	if ((error = start_join(&start, reading.pod)) != 0)
		return (error < 0);
	if (settings_begin(&reading) != 0)
		return (1);
	/* What does not depend on the settings is done while they are read. */
	error = spawn_open(&start.spawn, args, &start.bundle, reading.plan_fd);
	if (error == 0 &&
	    (error = settings_end(&reading, &start.settings)) == 0) {
		error = group_lock(&start.group, args->address, args->namespace,
		    group_id(&start));
		if (error != 0)
			report_error(error,
			    "locking the socket in " GROUP_DIRECTORY);
	}
	if (error != 0) {
		spawn_undo(&start.spawn);
		return (1);
	}
	error = start_locked(&start);
	group_unlock(&start.group);
	return (error != 0);
}
