/*
 * What the kernel says of a process.  It writes these files itself, and of what
 * a process can choose in them, its name, it escapes the ends of lines.
 */
#include <sys/stat.h>
#include <sys/statfs.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli/audit.h"

#define STATUS_SIZE 8192

static const struct {
	const char *key;
	int base;
	size_t offset;
} fields[] = {
#define FIELD(name) offsetof(struct audit_status, name)
	{ "PPid", 10, FIELD(parent) },
	{ "Uid", 10, FIELD(user) },
	{ "Gid", 10, FIELD(group) },
	{ "Groups", 10, FIELD(groups) },
	{ "NSpid", 10, FIELD(pids) },
	{ "CapBnd", 16, FIELD(capabilities[PLAN_BOUNDING]) },
	{ "CapEff", 16, FIELD(capabilities[PLAN_EFFECTIVE]) },
	{ "CapInh", 16, FIELD(capabilities[PLAN_INHERITABLE]) },
	{ "CapPrm", 16, FIELD(capabilities[PLAN_PERMITTED]) },
	{ "CapAmb", 16, FIELD(capabilities[PLAN_AMBIENT]) },
	{ "NoNewPrivs", 10, FIELD(no_new_privs) },
	{ "Seccomp", 10, FIELD(seccomp) },
	{ "Seccomp_filters", 10, FIELD(filters) },
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

ssize_t
audit_read(int dir, const char *path, char *text, size_t size)
{
	int error = 0, fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t n = 1;

	if (fd == -1)
		return (-errno);
	while (n > 0 && length < size - 1) {
		n = read(fd, text + length, size - 1 - length);
		if (n == -1)
			error = -errno;
		else
			length += (size_t)n;
	}
	close(fd);
	text[length] = '\0';
	return (error != 0 ? error : (ssize_t)length);
}

void
audit_link(int dir, const char *path, char *text, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, path, target, sizeof(target));

	conf_printable(text, size, target, n == -1 ? 0 : (size_t)n);
}

/* The value of the line with this key, or NULL. */
static const char *
line_find(const char *text, const char *key)
{
	const size_t length = strlen(key);

	while (text != NULL && *text != '\0') {
		if (strncmp(text, key, length) == 0 && text[length] == ':')
			return (text + length + 1);
		if ((text = strchr(text, '\n')) != NULL)
			text++;
	}
	return (NULL);
}

static void
list_parse(const char *value, int base, struct audit_list *list)
{
	uint64_t number;
	char *end;

	for (list->n = 0;; list->n++) {
		while (*value == ' ' || *value == '\t')
			value++;
		if (!isxdigit((unsigned char)*value))
			return;
		number = strtoull(value, &end, base);
		if (end == value)
			return;
		if (list->n < sizeof(list->value) / sizeof(list->value[0]))
			list->value[list->n] = number;
		value = end;
	}
}

int
audit_status_read(int dir, struct audit_status *status)
{
	char text[STATUS_SIZE] = "";
	const char *value;
	ssize_t length;
	size_t i;

	memset(status, 0, sizeof(*status));
	if ((length = audit_read(dir, "status", text, sizeof(text))) < 0)
		return ((int)length);
	if ((value = line_find(text, "Name")) == NULL)
		return (-EINVAL);
	value += strspn(value, "\t");
	conf_printable(status->name, sizeof(status->name), value,
	    strcspn(value, "\n"));
	if ((value = line_find(text, "State")) != NULL)
		status->state = value[strspn(value, "\t")];
	for (i = 0; i < FIELDS; i++) {
		value = line_find(text, fields[i].key);
		/* What is not told is nowhere taken for nothing. */
		if (value == NULL)
			return (-ENOTSUP);
		list_parse(value, fields[i].base,
		    (struct audit_list *)(void *)((char *)status +
			fields[i].offset));
	}
	return (0);
}

static const struct {
	unsigned int kind;
	const char *text;
} kinds[] = {
#define X(name, text) { AUDIT_FD_##name, text },
	AUDIT_DESCRIPTORS(X)
#undef X
};

const char *
audit_descriptor_name(unsigned int which)
{
	size_t i = 0;

	while (i + 1 < sizeof(kinds) / sizeof(kinds[0]) &&
	    (kinds[i].kind & which) == 0)
		i++;
	return (kinds[i].text);
}

/* A log is appended to; what is locked has nothing to read. */
static unsigned int
regular_kind(int dir, const char *name, const struct stat *st)
{
	char path[32], text[512];
	const char *value;
	unsigned long flags;

	(void)snprintf(path, sizeof(path), "fdinfo/%.16s", name);
	if (audit_read(dir, path, text, sizeof(text)) < 0 ||
	    (value = line_find(text, "flags")) == NULL)
		return (AUDIT_FD_FILE);
	flags = strtoul(value, NULL, 8);
	if ((flags & O_APPEND) != 0)
		return (AUDIT_FD_LOG);
	return ((flags & O_ACCMODE) == O_RDONLY && st->st_size == 0 &&
		    st->st_uid == 0 && (st->st_mode & 0333) == 0 ?
		AUDIT_FD_LOCK :
		AUDIT_FD_FILE);
}

static unsigned int
file_kind(int dir, const char *name, const char *path, const char *target,
    const struct stat *st)
{
	const char *last = strrchr(target, '/');
	struct statfs fs;
	int fd;

	if (strncmp(target, "/memfd:", 7) == 0 ||
	    strncmp(target, "pidfd:", 6) == 0)
		return (AUDIT_FD_ANONYMOUS);
	if ((fd = openat(dir, path, O_PATH | O_CLOEXEC)) == -1 ||
	    fstatfs(fd, &fs) == -1)
		fs.f_type = 0;
	if (fd != -1)
		close(fd);
	switch (fs.f_type) {
	case NSFS_MAGIC:
		return (AUDIT_FD_NAMESPACE);
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
		return (last != NULL &&
			    (strcmp(last, "/cgroup.procs") == 0 ||
				strcmp(last, "/cgroup.threads") == 0 ||
				strcmp(last, "/tasks") == 0) ?
			AUDIT_FD_TASKS :
			AUDIT_FD_CGROUP);
	default:
		return (regular_kind(dir, name, st));
	}
}

static unsigned int
device_kind(dev_t device)
{
	if (device == makedev(1, 3))
		return (AUDIT_FD_NULL);
	/* /dev/ptmx, and both ends of its terminals; /dev/tty. */
	if (major(device) == 5 || (major(device) >= 128 && major(device) < 144))
		return (AUDIT_FD_TERMINAL);
	return (AUDIT_FD_DEVICE);
}

/* Sockets of the machine are all in one list; of others nothing is needed. */
static unsigned int
socket_kind(int dir, const char *target)
{
	unsigned int kind = AUDIT_FD_NETWORK;
	unsigned long inode, wanted;
	char *line = NULL;
	size_t size = 0;
	FILE *list;
	int fd;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel's number. */
	if (sscanf(target, "socket:[%lu]", &wanted) != 1 ||
	    (fd = openat(dir, "net/unix", O_RDONLY | O_CLOEXEC)) == -1)
		return (kind);
	if ((list = fdopen(fd, "r")) == NULL) {
		close(fd);
		return (kind);
	}
	while (kind == AUDIT_FD_NETWORK && getline(&line, &size, list) != -1) {
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's number. */
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu", &inode) == 1 &&
		    inode == wanted)
			kind = AUDIT_FD_SOCKET;
	}
	free(line);
	fclose(list);
	return (kind);
}

static unsigned int
descriptor_kind(int dir, const char *name, const char *path, const char *target)
{
	struct stat st;

	if (fstatat(dir, path, &st, 0) == -1)
		return (0);
	switch (st.st_mode & S_IFMT) {
	case S_IFSOCK:
		return (socket_kind(dir, target));
	case S_IFIFO:
		return (AUDIT_FD_PIPE);
	case S_IFCHR:
		return (device_kind(st.st_rdev));
	case S_IFBLK:
		return (AUDIT_FD_BLOCK);
	case S_IFDIR:
		return (AUDIT_FD_DIRECTORY);
	case S_IFREG:
		return (file_kind(dir, name, path, target, &st));
	default:
		return (strncmp(target, "anon_inode:", 11) == 0 ?
			AUDIT_FD_ANONYMOUS :
			AUDIT_FD_FILE);
	}
}

int
audit_descriptors(int dir, unsigned int allowed, char *text, size_t size)
{
	char path[32], target[AUDIT_TEXT_SIZE];
	unsigned int found = 0, kind;
	struct dirent *entry;
	DIR *directory;
	int fd;

	fd = openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (-errno);
	if ((directory = fdopendir(fd)) == NULL) {
		close(fd);
		return (-ENOMEM);
	}
	while ((entry = readdir(directory)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(path, sizeof(path), "fd/%.16s", entry->d_name);
		audit_link(dir, path, target, sizeof(target));
		kind = descriptor_kind(dir, entry->d_name, path, target) &
		    ~allowed;
		if (kind != 0 && found == 0)
			(void)snprintf(text, size, "%s: %s", path, target);
		found |= kind;
	}
	closedir(directory);
	return ((int)found);
}

static const char *const namespaces[AUDIT_NS_MAX] = {
	[PLAN_NS_NET] = "net",
	[PLAN_NS_IPC] = "ipc",
	[PLAN_NS_UTS] = "uts",
	[PLAN_NS_PID] = "pid",
	[AUDIT_NS_MNT] = "mnt",
	[AUDIT_NS_CGROUP] = "cgroup",
	[AUDIT_NS_USER] = "user",
};

const char *
audit_namespace_name(int n)
{
	return (namespaces[n]);
}

unsigned int
audit_namespaces(int dir, int other)
{
	char here[64], path[16], there[64];
	unsigned int shared = 0;
	int i;

	for (i = 0; i < AUDIT_NS_MAX; i++) {
		(void)snprintf(path, sizeof(path), "ns/%s", namespaces[i]);
		audit_link(dir, path, here, sizeof(here));
		audit_link(other, path, there, sizeof(there));
		if (here[0] != '\0' && strcmp(here, there) == 0)
			shared |= 1u << i;
	}
	return (shared);
}
