/*
 * The mount step: the container's own mount namespace, derived from that of
 * its overlay.  It can mount; its filter keeps it from executing anything and
 * from changing identity.  Of a container with its own pid namespace it is pid
 * 1, whose root directory so is the container's, and stays as that without any
 * capability.
 */
#include "privsep/helper.h"

#define MUST(result, text)	step_must(MSG_STEP_MOUNT, (result), (text))

/* Changes of the whole tree of a container. */
static void
root_finish(const struct plan *plan, int shared)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY },
	    nosuid = { .attr_set = MOUNT_ATTR_NOSUID };

	if ((plan->flags & PLAN_ROOT_READONLY) != 0) {
		MUST(mount_setattr(AT_FDCWD, "/", 0, &readonly,
		    sizeof(readonly)), "root.readonly");
		nodes_protect();
	}
	/* Who is not root does not become it. */
	if (shared == -1 && plan->uid != 0)
		MUST(mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &nosuid,
		    sizeof(nosuid)), "nosuid");
	/* What a workload mounts from here on, others of the overlay see. */
	if (shared != -1)
		MUST(move_mount(shared, "", AT_FDCWD, "/",
		    MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_F_EMPTY_PATH), "/");
}

/* One that shows the pid namespace that the step was born in. */
static int
proc_new(void)
{
	return (mount_new("proc", NULL, NOSUID_NODEV | MOUNT_ATTR_NOEXEC));
}

/*
 * In a pid namespace where others are already, who may stop what they find
 * there: nothing is locked meanwhile.
 */
void
step_proc(const struct helper *h, const struct record *r)
{
	(void)h;
	(void)r;
	step_confine(&policy_mount);
	step_report(0, MSG_STEP_NONE, NULL, proc_new());
}

void
step_mount(const struct helper *h, const struct record *r)
{
	const int is_init = (r->plan.flags & PLAN_NEW_PIDNS) != 0,
	    is_host = (r->plan.flags & PLAN_HOST) != 0;
	int fd, go, proc, self, shared = -1;

	/*
	 * Children of a parent that ignores SIGCHLD are reaped by the kernel;
	 * other signals from inside do not reach a pid 1 without handlers.
	 */
	if (is_init && (signal(SIGCHLD, SIG_IGN) == SIG_ERR ||
	    prctl(PR_SET_NAME, "reaper-init") == -1))
		_exit(1);
	step_confine(&policy_mount);
	self = MUST(open("/proc/self/ns", O_PATH | O_CLOEXEC), "ns");
	fd = overlay_open(h, &r->plan);
	/* Of its own pid namespace, of another's, or the node's as it is. */
	proc = is_init ? proc_new() : r->ns_fds[PLAN_NS_PID] >= 0 ?
	    STEP_FDS + 2 : mount_clone(AT_FDCWD, "/proc", AT_RECURSIVE,
	    "/proc");
	/* Of the node's processes root could change what files of these say. */
	if (!is_host && (r->on_node & 1 << PLAN_NS_PID) != 0)
		mount_set(proc, MOUNT_ATTR_RDONLY, 0, "/proc");
	volumes_open(h, r, fd);
	/* Now the cgroup has to be there. */
	if (read(STEP_RESULT_FD, &go, 1) != 1)
		_exit(1);
	if (!is_host)
		cgroup_open(h, r);
	MUST(setns(fd, CLONE_NEWNS), "entering the overlay");
	nodes_attach();
	if (is_host)
		shared = MUST(open("/", O_PATH | O_CLOEXEC), "/");
	MUST(unshare(CLONE_NEWNS), "a mount namespace");
	/* Volumes are this container's alone, wherever they come to lie. */
	if (is_host && (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == -1 ||
	    mount(NULL, "/", NULL, MS_PRIVATE, NULL) == -1))
		MUST(-1, "/");
	mount_attach(proc, AT_FDCWD, "/proc", "/proc");
	/* The node's does not get what is mounted on its copy. */
	MUST(mount(NULL, "/proc", NULL, MS_REC | MS_PRIVATE, NULL), "/proc");
	/* In the /proc of another pid namespace this step is not. */
	fd = MUST(openat(self, "mnt", O_RDONLY | O_CLOEXEC), "ns/mnt");
	if (!is_host)
		cgroup_show(h);
	volumes_attach(r);
	root_finish(&r->plan, shared);
	step_report(0, MSG_STEP_NONE, NULL, fd);
	/*
	 * The minimal pid 1 of a container's own pid namespace: it holds the
	 * namespace, lets the kernel reap orphans, and ends with the helper;
	 * when it ends, the kernel kills everything else in the namespace.
	 */
	if (is_init && close_range(0, STEP_FDS - 1, 0) == 0 &&
	    close_range(STEP_FDS + 1, ~0U, 0) == 0)
		step_wait_end(STEP_FDS);
}
