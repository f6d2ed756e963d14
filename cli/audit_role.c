/*
 * What is promised of each role, and whether it is so.
 */
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit.h"
#include "policies.h"

#define CAP(name)  (UINT64_C(1) << CAP_##name)
#define ANY	   UINT64_MAX
#define NS(name)   (1u << AUDIT_NS_##name)
#define PLAN(name) (1u << PLAN_NS_##name)
#define NODES	   (PLAN(NET) | PLAN(IPC) | PLAN(UTS))
#define FD(name)   ((unsigned int)AUDIT_FD_##name)
#define EVERY_FD   (~0u)

/* Of a line of /proc/PID/limits: bytes of the name, where the hard limit is. */
#define LIMIT_NAME 25
#define LIMIT_HARD (LIMIT_NAME + 1 + 20 + 1)

/* What no confined pod has: privsep/caps.c refuses or takes it. */
#define CONFINED_NEVER (CAP(SYS_ADMIN) | CAP(MKNOD) | CAP(SYS_PTRACE))

enum user {
	USER_ANY,
	USER_ROOT,
	USER_SHIM,   /* REAPER_UID */
	USER_BUNDLE, /* the bundle's; where that is not root, never root */
};

enum root {
	ROOT_ANY,
	ROOT_EMPTY,   /* an empty directory of root's */
	ROOT_APART,   /* not the node's */
	ROOT_OVERLAY, /* the container's */
	ROOT_NODE,
};

enum flag {
	NO_GROUPS = 1 << 0,
	NO_NEW_PRIVS = 1 << 1,
	NOT_FILTERED = 1 << 2, /* a workload would inherit it */
	NOT_DUMPABLE = 1 << 3, /* seen where it is not root */
	NO_ENVIRONMENT = 1 << 4,
	PROGRAM_READONLY = 1 << 5, /* it runs from a read-only mount */
	PROGRAM_ROOTS = 1 << 6,	   /* that root alone can have written */
};

/* Of a workload the rest is in its bundle: see promise_of. */
struct promise {
	const char *name;
	enum user user;
	uint64_t allowed[PLAN_CAPSETS];
	unsigned int filters; /* at least */
	unsigned int flags;
	unsigned int descriptors; /* FD(), which it may have */
	const struct policy_rlimit *limits;
	enum root root;
	unsigned int own, shared; /* namespaces, other than or the node's */
};

static const struct promise promises[AUDIT_ROLES] = {
	[AUDIT_SHIM] = { "shim", USER_SHIM, { 0 }, 1,
	    NO_GROUPS | NO_NEW_PRIVS | NOT_DUMPABLE | NO_ENVIRONMENT |
		PROGRAM_ROOTS,
	    FD(SOCKET) | FD(PIPE) | FD(NULL) | FD(ANONYMOUS) | FD(LOG) |
		FD(CGROUP) | FD(TERMINAL) | FD(LOCK),
	    policy_shim_rlimits, ROOT_EMPTY, 0,
	    NODES | PLAN(PID) | NS(MNT) | NS(CGROUP) | NS(USER) },
	[AUDIT_PUBLISHER] = { "publisher", USER_ROOT, { 0 }, 1,
	    NO_NEW_PRIVS | NO_ENVIRONMENT | PROGRAM_ROOTS,
	    FD(SOCKET) | FD(PIPE) | FD(NULL) | FD(ANONYMOUS) | FD(LOG) |
		FD(CGROUP),
	    policy_publisher_rlimits, ROOT_APART, 0,
	    NODES | PLAN(PID) | NS(MNT) | NS(CGROUP) | NS(USER) },
	[AUDIT_HELPER] = { "helper", USER_ROOT, { ANY, ANY, 0, ANY, 0 }, 0,
	    NOT_FILTERED | NO_ENVIRONMENT | PROGRAM_READONLY | PROGRAM_ROOTS,
	    EVERY_FD & ~(FD(NETWORK) | FD(DEVICE) | FD(BLOCK) | FD(TASKS)),
	    NULL, ROOT_NODE, 0,
	    NODES | PLAN(PID) | NS(MNT) | NS(CGROUP) | NS(USER) },
	/* One that is made, or waits to be started. */
	[AUDIT_STEP] = { "step", USER_ANY, { ANY, ANY, ANY, ANY, 0 }, 0,
	    PROGRAM_READONLY | PROGRAM_ROOTS, EVERY_FD & ~FD(BLOCK), NULL,
	    ROOT_ANY, 0, NS(USER) },
	/* It can execute nothing, so its bounding set is without effect. */
	[AUDIT_INIT] = { "init", USER_ROOT, { ANY, 0, 0, 0, 0 }, 2,
	    NO_NEW_PRIVS | NO_ENVIRONMENT | PROGRAM_READONLY | PROGRAM_ROOTS,
	    FD(PIPE), NULL, ROOT_OVERLAY, NS(MNT) | PLAN(PID),
	    NODES | NS(USER) },
	[AUDIT_PAUSE] = { "pause", USER_BUNDLE, { 0 }, 1,
	    NO_NEW_PRIVS | NO_ENVIRONMENT | PROGRAM_READONLY | PROGRAM_ROOTS,
	    FD(PIPE) | FD(NULL) | FD(LOG), NULL, ROOT_OVERLAY,
	    NS(MNT) | NS(CGROUP), NS(USER) },
	[AUDIT_WORKLOAD] = { "workload", USER_BUNDLE, { 0 }, 0, 0, EVERY_FD,
	    NULL, ROOT_ANY, NS(MNT), NS(USER) },
	/* What it copies is whatever the command was given. */
	[AUDIT_COPIER] = { "copier", USER_ROOT, { 0 }, 1,
	    NO_NEW_PRIVS | PROGRAM_ROOTS, EVERY_FD, policy_cli_rlimits,
	    ROOT_ANY, 0, NS(USER) },
};

const char *
audit_role_name(enum audit_role role)
{
	return (promises[role].name);
}

struct judged {
	const struct audit_process *process;
	struct promise promise;
	char who[64 + MSG_ID_SIZE];
	unsigned int shared; /* namespaces, with the node */
	int owns;	     /* it is the first process of its container */
};

static void __attribute__((format(printf, 4, 5))) say(const struct judged *j,
    int holds, const char *what, const char *format, ...)
{
	char seen[AUDIT_TEXT_SIZE];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(seen, sizeof(seen), format, ap);
	va_end(ap);
	audit_say(holds ? AUDIT_PASS : AUDIT_FAIL, j->who, what, "%s", seen);
}

/* What the bundle of its container says: capabilities, filters, namespaces. */
static void
promise_of_bundle(struct judged *j)
{
	const struct audit_container *c = j->process->container;
	const struct conf *conf = j->process->conf;
	struct promise *p = &j->promise;
	const struct plan *plan = &c->plan;
	const int host = (plan->flags & PLAN_HOST) != 0;
	uint64_t allowed = 0;
	unsigned int i, mine;

	for (i = 0; i < PLAN_CAPSETS; i++)
		allowed |= plan->capabilities[i];
	if (!host)
		allowed &= ~CONFINED_NEVER;
	if (!host && (j->shared & PLAN(NET)) != 0 &&
	    !conf->node.host_network_caps)
		allowed &= ~(CAP(NET_ADMIN) | CAP(NET_RAW));
	if (j->process->role == AUDIT_WORKLOAD) {
		for (i = 0; i < PLAN_CAPSETS; i++)
			p->allowed[i] = allowed;
		if ((plan->flags & PLAN_NO_NEW_PRIVS) != 0)
			p->flags |= NO_NEW_PRIVS;
		if (!host)
			p->filters += 1 + ((j->shared & PLAN(PID)) != 0);
	}
	p->filters += plan->nfilter != 0;
	/* A privileged one may go where it likes, and has the node's cgroup. */
	if (host && !j->owns) {
		p->own = p->shared = 0;
		return;
	}
	if (host)
		p->own &= ~NS(CGROUP);
	else
		p->own |= NS(CGROUP);
	for (i = 0; i < PLAN_NS_MAX; i++) {
		static const unsigned int flags[] = {
			[PLAN_NS_NET] = CLONE_NEWNET,
			[PLAN_NS_IPC] = CLONE_NEWIPC,
			[PLAN_NS_UTS] = CLONE_NEWUTS,
			[PLAN_NS_PID] = 0,
		};

		mine = (plan->unshare & flags[i]) != 0 ||
		    (i == PLAN_NS_NET && plan->netns[0] != '\0') ||
		    (i == PLAN_NS_PID && (plan->flags & PLAN_NEW_PIDNS) != 0);
		/* Another's may be its own or the node's. */
		if (mine)
			p->own |= 1u << i;
		else if (plan->ns_pids[i] == 0)
			p->shared |= 1u << i;
	}
}

static void
users_check(const struct judged *j)
{
	const struct audit_list *lists[] = { &j->process->status.user,
		&j->process->status.group };
	const struct audit_container *c = j->process->container;
	const struct conf_uids *uids = &j->process->conf->uids;
	uint64_t wanted = 0;
	int holds = 1;
	size_t i, k;

	if (j->promise.user == USER_ANY)
		return;
	if (j->promise.user == USER_SHIM) {
		wanted = lists[0]->value[0];
		holds = CONF_UIDS_HAVE(uids, wanted);
	}
	for (k = 0; k < 2; k++) {
		for (i = 0; i < 4; i++) {
			const uint64_t id = lists[k]->value[i];

			if (j->promise.user != USER_BUNDLE)
				holds &= id == wanted;
			else if (k == 0)
				/* Nothing else has the shim's. */
				holds &= !CONF_UIDS_HAVE(uids, id) &&
				    (c == NULL || c->plan.uid == 0 || id != 0);
		}
	}
	say(j, holds, "user and group", "uid %u %u %u %u, gid %u %u %u %u",
	    (unsigned)lists[0]->value[0], (unsigned)lists[0]->value[1],
	    (unsigned)lists[0]->value[2], (unsigned)lists[0]->value[3],
	    (unsigned)lists[1]->value[0], (unsigned)lists[1]->value[1],
	    (unsigned)lists[1]->value[2], (unsigned)lists[1]->value[3]);
	if ((j->promise.flags & NO_GROUPS) != 0)
		say(j, j->process->status.groups.n == 0, "no other groups",
		    "%zu", j->process->status.groups.n);
}

/* The names of a set, as far as there is room. */
static void
set_print(uint64_t set, char *text, size_t size)
{
	size_t length = 0;
	char *name;
	int cap;

	(void)snprintf(text, size, "%s", set == 0 ? "none" : "");
	for (cap = 0; cap < 64 && length < size; cap++) {
		if ((set & UINT64_C(1) << cap) == 0)
			continue;
		name = cap_to_name(cap);
		length += (size_t)snprintf(text + length, size - length, "%s%s",
		    length > 0 ? " " : "", name != NULL ? name : "?");
		cap_free(name);
	}
}

static void
capabilities_check(const struct judged *j)
{
	static const char *const names[PLAN_CAPSETS] = {
		[PLAN_BOUNDING] = "bounding capabilities",
		[PLAN_EFFECTIVE] = "effective capabilities",
		[PLAN_INHERITABLE] = "inheritable capabilities",
		[PLAN_PERMITTED] = "permitted capabilities",
		[PLAN_AMBIENT] = "ambient capabilities",
	};
	char text[AUDIT_TEXT_SIZE];
	uint64_t has, more;
	int i;

	for (i = 0; i < PLAN_CAPSETS; i++) {
		if (j->promise.allowed[i] == ANY)
			continue;
		has = j->process->status.capabilities[i].value[0];
		more = has & ~j->promise.allowed[i];
		set_print(more != 0 ? more : has, text, sizeof(text));
		say(j, more == 0, names[i], "%s%s",
		    more != 0 ? "too much: " : "", text);
	}
}

static void
filters_check(const struct judged *j)
{
	const struct audit_status *s = &j->process->status;
	const uint64_t mode = s->seccomp.value[0], n = s->filters.value[0];

	if ((j->promise.flags & NOT_FILTERED) != 0)
		say(j, mode == 0, "no seccomp filter", "mode %u",
		    (unsigned)mode);
	else if (j->promise.filters > 0)
		say(j, mode == 2 && n >= j->promise.filters, "seccomp filters",
		    "mode %u, %u filters of at least %u", (unsigned)mode,
		    (unsigned)n, j->promise.filters);
	if ((j->promise.flags & NO_NEW_PRIVS) != 0)
		say(j, s->no_new_privs.value[0] == 1, "no new privileges", "%u",
		    (unsigned)s->no_new_privs.value[0]);
}

/* A number of /proc/PID/limits. */
static uint64_t
limit_parse(const char *text)
{
	return (strncmp(text, "unlimited", strlen("unlimited")) == 0 ?
		UINT64_MAX :
		strtoull(text, NULL, 10));
}

/* The kernel's table has a heading, then a line for each in their order. */
static void
limits_check(const struct judged *j)
{
	const struct policy_rlimit *l = j->promise.limits;
	char name[LIMIT_NAME + 1], text[BUFSIZ];
	const char *line;
	uint64_t hard;
	int n;

	for (; l != NULL && l->resource != -1; l++) {
		(void)audit_read(j->process->dir, "limits", text, sizeof(text));
		for (line = text, n = 0; line != NULL && n <= l->resource; n++)
			line = (line = strchr(line, '\n')) != NULL ? line + 1 :
								     NULL;
		if (line == NULL || strlen(line) < LIMIT_HARD) {
			say(j, 0, "limits", "the kernel does not tell");
			return;
		}
		(void)snprintf(name, sizeof(name), "%.*s", LIMIT_NAME, line);
		for (n = LIMIT_NAME; n > 0 && name[n - 1] == ' '; n--)
			name[n - 1] = '\0';
		hard = limit_parse(line + LIMIT_HARD);
		say(j, hard <= l->value, name, "%llu, promised is %llu",
		    (unsigned long long)hard, (unsigned long long)l->value);
	}
}

/* The number of entries of a directory, or -1. */
static int
entries_count(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *directory = fd == -1 ? NULL : fdopendir(fd);

	if (directory == NULL)
		return (-1);
	while (readdir(directory) != NULL)
		n++;
	closedir(directory);
	return (n - 2);
}

static void
root_check(const struct judged *j)
{
	struct stat st, node;
	struct statfs fs;
	char link[AUDIT_TEXT_SIZE];
	int entries, fd, same;

	if (j->promise.root == ROOT_ANY)
		return;
	fd =
	    openat(j->process->dir, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1 || stat("/", &node) == -1 ||
	    fstatfs(fd, &fs) == -1) {
		say(j, 0, "root directory", "%s", strerror(errno));
		if (fd != -1)
			close(fd);
		return;
	}
	audit_link(j->process->dir, "root", link, sizeof(link));
	same = st.st_dev == node.st_dev && st.st_ino == node.st_ino;
	switch (j->promise.root) {
	case ROOT_EMPTY:
		entries = entries_count(fd);
		say(j,
		    entries == 0 && st.st_uid == 0 &&
			(st.st_mode & 0222) == 0 && !same,
		    "root directory is empty and root's",
		    "%s: %d entries, "
		    "mode %04o, uid %u",
		    link, entries, st.st_mode & 07777, st.st_uid);
		break;
	case ROOT_APART:
		say(j, !same, "root directory is not the node's", "%s", link);
		break;
	case ROOT_OVERLAY:
		say(j, fs.f_type == OVERLAYFS_SUPER_MAGIC && !same,
		    "root directory is an overlay", "%s", link);
		break;
	case ROOT_NODE:
	case ROOT_ANY:
		say(j, same, "root directory is the node's", "%s", link);
	}
	close(fd);
}

static void
program_check(const struct judged *j)
{
	const int fd = openat(j->process->dir, "exe", O_PATH | O_CLOEXEC);
	const unsigned int flags = j->promise.flags;
	char link[AUDIT_TEXT_SIZE];
	struct statvfs vfs;
	struct stat st;

	audit_link(j->process->dir, "exe", link, sizeof(link));
	if (fd == -1 || fstat(fd, &st) == -1 || fstatvfs(fd, &vfs) == -1) {
		if ((flags & (PROGRAM_ROOTS | PROGRAM_READONLY)) != 0)
			say(j, 0, "program", "%s", strerror(errno));
		goto out;
	}
	if ((flags & PROGRAM_READONLY) != 0)
		say(j, (vfs.f_flag & ST_RDONLY) != 0,
		    "program on a read-only mount", "%s", link);
	if ((flags & PROGRAM_ROOTS) != 0)
		say(j, st.st_uid == 0 && (st.st_mode & 0022) == 0,
		    "program is root's alone", "%s: uid %u, mode %04o", link,
		    st.st_uid, st.st_mode & 07777);
out:
	if (fd != -1)
		close(fd);
}

static void
memory_check(const struct judged *j)
{
	char text[BUFSIZ];
	struct stat st = { 0 };
	ssize_t i, n;

	/* Of what is not dumpable the kernel gives these files to root. */
	if ((j->promise.flags & NOT_DUMPABLE) != 0)
		say(j,
		    fstatat(j->process->dir, "environ", &st, 0) == 0 &&
			st.st_uid == 0 && j->process->status.user.value[0] != 0,
		    "not dumpable", "/proc/%d/environ is of uid %u",
		    (int)j->process->pid, st.st_uid);
	if ((j->promise.flags & NO_ENVIRONMENT) == 0)
		return;
	n = audit_read(j->process->dir, "environ", text, sizeof(text));
	for (i = 0; i < n && text[i] == '\0'; i++)
		;
	say(j, n >= 0 && i == n, "no environment", "%zd bytes",
	    n < 0 ? n : n - i);
}

static void
descriptors_check(const struct judged *j)
{
	char text[AUDIT_TEXT_SIZE] = "";
	int found;

	if (j->promise.descriptors == EVERY_FD)
		return;
	found = audit_descriptors(j->process->dir, j->promise.descriptors, text,
	    sizeof(text));
	if (found < 0)
		say(j, 0, "descriptors", "%s", strerror(-found));
	else if (found == 0)
		say(j, 1, "descriptors", "none but those of its kinds");
	else
		say(j, 0, "descriptors", "%s, fd/%s",
		    audit_descriptor_name((unsigned int)found),
		    text + strlen("fd/"));
}

static void
namespaces_check(const struct judged *j)
{
	char what[48];
	unsigned int bit;
	int i, is_node;

	for (i = 0; i < AUDIT_NS_MAX; i++) {
		bit = 1u << i;
		if (((j->promise.own | j->promise.shared) & bit) == 0)
			continue;
		is_node = (j->shared & bit) != 0;
		(void)snprintf(what, sizeof(what), "%s namespace is %s",
		    audit_namespace_name(i),
		    (j->promise.own & bit) != 0 ? "not the node's" :
						  "the node's");
		say(j, is_node == ((j->promise.own & bit) == 0), what, "%s",
		    is_node ? "the node's" : "another");
	}
}

void
audit_judge(const struct audit_process *process)
{
	static void (*const checks[])(const struct judged *) = {
		users_check,
		capabilities_check,
		filters_check,
		limits_check,
		root_check,
		program_check,
		memory_check,
		descriptors_check,
		namespaces_check,
	};
	struct judged j = { process, promises[process->role], "", 0, 0 };
	const struct audit_container *c = process->container;
	const int node = open("/proc/self", O_PATH | O_CLOEXEC);
	size_t i;

	j.shared = audit_namespaces(process->dir, node);
	close(node);
	(void)snprintf(j.who, sizeof(j.who), "%s %d%s%s%s", j.promise.name,
	    (int)process->pid, c != NULL ? " (" : "", c != NULL ? c->id : "",
	    c != NULL ? ")" : "");
	j.owns = c != NULL && c->pid == process->pid;
	if (process->role == AUDIT_HELPER &&
	    process->conf->node.profile == NODE_CONFINED)
		j.promise.allowed[PLAN_BOUNDING] = ~CONFINED_NEVER;
	if (process->role == AUDIT_WORKLOAD || process->role == AUDIT_PAUSE) {
		say(&j, c != NULL, "its container is known", "%s",
		    c != NULL ? c->id : process->status.name);
		if (c == NULL)
			return;
		promise_of_bundle(&j);
	}
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](&j);
}
