/*
 * Decodes an OCI runtime configuration (runtime-spec 1.x) into a plan.
 */
#ifndef UNPRIV_OCI_H
#define UNPRIV_OCI_H

#include <stddef.h>
#include <stdint.h>

#include "privsep/node.h"
#include "privsep/plan.h"

/* Of the node, what a document is decoded for. */
struct oci_node {
	const struct node *node;	/* its configuration */
	/* Texts of /etc/passwd and /proc/self/mountinfo; not NUL-terminated. */
	const char *passwd, *mounts;
	size_t passwd_length, mounts_length; /* bytes; 0: none */
};

/*
 * Makes what decoding needs of the kernel: a pipe, and libseccomp's knowledge
 * of it.  To be called before the system calls of the decoder are cut down;
 * else it is done when it is needed.  Returns 0 or a negative errno.
 */
int	 oci_prepare(void);

/*
 * Decodes length bytes of JSON: a config.json (PLAN_BUNDLE), or a process
 * object alone (PLAN_PROCESS).  Fills plan, and strings (of size bytes) with
 * what plan.h says follows it.  Not reentrant, because the JSON reader's tokens
 * are static.  Pure but for a profile of seccomp, which libseccomp allocates
 * for and which goes through a pipe: no other system call, no allocation.
 *
 * Returns the length of all that follows the plan.  On failure returns -EINVAL with
 * PLAN_HAS_ERROR set, and in plan->error, in printable ASCII, the field, its
 * value where that is short, and what was expected; all else in the plan is
 * then zero but magic and kind.  A plan that is good may have a warning there.
 *
 * What is asked for is either decoded, or refused if leaving it out would
 * weaken the workload's isolation, or ignored.  Missing identity is an error,
 * never 0.
 */
int	 oci_decode(uint32_t kind, const char *json, size_t length,
	    const struct oci_node *on, struct plan *plan, char *strings,
	    size_t size);

#endif
