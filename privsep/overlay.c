/*
 * The overlay: the node's files below a writable layer, one per Kubernetes
 * namespace and name or one for the node, kept by a bind-mounted mount
 * namespace.  Confined pods and privileged ones never share one.  It runs in a
 * mount step: any failure ends that, and its end closes all.
 */
#include <sys/ioctl.h>

#include <linux/nsfs.h>

#include "privsep/helper.h"

#define MUST(result, text)	step_must(MSG_STEP_OVERLAY, (result), (text))
#define NODE_OPEN(p, flags)	MUST(open((p), (flags) | O_CLOEXEC), (p))
/* Below the working directory, which is the runtime root. */
#define OPEN(p, flags)	MUST(path_open(AT_FDCWD, (p), (flags), 0), (p))

/*
 * The overlay's key: "<ns>" or "<ns>.<name>" for pods, for containers without
 * CRI annotations "_<containerd namespace>", "+node" where there is one for
 * all; of the host profile "+host" follows.  '_', '.' and '+' are in no DNS
 * label.
 */
static char key[MSG_ID_SIZE + PLAN_NAMESPACE_SIZE + 8];

#define NAME_SIZE	(sizeof(key) + 32) /* of what named() makes */

/* A name below the runtime root; eight calls later it is another. */
static const char *
named(const char *before, const char *after)
{
	static char names[8][NAME_SIZE];
	static unsigned int turn;
	char *name = names[turn++ % 8];

	snprintf(name, NAME_SIZE, "%s%s%s", before, key, after);
	return (name);
}

#define BASE		named("overlay/", "") /* upper, work, filters, run */
#define MERGED		named("merged/", "") /* the mount point */
#define NAMESPACE	named("ns/", "") /* its mount namespace, persisted */
#define LOCK		named("overlay-", ".lock")
#define FILTERS		named("overlay/", "/filters")
#define RUN		named("overlay/", "/run")

/* Makes a directory where there is none, and opens it. */
static int
directory_open(const char *path)
{
	if (mkdirat(AT_FDCWD, path, 0700) == -1 && errno != EEXIST)
		MUST(-1, path);
	return (OPEN(path, O_RDONLY | O_DIRECTORY));
}

/*
 * Makes a directory like one of the node's, for others to see; also one that
 * was left by a start cut short.
 */
static void
layer_make(int dirfd, const char *path, const struct stat *st)
{
	if (mkdirat(dirfd, path, 0700) == -1 && errno != EEXIST)
		MUST(-1, path);
	dirfd = MUST(path_open(dirfd, path, O_RDONLY | O_DIRECTORY, 0), path);
	MUST(fchown(dirfd, st->st_uid, st->st_gid), path);
	MUST(fchmod(dirfd, st->st_mode & 07777), path);
	close(dirfd);
}

/*
 * Where the layers are: a tmpfs of their own with a limit, kept until reboot,
 * unless the node has another place for the writable ones.  The filter layer
 * always is on one, because no layer may lie below another.
 */
static void
base_prepare(const struct node *node)
{
	const int is_limited = node->overlay_size[0] != '\0';
	/* A share is of the node's memory, per overlay. */
	const char *const o[] = { "mode", "0700", "size", is_limited ?
		node->overlay_size : "16m", NULL };
	struct stat st, run = { .st_mode = 0755 };
	const char *path;
	struct statx stx;

	close(directory_open(BASE));
	path = is_limited ? BASE : FILTERS;
	close(directory_open(path));
	MUST(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &stx), path);
	if ((stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
		mount_attach(mount_new("tmpfs", o, NOSUID_NODEV), AT_FDCWD,
		    path, path);
	/* The upper directory's mode is what a workload sees at /. */
	MUST(stat("/", &st), "/");
	layer_make(AT_FDCWD, named("overlay/", "/upper"), &st);
	layer_make(AT_FDCWD, RUN, &run);
	close(directory_open(named("overlay/", "/work")));
}

/*
 * A detached mount of what the node has mounted at path: as the lower layer of
 * a part of the overlay of its own, or, of a filesystem that cannot be one, or
 * a file, read-only.
 */
int
overlay_extend(const char *path)
{
	char lower[64], name[NAME_MAX + 1], *to = name, upper[64], work[64];
	const char *const o[] = { "redirect_dir", "on", "source", "reaper",
		"lowerdir", lower, "upperdir", upper, "workdir", work, NULL };
	const char *from = path;
	int base, fd, filters, merged = -1, n;
	struct stat st;

	fd = MUST(path_open(AT_FDCWD, path, O_PATH, RESOLVE_NO_SYMLINKS), path);
	MUST(fstat(fd, &st), path);
	/* What is filtered there lies in the layer at the same place. */
	filters = path_open(OPEN(FILTERS, O_PATH | O_DIRECTORY), path + 1,
	    O_PATH | O_DIRECTORY, 0);
	if (filters < 0 && filters != -ENOENT && filters != -ENOTDIR)
		step_fail(MSG_STEP_FILTER, filters, path);
	/* No two paths give the same name. */
	for (; *from != '\0' && to < name + NAME_MAX - 2; from++)
		to += sprintf(to, *from == '/' ? "+s" : *from == '+' ? "+p" :
		    "%c", *from);
	if (S_ISDIR(st.st_mode) && *from == '\0') {
		base = directory_open(named("overlay/", "/node"));
		if (mkdirat(base, name, 0700) == -1 && errno != EEXIST)
			MUST(-1, path);
		base = MUST(path_open(base, name, O_PATH | O_DIRECTORY, 0),
		    path);
		layer_make(base, "upper", &st);
		layer_make(base, "work", &st);
		n = filters < 0 ? 0 : snprintf(lower, sizeof(lower),
		    "/proc/self/fd/%d:", filters);
		snprintf(lower + n, sizeof(lower) - (size_t)n,
		    "/proc/self/fd/%d", fd);
		snprintf(upper, sizeof(upper), "/proc/self/fd/%d/upper", base);
		snprintf(work, sizeof(work), "/proc/self/fd/%d/work", base);
		merged = mount_try("overlay", o, MOUNT_ATTR_NODEV);
	}
	/* Read-only, what is filtered there would be seen. */
	if (merged == -1 && filters >= 0)
		MUST(-1, path);
	if (merged == -1) {
		merged = mount_clone(fd, "", 0, path);
		mount_set(merged, MOUNT_ATTR_RDONLY | NOSUID_NODEV, 0, path);
	}
	return (merged);
}

/*
 * Below the new root, the working directory, all that is not the node's files,
 * but /proc and /dev, which each container has its own way: the kernel's /sys,
 * without what is mounted there, and a /run of the overlay's own, because the
 * node's holds sockets that hand over the node, and Reaper's own tree.
 */
static void
trees_mount(int run)
{
	int fd;

	mount_set(run, NOSUID_NODEV, 0, "/run");
	mount_attach(run, AT_FDCWD, "run", "/run");
	if (mkdirat(AT_FDCWD, "run/lock", 01777) == -1 && errno != EEXIST)
		MUST(-1, "/run/lock");
	fd = mount_clone(AT_FDCWD, "/sys", 0, "/sys");
	mount_set(fd, MOUNT_ATTR_RDONLY, 0, "/sys");
	mount_attach(fd, AT_FDCWD, "sys", "/sys");
}

/*
 * Of the host profile, the node's own: what is mounted there later comes, and
 * what is unmounted goes.  Reaper's tree holds others' namespaces.
 */
static void
trees_share(const int trees_fds[2], const char *runtime_root)
{
	static const char *const paths[] = { "/sys", "/run" };
	int i;

	for (i = 0; i < 2; i++) {
		mount_set(trees_fds[i], 0, MS_SLAVE, paths[i]);
		mount_attach(trees_fds[i], AT_FDCWD, paths[i] + 1, paths[i]);
	}
	if (umount2(runtime_root + 1, MNT_DETACH) == -1 && errno != EINVAL &&
	    errno != ENOENT)
		MUST(-1, runtime_root);
}

/*
 * Makes the overlay's mount namespace and returns its descriptor; afterwards
 * this step is in the node's, node, again.  Every layer is opened in the new
 * namespace, because the kernel takes no other.
 */
static int
namespace_build(const struct node *node, int is_host, int node_ns)
{
	const char *const o[] = { "redirect_dir", "on", "source", "reaper",
		"lowerdir", named("overlay/", "/filters:/"),
		"upperdir", named("overlay/", "/upper"),
		"workdir", named("overlay/", "/work"), NULL };
	int merged, ns, trees_fds[2];

	MUST(unshare(CLONE_NEWNS), "a mount namespace");
	/* While there is a /proc: the overlay's has none. */
	ns = NODE_OPEN("/proc/self/ns/mnt", O_RDONLY);
	if (is_host) {
		/* While they are peers of the node's. */
		trees_fds[0] = mount_clone(AT_FDCWD, "/sys", AT_RECURSIVE,
		    "/sys");
		trees_fds[1] = mount_clone(AT_FDCWD, "/run", AT_RECURSIVE,
		    "/run");
	}
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "/");
	if (!is_host)
		trees_fds[1] = mount_clone(AT_FDCWD, RUN, 0, "/run");
	merged = mount_new("overlay", o, MOUNT_ATTR_NODEV);
	mount_attach(merged, AT_FDCWD, MERGED, MERGED);
	MUST(chdir(MERGED), MERGED);
	if (is_host)
		trees_share(trees_fds, node->runtime_root);
	else
		trees_mount(trees_fds[1]);
	MUST(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	MUST(umount2(".", MNT_DETACH), "the old root");
	/* Privileged workloads see each other's mounts. */
	if (is_host)
		MUST(mount(NULL, "/", NULL, MS_SHARED, NULL), "/");
	MUST(setns(node_ns, CLONE_NEWNS), "returning to the node");
	MUST(chdir(node->runtime_root), node->runtime_root);
	return (ns);
}

/* Returns the overlay's mount namespace, bound to its file. */
static int
overlay_build(const struct node *on, int is_host)
{
	char from[NAME_SIZE], to[NAME_SIZE];
	int cpu, fd, node, ns;
	cpu_set_t all, one;

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
		ns = namespace_build(on, is_host, node);
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
	const char *const name = plan->overlay_name;
	const int cri = (plan->flags & PLAN_CRI) != 0,
	    is_host = (plan->flags & PLAN_HOST) != 0;
	const struct node *node = &h->boot.node;
	int fd, lock, type;

	snprintf(key, sizeof(key), "%s%s%s%s%s", cri ? "" : "_",
	    cri ? plan->sandbox_namespace : h->boot.containerd_namespace,
	    name[0] != '\0' ? "." : "", name, is_host ? "+host" : "");
	if (cri && plan->sandbox_namespace[0] == '\0')
		step_fail(MSG_STEP_POLICY, -EINVAL,
		    "the pod has no Kubernetes namespace");
	if (node->overlay_node)
		strcpy(key, is_host ? "+node+host" : "+node");
	MUST(chdir(node->runtime_root), node->runtime_root);
	lock = OPEN(LOCK, O_RDWR | O_CREAT);
	/* Released, like all else, when this step ends, whatever ends it. */
	MUST(flock(lock, LOCK_EX), LOCK);
	fd = path_open(AT_FDCWD, NAMESPACE, O_RDONLY, 0);
	type = fd < 0 ? -1 : ioctl(fd, NS_GET_NSTYPE);
	/* One that stands must not be built a second time. */
	if (fd < 0 ? fd != -ENOENT : type == -1 && errno != ENOTTY)
		step_fail(MSG_STEP_OVERLAY, fd < 0 ? fd : -errno, NAMESPACE);
	/* A file that nothing was bound on is left from a start cut short. */
	if (fd >= 0 && type != CLONE_NEWNS)
		fdpass_close(&fd, 1);
	if (fd < 0)
		base_prepare(node);
	filter_build(directory_open(FILTERS), node->filters[is_host], fd >= 0);
	return (fd >= 0 ? fd : overlay_build(node, is_host));
}
