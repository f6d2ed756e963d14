#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "unpriv/decode.h"
#include "unpriv/oci.h"

/*
 * Bytes of the node's files that count.  Of a longer user database the rest is
 * not known; a longer list of mounts is refused, because what is missing would
 * show what lies below.
 */
#define PASSWD_MAX (4u << 20)
#define MOUNTS_MAX (4u << 20)

/* Untouched pages cost nothing: only a decode step ever writes to these. */
static char document[PLAN_DOCUMENT_MAX + 1];
static struct {
	struct plan plan;
	char tail[PLAN_TAIL_MAX];
} out;

static char passwd[PASSWD_MAX], mounts[MOUNTS_MAX];

static int
failure(int error, const char *why)
{
	snprintf(out.plan.error, sizeof(out.plan.error), "%s", why);
	return (error);
}

/* Reads what fd has, or size bytes of it.  Their number, or a negative errno. */
static ssize_t
read_all(int fd, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t n = 1;

	while (fd != -1 && n > 0 && length < size) {
		if ((n = read(fd, buffer + length, size - length)) == -1)
			return (-errno);
		length += (size_t)n;
	}
	return ((ssize_t)length);
}

int
decode_text(uint32_t kind, const char *json, size_t length,
    const struct decode_node *on, int plan_fd, const struct plan **plan)
{
	struct oci_node node = { on->node, passwd, mounts, 0, 0 };
	const char *p = (const char *)&out;
	size_t left;
	ssize_t n;
	int size;

	*plan = &out.plan;
	if ((n = read_all(on->passwd_fd, passwd, sizeof(passwd))) < 0)
		return (failure((int)n, "reading the user database"));
	node.passwd_length = (size_t)n;
	if ((n = read_all(on->mounts_fd, mounts, sizeof(mounts))) < 0)
		return (failure((int)n, "reading the list of mounts"));
	if (n == sizeof(mounts))
		return (failure(-EFBIG, "the list of mounts"));
	node.mounts_length = (size_t)n;
	size = oci_decode(kind, json, length, &node, &out.plan, out.tail,
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
decode_document(uint32_t kind, int fd, const struct decode_node *on,
    int plan_fd, const struct plan **plan)
{
	const ssize_t n = read_all(fd, document, sizeof(document));

	*plan = &out.plan;
	if (n < 0)
		return (failure((int)n, "reading the document"));
	if (n > PLAN_DOCUMENT_MAX)
		return (failure(-EFBIG, "larger than 4 MiB"));
	return (decode_text(kind, document, (size_t)n, on, plan_fd, plan));
}
