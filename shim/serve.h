/*
 * The shim's daemon after its start: it serves containerd on one side and
 * keeps the helper busy on the other.
 */
#ifndef SHIM_SERVE_H
#define SHIM_SERVE_H

#include <sys/types.h>

#include "privsep/channel.h"

/*
 * What the daemon works with.  The descriptors are its own from serve_init
 * on, except log_fd.
 */
struct serve_args {
	int listener;		/* listening, non-blocking Unix socket */
	struct channel *channel; /* opened; stays valid as long as served */
	pid_t helper;		/* its peer */
	int log_fd;		/* non-blocking; -1: log_open was called */
	int ready_fd;		/* gets one byte when the helper is ready */
	const char *namespace;	/* containerd's; for the log */
	const char *id;		/* of the container that is to come first */
	uid_t client_uid;	/* who may connect: 0, that is containerd */
};

/*
 * Makes all that needs descriptors or much memory.  Call it before the sandbox
 * is entered.  Returns 0 or a negative errno.
 */
int	 serve_init(const struct serve_args *args);

/*
 * Serves until no container is left or about to come, and containerd has said
 * Shutdown, or `delete` in its stead, or shown no interest for a while; or
 * until the helper is gone.  ready_fd gets a byte and is closed as soon as the
 * helper has said that it is ready; it is closed without one if the helper ends
 * before.  Returns 0, or a negative errno if the helper was lost.  Uses only the
 * system calls of sandbox-policies/shim.policy.
 */
int	 serve_loop(void);

#endif
