/*
 * The shim's daemon: the process that `start` leaves behind.
 */
#ifndef SHIM_DAEMON_H
#define SHIM_DAEMON_H

#include <sys/types.h>

#include "shim/args.h"

/* What the daemon gets from `start`; descriptors are the daemon's copies. */
struct daemon_args {
	const struct shim_args *args;
	uint8_t *key;		/* master key of the channel; wiped */
	int channel_fd;
	int events_fd;		/* the publisher's end */
	int lines_fd;		/* likewise, of the helper's log */
	int ready_fd;		/* see daemon_run */
	const char *events_address; /* containerd's socket for them, or "" */
	const char *bundles;	/* directory that holds the bundles */
};

/*
 * What `start` knows later, in two messages: one byte with the log files of the
 * shim and of the runtime and what keeps a user id of its own taken (each may be
 * /dev/null); a daemon_order with the listening socket, the empty directory and
 * what keeps the socket's name taken.
 */
enum { DAEMON_LOG_SHIM, DAEMON_LOG_RUNTIME, DAEMON_UID, DAEMON_FILES };
enum { DAEMON_LISTENER, DAEMON_ROOT, DAEMON_MARK, DAEMON_FDS };

struct daemon_order {
	pid_t helper;
	uid_t uid;		/* the shim's */
	char group[MSG_ID_SIZE]; /* sandbox id, or the container's own */
};

/*
 * Forks the publisher, gives up everything and serves containerd; ends with
 * the last container.  Standard error is the log; the log file comes on
 * standard output.  ready_fd is a SOCK_SEQPACKET socket to `start`: it gives
 * what is said above, or ends if no
 * shim is needed, and gets one byte when the daemon is confined.  What fails
 * before that is reported, and ends the daemon; later, it is logged.
 */
void	 daemon_run(const struct daemon_args *daemon)
	    __attribute__((noreturn));

#endif
