/*
 * The mount step: the container's own mount namespace, derived from that of
 * its overlay.  It can mount; its filter keeps it from executing anything and
 * from changing identity.  Of a container with its own pid namespace it is pid
 * 1, whose root directory so is the container's, and stays as that without any
 * capability.
 */
#include "privsep/helper.h"

#define MUST(result, text)	step_must(MSG_STEP_MOUNT, (result), (text))

/*
 * A detached /proc: one that shows the pid namespace that this step was born
 * in, or the node's as it is.
 */
static int
proc_open(const struct record *r)
{
	int fd, fs;

	if (r->pidns_fd == -1 && (r->plan.flags & PLAN_NEW_PIDNS) == 0)
		return (MUST(open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE |
		    OPEN_TREE_CLOEXEC | AT_RECURSIVE), "/proc"));
	fs = MUST(fsopen("proc", FSOPEN_CLOEXEC), "proc");
	MUST(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "proc");
	fd = MUST(fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID |
	    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC), "proc");
	close(fs);
	return (fd);
}

/*
 * The minimal pid 1 of a container's own pid namespace: it holds the
 * namespace, lets the kernel reap orphans, and ends with the helper; when it
 * ends, the kernel kills everything else in the namespace.
 */
static _Noreturn void
init_run(void)
{
	struct pollfd pollfd = { .fd = STEP_FDS };

	if (close_range(0, STEP_FDS - 1, 0) == -1 ||
	    close_range(STEP_FDS + 1, ~0U, 0) == -1 || caps_limit(0) != 0)
		_exit(1);
	step_confine(&policy_init);
	/* The lifeline: readable never, hung up when the helper is gone. */
	while (poll(&pollfd, 1, -1) == -1 && errno == EINTR)
		continue;
	_exit(0);
}

void
step_mount(const struct helper *h, const struct record *r)
{
	const int is_init = (r->plan.flags & PLAN_NEW_PIDNS) != 0;
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	int fd, proc;

	/*
	 * Children of a parent that ignores SIGCHLD are reaped by the kernel;
	 * other signals from inside do not reach a pid 1 without handlers.
	 */
	if (is_init && (signal(SIGCHLD, SIG_IGN) == SIG_ERR ||
	    prctl(PR_SET_NAME, "reaper-init") == -1))
		_exit(1);
	step_confine(&policy_mount);
	fd = overlay_open(h, &r->plan);
	proc = proc_open(r);
	volumes_open(h, r);
	MUST(setns(fd, CLONE_NEWNS), "entering the overlay");
	MUST(unshare(CLONE_NEWNS), "a mount namespace");
	MUST(move_mount(proc, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH),
	    "/proc");
	/* The node's does not get what is mounted on its copy. */
	MUST(mount(NULL, "/proc", NULL, MS_REC | MS_PRIVATE, NULL), "/proc");
	fd = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), "ns/mnt");
	volumes_attach(r);
	if ((r->plan.flags & PLAN_ROOT_READONLY) != 0)
		MUST(mount_setattr(AT_FDCWD, "/", 0, &readonly,
		    sizeof(readonly)), "root.readonly");
	step_report(0, MSG_STEP_NONE, NULL, fd);
	if (is_init)
		init_run();
}
