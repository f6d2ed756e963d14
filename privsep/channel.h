/*
 * The authenticated channel between shim and helper: framing, keys, sequence
 * numbers, sender credentials and descriptors over a SOCK_SEQPACKET
 * socketpair.  Both ends use this one implementation.
 */
#ifndef PRIVSEP_CHANNEL_H
#define PRIVSEP_CHANNEL_H

#include <sys/socket.h>

#include "privsep/msg.h"

enum channel_side { CHANNEL_SHIM, CHANNEL_HELPER };

#define CHANNEL_KEY_SIZE 32	/* bytes */

/*
 * One end.  The keys live in a page of their own that a fork sees as zeros
 * (MADV_WIPEONFORK).
 */
struct channel {
	int fd;			/* owned; non-blocking */
	pid_t peer;		/* what SCM_CREDENTIALS must say */
	uid_t peer_uid;
	uint64_t sent, received; /* sequence of the last message */
	uint8_t *keys;		/* [0] to send with, [1] to receive with */
};

/*
 * Takes fd (which becomes the channel's) and derives the two keys for this
 * side from the master key; the caller wipes its copy.  fd is one of a
 * close-on-exec, non-blocking pair with SO_PASSCRED set on both ends before
 * anybody can send (unpriv/endpoint.h).  Returns 0, or a negative errno, after
 * which the process is expected to end.
 */
int	 channel_open(struct channel *ch, int fd, enum channel_side side,
	    const uint8_t master[CHANNEL_KEY_SIZE], pid_t peer, uid_t peer_uid);

/*
 * Sends one message; the descriptors stay the caller's.  Returns 0, -EAGAIN
 * if the socket is full (nothing was sent, no sequence number was used), or
 * another negative errno, after which the channel is unusable.
 */
int	 channel_send(struct channel *ch, uint16_t op, const void *body,
	    uint32_t length, const int *fds, uint32_t nfds);

/*
 * Receives one message and verifies all of it but what the table of
 * operations says.  Fills m and fds (MSG_FDS_MAX entries, close-on-exec,
 * the caller's from now on; unused ones are -1).  Returns 1 for a message,
 * 0 at the end of the session, -EAGAIN if there is none, or another negative
 * errno, after which the channel is unusable and no descriptor is left open.
 */
int	 channel_receive(struct channel *ch, struct msg *m,
	    int fds[MSG_FDS_MAX]);
/*
 * fdpass.c: datagrams with descriptors, without any of that.
 */
/* Sends all of size bytes and nfds descriptors.  0 or a negative errno. */
int	 fdpass_send(int socket_fd, const void *data, size_t size,
	    const int *fds, size_t nfds);

/*
 * Receives one datagram of at most size bytes without waiting; fds
 * (MSG_FDS_MAX entries, close-on-exec, the caller's; unused ones are -1) and,
 * unless NULL, the sender's credentials, which must then be there.  Returns
 * the number of bytes (0: the end, after all that was sent, whether or not the
 * other has read all that it got), or a negative errno, -EBADMSG for anything
 * truncated or unexpected; then no descriptor is left open.
 */
int	 fdpass_receive(int socket_fd, void *data, size_t size,
	    int fds[MSG_FDS_MAX], struct ucred *credentials);

/* Closes those of n descriptors that are not negative, sets all to -1. */
void	 fdpass_close(int *fds, size_t n);

#endif
