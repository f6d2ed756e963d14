/*
 * The node's filesystems that are mounted below its root: they are part of
 * what a workload sees, each by an overlay of its own, if they are disks or of
 * the network and not somebody's private place.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/oci_reader.h"

#define NUMBER(table)	(sizeof(table) / sizeof((table)[0]))
#define FILESYSTEMS_MAX 64

static const char *const types[] = { "ext2", "ext3", "ext4", "xfs", "btrfs",
	"f2fs", "jfs", "reiserfs", "zfs", "bcachefs", "vfat", "exfat", "ntfs",
	"ntfs3", "iso9660", "udf", "squashfs", "erofs", "nfs", "nfs4", "cifs",
	"smb3", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "orangefs",
	"ocfs2", "gfs2", "afs", "9p", "virtiofs", "fuseblk", "overlay" };

/* Of the kernel, of other pods and containers, and what is for a moment. */
static const char *const private_places[] = { "/run", "/proc", "/sys", "/dev",
	"/var/lib/kubelet", "/var/lib/containerd", "/var/lib/docker",
	"/var/lib/containers", "/var/lib/rancher", "/var/lib/k0s", "/var/snap",
	"/snap", "/tmp" };

static int
is_below(const char *path, const char *prefix)
{
	return (mountinfo_below(slice_of(path), slice_of(prefix)));
}

static int
is_type(struct slice type)
{
	static const char fuse[] = "fuse.";
	size_t i;

	for (i = 0; i < NUMBER(types); i++) {
		if (slice_is(type, types[i]))
			return (1);
	}
	return (type.length > strlen(fuse) &&
	    memcmp(type.start, fuse, strlen(fuse)) == 0);
}

/* Whether a mount there is nobody's but the node's. */
static int
is_public(const struct oci_reader *reader, const char *path)
{
	const struct node *node = reader->on->node;
	const int is_host = (reader->plan->flags & PLAN_HOST) != 0;
	const char *const own[] = { node->runtime_root, node->overlay_base,
		node->log_dir };
	const char *filter = node->filters[is_host ? 1 : 0];
	size_t i;

	for (i = 0; i < NUMBER(private_places); i++) {
		if (is_below(path, private_places[i]))
			return (0);
	}
	for (i = 0; i < NUMBER(own); i++) {
		if (is_below(path, own[i]))
			return (0);
	}
	for (; filter[0] != '\0'; filter += strlen(filter) + 1) {
		if (fnmatch(filter, path + 1, FNM_PATHNAME | FNM_LEADING_DIR) ==
		    0)
			return (0);
	}
	return (1);
}

/* Paths in their order: one is before those below it. */
static struct {
	struct slice paths[FILESYSTEMS_MAX];
	size_t count;
} found;

static int
found_add(struct oci_reader *reader, struct slice path)
{
	struct slice *p = found.paths + found.count;
	size_t shorter;
	int order;

	for (; p > found.paths; p--) {
		shorter = p[-1].length < path.length ? p[-1].length :
						       path.length;
		order = memcmp(p[-1].start, path.start, shorter);
		if (order == 0 && p[-1].length == path.length)
			return (0);
		if (order < 0 || (order == 0 && p[-1].length < path.length))
			break;
	}
	if (found.count == FILESYSTEMS_MAX)
		return (oci_refuse(reader, JSON_NONE,
		    "more than 64 filesystems of the node to be shown"));
	memmove(p + 1, p, (size_t)(found.paths + found.count - p) * sizeof(*p));
	*p = path;
	found.count++;
	return (0);
}

static int
filesystems_find(struct oci_reader *reader)
{
	static char path[PATH_MAX];
	const struct mountinfo *list = &reader->mountinfo;
	struct mountinfo_mount mount;
	struct slice rest;

	found.count = 0;
	for (rest = list->text; mountinfo_next(&rest, &mount);) {
		mountinfo_decode(mount.path, path);
		if (path[1] != '\0' && is_type(mount.type) &&
		    is_public(reader, path) &&
		    mountinfo_visible(list, &mount) &&
		    found_add(reader, mount.path) != 0)
			return (-EINVAL);
	}
	return (0);
}

int
oci_node_mounts(struct oci_reader *reader)
{
	static char path[PATH_MAX];
	char text[48];
	struct plan_mount *m;
	size_t i, line;

	if ((reader->plan->flags & PLAN_CRI_SANDBOX) != 0 ||
	    reader->on->mounts_length == 0)
		return (0);
	strcpy(reader->path, "mountinfo");
	line = mountinfo_read(&reader->mountinfo, reader->on->mounts,
	    reader->on->mounts_length);
	if (line != 0) {
		snprintf(text, sizeof(text), "line %zu is malformed", line);
		return (oci_refuse(reader, JSON_NONE, text));
	}
	if (filesystems_find(reader) != 0)
		return (-EINVAL);
	for (i = 0; i < found.count; i++) {
		mountinfo_decode(found.paths[i], path);
		if ((m = oci_add_mount(reader, path, "")) == NULL)
			return (-EINVAL);
		m->kind = PLAN_NODE;
	}
	reader->path[0] = '\0';
	return (0);
}
