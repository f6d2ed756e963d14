/*
 * What every container has below /dev, /proc and /sys, by its profile, and what
 * the node's configuration adds or hides.
 */
#include <sys/mount.h>

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "unpriv/chars.h"
#include "unpriv/oci_reader.h"

#define NUMBER(table) (sizeof(table) / sizeof((table)[0]))
#define RESOLV	      "resolv.conf"
#define NOSUID_NOEXEC (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

struct base {
	const char *destination, *source;
	struct plan_mount mount;
};

/*
 * A private /dev, of devices those that give nothing of the node away; and what
 * is covered whatever the bundle says.
 */
static const struct base confined[] = {
	{ "/dev", "",
	    { PLAN_TMPFS, 0755, NOSUID_NOEXEC, MS_PRIVATE, 64 << 10 } },
	{ OCI_SHM, "",
	    { PLAN_TMPFS, 01777, NOSUID_NOEXEC, MS_PRIVATE, 64 << 20 } },
	{ "/dev/null", "/dev/null", { PLAN_DEVICE, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/zero", "/dev/zero", { PLAN_DEVICE, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/full", "/dev/full", { PLAN_DEVICE, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/tty", "/dev/tty", { PLAN_DEVICE, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/random", "/dev/random", { PLAN_DEVICE, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/urandom", "/dev/urandom",
	    { PLAN_DEVICE, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/pts", "", { PLAN_DEVPTS, 0, NOSUID_NOEXEC, MS_PRIVATE, 0 } },
	/* Filled by who is in the IPC namespace that it shows. */
	{ "/dev/mqueue", "", { PLAN_DIRECTORY, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/ptmx", "pts/ptmx", { PLAN_LINK, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/fd", "/proc/self/fd", { PLAN_LINK, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/stdin", "/proc/self/fd/0", { PLAN_LINK, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/stdout", "/proc/self/fd/1",
	    { PLAN_LINK, 0, 0, MS_PRIVATE, 0 } },
	{ "/dev/stderr", "/proc/self/fd/2",
	    { PLAN_LINK, 0, 0, MS_PRIVATE, 0 } },
	/* By these root changes the node or reads its memory. */
	{ "/proc/acpi", "", { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/asound", "", { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/kcore", "", { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/keys", "", { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/latency_stats", "", { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/sched_debug", "", { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/scsi", "", { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/timer_list", "", { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/timer_stats", "", { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/sys/devices/virtual/powercap", "",
	    { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/sys/firmware", "", { PLAN_MASK, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/bus", "", { PLAN_READONLY, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/fs", "", { PLAN_READONLY, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/irq", "", { PLAN_READONLY, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/sys", "", { PLAN_READONLY, 0, 0, MS_PRIVATE, 0 } },
	{ "/proc/sysrq-trigger", "", { PLAN_READONLY, 0, 0, MS_PRIVATE, 0 } },
};

/* The node's, with all that is mounted there. */
static const struct base host[] = {
	{ "/dev", "/dev", { PLAN_BIND_TREE, 0, 0, MS_PRIVATE, 0 } },
};

/* The paths of a list of the node's configuration: those that there are. */
static int
add_list(struct oci_reader *reader, const char *list, uint32_t kind)
{
	struct plan_mount *m;
	const char *end;

	for (; list[0] != '\0'; list += strlen(list) + 1) {
		if ((m = oci_add_mount(reader, list, list)) == NULL)
			return (-EINVAL);
		m->kind = kind;
		m->mode = 1;
		/* What a resolver of the node writes is not for others to. */
		end = list + strlen(list);
		if (end - list > (ptrdiff_t)strlen(RESOLV) &&
		    strcmp(end - strlen(RESOLV), RESOLV) == 0)
			m->attributes = MOUNT_ATTR_RDONLY;
	}
	return (0);
}

int
oci_is_covered(const char *path, uint32_t kind)
{
	size_t i;

	for (i = 0; i < NUMBER(confined); i++) {
		if ((confined[i].mount.kind == kind ||
			confined[i].mount.kind == PLAN_MASK) &&
		    strcmp(confined[i].destination, path) == 0)
			return (1);
	}
	return (0);
}

int
oci_base_mounts(struct oci_reader *reader)
{
	const int is_host = (reader->plan->flags & PLAN_HOST) != 0;
	const struct base *b = is_host ? host : confined;
	const struct base *end = b +
	    (is_host ? NUMBER(host) : NUMBER(confined));
	struct plan_mount *m;

	if ((reader->plan->flags & PLAN_CRI_SANDBOX) != 0)
		return (0);
	for (; b < end; b++) {
		m = oci_add_mount(reader, b->destination, b->source);
		if (m == NULL)
			return (-EINVAL);
		*m = b->mount;
		if (strcmp(b->destination, OCI_SHM) == 0)
			reader->shm = m;
	}
	if (is_host)
		return (0);
	if (add_list(reader, reader->on->node->run_allow, PLAN_BIND_TREE) != 0)
		return (-EINVAL);
	return (add_list(reader, reader->on->node->device_allow, PLAN_DEVICE));
}

/*
 * The working directory is made where it is missing: an image has it, the node
 * need not.  Not where only the kernel makes directories.
 */
static int
add_directory(struct oci_reader *reader)
{
	static const char *const kernels[] = { "/proc/", "/sys/", "/dev/" };
	const char *cwd = reader->strings;
	struct plan_mount *m;
	size_t i;

	for (i = 0; i < NUMBER(kernels); i++) {
		if (strncmp(cwd, kernels[i], strlen(kernels[i])) == 0)
			return (0);
	}
	/* One that is not written as it is has to be there. */
	if (strcmp(cwd, "/") == 0 || !chars_path(cwd))
		return (0);
	if ((m = oci_add_mount(reader, cwd, "")) == NULL)
		return (-EINVAL);
	m->kind = PLAN_DIRECTORY;
	return (0);
}

/* /sys has the node's interfaces, of all pods: nothing of a network of its own. */
static int
network_cover(struct oci_reader *reader)
{
	static const char *const paths[] = { "/sys/class/net",
		"/sys/devices/virtual/net" };
	const struct plan *plan = reader->plan;
	struct plan_mount *m;
	size_t i;

	if ((plan->unshare & CLONE_NEWNET) == 0 && plan->netns[0] == '\0' &&
	    plan->ns_pids[PLAN_NS_NET] == 0)
		return (0);
	for (i = 0; i < NUMBER(paths); i++) {
		if ((m = oci_add_mount(reader, paths[i], "")) == NULL)
			return (-EINVAL);
		m->kind = PLAN_MASK;
	}
	return (0);
}

int
oci_last_mounts(struct oci_reader *reader)
{
	const char *root = reader->on->node->runtime_root;
	struct plan_mount *m;

	if ((reader->plan->flags & PLAN_CRI_SANDBOX) != 0)
		return (0);
	if (add_directory(reader) != 0)
		return (-EINVAL);
	if ((reader->plan->flags & PLAN_HOST) == 0)
		return (network_cover(reader));
	if (root[0] == '\0')
		return (0);
	if ((m = oci_add_mount(reader, root, "")) == NULL)
		return (-EINVAL);
	m->kind = PLAN_MASK;
	return (0);
}
