#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/frame.h"

void
frame_encode(const struct frame_header *header,
    uint8_t bytes[FRAME_HEADER_SIZE])
{
	uint32_t length = htobe32(header->length);
	uint32_t stream = htobe32(header->stream);

	memcpy(bytes, &length, sizeof(length));
	memcpy(bytes + 4, &stream, sizeof(stream));
	bytes[8] = header->type;
	bytes[9] = header->flags;
}

void
frame_decode(const uint8_t bytes[FRAME_HEADER_SIZE],
    struct frame_header *header)
{
	memcpy(&header->length, bytes, sizeof(header->length));
	memcpy(&header->stream, bytes + 4, sizeof(header->stream));
	header->length = be32toh(header->length);
	header->stream = be32toh(header->stream);
	header->type = bytes[8];
	header->flags = bytes[9];
}

void
frame_reset(struct frame_reader *reader)
{
	free(reader->data);
	memset(reader, 0, sizeof(*reader));
}

static size_t
smaller(uint64_t a, uint64_t b)
{
	return ((size_t)(a < b ? a : b));
}

/* Takes bytes of the header; at its end decides about the data. */
static size_t
feed_header(struct frame_reader *reader, const uint8_t *bytes, size_t size,
    frame_handler *handler, void *arg)
{
	size_t n = smaller(size, FRAME_HEADER_SIZE - reader->nbytes);

	memcpy(reader->bytes + reader->nbytes, bytes, n);
	reader->nbytes += n;
	if (reader->nbytes < FRAME_HEADER_SIZE)
		return (n);
	frame_decode(reader->bytes, &reader->header);
	if (reader->header.length > FRAME_DATA_MAX) {
		reader->skip = reader->header.length;
		reader->nbytes = 0;
		handler(arg, &reader->header, NULL);
	}
	return (n);
}

/* Takes bytes of the data.  Returns how many, or -ENOMEM. */
static long
feed_data(struct frame_reader *reader, const uint8_t *bytes, size_t size,
    frame_handler *handler, void *arg)
{
	const size_t length = reader->header.length;
	size_t n;

	if (reader->data == NULL && size >= length) {
		reader->nbytes = 0;
		handler(arg, &reader->header, bytes);
		return ((long)length);
	}
	if (reader->data == NULL && (reader->data = malloc(length)) == NULL)
		return (-ENOMEM);
	n = smaller(size, length - reader->filled);
	memcpy(reader->data + reader->filled, bytes, n);
	reader->filled += n;
	if (reader->filled == length) {
		handler(arg, &reader->header, reader->data);
		frame_reset(reader);
	}
	return ((long)n);
}

int
frame_feed(struct frame_reader *reader, const uint8_t *bytes, size_t size,
    frame_handler *handler, void *arg)
{
	size_t n;
	long taken;

	while (size > 0) {
		if (reader->skip > 0) {
			n = smaller(size, reader->skip);
			reader->skip -= n;
		} else if (reader->nbytes < FRAME_HEADER_SIZE) {
			n = feed_header(reader, bytes, size, handler, arg);
		} else {
			taken = feed_data(reader, bytes, size, handler, arg);
			if (taken < 0)
				return ((int)taken);
			n = (size_t)taken;
		}
		bytes += n;
		size -= n;
		/* A frame without data is complete without a byte more. */
		if (reader->nbytes == FRAME_HEADER_SIZE &&
		    reader->header.length == 0) {
			reader->nbytes = 0;
			handler(arg, &reader->header, bytes);
		}
	}
	return (0);
}
