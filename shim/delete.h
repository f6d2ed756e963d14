/*
 * `delete`: containerd runs it after every deletion of a container, mostly
 * while the shim lives on for others, and again after a crash.
 */
#ifndef SHIM_DELETE_H
#define SHIM_DELETE_H

#include "shim/args.h"

/*
 * Has the helper remove what is left of this id alone, removes the group's
 * socket if nobody listens on it, and prints a DeleteResponse.  Returns an
 * exit status.
 */
int	 delete_run(const struct shim_args *args);

#endif
