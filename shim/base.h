/*
 * Where the layers of overlays lie, if not in the runtime root.
 */
#ifndef SHIM_BASE_H
#define SHIM_BASE_H

/*
 * Makes the directory base, whose parent must exist, and in it one of this boot
 * of the node, which is mounted on the directory that target refers to: what
 * is written to an overlay does not outlive a reboot.  What earlier boots have
 * left is removed by a process of its own, which nobody waits for.  Returns 0,
 * or a negative errno after a message.
 */
int	 base_mount(const char *base, int target);

#endif
