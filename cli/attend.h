/*
 * Attending a process: its streams are copied, signals and the size of the
 * terminal handed on, until it has ended.  For confined children.
 */
#ifndef CLI_ATTEND_H
#define CLI_ATTEND_H

#include "cli/client.h"
#include "cli/streams.h"

#define ATTEND_LOST	137	/* as if killed: the shim has gone */

struct attend {
	const char *id, *exec;	/* exec "" is the container's own process */
	struct client call, wait; /* connections of their own */
	struct streams *streams;
	int signals;		/* a signalfd, or, piped, bytes; or -1 */
	int piped;
	int start;		/* start it first */
	int remove;		/* delete the exec at its end */
};

/* A confine_work: arg is a struct attend.  Returns the exit code. */
int	 attend(void *arg);

#endif
