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
 * group_lock makes.
 */
int	 group_lock_path(struct group *group, const char *path);

/* Gives the lock up and removes its file. */
void	 group_unlock(struct group *group);

/*
 * 1 if someone listens on the group's socket; 0 if not, and then a socket
 * that was left there is removed; or a negative errno.
 */
int	 group_alive(const struct group *group);

/*
 * Binds the group's socket, mode 0600, and listens.  Returns the listener,
 * close-on-exec and non-blocking, or a negative errno.
 */
int	 group_listen(const struct group *group);

/*
 * Like group_alive, but certain: a shim that was killed may still be listening
 * for a moment when containerd hears of it.  Asks it for an answer, at most a
 * second long.
 */
int	 group_answers(const struct group *group);

#endif
