/*
 * The shim's daemon: the process that `start` leaves behind.
 */
#ifndef SHIM_DAEMON_H
#define SHIM_DAEMON_H

#include "shim/args.h"
#include "unpriv/conf.h"

/* What the daemon gets from `start`; descriptors are the daemon's copies. */
struct daemon_args {
	const struct shim_args *args;
	const struct conf *conf;
	const char *group;	/* id */
	const char *bundles;	/* directory that holds the bundles */
	int listener;
	int log_fd;		/* containerd's log, or /dev/null */
	int null_fd;		/* /dev/null, for reading and writing */
	int root_fd;		/* the empty directory */
	int executable;		/* from helper_open */
	int ready_fd;		/* gets one byte when it is confined */
};

/*
 * Starts the helper, gives up everything and serves containerd; ends with the
 * last container.  What fails before it is confined is reported, after that
 * logged; `start` sees ready_fd closed without a byte.
 */
void	 daemon_run(const struct daemon_args *daemon)
	    __attribute__((noreturn));

#endif
