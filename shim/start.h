/*
 * `start`: the address of the shim that serves the bundle in the working
 * directory, after starting it if its pod has none yet.
 */
#ifndef SHIM_START_H
#define SHIM_START_H

#include "shim/args.h"

/*
 * Prints the address and writes it to the bundle.  If anything fails, says
 * what on standard error and leaves no socket and no process.  Returns an
 * exit status.
 */
int	 start_run(const struct shim_args *args);

#endif
