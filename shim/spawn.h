/*
 * The processes that `start` leaves behind: the shim's daemon, its helper and
 * the publisher of events.
 */
#ifndef SHIM_SPAWN_H
#define SHIM_SPAWN_H

#include <sys/types.h>

#include "privsep/boot.h"
#include "shim/args.h"
#include "shim/bundle.h"
#include "shim/daemon.h"
#include "shim/settings.h"

#define SPAWN_ADDRESS_SIZE 256	/* bytes, with the NUL */

/* What is opened for them, owned; -1 is not open. */
struct spawn {
	int opened;		/* by spawn_open; the rest means nothing before */
	int executable;		/* reaper-privsep's, from helper_open */
	int null_fd;		/* /dev/null */
	int log_fd;		/* containerd's log, or /dev/null */
	int channel[2];		/* daemon's, helper's */
	int boot_fds[2];	/* helper's, ours */
	int events[2];		/* publisher's, helper's */
	int lines[2];		/* the helper's log: publisher's, helper's */
	int files[DAEMON_FILES]; /* or null_fd; spawn_run's caller's */
	int ready[2];		/* ours, daemon's */
	pid_t daemon, helper;	/* 0: not running */
	struct boot boot;	/* the helper's; holds the channel's key */
	char events_address[SPAWN_ADDRESS_SIZE]; /* containerd's, or "" */
};

/*
 * Opens what is needed whatever the settings say, leaves containerd's
 * directory, environment and standard streams, as the processes must, and
 * starts helper and daemon, which wait.  The helper has plan_fd, for the plan
 * of the settings.  Output and reports still go to containerd.  Returns 0, or a
 * negative errno after a message.
 */
int	 spawn_open(struct spawn *spawn, const struct shim_args *args,
	    const struct bundle *bundle, int plan_fd);

/*
 * Releases both, for the pod group whose bundles are in the directory bundles;
 * the shim becomes uid and has fds, which are lent.  Returns 0, or a negative
 * errno after a message.
 */
int	 spawn_run(struct spawn *spawn, const struct shim_args *args,
	    const struct settings *settings, const char *group,
	    const char *bundles, uid_t uid, const int fds[DAEMON_FDS]);

/* Waits until the daemon is confined.  0, or a negative errno and a message. */
int	 spawn_wait(const struct spawn *spawn);

/*
 * Ends what was started, also if it was not needed, and waits for it and every
 * other child.
 */
void	 spawn_undo(struct spawn *spawn);

#endif
