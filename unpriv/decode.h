/*
 * What a decode step does once it is confined: reads a document, writes a plan.
 */
#ifndef UNPRIV_DECODE_H
#define UNPRIV_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "privsep/plan.h"

/* What the node has to say to it. */
struct decode_node {
	const struct node *node;	/* its configuration */
	/* Of /etc/passwd and /proc/self/mountinfo, to read; or -1. */
	int passwd_fd, mounts_fd;
};

/*
 * Decodes a document as oci_decode does, and writes the plan and what follows
 * it to plan_fd.  *plan is static.  Returns 0, or a negative errno with
 * (*plan)->error.
 */
int	 decode_text(uint32_t kind, const char *json, size_t length,
	    const struct decode_node *on, int plan_fd,
	    const struct plan **plan);

/* The same for all that can be read from fd, at most PLAN_DOCUMENT_MAX bytes. */
int	 decode_document(uint32_t kind, int fd, const struct decode_node *on,
	    int plan_fd, const struct plan **plan);

#endif
