#include <errno.h>
#include <string.h>

#include "shim/wire.h"
#include "unpriv/chars.h"

/* Bytes yet to be read; bad when there was not what there should be. */
struct cursor {
	const uint8_t *data;
	size_t size;
	int bad;
};

static int message_check(const ProtobufCMessageDescriptor *type,
    struct cursor message, unsigned *fields, unsigned depth);

static uint64_t
take_varint(struct cursor *c)
{
	uint64_t value = 0;
	unsigned shift;

	for (shift = 0; shift < 70 && c->size > 0; shift += 7) {
		if (shift < 64)
			value |= (uint64_t)(*c->data & 0x7f) << shift;
		c->size--;
		if ((*c->data++ & 0x80) == 0)
			return (value);
	}
	c->bad = 1;
	return (0);
}

/* The next n bytes. */
static struct cursor
take(struct cursor *c, uint64_t n)
{
	struct cursor taken = { c->data, 0, 0 };

	if (n > c->size) {
		c->bad = 1;
		return (taken);
	}
	taken.size = (size_t)n;
	c->data += n;
	c->size -= (size_t)n;
	return (taken);
}

static int
string_check(struct cursor text)
{
	size_t n;

	for (; text.size > 0; text.data += n, text.size -= n) {
		n = chars_utf8(text.data, text.size);
		if (n == 0 || *text.data == '\0')
			return (-EBADMSG);
	}
	return (0);
}

/* What a field of a known type with a length has inside. */
static int
inside_check(const ProtobufCFieldDescriptor *field, struct cursor content,
    unsigned *fields, unsigned depth)
{
	if (field == NULL)
		return (0);
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return (string_check(content));
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return (message_check(field->descriptor, content, fields,
		    depth + 1));
	/* Numbers that are packed would count one by one: there are none. */
	return (field->type == PROTOBUF_C_TYPE_BYTES ? 0 : -EBADMSG);
}

static int
message_check(const ProtobufCMessageDescriptor *type, struct cursor message,
    unsigned *fields, unsigned depth)
{
	const ProtobufCFieldDescriptor *field;
	struct cursor content;
	uint64_t tag;

	if (depth > WIRE_DEPTH_MAX)
		return (-EBADMSG);
	while (message.size > 0 && !message.bad) {
		tag = take_varint(&message);
		if (++*fields > WIRE_FIELDS_MAX || tag >> 3 == 0 ||
		    tag > UINT32_MAX)
			return (-EBADMSG);
		field = protobuf_c_message_descriptor_get_field(type,
		    (unsigned)(tag >> 3));
		switch (tag & 7) {
		case PROTOBUF_C_WIRE_TYPE_VARINT:
			(void)take_varint(&message);
			break;
		case PROTOBUF_C_WIRE_TYPE_64BIT:
			(void)take(&message, 8);
			break;
		case PROTOBUF_C_WIRE_TYPE_32BIT:
			(void)take(&message, 4);
			break;
		case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
			content = take(&message, take_varint(&message));
			if (inside_check(field, content, fields, depth) != 0)
				return (-EBADMSG);
			break;
		default:
			return (-EBADMSG);
		}
	}
	return (message.bad ? -EBADMSG : 0);
}

int
wire_check(const ProtobufCMessageDescriptor *type, const uint8_t *data,
    size_t size)
{
	const struct cursor message = { data, size, 0 };
	unsigned fields = 0;

	return (message_check(type, message, &fields, 1));
}
