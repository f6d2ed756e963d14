/*
 * audit: looks at a node that runs.  As root it reads what the kernel says of
 * processes, and nothing that a workload has written; bundles are decoded by a
 * child without any privilege.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit.h"
#include "cli/cli.h"

#define HELPER	  "reaper-privsep"
#define PUBLISHER "reaper-publish"
#define COPIER	  "reaper-attend"
#define SHIM	  "containerd-shim-reaper-v2"
#define SHIM_NAME "containerd-shim" /* as far as the kernel keeps it */

/* All processes of the node, as far as one has to look at them all. */
struct processes {
	struct audit_process *list;
	size_t count;
};

static unsigned int said[AUDIT_NOTE + 1];

void
audit_say(enum audit_verdict verdict, const char *who, const char *what,
    const char *format, ...)
{
	static const char *const words[] = { "fail", "pass", "note" };
	va_list ap;

	said[verdict]++;
	printf("%s\t%s\t%s\t", words[verdict], who, what);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

static int
process_open(const char *number)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%.16s", number);
	return (open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* Those that end meanwhile are not seen. */
static int
processes_list(struct processes *all)
{
	struct audit_process *more, process;
	DIR *directory = opendir("/proc");
	struct dirent *entry;

	if (directory == NULL)
		return (-errno);
	while ((entry = readdir(directory)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's number. */
		process = (struct audit_process){ .pid = atoi(entry->d_name),
			.dir = process_open(entry->d_name) };
		if (process.dir == -1)
			continue;
		if (audit_status_read(process.dir, &process.status) != 0 ||
		    strchr("ZX", process.status.state) != NULL) {
			close(process.dir);
			continue;
		}
		/* Held open only while it is looked at. */
		close(process.dir);
		process.dir = -1;
		more = reallocarray(all->list, all->count + 1, sizeof(*more));
		if (more == NULL) {
			closedir(directory);
			return (-ENOMEM);
		}
		all->list = more;
		all->list[all->count++] = process;
	}
	closedir(directory);
	return (0);
}

static const struct audit_process *
parent_of(const struct processes *all, const struct audit_process *process)
{
	const uint64_t pid = process->status.parent.value[0];
	size_t i;

	for (i = 0; i < all->count; i++) {
		if ((uint64_t)all->list[i].pid == pid)
			return (&all->list[i]);
	}
	return (NULL);
}

/* The outermost process above it that is called a helper; may be itself. */
static const struct audit_process *
helper_of(const struct processes *all, const struct audit_process *process)
{
	const struct audit_process *helper = NULL;
	size_t depth = 0;

	/* Parents of processes that ended meanwhile might make a circle. */
	for (; process != NULL && depth <= all->count; depth++) {
		if (strcmp(process->status.name, HELPER) == 0)
			helper = process;
		process = parent_of(all, process);
	}
	return (helper);
}

static int
is_same_program(const struct audit_process *a, const struct audit_process *b)
{
	char path[32];
	struct stat x, y;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)a->pid);
	if (stat(path, &x) == -1)
		return (0);
	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)b->pid);
	return (stat(path, &y) == 0 && x.st_dev == y.st_dev &&
	    x.st_ino == y.st_ino);
}

/* It is the shim's program, whatever it has become. */
static int
is_shims_program(const struct audit_process *process)
{
	char path[32], target[PATH_MAX];
	const char *name;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)process->pid);
	audit_link(AT_FDCWD, path, target, sizeof(target));
	name = strrchr(target, '/');
	/* Perhaps " (deleted)". */
	return (name != NULL && strncmp(name + 1, SHIM, strlen(SHIM)) == 0);
}

/*
 * What `start` leaves: a process of that program that leads a session; `start`
 * and `delete` themselves lead none.
 */
static int
is_shim(const struct audit_process *process)
{
	return (strcmp(process->status.name, SHIM_NAME) == 0 &&
	    getsid(process->pid) == process->pid && is_shims_program(process));
}

/* `start` waits, as its parent, until it is confined. */
static int
is_beginning(const struct processes *all, const struct audit_process *process)
{
	const struct audit_process *parent = parent_of(all, process);

	return (parent != NULL && is_shims_program(parent) &&
	    getsid(parent->pid) != parent->pid);
}

static int
has_user_of(const struct audit_process *process, const struct conf_uids *uids)
{
	const struct audit_list *user = &process->status.user;
	size_t i;

	for (i = 0; i < 4; i++) {
		if (CONF_UIDS_HAVE(uids, user->value[i]))
			return (1);
	}
	return (0);
}

/*
 * What a helper has started is known by that; its own program is trusted to
 * say what it is.  By their names are known those that have started nothing:
 * whoever bears one has to be that.
 */
static enum audit_role
role_of(const struct processes *all, const struct audit_process *process,
    const struct conf *conf)
{
	const struct audit_process *helper = helper_of(all, process);
	const char *name = process->status.name;

	if (helper == process)
		return (AUDIT_HELPER);
	if (helper != NULL && !is_same_program(helper, process))
		return (AUDIT_WORKLOAD);
	if (helper != NULL)
		return (strcmp(name, "reaper-init") == 0  ? AUDIT_INIT :
			strcmp(name, "reaper-pause") == 0 ? AUDIT_PAUSE :
							    AUDIT_STEP);
	if (strcmp(name, PUBLISHER) == 0)
		return (AUDIT_PUBLISHER);
	if (strcmp(name, COPIER) == 0)
		return (AUDIT_COPIER);
	/* Nothing else has that user. */
	return (is_shim(process) || has_user_of(process, &conf->uids) ?
		AUDIT_SHIM :
		AUDIT_NOBODY);
}

/* By what the kernel says of the nearest one that is known: pid or cgroup. */
static const struct audit_container *
container_of(const struct processes *all, const struct audit_process *process,
    const struct audit_container *containers, size_t count)
{
	char cgroup[PATH_MAX], path[32];
	const struct audit_process *at;
	size_t depth = 0, i;

	for (at = process; at != NULL && depth <= all->count; depth++) {
		for (i = 0; i < count; i++) {
			if (containers[i].pid == at->pid)
				return (&containers[i]);
		}
		at = parent_of(all, at);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup",
	    (int)process->pid);
	if (audit_read(AT_FDCWD, path, cgroup, sizeof(cgroup)) <= 0)
		return (NULL);
	for (i = 0; i < count; i++) {
		if (strcmp(containers[i].cgroup, cgroup) == 0)
			return (&containers[i]);
	}
	return (NULL);
}

/* Reads it again, through a descriptor that stays that process's. */
static void
process_judge(struct audit_process *process)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", (int)process->pid);
	if ((process->dir = process_open(number)) == -1)
		return;
	if (audit_status_read(process->dir, &process->status) == 0 &&
	    strchr("ZX", process->status.state) == NULL)
		audit_judge(process);
	close(process->dir);
	process->dir = -1;
}

static int
processes_audit(const struct conf *conf)
{
	struct audit_container *containers;
	struct audit_process *process;
	struct processes all = { NULL, 0 };
	size_t count, i;
	int error;

	if ((error = processes_list(&all)) != 0)
		cli_error("/proc: %s", strerror(-error));
	/* Afterwards: of whatever was executed by then the state is noted. */
	containers = audit_containers(conf, &count);
	for (i = 0; i < all.count; i++) {
		process = &all.list[i];
		process->conf = conf;
		process->role = role_of(&all, process, conf);
		if (process->role == AUDIT_NOBODY)
			continue;
		if (process->role == AUDIT_SHIM &&
		    is_beginning(&all, process)) {
			audit_say(AUDIT_NOTE, audit_role_name(AUDIT_SHIM),
			    "is being started", "pid %d", (int)process->pid);
			continue;
		}
		if (process->role == AUDIT_WORKLOAD ||
		    process->role == AUDIT_PAUSE)
			process->container =
			    container_of(&all, process, containers, count);
		process_judge(process);
	}
	free(all.list);
	free(containers);
	return (error);
}

int
cli_audit(const struct options *options)
{
	static struct conf conf;
	int error;

	(void)options;
	error = audit_node(&conf);
	if (error == 0)
		error = processes_audit(&conf);
	printf("%u passed, %u failed\n", said[AUDIT_PASS], said[AUDIT_FAIL]);
	return (error == 0 && said[AUDIT_FAIL] == 0 ? CLI_DONE : CLI_FAILED);
}
