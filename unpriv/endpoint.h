/*
 * What only the shim's end of the channel needs: the pair of sockets, and the
 * checks of what the helper sends.
 */
#ifndef UNPRIV_ENDPOINT_H
#define UNPRIV_ENDPOINT_H

#include "privsep/msg.h"

/*
 * Makes the socketpair, close-on-exec, non-blocking, SO_PASSCRED set on both
 * ends before anybody can send.  Returns 0 or a negative errno.
 */
int	 endpoint_pair(int fds[2]);

/*
 * Checks that body of the given length is a well formed message op of the
 * helper: exact size, valid names, values in range, reserved fields zero.
 * Pure, like msg_body_check, which is for requests.  Returns 0 or -EBADMSG.
 */
int	 endpoint_body_check(uint16_t op, const union msg_body *body,
	    uint32_t length);

#endif
