/*
 * What the shim says about itself.
 */
#ifndef SHIM_INFO_H
#define SHIM_INFO_H

/* Prints the program's name and version.  Returns an exit status. */
int	 info_version(void);

/* Prints a containerd.types.RuntimeInfo.  Returns an exit status. */
int	 info_runtime(void);

#endif
