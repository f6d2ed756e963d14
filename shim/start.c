#include <sys/prctl.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/bundle.h"
#include "shim/group.h"
#include "shim/output.h"
#include "shim/report.h"
#include "shim/root.h"
#include "shim/settings.h"
#include "shim/spawn.h"
#include "shim/start.h"

#define ADDRESS_SIZE (sizeof(GROUP_SCHEME) + GROUP_PATH_SIZE)

struct start {
	const struct shim_args *args;
	struct settings settings;
	struct bundle bundle;
	struct group group;
	struct spawn spawn;
};

/* The pod's sandbox, or a container that stands alone. */
static const char *
group_id(const struct start *start)
{
	const char *sandbox = start->settings.plan.sandbox_id;

	return (sandbox[0] != '\0' ? sandbox : start->args->id);
}

/* Starts a shim behind a new socket. */
static int
shim_start(struct start *start)
{
	int error, listener, root;

	if (!start->spawn.opened &&
	    (error = spawn_open(&start->spawn, start->args, &start->bundle)) !=
		0)
		return (error);
	if ((root = root_make(start->settings.conf.runtime_root)) < 0)
		return (root);
	if ((listener = group_listen(&start->group)) < 0)
		return (report_error(listener, "%s", start->group.path));
	return (spawn_run(&start->spawn, start->args, &start->settings,
	    group_id(start), start->bundle.parent, listener, root));
}

/* Notes in the bundle where the group's shim is, and what it works in. */
static int
bundle_mark(const struct start *start)
{
	const char *root = start->settings.conf.runtime_root;
	char address[ADDRESS_SIZE];
	int error;

	snprintf(address, sizeof(address), GROUP_SCHEME "%s",
	    start->group.path);
	if ((error = bundle_link(&start->bundle, root)) != 0)
		return (report_error(error, "the bundle's link"));
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
	int alive, error;

	if ((alive = group_alive(&start->group)) < 0)
		return (report_error(alive, "%s", start->group.path));
	error = alive ? 0 : shim_start(start);
	if (error == 0)
		error = bundle_mark(start);
	if (error == 0 && !alive)
		error = spawn_wait(&start->spawn);
	if (error == 0)
		error = answer(start);
	if (error != 0 && !alive)
		unlink(start->group.path);
	if (error != 0 || alive)
		spawn_undo(&start->spawn);
	return (error);
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
	    settings_begin(&reading, start.bundle.fd, args->id) != 0)
		return (1);
	/*
	 * What does not depend on the settings is done while they are read,
	 * but for a container whose pod should have a shim.
	 */
	error = reading.joins ? 0 :
				spawn_open(&start.spawn, args, &start.bundle);
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
