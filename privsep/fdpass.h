/*
 * Datagrams with descriptors over SOCK_SEQPACKET sockets.
 */
#ifndef PRIVSEP_FDPASS_H
#define PRIVSEP_FDPASS_H

#include <sys/socket.h>

#define FDPASS_MAX	3	/* descriptors in one datagram */

/* Sends all of size bytes and nfds descriptors.  0 or a negative errno. */
int	 fdpass_send(int socket_fd, const void *data, size_t size,
	    const int *fds, size_t nfds);

/*
 * Receives one datagram of at most size bytes without waiting; fds
 * (FDPASS_MAX entries, close-on-exec, the caller's; unused ones are -1) and,
 * unless NULL, the sender's credentials, which must then be there.  Returns
 * the number of bytes (0: the end), or a negative errno, -EBADMSG for
 * anything truncated or unexpected; then no descriptor is left open.
 */
int	 fdpass_receive(int socket_fd, void *data, size_t size,
	    int fds[FDPASS_MAX], struct ucred *credentials);

#endif
