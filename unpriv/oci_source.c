/*
 * Whose the source of a bind mount is, by its path: CRI's, kubelet's, or the
 * node's, which is a hostPath.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/oci_reader.h"

#define IMAGE_VOLUMES \
	"/var/lib/containerd/io.containerd.grpc.v1.cri/containers/"

/*
 * Wherever containerd keeps what it has: the id of a sandbox is 256 random
 * bits, made after the pod was written down, so no pod can name its own.
 */
int
oci_is_sandbox_file(const struct oci_reader *reader, const char *source,
    const char *name)
{
	static const char folder[] = "/sandboxes/";
	const size_t length = strlen(reader->plan->sandbox_id);
	const char *p = source;

	if ((reader->plan->flags & PLAN_CRI) == 0)
		return (0);
	while ((p = strstr(p, folder)) != NULL) {
		p += strlen(folder);
		if (strncmp(p, reader->plan->sandbox_id, length) != 0 ||
		    p[length] != '/')
			continue;
		p += length + 1;
		return (name == NULL ? p[0] != '\0' : strcmp(p, name) == 0);
	}
	return (0);
}

/*
 * Wherever kubelet's root is.  No tenant can name such a path: volumes are
 * fixed when the pod is made, ephemeral containers add none, and only then the
 * API server makes up the identifier, at random.  A subPathExpr may have it,
 * but lies in a volume: its source is a subPath's, and its origin is looked for
 * in the directory that kubelet has, not in any of such a name.  Links are
 * never followed, and DirectoryOrCreate makes what was named before.
 */
const char *
oci_pod_file(const struct oci_reader *reader, const char *source)
{
	static const char folder[] = "/pods/";
	const char *uid = reader->plan->pod_uid, *p = source;
	const size_t length = strlen(uid);

	while (length > 0 && (p = strstr(p, folder)) != NULL) {
		p += strlen(folder);
		if (p - source > (ptrdiff_t)strlen(folder) &&
		    strncmp(p, uid, length) == 0 && p[length] == '/')
			return (p[length + 1] != '\0' ? p + length + 1 : NULL);
		/* The slash may begin the next. */
		p--;
	}
	return (NULL);
}

/* By the path in the pod's directory. */
static int
is_termination_log(const char *file)
{
	static const char folder[] = "containers/";

	return (strncmp(file, folder, strlen(folder)) == 0 &&
	    file[strlen(folder)] != '\0');
}

int
oci_is_termination_log(const struct oci_reader *reader, const char *source)
{
	const char *file = oci_pod_file(reader, source);

	return (file != NULL && is_termination_log(file));
}

/*
 * A volume that the image asks for, of some container: whose, is not known
 * here.  It holds what a container has written, and nothing of the node.
 */
static int
is_image_volume(const struct oci_reader *reader, const char *source)
{
	static const char folder[] = "/volumes/";
	size_t length;

	if ((reader->plan->flags & PLAN_CRI) == 0 ||
	    strncmp(source, IMAGE_VOLUMES, strlen(IMAGE_VOLUMES)) != 0)
		return (0);
	source += strlen(IMAGE_VOLUMES);
	length = strspn(source, "0123456789abcdef");
	return (length == 64 &&
	    strncmp(source + length, folder, strlen(folder)) == 0 &&
	    source[length + strlen(folder)] != '\0');
}

/* Whether a pod has it that must not have what is the node's. */
static int
is_without_node(const struct oci_reader *reader, enum oci_origin origin,
    const char *source)
{
	const char *file = oci_pod_file(reader, source);

	if ((reader->plan->flags & PLAN_CRI) == 0)
		return (0);
	return (origin == OCI_ORIGIN_OWN ||
	    (origin == OCI_ORIGIN_KUBELET &&
		(is_termination_log(file) || strcmp(file, "etc-hosts") == 0)) ||
	    oci_is_sandbox_file(reader, source, NULL) ||
	    is_image_volume(reader, source));
}

/* Has the mount step look at another name of the source, which it knows. */
static int
origin_add(struct oci_reader *reader, const char *path)
{
	struct plan_mount *being_read = reader->mount, *m;

	m = oci_add_mount(reader, "/", path);
	reader->mount = being_read;
	if (m == NULL)
		return (-EINVAL);
	m->kind = PLAN_ORIGIN;
	return (0);
}

int
oci_check_source(struct oci_reader *reader, const char *destination,
    const char *source)
{
	static char path[PATH_MAX];
	const int is_host = (reader->plan->flags & PLAN_HOST) != 0;
	const int restricted = (reader->restricted & OCI_NO_HOSTPATH) != 0;
	enum oci_origin origin;
	char text[MSG_TEXT_SIZE];

	if (is_host && !restricted)
		return (0);
	origin = oci_find_origin(reader, source, path);
	if (!is_host && origin == OCI_ORIGIN_KEPT)
		snprintf(text, sizeof(text),
		    "%.64s: subPath of %.128s, which is kept from workloads",
		    destination, path);
	else if (!is_host && origin == OCI_ORIGIN_UNKNOWN)
		snprintf(text, sizeof(text),
		    "%.128s: subPath of what is seen nowhere on the node",
		    destination);
	else if (!restricted || is_without_node(reader, origin, source))
		return (
		    is_host || path[0] == '\0' ? 0 : origin_add(reader, path));
	else if (path[0] != '\0')
		snprintf(text, sizeof(text),
		    "%.64s: subPath of %.96s: a hostPath, which "
		    "reaper.runtime/restrict forbids",
		    destination, path);
	else
		snprintf(text, sizeof(text),
		    "%.128s: a hostPath or subPath, which "
		    "reaper.runtime/restrict forbids",
		    source);
	return (oci_refuse(reader, JSON_NONE, text));
}
