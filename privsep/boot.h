/*
 * What `start`, still root, tells the helper and the shim's daemon once.
 * Written to descriptor BOOT_FD of the helper as one struct boot; nobody
 * reads a configuration file, an environment or an argument later.  The helper
 * first says there which version it is, REAPER_VERSION with its NUL: nothing
 * of what the two say to each other is the same in another one.
 */
#ifndef PRIVSEP_BOOT_H
#define PRIVSEP_BOOT_H

#include "privsep/node.h"

#define BOOT_MAGIC	0x426f6f74u	/* "Boot" */
#define BOOT_CHANNEL_FD	3	/* the helper's end of the socketpair */
#define BOOT_FD		4	/* a socket to `start`; see struct boot */
#define BOOT_EVENT_FD	5	/* socket to the publisher; privsep/msg.h */
#define BOOT_PLAN_FD	6	/* memfd: the plan of the bundle `planned` */
#define BOOT_PATH_SIZE	256	/* bytes, with the NUL */

/* In <runtime_root>/<id>, a directory that its helper keeps locked. */
#define BOOT_STATE	"state.json"
#define BOOT_STATE_NEW	"state.json.new"
#define BOOT_CGROUP	"cgroup" /* a symbolic link to its path, if any */

/*
 * An attribute of that directory: the container's struct msg_exited, with
 * seconds 0 before its end.  For `delete`, where shim or helper died; that may
 * be of another version, so what is there stays, and more comes after it.
 */
#define BOOT_EXITED	"trusted.reaper.exited"

/* Another: the container's namespace of containerd, without a NUL. */
#define BOOT_NAMESPACE	"trusted.reaper.namespace"

struct boot {
	uint32_t magic;
	uint32_t shim_pid, shim_uid;	/* who may talk on the channel */
	uint8_t key[32];		/* CHANNEL_KEY_SIZE: its master key */
	/*
	 * The sandbox id, or the container's own; containerd's namespace; the
	 * container that `start` was run for.
	 */
	char group[80], containerd_namespace[80], planned[80];
	char bundles[BOOT_PATH_SIZE];	/* directory that holds the bundles */
	struct node node;
};

/*
 * remove.c: removes a directory, perhaps of cgroups, and all that is in it.
 * Returns 0 or a negative errno: -EBUSY while something lives in a cgroup.
 */
int	 tree_remove(int dirfd, const char *path);

/*
 * remove.c: what a helper, of whichever version, keeps in state_fd, and that
 * directory itself, which is id in root_fd.  Returns 0, also if it is gone, or
 * a negative errno.
 */
int	 state_remove(int root_fd, int state_fd, const char *id);

#endif
