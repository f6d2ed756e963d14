/*
 * The frames of ttrpc: a header of ten bytes, big endian (u32 length of the
 * data, u32 stream, u8 type, u8 flags), and the data.  Pure but for memory.
 */
#ifndef SHIM_FRAME_H
#define SHIM_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_SIZE	10		/* bytes */
#define FRAME_DATA_MAX		(4u << 20)	/* bytes; ttrpc's own limit */

enum frame_type {
	FRAME_REQUEST = 1,
	FRAME_RESPONSE = 2,
	FRAME_DATA = 3,
};

struct frame_header {
	uint32_t length;	/* of the data, bytes */
	uint32_t stream;
	uint8_t type;		/* enum frame_type, or anything else */
	uint8_t flags;
};

void	 frame_encode(const struct frame_header *header,
	    uint8_t bytes[FRAME_HEADER_SIZE]);
void	 frame_decode(const uint8_t bytes[FRAME_HEADER_SIZE],
	    struct frame_header *header);

/*
 * One frame has arrived.  data holds header->length bytes until the callback
 * returns; it is NULL for a frame that is longer than FRAME_DATA_MAX, whose
 * data is passed over.
 */
typedef void frame_handler(void *arg, const struct frame_header *header,
	    const uint8_t *data);

/* Puts frames together.  All zero at first; then the functions' own. */
struct frame_reader {
	uint8_t bytes[FRAME_HEADER_SIZE];
	size_t nbytes;		/* of the header */
	struct frame_header header;
	uint8_t *data;		/* owned; header.length bytes, or NULL */
	size_t filled;		/* of data */
	uint64_t skip;		/* bytes to pass over */
};

/*
 * Takes size bytes and calls handler for every frame that they complete.
 * Only a frame that arrives in pieces is copied; its memory is freed with it.
 * Returns 0 or -ENOMEM.
 */
int	 frame_feed(struct frame_reader *reader, const uint8_t *bytes,
	    size_t size, frame_handler *handler, void *arg);

/* Frees what was not completed. */
void	 frame_reset(struct frame_reader *reader);

#endif
