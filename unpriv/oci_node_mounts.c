/*
 * The node's filesystems that are mounted below its root: they are part of
 * what a workload sees, each by an overlay of its own, if they are disks or of
 * the network and not somebody's private place.
 *
 * The list is /proc/self/mountinfo (proc(5)).  Its order says nothing: moved
 * mounts keep their places in it, and that of / often stands behind those on
 * it.  What is visible is found as the kernel finds it, from the root on along
 * a path, by who is mounted on whom.
 */
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/chars.h"
#include "unpriv/oci_reader.h"

#define NUMBER(table)	(sizeof(table) / sizeof((table)[0]))
#define FILESYSTEMS_MAX 64
#define CROSSINGS_MAX	256 /* mounts on the way to a path */

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

/* Texts in the list: not NUL-terminated, paths with their escapes. */
struct text {
	const char *s;
	size_t length;
};

struct line {
	struct text id, parent, path, type;
};

static int
is_same(struct text a, struct text b)
{
	return (a.length == b.length && memcmp(a.s, b.s, a.length) == 0);
}

/* Takes what comes before the next c, or all. */
static struct text
text_cut(struct text *from, char c)
{
	struct text part = *from;
	const char *end = NULL;

	if (from->length > 0)
		end = memchr(from->s, c, from->length);
	if (end != NULL)
		part.length = (size_t)(end - from->s);
	from->s += part.length + (end != NULL);
	from->length -= part.length + (end != NULL);
	return (part);
}

static int
is_number(struct text text)
{
	size_t i;

	for (i = 0; i < text.length; i++) {
		if (!chars_digit(text.s[i]))
			return (0);
	}
	return (text.length > 0 && text.length <= 10);
}

/* Whether path is at prefix or below it; none of them ends in a slash but /. */
static int
is_below(struct text path, struct text prefix)
{
	return (path.length >= prefix.length &&
	    memcmp(path.s, prefix.s, prefix.length) == 0 &&
	    (path.length == prefix.length || prefix.length == 1 ||
		path.s[prefix.length] == '/'));
}

static int
is_below_string(const char *path, const char *prefix)
{
	return (prefix[0] == '/' &&
	    is_below((struct text){ path, strlen(path) },
		(struct text){ prefix, strlen(prefix) }));
}

/* Absolute, and no component that is empty or dots. */
static int
is_path(const char *s)
{
	size_t length;

	if (strcmp(s, "/") == 0)
		return (1);
	for (; s[0] == '/'; s += length) {
		length = strcspn(++s, "/");
		if (length == 0 || strncmp(s, ".", length) == 0 ||
		    strncmp(s, "..", length) == 0)
			return (0);
	}
	return (1);
}

/* The character of an escape of the kernel's: three digits; or NUL. */
static char
escape_decode(const char *digits, size_t length)
{
	static const struct {
		const char *digits;
		char c;
	} escapes[] = { { "040", ' ' }, { "011", '\t' }, { "012", '\n' },
		{ "043", '#' }, { "134", '\\' } };
	size_t i;

	for (i = 0; length >= 3 && i < NUMBER(escapes); i++) {
		if (memcmp(digits, escapes[i].digits, 3) == 0)
			return (escapes[i].c);
	}
	return ('\0');
}

/* Writes a path without its escapes.  Returns whether it is one. */
static int
path_decode(struct text text, char path[PATH_MAX])
{
	size_t i, used = 0;
	char c;

	if (text.length == 0 || text.s[0] != '/')
		return (0);
	for (i = 0; i < text.length; i++) {
		if ((c = text.s[i]) == '\\') {
			c = escape_decode(text.s + i + 1, text.length - i - 1);
			i += 3;
		} else if (c == '\t') {
			return (0);
		}
		if (c == '\0' || used == PATH_MAX - 1)
			return (0);
		path[used++] = c;
	}
	path[used] = '\0';
	return (is_path(path));
}

/* Splits a line.  Returns whether it is one of the list. */
static int
line_read(struct text text, struct line *line)
{
	static char path[PATH_MAX];
	struct text field;

	line->id = text_cut(&text, ' ');
	line->parent = text_cut(&text, ' ');
	text_cut(&text, ' '); /* device */
	text_cut(&text, ' '); /* root */
	line->path = text_cut(&text, ' ');
	field = text_cut(&text, ' '); /* options */
	if (!is_number(line->id) || !is_number(line->parent) ||
	    !path_decode(line->path, path) || field.length == 0)
		return (0);
	do {
		if (text.length == 0)
			return (0);
		field = text_cut(&text, ' ');
	} while (field.length != 1 || field.s[0] != '-');
	line->type = text_cut(&text, ' ');
	/* The source may be empty, but has its place. */
	return (line->type.length > 0 && text.length > 0);
}

/* The next line, of those that have been found to be good; or 0. */
static int
line_next(struct text *rest, struct line *line)
{
	return (rest->length > 0 && line_read(text_cut(rest, '\n'), line));
}

/*
 * What the node's root directory lies in, by its number.  It is mounted on
 * nothing that is in the list: what has the shortest path, and is not mounted
 * on another that has the same, is either the root, or on what holds it.
 */
static struct text
root_find(struct text list)
{
	struct line line, top = { .path.length = SIZE_MAX };
	struct text rest = list, parent;
	int n, found = 1;

	while (line_next(&rest, &line)) {
		if (line.path.length < top.path.length)
			top = line;
	}
	parent = top.parent;
	for (n = 0; found && n < CROSSINGS_MAX; n++) {
		found = 0;
		for (rest = list; !found && line_next(&rest, &line);)
			found = is_same(line.path, top.path) &&
			    is_same(line.id, parent) &&
			    !is_same(line.id, line.parent);
		if (found)
			parent = line.parent;
	}
	return (parent);
}

/* Whether who walks along the path of a mount comes to that very mount. */
static int
is_visible(struct text list, struct text root, const struct line *mount)
{
	struct line line, here = { .id = root, .path.length = 1 }, next;
	struct text rest;
	int n;

	for (n = 0; n < CROSSINGS_MAX; n++) {
		next.path.length = SIZE_MAX;
		for (rest = list; line_next(&rest, &line);) {
			if (is_same(line.parent, here.id) &&
			    !is_same(line.id, here.id) &&
			    is_below(mount->path, line.path) &&
			    line.path.length >= here.path.length &&
			    line.path.length <= next.path.length)
				next = line;
		}
		if (next.path.length == SIZE_MAX)
			return (is_same(here.id, mount->id) &&
			    here.path.length == mount->path.length);
		here = next;
	}
	/* Numbers that go in a circle: there is no way. */
	return (0);
}

static int
is_type(struct text type)
{
	static const char fuse[] = "fuse.";
	size_t i;

	for (i = 0; i < NUMBER(types); i++) {
		if (is_same(type, (struct text){ types[i], strlen(types[i]) }))
			return (1);
	}
	return (type.length > strlen(fuse) &&
	    memcmp(type.s, fuse, strlen(fuse)) == 0);
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
		if (is_below_string(path, private_places[i]))
			return (0);
	}
	for (i = 0; i < NUMBER(own); i++) {
		if (is_below_string(path, own[i]))
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
	struct text paths[FILESYSTEMS_MAX];
	size_t count;
} found;

static int
found_add(struct oci_reader *reader, struct text path)
{
	struct text *p = found.paths + found.count;
	size_t shorter;
	int order;

	for (; p > found.paths; p--) {
		shorter = p[-1].length < path.length ? p[-1].length :
						       path.length;
		order = memcmp(p[-1].s, path.s, shorter);
		if (is_same(p[-1], path))
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
lines_check(struct oci_reader *reader, struct text list)
{
	char text[48];
	struct line line;
	size_t n;

	for (n = 1; list.length > 0; n++) {
		if (line_read(text_cut(&list, '\n'), &line))
			continue;
		snprintf(text, sizeof(text), "line %zu is malformed", n);
		return (oci_refuse(reader, JSON_NONE, text));
	}
	return (0);
}

static int
filesystems_find(struct oci_reader *reader, struct text list)
{
	static char path[PATH_MAX];
	struct text rest, root;
	struct line line;

	if (lines_check(reader, list) != 0)
		return (-EINVAL);
	root = root_find(list);
	found.count = 0;
	for (rest = list; line_next(&rest, &line);) {
		path_decode(line.path, path);
		if (path[1] != '\0' && is_type(line.type) &&
		    is_public(reader, path) && is_visible(list, root, &line) &&
		    found_add(reader, line.path) != 0)
			return (-EINVAL);
	}
	return (0);
}

int
oci_node_mounts(struct oci_reader *reader)
{
	static char path[PATH_MAX];
	const struct text list = { reader->on->mounts,
		reader->on->mounts_length };
	struct plan_mount *m;
	size_t i;

	if ((reader->plan->flags & PLAN_CRI_SANDBOX) != 0 || list.length == 0)
		return (0);
	strcpy(reader->path, "mountinfo");
	if (filesystems_find(reader, list) != 0)
		return (-EINVAL);
	for (i = 0; i < found.count; i++) {
		path_decode(found.paths[i], path);
		if ((m = oci_add_mount(reader, path, "")) == NULL)
			return (-EINVAL);
		m->kind = PLAN_NODE;
	}
	reader->path[0] = '\0';
	return (0);
}
