/*
 * What a container has mounted: the mounts of the bundle, its devices.
 */
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/oci_reader.h"

#define NUMBER(table) (sizeof(table) / sizeof((table)[0]))
#define RESOLV	      "/etc/resolv.conf"

/*
 * What becomes of each type of mount, at one destination or, where none is
 * given, at any; the first that fits counts.  A bind mount is one by its
 * options, whatever its type is.  Kind 0: the container has its own already, or
 * it is none of its business, as the comment says.
 */
static const struct {
	const char *type, *destination;
	uint32_t kind;
} types[] = {
	{ "proc", NULL, 0 },	/* by the pid namespace */
	{ "sysfs", NULL, 0 },	/* the node's, read-only */
	{ "cgroup", NULL, 0 },	/* within that */
	{ "cgroup2", NULL, 0 }, /* the same */
	{ "devpts", NULL, 0 },	/* of the base */
	{ "mqueue", NULL, 0 },	/* by the IPC namespace */
	{ "tmpfs", "/dev", 0 }, /* of the base */
	{ "tmpfs", "/run", 0 }, /* one for all containers of an overlay */
	{ "tmpfs", NULL, PLAN_TMPFS },
	{ "bind", NULL, PLAN_BIND },
};

/*
 * Options of mounts that mean something here.  Read-only is always recursive;
 * nothing but a device is ever mounted with devices.
 */
static const struct {
	const char *name;
	uint64_t set, clear; /* of the attributes */
	uint64_t propagation;
	uint32_t kind;
} options[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0, 0, 0 },
	{ "rro", MOUNT_ATTR_RDONLY, 0, 0, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY, 0, 0 },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0, 0, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID, 0, 0 },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0, 0, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC, 0, 0 },
	{ "private", 0, 0, MS_PRIVATE, 0 },
	{ "rprivate", 0, 0, MS_PRIVATE, 0 },
	{ "slave", 0, 0, MS_SLAVE, 0 },
	{ "rslave", 0, 0, MS_SLAVE, 0 },
	{ "shared", 0, 0, MS_SHARED, 0 },
	{ "rshared", 0, 0, MS_SHARED, 0 },
	{ "bind", 0, 0, 0, PLAN_BIND },
	{ "rbind", 0, 0, 0, PLAN_BIND_TREE },
	/* Without an effect, or not for the workload to decide. */
	{ "nodev", 0, 0, 0, 0 },
	{ "dev", 0, 0, 0, 0 },
	{ "relatime", 0, 0, 0, 0 },
	{ "norelatime", 0, 0, 0, 0 },
	{ "strictatime", 0, 0, 0, 0 },
	{ "noatime", 0, 0, 0, 0 },
	{ "atime", 0, 0, 0, 0 },
	{ "nodiratime", 0, 0, 0, 0 },
	{ "defaults", 0, 0, 0, 0 },
};

static struct plan_mount *
mount_new(struct oci_reader *reader)
{
	uint32_t *n = &reader->plan->nmounts;

	if (*n == PLAN_MOUNTS_MAX) {
		oci_refuse(reader, JSON_NONE,
		    "expected at most 512 mounts and devices together");
		return (NULL);
	}
	reader->mount = &reader->mounts[(*n)++];
	memset(reader->mount, 0, sizeof(*reader->mount));
	reader->mount->propagation = MS_PRIVATE;
	return (reader->mount);
}

static int
append(struct oci_reader *reader, const char *string)
{
	size_t size = strlen(string) + 1;

	if (size > reader->size - reader->used)
		return (
		    oci_refuse(reader, JSON_NONE, "mounts: no room is left"));
	memcpy(reader->strings + reader->used, string, size);
	reader->used += size;
	return (0);
}

struct plan_mount *
oci_add_mount(struct oci_reader *reader, const char *destination,
    const char *source)
{
	if (append(reader, destination) != 0 || append(reader, source) != 0)
		return (NULL);
	return (mount_new(reader));
}

/*
 * Appends an absolute path without needless slashes and dots, so that what it
 * is in can be told from its text.
 */
static int
read_path(struct oci_reader *reader, int value, uint32_t arg)
{
	const char *string, *from;
	char *start, *to;
	size_t length;

	(void)arg;
	if (oci_append(reader, value, &string) != 0)
		return (-EINVAL);
	if (string[0] != '/' || strlen(string) >= PATH_MAX)
		return (oci_refuse(reader, value,
		    "expected an absolute path of at most 4095 bytes"));
	start = to = reader->strings + (string - reader->strings);
	for (from = string; *from != '\0'; from += length) {
		from += strspn(from, "/");
		length = strcspn(from, "/");
		if (length == 2 && from[0] == '.' && from[1] == '.')
			return (oci_refuse(reader, value,
			    "expected a path without \"..\""));
		if (length == 0 || (length == 1 && from[0] == '.'))
			continue;
		*to++ = '/';
		memmove(to, from, length);
		to += length;
	}
	if (to == start)
		*to++ = '/';
	*to++ = '\0';
	reader->used = (size_t)(to - reader->strings);
	return (0);
}

/* Of "size=" and the like: digits in a base, and for sizes a unit. */
static int
read_number(struct oci_reader *reader, int value, const char *text, int octal,
    uint64_t *number)
{
	static const char units[] = "kmg";
	const uint64_t radix = octal ? 8 : 10;
	const char *unit;
	uint64_t n = 0;
	int digits = 0;

	for (;
	     *text >= '0' && *text < '0' + (char)radix && n < UINT64_C(1) << 40;
	     text++, digits++)
		n = n * radix + (uint64_t)(*text - '0');
	if (!octal && *text != '\0' &&
	    (unit = strchr(units, *text | 0x20)) != NULL) {
		n <<= 10 * (unit - units + 1);
		text++;
	}
	if (digits == 0 || *text != '\0' || (octal && n > 07777))
		return (oci_refuse(reader, value,
		    octal ? "expected an octal mode" :
			    "expected a size in bytes, k, m or g"));
	*number = n;
	return (0);
}

/* With arg 0, an option that makes it a bind mount; with 1, the others. */
static int
read_option(struct oci_reader *reader, int value, uint32_t arg)
{
	struct plan_mount *m = reader->mount;
	uint64_t mode;
	char text[64];
	size_t i;

	for (i = 0; i < NUMBER(options); i++) {
		if (!json_equals(value, options[i].name))
			continue;
		if (arg == 0) {
			if (options[i].kind > m->kind)
				m->kind = options[i].kind;
			return (0);
		}
		m->attributes |= options[i].set;
		m->attributes &= ~options[i].clear;
		if (options[i].propagation != 0)
			m->propagation = options[i].propagation;
		return (0);
	}
	if (arg == 0)
		return (0);
	if (json_string(value, text, sizeof(text)) >= 0) {
		if (strncmp(text, "size=", 5) == 0)
			return (read_number(reader, value, text + 5, 0,
			    &m->number));
		if (strncmp(text, "mode=", 5) == 0) {
			if (read_number(reader, value, text + 5, 1, &mode) != 0)
				return (-EINVAL);
			m->mode = (uint32_t)mode;
			return (0);
		}
	}
	return (
	    oci_refuse(reader, value, "not supported as an option of a mount"));
}

static int
read_options(struct oci_reader *reader, int value, uint32_t arg)
{
	return (
	    oci_read_array(reader, value, 64, JSON_STRING, read_option, arg));
}

/* Unless the options have said it; arg: where the destination is. */
static int
read_type(struct oci_reader *reader, int value, uint32_t arg)
{
	const char *destination = reader->strings + arg;
	size_t i;

	if (reader->mount->kind != 0)
		return (0);
	for (i = 0; i < NUMBER(types); i++) {
		if (json_equals(value, types[i].type) &&
		    (types[i].destination == NULL ||
			strcmp(types[i].destination, destination) == 0)) {
			reader->mount->kind = types[i].kind;
			return (0);
		}
	}
	return (oci_refuse(reader, value,
	    "expected bind, tmpfs, or what every container has"));
}

static int
is_device(const char *path)
{
	return (strncmp(path, "/dev/", strlen("/dev/")) == 0);
}

/*
 * What CRI gives, and the container is to do without: where DNS is the node's,
 * its resolv.conf, so that the node's is seen; with the node's /dev, what is
 * for those who have their own, what is there already, and kubelet's file for
 * last words, for which one would be made on the node.
 */
static int
is_left_out(const struct oci_reader *reader, const char *destination)
{
	static const char *const own[] = { "/dev", "/dev/pts", OCI_SHM,
		"/dev/mqueue" };
	const char *source = destination + strlen(destination) + 1;
	size_t i;

	if (strcmp(destination, RESOLV) == 0 && !reader->dns_kubernetes &&
	    oci_is_sandbox_file(reader, source, "resolv.conf"))
		return (1);
	if ((reader->plan->flags & PLAN_HOST) == 0)
		return (0);
	if (reader->mount->kind != PLAN_TMPFS)
		return (is_device(destination) &&
		    (strcmp(source, destination) == 0 ||
			oci_is_termination_log(reader, source) ||
			(strcmp(destination, OCI_SHM) == 0 &&
			    oci_is_sandbox_file(reader, source, "shm"))));
	for (i = 0; i < NUMBER(own); i++) {
		if (strcmp(destination, own[i]) == 0)
			return (1);
	}
	return (0);
}

/* Whether the node has something mounted there, and so a place for more. */
static int
is_mount_point(const struct oci_reader *reader, const char *path)
{
	struct mountinfo_mount mount;
	char encoded[PATH_MAX];
	struct slice text;

	text = mountinfo_encode(path, encoded, sizeof(encoded));
	return (text.length > 0 &&
	    mountinfo_find(&reader->mountinfo, text, &mount) &&
	    mount.path.length == text.length &&
	    memcmp(mount.path.start, text.start, text.length) == 0);
}

/* Takes back the last mount, whose strings begin at start. */
static void
mount_drop(struct oci_reader *reader, size_t start)
{
	reader->used = start;
	reader->plan->nmounts--;
}

/* A mount that the container has already leaves nothing in the plan. */
static int
read_mount(struct oci_reader *reader, int value, uint32_t arg)
{
	const uint32_t start = (uint32_t)reader->used;
	const struct oci_field first[] = {
		{ "destination", JSON_STRING, 1, read_path, 0 },
		{ "options", JSON_ARRAY, 0, read_options, 0 },
		{ "type", JSON_STRING, 0, read_type, start },
	};
	static const struct oci_field then[] = {
		{ "options", JSON_ARRAY, 0, read_options, 1 },
		{ "source", JSON_STRING, 1, read_path, 0 },
	};
	const char *destination, *source;
	char text[MSG_TEXT_SIZE];
	struct plan_mount *m;
	int is_bind;

	(void)arg;
	if ((m = mount_new(reader)) == NULL ||
	    oci_read_object(reader, value, first, OCI_FIELDS(first)) != 0)
		return (-EINVAL);
	if (m->kind == 0) {
		mount_drop(reader, start);
		return (0);
	}
	is_bind = m->kind == PLAN_BIND || m->kind == PLAN_BIND_TREE;
	m->mode = is_bind ? 0 : 01777;
	if (oci_read_object(reader, value, then, is_bind ? 2 : 1) != 0 ||
	    (!is_bind && append(reader, "") != 0))
		return (-EINVAL);
	destination = reader->strings + start;
	source = destination + strlen(destination) + 1;
	if (is_bind && oci_check_source(reader, destination, source) != 0)
		return (-EINVAL);
	if (is_left_out(reader, destination)) {
		mount_drop(reader, start);
		return (0);
	}
	/* What it is mounted on would have to be made, on the node. */
	if ((reader->plan->flags & PLAN_HOST) != 0 && is_device(destination) &&
	    !is_mount_point(reader, destination)) {
		snprintf(text, sizeof(text),
		    "%.64s: a privileged pod has the node's /dev, below which "
		    "only mount points can be mounted on",
		    destination);
		return (oci_refuse(reader, JSON_NONE, text));
	}
	reader->has_resolv |= is_bind && strcmp(destination, RESOLV) == 0;
	/* Instead of that of the base. */
	if (strcmp(destination, OCI_SHM) == 0 && reader->shm != NULL)
		reader->shm->kind = PLAN_DIRECTORY;
	return (0);
}

int
oci_read_mounts(struct oci_reader *reader, int value, uint32_t arg)
{
	if ((reader->plan->flags & PLAN_CRI_SANDBOX) != 0)
		return (0);
	return (oci_read_array(reader, value, PLAN_MOUNTS_MAX, JSON_OBJECT,
	    read_mount, arg));
}

int
oci_check_dns(struct oci_reader *reader)
{
	if ((reader->plan->flags & (PLAN_CRI | PLAN_CRI_SANDBOX)) != PLAN_CRI ||
	    !reader->dns_kubernetes || reader->has_resolv)
		return (0);
	strcpy(reader->path, "mounts");
	return (oci_refuse(reader, JSON_NONE,
	    "nothing is mounted on " RESOLV
	    ", which DNS mode kubernetes needs"));
}

/* One of linux.maskedPaths or readonlyPaths; kind says of which. */
static int
read_covered(struct oci_reader *reader, int value, uint32_t kind)
{
	const size_t start = reader->used;

	if (mount_new(reader) == NULL)
		return (-EINVAL);
	reader->mount->kind = kind;
	if (read_path(reader, value, 0) != 0)
		return (-EINVAL);
	if (oci_is_covered(reader->strings + start, kind)) {
		mount_drop(reader, start);
		return (0);
	}
	return (append(reader, ""));
}

int
oci_read_covered(struct oci_reader *reader, int value, uint32_t kind)
{
	if ((reader->plan->flags & (PLAN_CRI_SANDBOX | PLAN_HOST)) != 0)
		return (0);
	return (oci_read_array(reader, value, PLAN_MOUNTS_MAX, JSON_STRING,
	    read_covered, kind));
}

/* Blocks are devices of their own kind; pipes are none. */
static int
read_device_type(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	if (json_equals(value, "c") || json_equals(value, "u") ||
	    json_equals(value, "b"))
		return (0);
	return (oci_refuse(reader, value, "expected c, u or b"));
}

static int
read_device_number(struct oci_reader *reader, int value, uint32_t is_minor)
{
	uint64_t *number = &reader->mount->number;
	uint64_t n;

	if (json_unsigned(value, UINT32_MAX >> 12, &n) != 0)
		return (oci_refuse(reader, value,
		    "expected the number of a device"));
	/* The first read is the major one. */
	*number = is_minor ? makedev(*number, n) : n;
	return (0);
}

/* Its node is the node's: mode and owner are what they are there. */
static int
read_device(struct oci_reader *reader, int value, uint32_t arg)
{
	static const struct oci_field fields[] = {
		{ "path", JSON_STRING, 1, read_path, 0 },
		{ "path", JSON_STRING, 1, read_path, 0 },
		{ "type", JSON_STRING, 1, read_device_type, 0 },
		{ "major", JSON_NUMBER, 1, read_device_number, 0 },
		{ "minor", JSON_NUMBER, 1, read_device_number, 1 },
	};

	(void)arg;
	if (mount_new(reader) == NULL)
		return (-EINVAL);
	reader->mount->kind = PLAN_DEVICE;
	return (oci_read_object(reader, value, fields, OCI_FIELDS(fields)));
}

int
oci_read_devices(struct oci_reader *reader, int value, uint32_t arg)
{
	/* The node's /dev has them all. */
	if ((reader->plan->flags & (PLAN_CRI_SANDBOX | PLAN_HOST)) != 0)
		return (0);
	return (oci_read_array(reader, value, PLAN_MOUNTS_MAX, JSON_OBJECT,
	    read_device, arg));
}
