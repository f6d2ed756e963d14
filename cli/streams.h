/*
 * Standard streams of a container or an exec: FIFOs in its bundle, and this
 * side of them, or what containerd's shim passed.
 */
#ifndef CLI_STREAMS_H
#define CLI_STREAMS_H

#include "cli/options.h"
#include "cli/place.h"
#include "runtime/engine.h"

/* All descriptors are owned; -1 is none. */
struct streams {
	int terminal;
	/* What the shim is told; "" is none. */
	char paths[ENGINE_STREAMS][PLACE_PATH_SIZE + MSG_ID_SIZE + 16];
	int fifos[ENGINE_STREAMS];	/* our ends, non-blocking */
	int ours[ENGINE_STREAMS];	/* what is copied from and to */
	/*
	 * The terminal that has the size of the workload's; with a console
	 * socket it is of our making, and its master has been sent there.
	 */
	int tty;
	int made;
	int go;			/* read end of the FIFO "go", or -1 */
};

/*
 * Makes the FIFOs of the process called name, for which the streams are those
 * of this program unless the options say otherwise; none for /dev/null.
 * detached: nobody will sit at this program's own terminal.  Returns an exit
 * code, after a message; then all is closed.
 */
int	 streams_make(struct streams *streams, const struct place *place,
	    const char *name, const struct options *options, int terminal,
	    int detached);

/* Removes the names of the FIFOs, which both sides have opened. */
void	 streams_unlink(const struct place *place, const char *name);

/* Closes all. */
void	 streams_close(struct streams *streams);

/*
 * Makes the FIFO with which `start` tells who copies a container's streams that
 * it has been started.  Returns an exit code, after a message.
 */
int	 streams_wait(struct streams *streams, const struct place *place);

/* Tells them; nobody need be there. */
void	 streams_go(const struct place *place);

#endif
