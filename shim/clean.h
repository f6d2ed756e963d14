/*
 * What a helper that was killed has left: of each container a directory below
 * the runtime root (privsep/boot.h), and a cgroup.
 */
#ifndef SHIM_CLEAN_H
#define SHIM_CLEAN_H

#include "privsep/msg.h"

/*
 * Removes what is left of a container of containerd's namespace, once its
 * helper is gone; then of every other that has lost its helper and has no end
 * on record: containerd may not know of one to whose creation it did not come,
 * or its `delete` or `start` may have been killed.  root is the
 * path of the runtime root.  *exited becomes what is on record of the
 * container's end, if anything is.
 *
 * Returns 0, also if there is nothing, or a negative errno that was reported.
 * What takes more than 4 s (containerd gives `delete` 5) ends the process with
 * status 1.
 */
int	 clean_container(const char *root, const char *namespace,
	    const char *id, struct msg_exited *exited);

#endif
