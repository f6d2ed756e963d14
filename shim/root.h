/*
 * The runtime root: where state and overlays of this node are.
 */
#ifndef SHIM_ROOT_H
#define SHIM_ROOT_H

/*
 * Makes the directory path, which may exist, with what reaper-privsep expects
 * in it.  It is a mount of its own and private: namespace files can be bound
 * on no other, and what is mounted below it should spread to nobody.  Its
 * overlays lie in base, unless that is empty, from the next boot on after that
 * was changed.  Returns
 * a descriptor of the empty directory in it that is the shim's root, or a
 * negative errno after a message.
 */
int	 root_make(const char *path, const char *base);

#endif
