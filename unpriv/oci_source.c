/*
 * Whose the source of a bind mount is, by its path: CRI's, kubelet's, or the
 * node's, which is a hostPath.
 */
#include <stdio.h>
#include <string.h>

#include "unpriv/oci_reader.h"

#define NUMBER(table) (sizeof(table) / sizeof((table)[0]))
#define PODS	      "/var/lib/kubelet/pods/"
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
 * What kubelet makes for this pod.  Its identifier is as random as a sandbox's.
 * A volume's subPath is not among it: kubelet mounts it in the pod's directory,
 * also that of a hostPath.
 */
static int
is_kubelet_file(const struct oci_reader *reader, const char *source)
{
	static const char *const files[] = { "/volumes/", "/containers/",
		"/etc-hosts" };
	const size_t length = strlen(reader->plan->pod_uid);
	size_t i;

	if ((reader->plan->flags & PLAN_CRI) == 0 || length == 0 ||
	    strncmp(source, PODS, strlen(PODS)) != 0)
		return (0);
	source += strlen(PODS);
	if (strncmp(source, reader->plan->pod_uid, length) != 0)
		return (0);
	source += length;
	for (i = 0; i < NUMBER(files); i++) {
		if (strncmp(source, files[i], strlen(files[i])) == 0 &&
		    (source[strlen(files[i])] == '\0') ==
			(files[i][strlen(files[i]) - 1] != '/'))
			return (1);
	}
	return (0);
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

int
oci_check_source(struct oci_reader *reader, const char *source)
{
	char text[MSG_TEXT_SIZE];

	if ((reader->restricted & OCI_NO_HOSTPATH) == 0 ||
	    oci_is_sandbox_file(reader, source, NULL) ||
	    is_kubelet_file(reader, source) || is_image_volume(reader, source))
		return (0);
	snprintf(text, sizeof(text),
	    "%.128s: a hostPath or subPath, which reaper.runtime/restrict "
	    "forbids",
	    source);
	return (oci_refuse(reader, JSON_NONE, text));
}
