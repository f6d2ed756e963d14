/*
 * The user id of a shim, where the node gives a range of them.
 */
#ifndef SHIM_UID_H
#define SHIM_UID_H

#include "unpriv/conf.h"

/*
 * Takes a user id of the range that no other shim has.  root is the path of the
 * runtime root; group, the pod, decides which are tried first.  *fd_p becomes a
 * descriptor to be kept open, also by others, as long as the shim lives: its
 * lock is what tells others that the id is taken.  With a range of one all
 * shims have that, and *fd_p becomes -1.
 *
 * Returns the user id, from 1 to CONF_UID_MAX, or a negative errno that was
 * reported.
 */
int	 uid_take(const struct conf_uids *uids, const char *root,
	    const char *group, int *fd_p);

#endif
