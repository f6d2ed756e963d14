/*
 * The authenticated channel between shim and helper: framing, keys, sequence
 * numbers, sender credentials and descriptors over a SOCK_SEQPACKET
 * socketpair.  Both ends use this one implementation.
 */
#ifndef PRIVSEP_CHANNEL_H
#define PRIVSEP_CHANNEL_H

#include <sys/types.h>

#include <stdint.h>

#include "privsep/msg.h"

enum channel_side {
	CHANNEL_SHIM = 0,
	CHANNEL_HELPER = 1,
};

#define CHANNEL_KEY_SIZE 32	/* bytes */

/*
 * One end.  The keys live in a page of their own that a fork sees as zeros
 * (MADV_WIPEONFORK).
 */
struct channel {
	int fd;			/* owned; non-blocking */
	pid_t peer_pid;		/* what SCM_CREDENTIALS must say */
	uid_t peer_uid;
	uint64_t sent;		/* sequence of the last message sent */
	uint64_t received;
	uint8_t *keys;		/* [0] to send with, [1] to receive with */
};

/*
 * Makes the socketpair, close-on-exec, non-blocking, SO_PASSCRED set on both
 * ends before anybody can send.  Returns 0 or a negative errno.
 */
int	 channel_pair(int fds[2]);

/*
 * Takes fd (which becomes the channel's) and derives the two keys for this
 * side from the master key; the caller wipes its copy.  Returns 0 or a
 * negative errno.
 */
int	 channel_open(struct channel *channel, int fd, enum channel_side side,
	    const uint8_t master[CHANNEL_KEY_SIZE], pid_t peer_pid,
	    uid_t peer_uid);

/*
 * Sends one message; the descriptors stay the caller's.  Returns 0, -EAGAIN
 * if the socket is full (nothing was sent, no sequence number was used), or
 * another negative errno, after which the channel is unusable.
 */
int	 channel_send(struct channel *channel, uint16_t op, const void *body,
	    uint32_t length, const int *fds, uint32_t nfds);

/*
 * Receives one message and verifies all of it but what the table of
 * operations says.  Fills message and fds (MSG_FDS_MAX entries, close-on-exec,
 * the caller's from now on; unused ones are -1).  Returns 1 for a message,
 * 0 at the end of the session, -EAGAIN if there is none, or another negative
 * errno, after which the channel is unusable and no descriptor is left open.
 */
int	 channel_receive(struct channel *channel, struct msg *message,
	    int fds[MSG_FDS_MAX]);

/* Closes the socket and wipes the keys. */
void	 channel_close(struct channel *channel);

#endif
