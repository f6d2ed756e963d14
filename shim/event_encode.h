/*
 * The helper's events as containerd's messages.
 */
#ifndef SHIM_EVENT_ENCODE_H
#define SHIM_EVENT_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "privsep/msg.h"

#define EVENT_HEADER	10	/* bytes: length, stream, type, flags */
#define EVENT_FRAME_MAX	2048	/* bytes of the largest ttrpc frame */

/* What all events say: containerd's namespace and where bundles are. */
void	 event_encode_init(const char *containerd_namespace,
	    const char *bundles);

/*
 * Encodes a Forward request of this event as a whole ttrpc frame.  Returns
 * its length, or 0 if it does not fit.  Pure but for the time it carries.
 */
size_t	 event_encode(const struct event *event, uint32_t stream,
	    uint8_t frame[EVENT_FRAME_MAX]);

#endif
