/*
 * The statistics of a container as containerd's clients read them: a message
 * Metrics of the version of cgroups that the node has.
 */
#ifndef SHIM_METRICS_H
#define SHIM_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "privsep/msg.h"

#define METRICS_SIZE	1024	/* bytes that one takes at most */

/*
 * Reads a file of the cgroup from its beginning to buffer, of size bytes, as
 * much as fits there.  Returns its length, or 0 if there is none.
 */
typedef size_t metrics_read(void *arg, enum msg_cgroup file, char *buffer,
	    size_t size);

/*
 * Reads each file at most once, and encodes what they say.  What is not
 * known is 0, "max" the highest number that clients know for it.  Allocates
 * nothing.  Returns the bytes used.
 */
size_t	 metrics_encode(int v2, metrics_read *read, void *arg,
	    uint8_t buffer[METRICS_SIZE]);

/* The full name of that type. */
const char *metrics_type(int v2);

#endif
