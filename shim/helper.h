/*
 * Finding and executing reaper-privsep.
 */
#ifndef SHIM_HELPER_H
#define SHIM_HELPER_H

#include <sys/types.h>

#include <stddef.h>

#define HELPER_PROGRAM	"reaper-privsep"
#define HELPER_FDS_MAX	8

/*
 * Opens the reaper-privsep that lies beside this program, which only root may
 * be able to change, as do its directory, on a detached read-only clone of its
 * mount.  A process that gets at the helper's /proc/PID/exe then cannot write
 * the file through it.  Returns a close-on-exec descriptor, or a negative
 * errno after a message.
 */
int	 helper_open(void);

/*
 * Forks and executes it, in a session of its own: descriptors fds at 3, 4, ...
 * (they stay the caller's), 0 to 2 as they are, no other; an empty
 * environment; default signals.  Returns its pid or a negative errno; that the
 * execution itself fails is reported by the child.
 */
pid_t	 helper_spawn(int executable, const int *fds, size_t nfds);

/*
 * Moves n descriptors to first, first + 1, ... and closes everything above
 * them.  Those from index cloexec on are then close-on-exec.  Returns 0 or a
 * negative errno.
 */
int	 helper_place(const int *fds, size_t n, int first, size_t cloexec);

#endif
