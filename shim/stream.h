/*
 * One connection that carries frames both ways, without ever waiting: frames
 * in are put together, frames out are queued while the peer does not read.
 */
#ifndef SHIM_STREAM_H
#define SHIM_STREAM_H

#include "shim/frame.h"
#include "unpriv/loop.h"

#define STREAM_PAUSE_SIZE	(64u << 10)	/* queued: reads no more */
#define STREAM_QUEUE_MAX	(8u << 20)	/* queued: breaks, bytes */

/* A frame on its way out; bytes is the header and room for the data. */
struct stream_output {
	struct stream_output *next;
	size_t size, written;
	uint8_t bytes[];
};

struct stream {
	struct loop *loop;
	struct loop_watch watch;
	struct frame_reader reader;
	struct stream_output *first, **end;
	size_t queued;	/* bytes */
	int ended;	/* the peer will send nothing more, but may read */
	int broken;	/* of no use any more; to be closed */
};

/*
 * Takes fd, non-blocking, in any case, and has callback called with its
 * events.  Returns 0 or a negative errno.
 */
int	 stream_open(struct stream *stream, struct loop *loop, int fd,
	    loop_callback *callback, void *arg);

/* Closes it; what was queued is lost. */
void	 stream_close(struct stream *stream);

/*
 * Does what the events allow: writes, reads, calls handler with frames.  Sets
 * ended or broken as it finds out.
 */
void	 stream_handle(struct stream *stream, uint32_t events,
	    frame_handler *handler, void *arg);

/* Memory for a frame with this header, or NULL. */
struct stream_output *stream_output_new(const struct frame_header *header);

/* Sends it, which is taken; sets broken if that cannot be. */
void	 stream_send(struct stream *stream, struct stream_output *output);

#endif
