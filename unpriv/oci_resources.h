/*
 * Decodes the resources of an OCI runtime configuration (LinuxResources of
 * runtime-spec 1.x) alone, as an update of a running container has them.
 */
#ifndef UNPRIV_OCI_RESOURCES_H
#define UNPRIV_OCI_RESOURCES_H

#include <stddef.h>

#include "privsep/plan.h"

/*
 * Decodes length bytes of JSON into limits, which then hold what the document
 * gives of cpu, memory, pids and unified, and no more; its other members are
 * ignored.  As in runc, 0 means "not given" where it could not be a limit.
 * Pure, and as little reentrant as oci_decode.
 *
 * Returns 0, or -EINVAL with limits zero and the field, its value where that
 * is short, and what was expected, in printable ASCII, in error.
 */
int	 oci_resources_decode(const char *json, size_t length,
	    struct plan_limits *limits, char error[MSG_TEXT_SIZE]);

#endif
