/*
 * Whose the source of a bind mount is, by its path: CRI's own, of this pod.
 */
#include <string.h>

#include "unpriv/oci_reader.h"

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
