/*
 * The cgroup of a container: made and limited here, entered by its launch
 * steps, killed and removed.  Of what it holds, the shim gets descriptors of
 * the files below and nothing else: it freezes, measures and changes limits by
 * those, within the bounds of the cgroup's parent, which the kernel keeps.
 */
#include <sys/vfs.h>

#include <linux/magic.h>

#include "privsep/helper.h"

#define ROOT		"/sys/fs/cgroup"
#define PATH_SIZE	(PLAN_CGROUP_SIZE + 40)
#define DIRECTORY	(O_PATH | O_DIRECTORY)

/* Hierarchies: of version 1 one for each controller; version 2, the last. */
enum { CPU, CPUACCT, MEMORY, PIDS, CPUSET, FREEZER, UNIFIED };

static const char *const hierarchies[] = {
	"cpu", "cpuacct", "memory", "pids", "cpuset", "freezer"
};

/* By enum msg_cgroup: where version 1 has it, its names. */
static const struct {
	int controller;
	const char *v1, *v2; /* or NULL */
} files[] = {
	{ CPUSET, "cpuset.cpus", "cpuset.cpus" },
	{ CPUSET, "cpuset.mems", "cpuset.mems" },
	{ CPU, "cpu.shares", "cpu.weight" },
	{ CPU, "cpu.cfs_period_us", NULL },
	{ CPU, "cpu.cfs_quota_us", "cpu.max" },
	{ CPU, "cpu.cfs_burst_us", "cpu.max.burst" },
	{ MEMORY, "memory.limit_in_bytes", "memory.max" },
	{ MEMORY, "memory.memsw.limit_in_bytes", "memory.swap.max" },
	{ MEMORY, "memory.soft_limit_in_bytes", "memory.low" },
	{ MEMORY, NULL, "memory.high" },
	{ MEMORY, NULL, "memory.min" },
	{ MEMORY, NULL, "memory.oom.group" },
	{ PIDS, "pids.max", "pids.max" },
	{ FREEZER, "freezer.state", "cgroup.freeze" },
	{ FREEZER, NULL, "cgroup.events" },
	/* Version 1's list is up to a second old. */
	{ FREEZER, "cgroup.procs", "cgroup.procs" },
	{ CPUACCT, "cpuacct.usage", NULL },
	{ CPUACCT, "cpuacct.stat", NULL },
	{ CPU, "cpu.stat", "cpu.stat" },
	{ MEMORY, "memory.usage_in_bytes", "memory.current" },
	{ MEMORY, "memory.max_usage_in_bytes", "memory.peak" },
	{ MEMORY, "memory.failcnt", NULL },
	{ MEMORY, "memory.stat", "memory.stat" },
	{ MEMORY, "memory.oom_control", "memory.events" },
	{ MEMORY, "memory.memsw.usage_in_bytes", "memory.swap.current" },
	{ PIDS, "pids.current", "pids.current" },
};

_Static_assert(sizeof(files) / sizeof(files[0]) == MSG_CGROUP_MAX, "files");

/* One that is mounted there, or -1. */
static int
hierarchy_open(const char *name, long magic)
{
	struct statfs fs;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), ROOT "/%s", name);
	fd = open(path, DIRECTORY | O_CLOEXEC);
	if (fd != -1 && (fstatfs(fd, &fs) == -1 || fs.f_type != magic))
		fdpass_close(&fd, 1);
	return (fd);
}

void
cgroup_boot(int fds[CGROUP_HIERARCHIES])
{
	int i;

	memset(fds, -1, sizeof(*fds) * CGROUP_HIERARCHIES);
	if ((fds[UNIFIED] = hierarchy_open("", CGROUP2_SUPER_MAGIC)) != -1)
		return;
	for (i = 0; i < UNIFIED; i++)
		fds[i] = hierarchy_open(hierarchies[i], CGROUP_SUPER_MAGIC);
	fds[UNIFIED] = hierarchy_open("unified", CGROUP2_SUPER_MAGIC);
	/* Version 2 freezes better, whatever else it has. */
	if (fds[UNIFIED] != -1)
		fdpass_close(&fds[FREEZER], 1);
}

/* True if a container has a directory in this hierarchy. */
static int
is_used(const struct helper *h, const struct record *c, int i)
{
	const struct plan_limits *limits = &c->plan.limits;

	return (h->cgroups[i] != -1 && (i != CPUSET ||
	    limits->v1[MSG_CGROUP_CPUS][0] != '\0' ||
	    limits->v1[MSG_CGROUP_MEMS][0] != '\0'));
}

/*
 * Its path there, until the next call.  Where the controllers are version 1's,
 * only we use version 2, and the pod's parent does not exist in it.
 */
static char *
path_of(const struct helper *h, const struct record *c, int i)
{
	static char path[PATH_SIZE];

	if (c->plan.cgroup[0] != '\0' &&
	    (i != UNIFIED || h->cgroups[MEMORY] == -1))
		return (strcpy(path, c->plan.cgroup));
	/* No character of an identifier lies between the two. */
	snprintf(path, sizeof(path), "reaper:%s:%s",
	    h->boot.containerd_namespace, c->ref.id);
	return (path);
}

/* As path_open. */
static int
below_open(int root, const char *directory, const char *file, int flags)
{
	char path[PATH_SIZE + 40];

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return (path_open(root, path, flags, 0));
}

static int
file_open(const struct helper *h, const struct record *c, int i,
    const char *file, int flags)
{
	return (file == NULL || !is_used(h, c, i) ? -ENOENT :
	    below_open(h->cgroups[i], path_of(h, c, i), file, flags));
}

/* Writes a text to a file; takes fd, or its error.  0 or a negative errno. */
static int
text_write(int fd, const char *text)
{
	int error = fd < 0 ? fd : 0;

	if (error == 0 && write(fd, text, strlen(text)) == -1)
		error = -errno;
	fdpass_close(&fd, 1);
	return (error);
}

/* The hierarchy and the name of a file of enum msg_cgroup, or NULL. */
static const char *
file_find(const struct helper *h, uint32_t file, int *hierarchy)
{
	const int i = files[file].controller;

	*hierarchy = h->cgroups[i] == -1 ? UNIFIED : i;
	return (*hierarchy == UNIFIED ? files[file].v2 : files[file].v1);
}

/* A new cpuset of version 1 takes nobody before it has what its parent has. */
static int
cpuset_inherit(int root, const char *path)
{
	static const char *const names[] = { "cpuset.cpus", "cpuset.mems" };
	char text[4096], up[32];
	int error = 0, fd, i;
	ssize_t n;

	for (i = 0; i < 2 && error == 0; i++) {
		snprintf(up, sizeof(up), "../%s", names[i]);
		if ((fd = below_open(root, path, up, O_RDONLY)) < 0)
			return (fd);
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = '\0';
		error = text_write(below_open(root, path, names[i], O_WRONLY),
		    text);
	}
	return (error);
}

/* Gives those below a directory of version 2 its controllers. */
static void
controllers_enable(int root, const char *path)
{
	static const char *const names[] = { "+cpu", "+cpuset", "+memory",
		"+pids" };
	size_t i;

	/* A limit whose file then is missing is an error. */
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)text_write(below_open(root, path,
		    "cgroup.subtree_control", O_WRONLY), names[i]);
}

/* Makes a container's directory in a hierarchy, and those above it. */
static int
directory_make(const struct helper *h, struct record *c, int i)
{
	const int root = h->cgroups[i], alone = h->cgroups[MEMORY] == -1;
	char *path = path_of(h, c, i), *slash = path;
	int made = 0;

	/* What an earlier life has left remembers that it was killed. */
	unlinkat(root, path, AT_REMOVEDIR);
	if (alone)
		controllers_enable(root, ".");
	while (slash != NULL && (made == 0 || made == -EEXIST)) {
		if ((slash = strchr(slash + 1, '/')) != NULL)
			*slash = '\0';
		made = mkdirat(root, path, 0755) == 0 ? 0 : -errno;
		/* One that was there is another's, not to be killed. */
		c->has_cgroup |= (made == 0 && slash == NULL) << i;
		if (made == 0 && i == CPUSET)
			made = cpuset_inherit(root, path);
		if (slash != NULL && alone)
			controllers_enable(root, path);
		if (slash != NULL)
			*slash = '/';
	}
	return (made);
}

int
cgroup_make(struct helper *h, struct record *c, struct request *rq)
{
	struct msg_reply *reply = &rq->reply;
	const struct plan_limits *limits = &c->plan.limits;
	const char *name, *text;
	uint32_t file;
	int error, i;

	reply->step = MSG_STEP_CGROUP;
	/* How else would one find what it leaves behind? */
	if ((c->plan.flags & PLAN_NEW_PIDNS) == 0 &&
	    h->cgroups[UNIFIED] == -1) {
		strcpy(reply->text, "without cgroup version 2 it needs a pid "
		    "namespace of its own");
		return (-ENOTSUP);
	}
	/* First, so that what is made is found whenever the helper dies. */
	if ((unlinkat(c->state_fd, BOOT_CGROUP, 0) == -1 && errno != ENOENT) ||
	    symlinkat(path_of(h, c, MEMORY), c->state_fd, BOOT_CGROUP) == -1) {
		reply->step = MSG_STEP_STATE;
		strcpy(reply->text, h->boot.node.runtime_root);
		return (-errno);
	}
	for (i = 0; i < CGROUP_HIERARCHIES; i++) {
		if (is_used(h, c, i) && (error = directory_make(h, c, i)) != 0)
			return (error);
	}
	for (file = 0; file < MSG_CGROUP_LIMITS; file++) {
		name = file_find(h, file, &i);
		text = i == UNIFIED ? limits->v2[file] : limits->v1[file];
		/* A decoder that is right gives no text for no file. */
		if (text[0] == '\0' || name == NULL ||
		    (error = text_write(file_open(h, c, i, name, O_WRONLY),
		    text)) == 0)
			continue;
		snprintf(reply->text, sizeof(reply->text), "%s to %s", text,
		    name);
		return (error);
	}
	/* What the kernel does not have is negative. */
	name = file_find(h, MSG_CGROUP_MEMORY_OOM, &i);
	c->memory_fd = file_open(h, c, i, name, O_RDONLY);
	c->event_fd = file_open(h, c, MEMORY, "cgroup.event_control",
	    O_WRONLY);
	c->populated_fd = file_open(h, c, UNIFIED, "cgroup.events", O_RDONLY);
	return (0);
}

int
cgroup_enter(const struct helper *h, const struct record *c,
    int fds[CGROUP_HIERARCHIES])
{
	int fd, i, n = 0;

	memset(fds, -1, sizeof(*fds) * CGROUP_HIERARCHIES);
	for (i = 0; i < CGROUP_HIERARCHIES; i++) {
		if (!is_used(h, c, i))
			continue;
		fd = i == UNIFIED ? file_open(h, c, i, "", DIRECTORY) :
		    file_open(h, c, i, "tasks", O_WRONLY);
		if (fd < 0)
			return (fd);
		fds[i == UNIFIED ? i : n++] = fd;
	}
	return (0);
}

void
cgroup_kill(const struct helper *h, const struct record *c)
{
	/* Version 1 keeps the frozen from dying. */
	if ((c->has_cgroup & 1 << FREEZER) != 0)
		(void)text_write(file_open(h, c, FREEZER, "freezer.state",
		    O_WRONLY), "THAWED");
	/* With a pid namespace of their own all end with its pid 1. */
	if ((c->plan.flags & PLAN_NEW_PIDNS) == 0 &&
	    (c->has_cgroup & 1 << UNIFIED) != 0)
		(void)text_write(file_open(h, c, UNIFIED, "cgroup.kill",
		    O_WRONLY), "1");
}

int
cgroup_remove(const struct helper *h, struct record *c, int all)
{
	char text[11], *path, *slash;
	int error = 0, i, populated;

	/* "populated 1"; what happens from here on makes it readable. */
	populated = c->populated_fd >= 0 && pread(c->populated_fd, text,
	    sizeof(text), 0) == sizeof(text) && text[10] == '1';
	/*
	 * Version 2 first: once the kernel has removed that, it has also left
	 * the critical section in which the last process leaves the others.
	 */
	for (i = UNIFIED; i >= (all ? 0 : UNIFIED) && error == 0; i--) {
		if ((c->has_cgroup & 1 << i) == 0)
			continue;
		path = path_of(h, c, i);
		if (unlinkat(h->cgroups[i], path, AT_REMOVEDIR) == -1 &&
		    errno != ENOENT)
			error = -errno;
		if (error == -EBUSY && !populated)
			error = tree_remove(h->cgroups[i], path);
		c->has_cgroup &= ~((error == 0) << i);
		/* Clients of containerd have all of a namespace below that. */
		if ((slash = strchr(path, '/')) != NULL)
			*slash = '\0';
		if (strcmp(path, h->boot.containerd_namespace) == 0)
			unlinkat(h->cgroups[i], path, AT_REMOVEDIR);
	}
	/* Without that nobody would tell when it is not busy any more. */
	fdpass_close(&c->populated_fd, (c->has_cgroup & 1 << UNIFIED) == 0);
	return (c->populated_fd < 0 ? 0 : error);
}

/* By hierarchy, a detached mount, or -1. */
static int views[CGROUP_HIERARCHIES];

void
cgroup_open(const struct helper *h, const struct record *c)
{
	const int alone = h->cgroups[MEMORY] == -1;
	char path[PATH_SIZE + 40];
	int i;

	for (i = 0; i < CGROUP_HIERARCHIES; i++) {
		views[i] = -1;
		if (!is_used(h, c, i))
			continue;
		snprintf(path, sizeof(path), ROOT "/%s/%s", i != UNIFIED ?
		    hierarchies[i] : alone ? "." : "unified", path_of(h, c, i));
		views[i] = mount_clone(AT_FDCWD, path, 0, path);
		mount_set(views[i], MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC |
		    NOSUID_NODEV, 0, path);
	}
}

void
cgroup_show(const struct helper *h)
{
	static const char *const o[] = { "mode", "0755", NULL };
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	char path[64] = ROOT;
	int i;

	if (h->cgroups[MEMORY] == -1) {
		if (views[UNIFIED] != -1)
			mount_attach(views[UNIFIED], AT_FDCWD, path, path);
		return;
	}
	mount_attach(mount_new("tmpfs", o, NOSUID_NODEV), AT_FDCWD, path, path);
	for (i = 0; i < CGROUP_HIERARCHIES; i++) {
		if (views[i] == -1)
			continue;
		snprintf(path, sizeof(path), ROOT "/%s", i == UNIFIED ?
		    "unified" : hierarchies[i]);
		step_must(MSG_STEP_CGROUP, mkdirat(AT_FDCWD, path, 0755), path);
		mount_attach(views[i], AT_FDCWD, path, path);
	}
	step_must(MSG_STEP_CGROUP, mount_setattr(AT_FDCWD, ROOT, 0, &readonly,
	    sizeof(readonly)), ROOT);
}

int
process_cgroup(struct helper *h, struct record *c, struct request *rq)
{
	const uint32_t file = rq->m->body.choice.which;
	int fd, i;
	const char *name = file_find(h, file, &i);

	/* Limits and what freezes come first; the rest is only read. */
	if ((fd = file_open(h, c, i, name, file <= MSG_CGROUP_FREEZE ?
	    O_RDWR : O_RDONLY)) < 0)
		return (fd);
	rq->reply.fds = i == UNIFIED ? MSG_FDS_CGROUP2 : 0;
	rq->fds[0] = fd;
	return (0);
}
