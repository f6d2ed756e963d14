/*
 * Volumes: what a container has in its tree besides the overlay.  Their sources
 * are opened on the node; then, in the container's own mount namespace, they
 * are placed in its tree, from which no symbolic link leads out.  That
 * namespace has no peers, so they are this container's alone and gone with it.
 * It runs in a mount step: any failure ends that, and its end closes all.
 */
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <fnmatch.h>
#include <linux/magic.h>

#include "privsep/helper.h"

#define MUST(result, text)	step_must(MSG_STEP_MOUNT, (result), (text))

static struct volume {
	struct plan_mount m;
	char *destination, *source;
	int fd;			/* the detached mount, or -1 */
} volumes[PLAN_MOUNTS_MAX], *end = volumes;

#define FOREACH(v)	for ((v) = volumes; (v) < end; (v)++)

/* What hands over the node, and what is containerd's. */
static const char private_paths[] =
    "proc\0sys\0dev\0var/lib/containerd\0run/containerd\0";

/*
 * What kubelet and CRI keep for this very pod.  Nobody but they can make a
 * directory of such a name where something is kept from workloads.
 */
static int
source_is_own(const struct record *r, const char *source)
{
	const struct { const char *before, *id, *after; } own[] = {
		{ "/*/sandboxes/", r->plan.sandbox_id, "/*" },
		{ "/*/containers/", r->ref.id, "/volumes/*" },
		{ "/*/pods/", r->plan.pod_uid, "/*" },
	};
	char pattern[MSG_ID_SIZE + 32];
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		snprintf(pattern, sizeof(pattern), "%s%s%s", own[i].before,
		    own[i].id, own[i].after);
		if (own[i].id[0] != '\0' && fnmatch(pattern, source, 0) == 0)
			return (1);
	}
	return (0);
}

/* Sources that a confined container must not have at, above or below. */
static void
source_check(const struct helper *h, const struct record *r, const char *source)
{
	const struct node *node = &h->boot.node;
	const char *const own[] = { h->boot.bundles, node->runtime_root,
		node->overlay_base }, *allowed = node->run_allow;
	char text[MSG_TEXT_SIZE];
	int kept = 0;
	size_t i;

	/* What the node gives to all; whose IPC is the node's, its memory. */
	for (; allowed[0] != '\0'; allowed += strlen(allowed) + 1) {
		if (strcmp(allowed, source) == 0)
			return;
	}
	if (strcmp(source, "/dev/shm") == 0 &&
	    (r->on_node & 1 << PLAN_NS_IPC) != 0)
		return;
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		kept |= own[i][0] != '\0' &&
		    path_touches(source + 1, own[i] + 1);
	if (!kept && (source_is_own(r, source) ||
	    (!list_touches(private_paths, source + 1) &&
	    !filter_touches(source + 1))))
		return;
	snprintf(text, sizeof(text), "%.128s is, or is in, or holds, what is "
	    "kept from workloads", source);
	step_fail(MSG_STEP_POLICY, -EPERM, text);
}

/*
 * A detached clone of a file or directory of the node; -1 where it is missing
 * and may be.  CRI gives paths without symbolic links: one that is there was
 * put there since.
 */
static int
source_open(const struct volume *v)
{
	struct stat st;
	int fd, tree;

	fd = path_open(AT_FDCWD, v->source, O_PATH, RESOLVE_NO_SYMLINKS);
	if (fd == -ENOENT && v->m.mode != 0)
		return (-1);
	MUST(fd, v->source);
	MUST(fstat(fd, &st), v->source);
	if (v->m.kind == PLAN_DEVICE && ((!S_ISCHR(st.st_mode) &&
	    !S_ISBLK(st.st_mode)) || (v->m.number != 0 &&
	    v->m.number != st.st_rdev)))
		step_fail(MSG_STEP_MOUNT, -ENODEV, v->source);
	tree = mount_clone(fd, "", v->m.kind == PLAN_BIND_TREE ?
	    AT_RECURSIVE : 0, v->source);
	close(fd);
	return (tree);
}

/* A new filesystem, or -1 for what is none. */
static int
filesystem_new(const struct volume *v)
{
	char mode[16], size[24];
	const char *const tmpfs[] = { "mode", mode, "size", size, NULL };
	static const char *const devpts[] = { "ptmxmode", "0666",
		"mode", "0620", "gid", "5", NULL };

	snprintf(mode, sizeof(mode), "%o", v->m.mode);
	/* 0 would be no limit: then the kernel's default. */
	snprintf(size, sizeof(size), v->m.number != 0 ? "%llu" : "50%%",
	    (unsigned long long)v->m.number);
	if (v->m.kind == PLAN_DEVPTS)
		return (mount_new("devpts", devpts, 0));
	return (v->m.kind == PLAN_TMPFS ? mount_new("tmpfs", tmpfs, 0) : -1);
}

/* What the overlay has of the node's filesystems already is done with. */
static void
nodes_find(const struct helper *h, int overlay)
{
	const int node = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC),
	    "ns/mnt");
	struct statx stx;
	struct volume *v;

	MUST(setns(overlay, CLONE_NEWNS), "entering the overlay");
	FOREACH(v) {
		if (v->m.kind == PLAN_NODE && statx(AT_FDCWD, v->destination,
		    AT_SYMLINK_NOFOLLOW, 0, &stx) == 0 &&
		    (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
			v->m.kind = 0;
	}
	MUST(setns(node, CLONE_NEWNS), "returning to the node");
	close(node);
	MUST(chdir(h->boot.node.runtime_root), h->boot.node.runtime_root);
}

void
volumes_open(const struct helper *h, const struct record *r, int overlay)
{
	const struct plan *plan = &r->plan;
	struct volume *v = volumes;
	char *map, *p, *records;
	size_t i, size;

	size = plan->strings_length + plan->nmounts * sizeof(v->m);
	map = mmap(NULL, sizeof(*plan) + size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE, STEP_FDS + 1, 0);
	MUST(map == MAP_FAILED ? -1 : 0, "mounts");
	p = map + sizeof(*plan);
	records = p + plan->strings_length;
	/* plan_check has counted the strings: this stays inside. */
	for (i = 0; i < (size_t)plan->argc + plan->envc + 1; i++)
		p += strlen(p) + 1;
	end = volumes + plan->nmounts;
	FOREACH(v) {
		memcpy(&v->m, records, sizeof(v->m));
		records += sizeof(v->m);
		v->destination = p;
		v->source = p += strlen(p) + 1;
		p += strlen(p) + 1;
	}
	/* They come first. */
	if (plan->nmounts != 0 && volumes[0].m.kind == PLAN_NODE)
		nodes_find(h, overlay);
	FOREACH(v) {
		if ((v->m.kind == PLAN_BIND || v->m.kind == PLAN_BIND_TREE ||
		    v->m.kind == PLAN_ORIGIN) && (plan->flags & PLAN_HOST) == 0)
			source_check(h, r, v->source);
		v->fd = v->m.kind == 0 ? -1 : v->m.kind == PLAN_NODE ?
		    overlay_extend(v->destination) :
		    v->m.kind <= PLAN_DEVICE ? source_open(v) :
		    filesystem_new(v);
		if (v->fd == -1 || v->m.kind == PLAN_NODE)
			continue;
		if (v->m.kind != PLAN_DEVICE && v->m.kind != PLAN_DEVPTS &&
		    (plan->flags & PLAN_HOST) == 0)
			v->m.attributes |= MOUNT_ATTR_NODEV;
		mount_set(v->fd, v->m.attributes, v->m.propagation, v->source);
	}
}

/* -1 where workloads have put something else by now. */
static int
node_find(const struct volume *v)
{
	int fd = path_open(AT_FDCWD, v->destination, O_PATH, RESOLVE_IN_ROOT |
	    RESOLVE_NO_SYMLINKS);

	return (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? -1 :
	    MUST(fd, v->destination));
}

void
nodes_attach(void)
{
	struct volume *v;
	int fd;

	FOREACH(v) {
		if (v->m.kind != PLAN_NODE)
			continue;
		if ((fd = node_find(v)) >= 0)
			mount_attach(v->fd, fd, "", v->destination);
		fdpass_close(&fd, 1);
	}
}

/* Links are followed as the container would, but not those of /proc. */
static int
target_find(const char *path)
{
	return (path_open(AT_FDCWD, path[0] != '\0' ? path : "/", O_PATH,
	    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS));
}

/*
 * Where v goes, or another path on the way: made where it is missing.  Others
 * of the overlay may make it at the same time.  -1: a link, which is all there.
 */
static int
target_open(char *path, mode_t type, const char *link)
{
	char *name = strrchr(path, '/');
	int fd = target_find(path), made, parent;

	if (fd != -ENOENT)
		return (MUST(fd, path));
	*name = '\0';
	parent = target_open(path, S_IFDIR, NULL);
	*name++ = '/';
	made = type == S_IFLNK ? symlinkat(link, parent, name) :
	    type == S_IFDIR ? mkdirat(parent, name, 0755) :
	    openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (made == -1 && errno != EEXIST)
		MUST(-1, path);
	fdpass_close(&parent, 1);
	return (type == S_IFLNK ? -1 : made > 0 ? made :
	    MUST(target_find(path), path));
}

/* Hides what is there, or takes its being writable. */
static void
path_cover(const struct volume *v)
{
	int fd = target_find(v->destination), tree;
	struct stat st;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return;
	MUST(fstat(MUST(fd, v->destination), &st), v->destination);
	if (v->m.kind == PLAN_READONLY)
		tree = mount_clone(fd, "", AT_RECURSIVE, v->destination);
	else if (S_ISDIR(st.st_mode))
		tree = mount_new("tmpfs", NULL, 0);
	else {
		tree = mount_clone(AT_FDCWD, "/dev/null", 0, v->destination);
		/* A volume may be on /dev, and have a link there. */
		if (fstat(tree, &st) == -1 || !S_ISCHR(st.st_mode) ||
		    st.st_rdev != makedev(1, 3))
			step_fail(MSG_STEP_MOUNT, -EPERM, "/dev/null");
	}
	mount_set(tree, MOUNT_ATTR_RDONLY, 0, v->destination);
	mount_attach(tree, fd, "", v->destination);
	close(fd);
}

void
nodes_protect(void)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	struct volume *v;
	int fd;

	FOREACH(v) {
		if (v->m.kind != PLAN_NODE && v->m.kind != 0)
			continue;
		fd = node_find(v);
		/* EINVAL: it is none, and so a part of what is around it. */
		if (fd >= 0 && mount_setattr(fd, "", AT_EMPTY_PATH, &readonly,
		    sizeof(readonly)) == -1 && errno != EINVAL)
			MUST(-1, v->destination);
		fdpass_close(&fd, 1);
	}
}

void
volumes_attach(const struct record *r)
{
	struct stat root, st;
	struct statfs fs;
	struct volume *v;
	int fd, twin;

	MUST(stat("/", &root), "/");
	FOREACH(v) {
		if (v->m.kind == PLAN_MASK || v->m.kind == PLAN_READONLY)
			path_cover(v);
		if (v->m.kind == 0 || v->m.kind >= PLAN_MASK ||
		    (v->m.kind <= PLAN_DEVICE && v->fd == -1))
			continue;
		st.st_mode = v->m.kind == PLAN_LINK ? S_IFLNK : S_IFDIR;
		if (v->fd != -1)
			MUST(fstat(v->fd, &st), v->source);
		fd = target_open(v->destination, st.st_mode & S_IFMT,
		    v->source);
		if (fd == -1 || v->fd == -1)
			continue;
		/* The container's own root and /proc stay what they are. */
		MUST(fstat(fd, &st), v->destination);
		MUST(fstatfs(fd, &fs), v->destination);
		if (fs.f_type == PROC_SUPER_MAGIC ||
		    (st.st_dev == root.st_dev && st.st_ino == root.st_ino))
			step_fail(MSG_STEP_MOUNT, -EPERM, v->destination);
		/*
		 * An unmount that comes from a workload of the same overlay
		 * takes what lies on what they share, and nothing above that.
		 */
		if ((r->plan.flags & PLAN_HOST) != 0) {
			MUST(move_mount(v->fd, "", fd, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
			    v->destination);
			twin = v->fd;
			v->fd = mount_clone(twin, "", AT_RECURSIVE,
			    v->destination);
			close(twin);
		}
		mount_attach(v->fd, fd, "", v->destination);
		close(fd);
	}
}
