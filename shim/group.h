/*
 * The socket that all containers of a pod share, and who may make it.
 */
#ifndef SHIM_GROUP_H
#define SHIM_GROUP_H

#define GROUP_DIRECTORY	"/run/containerd/s"	/* where runc's shim has it */
#define GROUP_NAME_SIZE	65			/* 64 hex digits and a NUL */
#define GROUP_PATH_SIZE	(sizeof(GROUP_DIRECTORY) + GROUP_NAME_SIZE)
#define GROUP_SCHEME	"unix://"

/* A group, locked by this process. */
struct group {
	char path[GROUP_PATH_SIZE];	/* of the socket */
	char lock_path[GROUP_PATH_SIZE + sizeof(".lock")];
	int lock_fd;			/* owned */
};

/*
 * Makes the socket's directory if need be, and derives and locks the group of
 * this id in this namespace of the containerd that listens at address.  The
 * lock is held until group_unlock, by this process alone.  Returns 0 or a
 * negative errno.
 */
int	 group_lock(struct group *group, const char *address,
	    const char *namespace, const char *id);

/*
 * The same for a path that was derived before: -EINVAL unless it is one that
 * group_lock makes; and unless wait is set, -EWOULDBLOCK if another process
 * has the lock.
 */
int	 group_lock_path(struct group *group, const char *path, int wait);

/* Gives the lock up and removes its file. */
void	 group_unlock(struct group *group);

/*
 * What `start` and `delete` ask of the group's shim, as a ttrpc service with
 * the id of their container for a payload.
 */
#define GROUP_SERVICE	"reaper.Group"
#define GROUP_JOIN	"Join"
#define GROUP_LEAVE	"Leave"

/*
 * Has the shim wait for the Create of container id, whatever Shutdown it hears
 * before that.  Returns 1; or 0 if there is no shim or if it is about to end,
 * and then a socket that was left there is removed; or a negative errno.
 */
int	 group_join(const struct group *group, const char *id);

/*
 * Has the shim end if it has no container and waits for none but this one:
 * some versions of containerd send no Shutdown.  Afterwards the socket of a
 * shim that has gone is removed.
 */
void	 group_leave(const struct group *group, const char *id);

/*
 * Binds the group's socket, mode 0600, and listens.  Beside it lies a file that
 * whoever holds *mark_fd_p keeps locked: as long as the shim has it, the socket
 * is in use.  Returns the listener, non-blocking, or a negative errno; both
 * descriptors are close-on-exec and the caller's.
 */
int	 group_listen(const struct group *group, int *mark_fd_p);

/*
 * Removes the socket, where nobody listens any more, and the file beside it.
 * Returns 0, also if there is none, or a negative errno.
 */
int	 group_remove(const struct group *group);

/*
 * Removes the sockets of shims that are gone, and the locks of processes that
 * were killed: where containerd forgets a pod nobody else does.  What others
 * work at is left to them, and sockets of other runtimes to those.
 */
void	 group_sweep(void);

#endif
