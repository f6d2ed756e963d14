/*
 * What a mount in a pod's own directory shows: a volume of the pod's, or
 * something else of the node that its subPath names.
 *
 * kubelet makes a bind mount of a subPath in the pod's directory, also that of
 * a hostPath, so where it lies says nothing.  The list of mounts has, of each,
 * the filesystem and what of that it shows.  Where else the same is seen,
 * there it comes from; it counts as a hostPath of each of these places.
 *
 * A filesystem is known by the device number of its superblock, which is one
 * for all subvolumes of a btrfs and not what stat(2) says there, and it is one
 * tree: the root field is a path in that, with the subvolume's.  Of an overlay
 * it is a path in what is merged.  NFS alone has several trees in one and says
 * nothing in this field, but has the path on the server as the source.
 */
#include <fnmatch.h>
#include <string.h>

#include "unpriv/oci_reader.h"

#define DELETED	 "//deleted" /* no name has a slash: none can end so */
#define VOLUMES	 "volumes/"
#define SUBPATHS "volume-subpaths/"
#define ROOM	 (4 * PATH_MAX) /* for a path with its escapes */

/* What hands over the node, and what is containerd's. */
static const char private_paths[] =
    "proc\0sys\0var/lib/containerd\0run/containerd\0";

/* What is looked for; paths with escapes. */
struct origin {
	const struct mountinfo_mount *mount; /* that shows it */
	/* It, in the filesystem: as the kernel has it, and where it was. */
	struct slice now, was;
};

static int
ends_deleted(struct slice text)
{
	const size_t length = strlen(DELETED);

	return (text.length >= length &&
	    memcmp(text.start + text.length - length, DELETED, length) == 0);
}

/* What of its filesystem a mount shows. */
static struct slice
shown_by(const struct mountinfo_mount *mount)
{
	if (slice_is(mount->type, "nfs") || slice_is(mount->type, "nfs4"))
		return (mount->source);
	return (mount->root);
}

/* Puts b behind a, with one slash where they meet. */
static struct slice
join(char *buffer, size_t size, struct slice a, struct slice b)
{
	if (a.length > 0 && b.length > 0 && a.start[a.length - 1] == '/')
		a.length--;
	if (a.length > size || b.length > size - a.length)
		return ((struct slice){ buffer, 0 });
	memmove(buffer, a.start, a.length);
	memcpy(buffer + a.length, b.start, b.length);
	return ((struct slice){ buffer, a.length + b.length });
}

/* The same rule as that of the mount step for a source. */
static int
touches(const char *path, const char *pattern)
{
	const char *end = pattern, *p = path;
	char above[NODE_LIST_SIZE];

	if (path[0] == '\0' ||
	    fnmatch(pattern, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0)
		return (1);
	/* Above it: like as many components of it as the path has. */
	while ((end = strchr(end, '/')) != NULL && (p = strchr(p, '/')) != NULL)
		end++, p++;
	if (end == NULL || (size_t)(end - pattern) >= sizeof(above))
		return (0);
	memcpy(above, pattern, (size_t)(end - pattern));
	above[end - pattern] = '\0';
	return (fnmatch(above, path, FNM_PATHNAME) == 0);
}

static int
touches_any(const char *path, const char *list)
{
	for (; list[0] != '\0'; list += strlen(list) + 1) {
		if (touches(path, list))
			return (1);
	}
	return (0);
}

/* Whether a confined pod could not have it as a hostPath. */
static int
is_kept(const struct node *node, const char *path)
{
	const char *const own[] = { node->runtime_root, node->overlay_base };
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (own[i][0] != '\0' && touches(path + 1, own[i] + 1))
			return (1);
	}
	return (touches_any(path + 1, private_paths) ||
	    touches_any(path + 1, node->filters[0]));
}

/* Whether path goes on behind start. */
static int
begins(const char *path, const char *start)
{
	return (strncmp(path, start, strlen(start)) == 0 &&
	    path[strlen(start)] != '\0');
}

/*
 * Whether a mount is a subPath's, of any pod: what it shows has another place,
 * which counts.  pods: the directory of kubelet that holds those of the pods.
 */
static int
is_subpath(struct slice mount, const char *pods, size_t length)
{
	static char path[PATH_MAX];
	const char *p;

	return (mountinfo_decode(mount, path) &&
	    strncmp(path, pods, length) == 0 &&
	    (p = strchr(path + length, '/')) != NULL &&
	    begins(p + 1, SUBPATHS));
}

/*
 * Where the origin is to be seen by another mount.  Returns 0 if that one does
 * not show it; else its place is in path, which is empty if it cannot be told.
 */
static int
place_find(const struct mountinfo *list, const struct origin *origin,
    const struct mountinfo_mount *mount, char path[PATH_MAX])
{
	static char buffer[3 * ROOM];
	const struct slice shown = shown_by(mount);
	struct slice rest = ends_deleted(shown) ? origin->now : origin->was;

	if (mount->device.length != origin->mount->device.length ||
	    memcmp(mount->device.start, origin->mount->device.start,
		mount->device.length) != 0 ||
	    !mountinfo_below(rest, shown) || !mountinfo_visible(list, mount))
		return (0);
	rest.start += shown.length;
	rest.length -= shown.length;
	/* What the prefix has of a slash belongs to the rest. */
	if (rest.length > 0 && rest.start[0] != '/') {
		rest.start--;
		rest.length++;
	}
	if (!mountinfo_decode(join(buffer, sizeof(buffer), mount->path, rest),
		path))
		path[0] = '\0';
	return (1);
}

/*
 * Fills path with the place of an origin that counts.  own: the pod's
 * directory with a slash behind it; pods: the part of that which all have.
 */
static enum oci_origin
places_judge(const struct oci_reader *reader, const struct origin *origin,
    struct slice own, size_t pods, char path[PATH_MAX])
{
	static char place[PATH_MAX];
	const struct mountinfo *list = &reader->mountinfo;
	enum oci_origin found = OCI_ORIGIN_UNKNOWN;
	struct mountinfo_mount mount;
	struct slice rest;
	int kept;

	for (rest = list->text; mountinfo_next(&rest, &mount);) {
		if (mount.path.start == origin->mount->path.start ||
		    is_subpath(mount.path, own.start, pods) ||
		    !place_find(list, origin, &mount, place))
			continue;
		if (strncmp(place, own.start, own.length) == 0 &&
		    begins(place + own.length, VOLUMES)) {
			path[0] = '\0';
			return (OCI_ORIGIN_OWN);
		}
		kept = place[0] == '\0' || is_kept(reader->on->node, place);
		if (found == OCI_ORIGIN_KEPT ||
		    (found != OCI_ORIGIN_UNKNOWN && !kept))
			continue;
		found = kept ? OCI_ORIGIN_KEPT : OCI_ORIGIN_NODE;
		strcpy(path, place[0] != '\0' ? place : "what cannot be told");
	}
	return (found);
}

/* Makes both texts of the origin.  Returns whether it can be looked for. */
static int
origin_make(struct origin *origin, struct slice below)
{
	static char now[2 * ROOM], was[2 * ROOM];
	struct slice shown = shown_by(origin->mount);

	origin->now = join(now, sizeof(now), shown, below);
	if (ends_deleted(shown))
		shown.length -= strlen(DELETED);
	origin->was = join(was, sizeof(was), shown, below);
	return (shown.length > 0 && origin->now.length > 0 &&
	    origin->was.length > 0);
}

enum oci_origin
oci_find_origin(const struct oci_reader *reader, const char *source,
    char path[PATH_MAX])
{
	static char encoded[ROOM];
	const char *file = oci_pod_file(reader, source);
	struct slice own, text;
	struct mountinfo_mount mount;
	struct origin origin = { .mount = &mount };

	path[0] = '\0';
	if (file == NULL)
		return (OCI_ORIGIN_NODE);
	own = (struct slice){ source, (size_t)(file - source) };
	if (begins(file, VOLUMES))
		return (OCI_ORIGIN_OWN);
	text = mountinfo_encode(source, encoded, sizeof(encoded));
	/* It is below the pod's directory if it is longer than that. */
	if (!mountinfo_find(&reader->mountinfo, text, &mount) ||
	    !mountinfo_decode(mount.path, path) || strlen(path) < own.length) {
		path[0] = '\0';
		return (begins(file, SUBPATHS) ? OCI_ORIGIN_UNKNOWN :
						 OCI_ORIGIN_KUBELET);
	}
	path[0] = '\0';
	text.start += mount.path.length;
	text.length -= mount.path.length;
	if (!origin_make(&origin, text))
		return (OCI_ORIGIN_UNKNOWN);
	return (places_judge(reader, &origin, own,
	    own.length - strlen(reader->plan->pod_uid) - 1, path));
}
