#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "privsep/msg.h"
#include "unpriv/chars.h"
#include "unpriv/oci.h"
#include "unpriv/oci_reader.h"

/* 1.MINOR.PATCH, perhaps with what semantic versioning lets follow. */
static int
read_version(struct oci_reader *reader, int value, uint32_t arg)
{
	const char *s;
	size_t length;

	(void)arg;
	s = json_raw(value, &length);
	if (length < 3 || s[0] != '1' || s[1] != '.' || !chars_digit(s[2]))
		return (oci_refuse(reader, value,
		    "expected version 1 of the runtime specification"));
	return (0);
}

static const struct oci_field root_fields[] = {
	{ "readonly", JSON_BOOLEAN, 0, oci_read_flag, PLAN_ROOT_READONLY },
};

static int
read_root(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	return (oci_read_object(reader, value, root_fields,
	    OCI_FIELDS(root_fields)));
}

/* Kinds of hooks are not listed: whatever is there would have to run. */
static int
read_hooks(struct oci_reader *reader, int value, uint32_t arg)
{
	int key, hooks;

	(void)arg;
	for (key = json_first(value); key != JSON_NONE; key = json_next(key)) {
		hooks = json_member_value(key);
		if (json_type(hooks) == JSON_NULL)
			continue;
		if (json_type(hooks) != JSON_ARRAY)
			return (oci_refuse(reader, hooks, "expected an array"));
		if (json_count(hooks) > 0)
			return (oci_refuse(reader, JSON_NONE,
			    "hooks are not supported"));
	}
	return (0);
}

/*
 * Kinds of namespaces.  One without a path is the container's own: unshare, or
 * for pid a flag.  The file below /proc/<pid>/ns is joined, or without a name
 * there, whatever the bundle says is ignored: a mount namespace every container
 * has, and cgroup and time are the node's.
 */
static const struct {
	const char *name;
	uint32_t unshare;
	const char *file;
	enum plan_ns index;
} namespaces[] = {
	{ "pid", 0, "pid", PLAN_NS_PID },
	{ "network", CLONE_NEWNET, "net", PLAN_NS_NET },
	{ "ipc", CLONE_NEWIPC, "ipc", PLAN_NS_IPC },
	{ "uts", CLONE_NEWUTS, "uts", PLAN_NS_UTS },
	{ "mount", 0, NULL, 0 },
	{ "cgroup", 0, NULL, 0 },
	{ "time", 0, NULL, 0 },
	{ "user", 0, NULL, 0 },
};
#define NAMESPACES (sizeof(namespaces) / sizeof(namespaces[0]))

static int
read_namespace_type(struct oci_reader *reader, int value, uint32_t arg)
{
	uint32_t i;

	(void)arg;
	for (i = 0; i < NAMESPACES; i++) {
		if (json_equals(value, namespaces[i].name))
			break;
	}
	if (i == NAMESPACES)
		return (oci_refuse(reader, value,
		    "expected the name of a kind of namespace"));
	if (json_equals(value, "user"))
		return (oci_refuse(reader, value,
		    "user namespaces are not supported"));
	reader->namespace = i;
	if ((reader->namespaces & 1u << i) != 0)
		return (oci_refuse(reader, value, "given twice"));
	reader->namespaces |= 1u << i;
	return (0);
}

/* /run/netns/NAME, by either of its names, where CNI keeps them. */
static int
netns_name(const char *path, char name[PLAN_NETNS_SIZE])
{
	static const char *const folders[] = { "/run/netns/",
		"/var/run/netns/" };
	size_t i, length;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		length = strlen(folders[i]);
		if (strncmp(path, folders[i], length) != 0)
			continue;
		path += length;
		length = strlen(path);
		if (length == 0 || length >= PLAN_NETNS_SIZE ||
		    strchr(path, '/') != NULL || strcmp(path, ".") == 0 ||
		    strcmp(path, "..") == 0)
			return (0);
		memcpy(name, path, length);
		return (1);
	}
	return (0);
}

static int
read_namespace_path(struct oci_reader *reader, int value, uint32_t arg)
{
	const char *file = namespaces[reader->namespace].file;
	struct plan *plan = reader->plan;
	uint32_t *pid = &plan->ns_pids[namespaces[reader->namespace].index];
	char path[128], same[128];
	size_t length;

	(void)arg;
	json_raw(value, &length);
	if (file == NULL || length == 0)
		return (0);
	if (json_string(value, path, sizeof(path)) < 0)
		return (oci_refuse(reader, value, "too long"));
	if (strcmp(file, "net") == 0 && netns_name(path, plan->netns))
		return (0);
	/* NOLINTNEXTLINE(cert-err34-c): nine digits fit. */
	if (sscanf(path, "/proc/%9u/", pid) == 1 && *pid != 0) {
		snprintf(same, sizeof(same), "/proc/%u/ns/%s", *pid, file);
		if (strcmp(path, same) == 0)
			return (0);
	}
	return (oci_refuse(reader, value,
	    strcmp(file, "net") == 0 ?
		"expected /proc/PID/ns/net or a file in /run/netns" :
		"expected a file of this kind in /proc/PID/ns"));
}

static const struct oci_field namespace_fields[] = {
	{ "type", JSON_STRING, 1, read_namespace_type, 0 },
	{ "path", JSON_STRING, 0, read_namespace_path, 0 },
};

static int
read_namespace(struct oci_reader *reader, int value, uint32_t arg)
{
	struct plan *plan = reader->plan;
	int error, joined;

	(void)arg;
	error = oci_read_object(reader, value, namespace_fields,
	    OCI_FIELDS(namespace_fields));
	if (error != 0 || namespaces[reader->namespace].file == NULL)
		return (error);
	joined = plan->ns_pids[namespaces[reader->namespace].index] != 0;
	if (namespaces[reader->namespace].index == PLAN_NS_NET)
		joined |= plan->netns[0] != '\0';
	if (joined)
		return (0);
	plan->unshare |= namespaces[reader->namespace].unshare;
	if (namespaces[reader->namespace].index == PLAN_NS_PID)
		plan->flags |= PLAN_NEW_PIDNS;
	return (0);
}

static int
read_namespaces(struct oci_reader *reader, int value, uint32_t arg)
{
	return (oci_read_array(reader, value, NAMESPACES, JSON_OBJECT,
	    read_namespace, arg));
}

/* With the host profile only the network is the pod's, if it has one. */
static void
namespaces_share(struct plan *plan)
{
	const uint32_t pid = plan->ns_pids[PLAN_NS_NET];

	plan->flags &= ~(uint32_t)PLAN_NEW_PIDNS;
	plan->unshare &= CLONE_NEWNET;
	memset(plan->ns_pids, 0, sizeof(plan->ns_pids));
	plan->ns_pids[PLAN_NS_NET] = pid;
	memset(plan->hostname, 0, sizeof(plan->hostname));
}

/*
 * A network of its own, in which nothing is set up.  A container of a pod
 * shares that of its sandbox, which the same annotation has made one.
 */
static void
network_deny(struct plan *plan)
{
	memset(plan->netns, 0, sizeof(plan->netns));
	if ((plan->flags & PLAN_CRI) != 0 &&
	    (plan->flags & PLAN_CRI_SANDBOX) == 0 &&
	    plan->ns_pids[PLAN_NS_NET] != 0)
		return;
	plan->ns_pids[PLAN_NS_NET] = 0;
	plan->unshare |= CLONE_NEWNET;
}

/* REAPER_NETWORK=host: the node's for all. */
static void
network_share(struct plan *plan)
{
	memset(plan->netns, 0, sizeof(plan->netns));
	plan->ns_pids[PLAN_NS_NET] = 0;
	plan->unshare &= ~(uint32_t)CLONE_NEWNET;
}

/*
 * A sandbox's profile is for a program that is not executed: what takes its
 * place has a filter of its own, which is stricter.  Who has the node has all
 * its calls.
 */
static int
read_seccomp(struct oci_reader *reader, int value, uint32_t arg)
{
	if ((reader->plan->flags & (PLAN_CRI_SANDBOX | PLAN_HOST)) != 0)
		return (0);
	return (oci_read_seccomp(reader, value, arg));
}

/* In this order: masks cover what comes before them. */
static const struct oci_field linux_fields[] = {
	{ "namespaces", JSON_ARRAY, 0, read_namespaces, 0 },
	{ "uidMappings", JSON_ARRAY, 0, oci_read_empty, 0 },
	{ "gidMappings", JSON_ARRAY, 0, oci_read_empty, 0 },
	{ "seccomp", JSON_OBJECT, 0, read_seccomp, 0 },
	{ "cgroupsPath", JSON_STRING, 0, oci_read_cgroup, 0 },
	{ "resources", JSON_OBJECT, 0, oci_read_resources, 0 },
	{ "sysctl", JSON_OBJECT, 0, oci_read_sysctls, 0 },
	{ "devices", JSON_ARRAY, 0, oci_read_devices, 0 },
	{ "readonlyPaths", JSON_ARRAY, 0, oci_read_covered, PLAN_READONLY },
	{ "maskedPaths", JSON_ARRAY, 0, oci_read_covered, PLAN_MASK },
};

static int
read_linux(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	return (oci_read_object(reader, value, linux_fields,
	    OCI_FIELDS(linux_fields)));
}

#define HOSTNAME_CHARS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"

/* Given where the bundle has no UTS namespace of its own, it is nobody's. */
static int
read_hostname(struct oci_reader *reader, int value, uint32_t arg)
{
	struct plan *plan = reader->plan;
	int length;

	(void)arg;
	length = json_string(value, plan->hostname, sizeof(plan->hostname));
	if (length < 0 || length > HOST_NAME_MAX ||
	    strspn(plan->hostname, HOSTNAME_CHARS) != (size_t)length)
		return (oci_refuse(reader, value,
		    "expected a host name of at most 64 characters"));
	return (0);
}

/* In this order: the strings of the process come first. */
static const struct oci_field bundle_fields[] = {
	{ "ociVersion", JSON_STRING, 1, read_version, 0 },
	{ "process", JSON_OBJECT, 1, oci_read_process, 0 },
	{ "root", JSON_OBJECT, 0, read_root, 0 },
	{ "hooks", JSON_OBJECT, 0, read_hooks, 0 },
	{ "annotations", JSON_OBJECT, 0, oci_read_annotations, 0 },
	{ "hostname", JSON_STRING, 0, read_hostname, 0 },
};

/* After those: a sandbox is known by its annotations. */
static const struct oci_field container_fields[] = {
	{ "mounts", JSON_ARRAY, 0, oci_read_mounts, 0 },
	{ "linux", JSON_OBJECT, 0, read_linux, 0 },
};

/* Parses the text and reads what kind says it is. */
static int
read_document(struct oci_reader *reader, const char *json, size_t length)
{
	struct plan *plan = reader->plan;
	const char *error;
	size_t offset;

	if (length > PLAN_DOCUMENT_MAX) {
		snprintf(plan->error, sizeof(plan->error),
		    "larger than %u bytes", PLAN_DOCUMENT_MAX);
		return (-EINVAL);
	}
	if ((error = json_parse(json, length, &offset)) != NULL) {
		snprintf(plan->error, sizeof(plan->error),
		    "not valid JSON at byte %zu: %s", offset, error);
		return (-EINVAL);
	}
	if (plan->kind != PLAN_BUNDLE) {
		strcpy(reader->path, "process");
		return (oci_read_process(reader, JSON_ROOT, 0));
	}
	if (oci_read_object(reader, JSON_ROOT, bundle_fields,
		OCI_FIELDS(bundle_fields)) != 0 ||
	    oci_find_profile(reader, JSON_ROOT) != 0 ||
	    oci_node_mounts(reader) != 0 || oci_base_mounts(reader) != 0 ||
	    oci_read_object(reader, JSON_ROOT, container_fields,
		OCI_FIELDS(container_fields)) != 0)
		return (-EINVAL);
	if ((plan->flags & PLAN_HOST) != 0)
		namespaces_share(plan);
	if ((reader->restricted & OCI_NO_NETWORK) != 0)
		network_deny(plan);
	else if (reader->on->node->network_host)
		network_share(plan);
	oci_drop_sysctls(reader);
	if (oci_check_dns(reader) != 0)
		return (-EINVAL);
	return (oci_last_mounts(reader));
}

/* The records of mounts follow the strings, and those the filter. */
static int
append_records(struct oci_reader *reader, size_t size)
{
	const struct plan *plan = reader->plan;
	size_t mounts = plan->nmounts * sizeof(reader->mounts[0]);
	size_t filter = plan->nfilter * sizeof(reader->filter[0]);
	char *end = reader->strings + reader->used;

	if (mounts + filter > size - reader->used)
		return (oci_refuse(reader, JSON_NONE,
		    "no room is left for mounts and seccomp"));
	memcpy(end, reader->mounts, mounts);
	memcpy(end + mounts, reader->filter, filter);
	reader->plan->strings_length = (uint32_t)reader->used;
	reader->used += mounts + filter;
	return (0);
}

int
oci_decode(uint32_t kind, const char *json, size_t length,
    const struct oci_node *on, struct plan *plan, char *strings, size_t size)
{
	struct oci_reader reader = {
		.on = on,
		.plan = plan,
		.strings = strings,
		.size = size < PLAN_STRINGS_MAX ? size : PLAN_STRINGS_MAX,
		.dns_kubernetes = on->node->dns_kubernetes != 0,
	};
	char error[MSG_TEXT_SIZE];

	memset(plan, 0, sizeof(*plan));
	plan->magic = PLAN_MAGIC;
	plan->kind = kind;
	if (read_document(&reader, json, length) != 0 ||
	    append_records(&reader, size) != 0) {
		memcpy(error, plan->error, sizeof(error));
		memset(plan, 0, sizeof(*plan));
		plan->magic = PLAN_MAGIC;
		plan->kind = kind;
		plan->flags = PLAN_HAS_ERROR;
		memcpy(plan->error, error, sizeof(error));
		return (-EINVAL);
	}
	return ((int)reader.used);
}
