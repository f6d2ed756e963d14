/*
 * The overlay: the node's / below a writable layer, one per Kubernetes
 * namespace or one for the node, kept by a bind-mounted mount namespace.  It
 * runs in a mount step: any failure ends that, and its end closes all.
 */
#include <sys/ioctl.h>

#include <linux/nsfs.h>

#include "privsep/helper.h"

#define MUST(result, text)	step_must(MSG_STEP_OVERLAY, (result), (text))
#define NODE_OPEN(p, flags)	MUST(open((p), (flags) | O_CLOEXEC), (p))
/* Below the working directory, which is the runtime root. */
#define OPEN(p, flags)	MUST(path_open(AT_FDCWD, (p), (flags), 0), (p))

/*
 * The overlay's key: "<ns>" for pods and "_<containerd namespace>" for
 * containers without CRI annotations: '_' is in no Kubernetes name.
 */
static char key[MSG_ID_SIZE + 1];

#define NAME_SIZE	(sizeof(key) + 32) /* of what named() makes */

/* A name below the runtime root; three calls later it is another. */
static const char *
named(const char *before, const char *after)
{
	static char names[3][NAME_SIZE];
	static unsigned int turn;
	char *name = names[turn++ % 3];

	snprintf(name, NAME_SIZE, "%s%s%s", before, key, after);
	return (name);
}

#define BASE		named("overlay/", "") /* upper, work, filters */
#define MERGED		named("merged/", "") /* the mount point */
#define NAMESPACE	named("ns/", "") /* its mount namespace, persisted */
#define LOCK		named("overlay-", ".lock")

/*
 * Mounts of the node below the new root: the kernel's, and what
 * /etc/resolv.conf points to where a resolver owns that file.
 */
static const char *const trees[] = {
	"/sys", "/run/systemd/resolve", "/run/resolvconf",
};

/* Makes a directory where there is none, and opens it. */
static int
directory_open(const char *path)
{
	if (mkdirat(AT_FDCWD, path, 0700) == -1 && errno != EEXIST)
		MUST(-1, path);
	return (OPEN(path, O_RDONLY | O_DIRECTORY));
}

/*
 * The writable layer: a tmpfs of its own with a limit, kept until reboot.  The
 * filter layer lies beside it, because no layer may lie below another.
 */
static void
base_prepare(const struct helper *h)
{
	const struct node *node = &h->boot.node;
	const char *own[] = { node->runtime_root, node->log_dir[0] != '\0' ?
	    node->log_dir : node->runtime_root };
	/* The size is of the node's memory, per overlay. */
	static const char *const o[] = { "size", "25%", "mode", "0700", NULL };
	struct statx stx;
	struct stat st;
	int fd;

	close(directory_open(BASE));
	MUST(statx(AT_FDCWD, BASE, AT_SYMLINK_NOFOLLOW, 0, &stx), BASE);
	if ((stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) {
		fd = mount_new("tmpfs", o, NOSUID_NODEV);
		/* The upper directory's mode is what a workload sees at /. */
		MUST(stat("/", &st), "/");
		MUST(mkdirat(fd, "work", 0700), "work");
		MUST(mkdirat(fd, "upper", st.st_mode & 07777), "upper");
		mount_attach(fd, AT_FDCWD, BASE, BASE);
	}
	filter_build(directory_open(named("overlay/", "/filters")), own);
}

/*
 * Recursive clones of the node's trees below the new root, the working
 * directory, all but /proc and
 * /dev, which each container has its own way, and a /run of the overlay's own:
 * the node's holds sockets that hand over the node, and Reaper's own tree.
 */
static void
trees_mount(void)
{
	static const char *const options[] = { "mode", "0755", NULL };
	const char *path;
	size_t i;
	int fd;

	fd = mount_new("tmpfs", options, NOSUID_NODEV);
	MUST(mkdirat(fd, "lock", 01777), "/run/lock");
	MUST(mkdirat(fd, "systemd", 0755), "/run/systemd");
	mount_attach(fd, AT_FDCWD, "run", "/run");
	for (i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		path = trees[i];
		/* All but the first are optional. */
		if (i > 0 && access(path, F_OK) == -1)
			continue;
		if (i > 0)
			MUST(mkdirat(AT_FDCWD, path + 1, 0755), path);
		fd = mount_clone(AT_FDCWD, path, AT_RECURSIVE, path);
		mount_set(fd, MOUNT_ATTR_RDONLY, 0, path);
		mount_attach(fd, AT_FDCWD, path + 1, path);
	}
}

/*
 * Makes the overlay's mount namespace and returns its descriptor; afterwards
 * this step is in the node's, node, again.  Every layer is opened in the new
 * namespace, because the kernel takes no other.
 */
static int
namespace_build(const struct helper *h, int node)
{
	const char *const o[] = { "redirect_dir", "on", "source", "reaper",
		"lowerdir", named("overlay/", "/filters:/"),
		"upperdir", named("overlay/", "/upper"),
		"workdir", named("overlay/", "/work"), NULL };
	int merged, ns;

	MUST(unshare(CLONE_NEWNS), "a mount namespace");
	/* While there is a /proc: the overlay's has none. */
	ns = NODE_OPEN("/proc/self/ns/mnt", O_RDONLY);
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "/");
	merged = mount_new("overlay", o, MOUNT_ATTR_NODEV);
	mount_attach(merged, AT_FDCWD, MERGED, MERGED);
	MUST(chdir(MERGED), MERGED);
	trees_mount();
	MUST(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	MUST(umount2(".", MNT_DETACH), "the old root");
	MUST(setns(node, CLONE_NEWNS), "returning to the node");
	MUST(chdir(h->boot.node.runtime_root), h->boot.node.runtime_root);
	return (ns);
}

/* Returns the overlay's mount namespace, bound to its file. */
static int
overlay_build(const struct helper *h)
{
	char from[NAME_SIZE], to[NAME_SIZE];
	int cpu, fd, node, ns;
	cpu_set_t all, one;

	base_prepare(h);
	close(directory_open(MERGED));
	node = NODE_OPEN("/proc/self/ns/mnt", O_RDONLY);
	fd = OPEN(NAMESPACE, O_RDONLY | O_CREAT);
	snprintf(to, sizeof(to), "/proc/self/fd/%d", fd);
	/*
	 * The bind fails with EINVAL or ELOOP where the kernel takes the
	 * namespace's id for older than that of the node's.  Ids come from
	 * batches per processor, so in a younger namespace than the initial
	 * one it can fail on some processors, always: each is tried.
	 */
	MUST(sched_getaffinity(0, sizeof(all), &all), "processors");
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		MUST(sched_setaffinity(0, sizeof(one), &one), "processor");
		ns = namespace_build(h, node);
		snprintf(from, sizeof(from), "/proc/self/fd/%d", ns);
		if (mount(from, to, NULL, MS_BIND, NULL) == 0)
			return (ns);
		if (errno != EINVAL && errno != ELOOP)
			break;
		close(ns);
	}
	step_fail(MSG_STEP_OVERLAY, -errno, NAMESPACE);
}

int
overlay_open(const struct helper *h, const struct plan *plan)
{
	const int cri = (plan->flags & PLAN_CRI) != 0;
	int fd, lock;

	snprintf(key, sizeof(key), cri ? "%s" : "_%s",
	    cri ? plan->sandbox_namespace : h->boot.containerd_namespace);
	if (key[0] == '\0')
		step_fail(MSG_STEP_POLICY, -EINVAL,
		    "the pod has no Kubernetes namespace");
	MUST(chdir(h->boot.node.runtime_root), h->boot.node.runtime_root);
	lock = OPEN(LOCK, O_RDWR | O_CREAT);
	/* Released, like all else, when this step ends, whatever ends it. */
	MUST(flock(lock, LOCK_EX), LOCK);
	fd = path_open(AT_FDCWD, NAMESPACE, O_RDONLY, 0);
	/* A file that nothing was bound on is left from a start cut short. */
	if (fd < 0 || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNS)
		fd = overlay_build(h);
	return (fd);
}
