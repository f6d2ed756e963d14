/*
 * A message body that is accepted holds only bounded strings: whoever reads
 * it later may call strlen.
 */

#include "privsep/msg.h"
#include "regress/fuzz/fuzz.h"
#include "unpriv/endpoint.h"

static void
check_string(const char *s, size_t size)
{
	if (memchr(s, '\0', size) == NULL)
		abort();
}

static void
check_ref(const struct msg_ref *ref)
{
	check_string(ref->id, sizeof(ref->id));
	check_string(ref->exec, sizeof(ref->exec));
	if (ref->id[0] == '\0' || strchr(ref->id, '/') != NULL ||
	    strstr(ref->id, "..") != NULL || strchr(ref->exec, '/') != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union msg_body body = { .ref.id = "id" };
	uint16_t op;

	if (size < sizeof(op) || size - sizeof(op) > sizeof(body))
		return (-1);
	memcpy(&op, data, sizeof(op));
	data += sizeof(op);
	size -= sizeof(op);
	/* Differences to a body that is nearly good, so as to come far. */
	for (size_t i = 0; i < size; i++)
		body.bytes[i] ^= data[i];
	if (msg_body_check(op, &body, (uint32_t)size) != 0 &&
	    endpoint_body_check(op, &body, (uint32_t)size) != 0)
		return (0);

	switch (op) {
	case MSG_STDIO:
		check_string(body.stdio.path, sizeof(body.stdio.path));
		check_ref(&body.ref);
		break;
	case MSG_REPLY:
		check_string(body.reply.text, sizeof(body.reply.text));
		break;
	case MSG_READY:
		break;
	case MSG_CGROUP:
	case MSG_PUBLISH:
		if (body.choice.which >= MSG_CGROUP_MAX)
			abort();
		check_ref(&body.ref);
		break;
	default:
		check_ref(&body.ref);
	}
	return (0);
}
