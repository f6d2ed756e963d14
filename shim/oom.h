/*
 * Kills for want of memory, as the kernel counts them in memory.oom_control
 * (version 1) or memory.events of a container's cgroup.
 */
#ifndef SHIM_OOM_H
#define SHIM_OOM_H

#include <poll.h>
#include <stddef.h>

#include "privsep/msg.h"

#define OOM_MAX 256 /* containers of a pod */

/*
 * Takes file, open to read, and version 1's cgroup.event_control, or -1.
 * Without a file, or beyond OOM_MAX, nothing is watched.
 */
void	 oom_begin(const struct msg_ref *ref, int file, int control);

/*
 * Forgets a container.  Returns 1 if it has seen a kill that nobody was told
 * of: text is the file, of length bytes, as it was at the end.
 */
int	 oom_end(const struct msg_ref *ref, const char *text, size_t length);

/* What is to be polled, at most OOM_MAX entries.  Returns their number. */
size_t	 oom_poll(struct pollfd *pollfds);

/* Takes what has come of that. */
void	 oom_take(const struct pollfd *pollfds, size_t n);

/* The next container with a kill that nobody was told of, or NULL. */
const struct msg_ref *oom_next(void);

/* How long nothing is to be done, in milliseconds, or -1: until a poll. */
int	 oom_patience(void);

#endif
