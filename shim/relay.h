/*
 * The runtime's log: what the publisher learns of the helper, as lines.  The
 * shim has no part in it.
 */
#ifndef SHIM_RELAY_H
#define SHIM_RELAY_H

#include "privsep/msg.h"

/* One line about an event, whose kind is valid; level INFO. */
void	 relay_event(const struct event *event);

/*
 * One line for each that the helper has written to the non-blocking socket
 * whose other end is fd; level WARNING.  Returns 0 when there will be no more.
 */
int	 relay_lines(int fd);

#endif
