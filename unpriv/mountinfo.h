/*
 * The list of mounts of a mount namespace, /proc/self/mountinfo (proc(5)): what
 * is mounted, on what, and what of it is seen.  Pure.
 *
 * Its order says nothing: moved mounts keep their places in it, and that of /
 * often stands behind those on it.  What is visible is found as the kernel
 * finds it, from the root on along a path, by who is mounted on whom.
 */
#ifndef UNPRIV_MOUNTINFO_H
#define UNPRIV_MOUNTINFO_H

#include <limits.h>

#include "unpriv/slice.h"

/* A list that is well formed; points into its text.  All zero: an empty one. */
struct mountinfo {
	struct slice text;
	struct slice root;	/* id of what the root directory lies in */
};

/*
 * A mount.  Fields as they are in the text, with the kernel's escapes; only
 * the first two and path are checked.
 */
struct mountinfo_mount {
	struct slice id, parent;	/* numbers */
	struct slice device;		/* major:minor of the superblock */
	struct slice root;		/* what of the filesystem it shows */
	struct slice path;		/* where it is: absolute, normal */
	struct slice type, source;
};

/*
 * Reads length bytes of text, which must stay.  Returns 0, or the number of
 * the first line that is malformed; list is then not to be used.
 */
size_t	 mountinfo_read(struct mountinfo *list, const char *text,
	    size_t length);

/*
 * The next mount of those in rest, which begins as list->text.  Returns 0 at
 * the end.
 */
int	 mountinfo_next(struct slice *rest, struct mountinfo_mount *mount);

/*
 * Finds the mount that path, absolute and with escapes, lies in for who walks
 * there from the root, but for symbolic links.  Returns 0 if there is none.
 */
int	 mountinfo_find(const struct mountinfo *list, struct slice path,
	    struct mountinfo_mount *mount);

/* Whether who walks to where the mount is comes to that very mount. */
int	 mountinfo_visible(const struct mountinfo *list,
	    const struct mountinfo_mount *mount);

/*
 * Undoes the escapes of a path.  Returns whether it is one: absolute, shorter
 * than PATH_MAX, no component that is empty or dots, no escape of another
 * character than the kernel's.
 */
int	 mountinfo_decode(struct slice text, char path[PATH_MAX]);

/*
 * Makes the escapes of a path, as the kernel does in this list, in text of size
 * bytes.  Returns it; of length 0 where there is no room.
 */
struct slice mountinfo_encode(const char *path, char *text, size_t size);

/*
 * Whether path is at prefix or below it.  Both have escapes or both have none;
 * prefix may end in a slash, as / does.
 */
int	 mountinfo_below(struct slice path, struct slice prefix);

#endif
