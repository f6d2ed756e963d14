/*
 * The smallest codec of ttrpc and protocol buffers that a do-nothing shim and
 * a test's client need.  It shares nothing with the code under test, so that
 * a mistake there cannot cancel itself out here.
 *
 * A frame is a header of ten bytes, big endian (u32 length, u32 stream, u8
 * type, u8 flags), and the message.
 */
#ifndef REGRESS_WIRE_H
#define REGRESS_WIRE_H

#include <err.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIRE_HEADER	10	/* bytes */
#define WIRE_MAX	65536	/* bytes; the largest message read here */
#define WIRE_REQUEST	1
#define WIRE_RESPONSE	2

/* Bytes that somebody else owns. */
struct slice {
	const uint8_t *data;
	size_t length;
};

/* A message being written; data is from malloc and grows. */
struct message {
	uint8_t *data;
	size_t length;
	size_t room;
};

/* One frame as it was read. */
struct frame {
	uint32_t length;
	uint32_t stream;
	uint8_t type;
	uint8_t flags;
	uint8_t data[WIRE_MAX];
};

/* Appends bytes; ends the program when memory is short. */
static inline void
message_add(struct message *m, const void *data, size_t length)
{
	if (length > m->room - m->length) {
		m->room = (m->length + length) * 2;
		if ((m->data = realloc(m->data, m->room)) == NULL)
			err(1, "realloc");
	}
	if (length > 0)
		memcpy(m->data + m->length, data, length);
	m->length += length;
}

static inline void
message_varint(struct message *m, uint64_t value)
{
	uint8_t byte;

	do {
		byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		message_add(m, &byte, 1);
		value >>= 7;
	} while (value != 0);
}

/* Appends field = value; like every proto3 writer, leaves out a zero. */
static inline void
message_number(struct message *m, unsigned field, uint64_t value)
{
	if (value == 0)
		return;
	message_varint(m, field << 3);
	message_varint(m, value);
}

static inline void
message_bytes(struct message *m, unsigned field, const void *data,
    size_t length)
{
	message_varint(m, field << 3 | 2);
	message_varint(m, length);
	message_add(m, data, length);
}

/* Appends field = string, leaving out an empty one. */
static inline void
message_string(struct message *m, unsigned field, const char *string)
{
	if (*string != '\0')
		message_bytes(m, field, string, strlen(string));
}

/* Appends the sub-message and frees it. */
static inline void
message_nest(struct message *m, unsigned field, struct message *inner)
{
	message_bytes(m, field, inner->data, inner->length);
	free(inner->data);
	*inner = (struct message){ 0 };
}

/* Takes a varint off the front.  Returns 1, or 0 if there is none. */
static inline int
slice_varint(struct slice *in, uint64_t *value)
{
	unsigned shift;

	*value = 0;
	for (shift = 0; shift < 64 && in->length > 0; shift += 7) {
		*value |= (uint64_t)(*in->data & 0x7f) << shift;
		in->length--;
		if ((*in->data++ & 0x80) == 0)
			return 1;
	}
	return 0;
}

/*
 * Takes the next field off the front: its number, and its value or its bytes.
 * Returns 1, or 0 at the end and at what it does not understand.
 */
static inline int
slice_next(struct slice *in, unsigned *field, uint64_t *value,
    struct slice *bytes)
{
	uint64_t key;

	*value = 0;
	*bytes = (struct slice){ 0 };
	if (!slice_varint(in, &key) || !slice_varint(in, value))
		return 0;
	*field = (unsigned)(key >> 3);
	if ((key & 7) == 0)
		return 1;
	if ((key & 7) != 2 || *value > in->length)
		return 0;
	*bytes = (struct slice){ in->data, *value };
	in->data += *value;
	in->length -= *value;
	return 1;
}

/* The bytes of a field, empty if absent. */
static inline struct slice
slice_find(struct slice in, unsigned wanted)
{
	struct slice bytes;
	uint64_t value;
	unsigned field;

	while (slice_next(&in, &field, &value, &bytes))
		if (field == wanted)
			return bytes;
	return (struct slice){ 0 };
}

/* The value of a field, 0 if absent. */
static inline uint64_t
slice_number(struct slice in, unsigned wanted)
{
	struct slice bytes;
	uint64_t value;
	unsigned field;

	while (slice_next(&in, &field, &value, &bytes))
		if (field == wanted)
			return value;
	return 0;
}

static inline int
slice_is(struct slice bytes, const char *string)
{
	return bytes.length == strlen(string) &&
	    memcmp(bytes.data, string, bytes.length) == 0;
}

/* Writes one frame to a blocking socket.  Returns 0 or -1. */
static inline int
frame_write(int fd, uint32_t stream, uint8_t type, const struct message *m)
{
	uint8_t header[WIRE_HEADER] = {
		(uint8_t)(m->length >> 24), (uint8_t)(m->length >> 16),
		(uint8_t)(m->length >> 8), (uint8_t)m->length,
		(uint8_t)(stream >> 24), (uint8_t)(stream >> 16),
		(uint8_t)(stream >> 8), (uint8_t)stream, type, 0,
	};
	struct message whole = { 0 };
	size_t done = 0;
	ssize_t n;

	message_add(&whole, header, sizeof(header));
	message_add(&whole, m->data, m->length);
	while (done < whole.length) {
		n = write(fd, whole.data + done, whole.length - done);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			done += (size_t)n;
	}
	free(whole.data);
	return done == whole.length ? 0 : -1;
}

/* Reads exactly length bytes.  Returns 1, or 0 at the end or an error. */
static inline int
read_whole(int fd, uint8_t *data, size_t length)
{
	ssize_t n;

	while (length > 0) {
		n = read(fd, data, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		data += n;
		length -= (size_t)n;
	}
	return 1;
}

static inline uint32_t
wire_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/*
 * Reads one frame from a blocking socket.  Returns 1, or 0 at the end, after
 * an error or when the frame is larger than WIRE_MAX.
 */
static inline int
frame_read(int fd, struct frame *frame)
{
	uint8_t header[WIRE_HEADER];

	if (!read_whole(fd, header, sizeof(header)))
		return 0;
	frame->length = wire_u32(header);
	frame->stream = wire_u32(header + 4);
	frame->type = header[8];
	frame->flags = header[9];
	return frame->length <= WIRE_MAX &&
	    read_whole(fd, frame->data, frame->length);
}

#endif
