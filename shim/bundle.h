/*
 * The directory that containerd made for a container: the working directory
 * of `start` and `delete`.
 */
#ifndef SHIM_BUNDLE_H
#define SHIM_BUNDLE_H

#include "privsep/boot.h"

struct bundle {
	int fd;				/* owned */
	char parent[BOOT_PATH_SIZE];	/* directory that holds the bundles */
};

/*
 * Opens the working directory, which must bear the name id and belong to root
 * alone.  Returns 0, or a negative errno after a message.
 */
int	 bundle_open(struct bundle *bundle, const char *id);

/*
 * Opens the FIFO `log`, on which containerd listens, for writing without
 * blocking.  Returns a descriptor or a negative errno.
 */
int	 bundle_log(const struct bundle *bundle);

/*
 * What `delete` needs, whatever the configuration says by then: links to the
 * runtime root, where it finds what is left of a container, and to the shim's
 * log, if there is one.
 */
#define BUNDLE_ROOT	"reaper"
#define BUNDLE_LOG	"reaper.log"

/* Makes the link name to the absolute path target.  0 or a negative errno. */
int	 bundle_link(const struct bundle *bundle, const char *name,
	    const char *target);

/*
 * Reads that link of the bundle in the directory dirfd into target, with its
 * NUL; -ENOENT if there is none.  Returns 0 or a negative errno.
 */
int	 bundle_linked(int dirfd, const char *name,
	    char target[BOOT_PATH_SIZE]);

/*
 * Writes the file `address`, from which containerd 1.x knows the shim after a
 * restart.  Returns 0 or a negative errno.
 */
int	 bundle_write_address(const struct bundle *bundle,
	    const char *address);

#endif
