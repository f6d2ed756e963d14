#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "unpriv/decode.h"
#include "unpriv/oci.h"

/* Untouched pages cost nothing: only a decode step ever writes to these. */
static char document[PLAN_DOCUMENT_MAX + 1];
static struct {
	struct plan plan;
	char tail[PLAN_TAIL_MAX];
} out;

static int
failure(int error, const char *why)
{
	snprintf(out.plan.error, sizeof(out.plan.error), "%s", why);
	return (error);
}

int
decode_text(uint32_t kind, const char *json, size_t length, int plan_fd,
    const struct plan **plan)
{
	const char *p = (const char *)&out;
	size_t left;
	ssize_t n;
	int size;

	*plan = &out.plan;
	size = oci_decode(kind, json, length, &out.plan, out.tail,
	    sizeof(out.tail));
	if (size < 0)
		return (size);
	left = sizeof(out.plan) + (size_t)size;
	for (; left > 0; p += n, left -= (size_t)n) {
		if ((n = write(plan_fd, p, left)) == -1)
			return (failure(-errno, "writing the plan"));
	}
	return (0);
}

int
decode_document(uint32_t kind, int fd, int plan_fd, const struct plan **plan)
{
	size_t length = 0;
	ssize_t n;

	*plan = &out.plan;
	do {
		n = read(fd, document + length, sizeof(document) - length);
		if (n == -1)
			return (failure(-errno, "reading the document"));
		length += (size_t)n;
	} while (n > 0 && length < sizeof(document));
	if (length > PLAN_DOCUMENT_MAX)
		return (failure(-EFBIG, "larger than 4 MiB"));
	return (decode_text(kind, document, length, plan_fd, plan));
}
