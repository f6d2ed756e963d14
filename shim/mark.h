/*
 * The file beside the socket of a shim that is locked as long as that lives.
 */
#ifndef SHIM_MARK_H
#define SHIM_MARK_H

#define MARK_SUFFIX ".shim"	/* after the socket's path */

/* Whether a socket has such a file, and a shim. */
enum mark_state { MARK_NONE, MARK_HELD, MARK_LEFT };

/*
 * Makes and locks the file of the socket at path.  Returns its descriptor, the
 * caller's and close-on-exec: its copies keep it locked; or a negative errno.
 */
int	 mark_make(const char *path);

/* Removes it.  Returns 0, also if there is none, or a negative errno. */
int	 mark_remove(const char *path);

/* What cannot be opened goes for none. */
enum mark_state mark_state(const char *path);

#endif
