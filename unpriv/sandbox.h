/*
 * Entry into the sandboxes of the unprivileged roles.  What each may still do
 * is in sandbox-policies/.  Nothing here can be taken back; after a failure
 * the process is half confined and must exit.
 */
#ifndef UNPRIV_SANDBOX_H
#define UNPRIV_SANDBOX_H

#include <sys/types.h>

/*
 * Empties the bounding set, so that nothing that is executed later can have a
 * capability.  sandbox_enter_shim does it too, where it was not done before.
 * Returns 0 or a negative errno.
 */
int	 sandbox_drop_bounding_set(void);

/*
 * Makes the calling process, root with all capabilities and a single thread,
 * the shim of sandbox-policies/shim.policy: user and group uid, rootfd (an
 * empty directory, owned by root; taken and closed) as its root directory, no
 * capability, no way to new ones, no path to open and only the policy's system
 * calls.  What the shim will use must be open already.
 *
 * Returns 0, or a negative errno; -EINVAL for uid 0 or (uid_t)-1, and -ENOTEMPTY
 * if privilege was found left.
 */
int	 sandbox_enter_shim(uid_t uid, int rootfd);

/*
 * Makes the calling process, root with all capabilities and a single thread,
 * the publisher of sandbox-policies/publisher.policy: still user 0, which
 * containerd's socket asks for, but without any capability, with rootfd (the
 * directory of that socket; taken and closed) as its root directory, and only
 * the policy's system calls.  Returns 0 or a negative errno.
 */
int	 sandbox_enter_publisher(int rootfd);

/*
 * Makes the calling process the decoder of sandbox-policies/decode.policy: it
 * has no capability, and can read, write, allocate and exit.  Before it decodes
 * a bundle, oci_prepare must have been called.  Any user may; a bounding set
 * stays if it is not root's to drop.  Returns 0 or a negative errno.
 */
int	 sandbox_enter_decode(void);

/*
 * Makes the calling process, root and with a single thread, the reader of
 * sandbox-policies/cli.policy: without any capability, with what is open and
 * nothing more.  Returns 0 or a negative errno.
 */
int	 sandbox_enter_cli(void);

/*
 * The version of Landlock that the kernel offers, or 0 if it has none (or
 * was booted without).  The shim's sandbox stands without it: its root is an
 * empty directory, and it may make no call that takes a path.  But whoever
 * starts a shim there should log it.
 */
int	 sandbox_landlock_version(void);

#endif
