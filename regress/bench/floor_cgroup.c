#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <linux/magic.h>
#include <linux/sched.h>

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regress/bench/floor_cgroup.h"

#define ROOT	  "/sys/fs/cgroup"
#define PATH_SIZE (sizeof(ROOT) + CGROUP_PATH_SIZE + 64)

/*
 * The hierarchies, and what is written in them: the number that follows the
 * key in config.json.
 */
struct limit {
	const char *hierarchy; /* its folder, with a slash; v2 has but one */
	const char *file;      /* NULL: nothing */
	const char *key;
	int weight; /* the number are shares, the file takes a weight */
};

static const struct limit limits_v1[] = {
	{ "/cpu", "cpu.shares", "\"shares\":", 0 },
	{ "/cpu", "cpu.cfs_quota_us", "\"quota\":", 0 },
	{ "/cpuacct", NULL, NULL, 0 },
	{ "/memory", "memory.limit_in_bytes", "\"memory\":{\"limit\":", 0 },
	{ "/pids", "pids.max", "\"pids\":{\"limit\":", 0 },
	{ 0 },
};

static const struct limit limits_v2[] = {
	{ "", "cpu.weight", "\"shares\":", 1 },
	{ "", "cpu.max", "\"quota\":", 0 },
	{ "", "memory.max", "\"memory\":{\"limit\":", 0 },
	{ "", "pids.max", "\"pids\":{\"limit\":", 0 },
	{ 0 },
};

static const struct limit *
limits(void)
{
	struct statfs fs;

	return statfs(ROOT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC ?
	    limits_v2 :
	    limits_v1;
}

/* Whether this row is the first of its hierarchy. */
static int
is_first(const struct limit *table, const struct limit *row)
{
	return row == table || strcmp(row->hierarchy, row[-1].hierarchy) != 0;
}

/* ROOT/HIERARCHY/PATH/FILE in buffer, which has PATH_SIZE bytes. */
static const char *
path_of(char *buffer, const char *hierarchy, const char *path, const char *file)
{
	(void)snprintf(buffer, PATH_SIZE, ROOT "%s%s/%s", hierarchy, path,
	    file);
	return buffer;
}

static int
file_write(const char *path, const char *text)
{
	size_t length = strlen(text);
	int fd, done;

	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) == -1)
		return -1;
	done = write(fd, text, length) == (ssize_t)length;
	(void)close(fd);
	return done ? 0 : -1;
}

static int
limit_set(const struct limit *limit, const char *path, const char *config)
{
	char file[PATH_SIZE], text[32];
	const char *at;
	long long value;

	if (limit->file == NULL || (at = strstr(config, limit->key)) == NULL)
		return 0;
	value = strtoll(at + strlen(limit->key), NULL, 10);
	if (limit->weight) /* 2 to 262144 becomes 1 to 10000 */
		value = 1 + (value - 2) * 9999 / 262142;
	(void)snprintf(text, sizeof(text), "%lld", value);
	return file_write(path_of(file, limit->hierarchy, path, limit->file),
	    text);
}

int
cgroup_make(struct cgroup *cgroup, const char *config)
{
	static const char key[] = "\"cgroupsPath\":\"";
	const struct limit *row, *table = limits();
	char path[PATH_SIZE];
	const char *from;
	size_t length;

	cgroup->path[0] = '\0';
	if ((from = strstr(config, key)) == NULL)
		return 0;
	from += sizeof(key) - 1;
	length = strcspn(from, "\"");
	if (length == 0 || length >= sizeof(cgroup->path))
		return -1;
	(void)memcpy(cgroup->path, from, length);
	cgroup->path[length] = '\0';
	for (row = table; row->hierarchy != NULL; row++) {
		if (is_first(table, row) &&
		    mkdir(path_of(path, row->hierarchy, cgroup->path, ""),
			0755) == -1)
			return -1;
		if (limit_set(row, cgroup->path, config) == -1)
			return -1;
	}
	return 0;
}

static int
enter(const struct limit *table, const char *path)
{
	const struct limit *row;
	char file[PATH_SIZE];

	for (row = table; row->hierarchy != NULL; row++)
		if (is_first(table, row) &&
		    file_write(path_of(file, row->hierarchy, path,
				   "cgroup.procs"),
			"0") == -1)
			return -1;
	return 0;
}

static pid_t
fork_into(const char *path)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD };
	pid_t pid;
	int fd;

	if ((fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	args.cgroup = (uint64_t)fd;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	(void)close(fd);
	return pid;
}

pid_t
cgroup_fork(const struct cgroup *cgroup)
{
	const struct limit *table = limits();
	char path[PATH_SIZE];
	pid_t pid;

	if (cgroup->path[0] != '\0' && table == limits_v2)
		return fork_into(path_of(path, "", cgroup->path, ""));
	if ((pid = fork()) == 0 && cgroup->path[0] != '\0' &&
	    enter(table, cgroup->path) == -1)
		_exit(126);
	return pid;
}

int
cgroup_remove(struct cgroup *cgroup)
{
	const struct limit *row, *table = limits();
	char path[PATH_SIZE];
	int error = 0;

	if (cgroup->path[0] == '\0')
		return 0;
	for (row = table; row->hierarchy != NULL; row++)
		if (is_first(table, row) &&
		    rmdir(path_of(path, row->hierarchy, cgroup->path, "")) ==
			-1)
			error = -1;
	cgroup->path[0] = '\0';
	return error;
}

/* Finds the path of this process in the hierarchy of pids.  1 or 0. */
static int
own_path(char *path)
{
	char line[PATH_SIZE];
	int found = 0;
	FILE *file;

	if ((file = fopen("/proc/self/cgroup", "re")) == NULL)
		return 0;
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = sscanf(line, "%*u:pids:%255[^\n]", path) == 1;
	(void)fclose(file);
	return found;
}

void
cgroup_hurry(void)
{
	char file[PATH_SIZE], path[CGROUP_PATH_SIZE];

	if (limits() == limits_v2 || fork() != 0)
		return;
	/* containerd reads our caller's output to its end. */
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	(void)close(STDERR_FILENO);
	if (own_path(path))
		(void)file_write(path_of(file, "/pids", path, "cgroup.procs"),
		    "0");
	_exit(0);
}
