#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/stream.h"

#define READ_SIZE  4096 /* bytes at a time */
#define READ_TURNS 16	/* before others get theirs */

int
stream_open(struct stream *stream, struct loop *loop, int fd,
    loop_callback *callback, void *arg)
{
	int error;

	memset(stream, 0, sizeof(*stream));
	stream->loop = loop;
	stream->end = &stream->first;
	error = loop_add(loop, &stream->watch, fd, EPOLLIN, callback, arg);
	if (error != 0)
		close(fd);
	return (error);
}

void
stream_close(struct stream *stream)
{
	struct stream_output *output;

	loop_remove(stream->loop, &stream->watch);
	close(stream->watch.fd);
	frame_reset(&stream->reader);
	while ((output = stream->first) != NULL) {
		stream->first = output->next;
		free(output);
	}
}

/* Waits for what can be done next. */
static void
rewatch(struct stream *stream)
{
	uint32_t events = 0;

	/* Who does not read answers is not asked for more questions. */
	if (!stream->ended && stream->queued < STREAM_PAUSE_SIZE)
		events |= EPOLLIN;
	if (stream->first != NULL)
		events |= EPOLLOUT;
	if (loop_modify(stream->loop, &stream->watch, events) != 0)
		stream->broken = 1;
}

/* Returns the bytes that the socket took, or -1 if it never will. */
static ssize_t
send_bytes(int fd, const uint8_t *bytes, size_t size)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, size };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	n = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
	return (n == -1 && (errno == EAGAIN || errno == EINTR) ? 0 : n);
}

static void
flush(struct stream *stream)
{
	struct stream_output *output;
	ssize_t n;

	while ((output = stream->first) != NULL) {
		n = send_bytes(stream->watch.fd,
		    output->bytes + output->written,
		    output->size - output->written);
		if (n == -1) {
			stream->broken = 1;
			return;
		}
		output->written += (size_t)n;
		stream->queued -= (size_t)n;
		if (output->written < output->size)
			return;
		if ((stream->first = output->next) == NULL)
			stream->end = &stream->first;
		free(output);
	}
}

static void
receive(struct stream *stream, frame_handler *handler, void *arg)
{
	uint8_t bytes[READ_SIZE];
	ssize_t n = READ_SIZE;
	int error = 0, turn;

	for (turn = 0; turn < READ_TURNS && n == READ_SIZE; turn++) {
		if (stream->broken || stream->queued >= STREAM_PAUSE_SIZE)
			return;
		n = read(stream->watch.fd, bytes, sizeof(bytes));
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			error = -errno;
		else if (n == 0)
			stream->ended = 1;
		else if (n > 0)
			error = frame_feed(&stream->reader, bytes, (size_t)n,
			    handler, arg);
		if (error != 0)
			stream->broken = 1;
	}
}

void
stream_handle(struct stream *stream, uint32_t events, frame_handler *handler,
    void *arg)
{
	if ((events & EPOLLOUT) != 0)
		flush(stream);
	if ((events & EPOLLIN) != 0 && !stream->ended && !stream->broken)
		receive(stream, handler, arg);
	/* Gone in both directions: nobody is left to answer. */
	if ((events & (EPOLLHUP | EPOLLERR)) != 0 &&
	    (stream->ended || (events & EPOLLIN) == 0))
		stream->broken = 1;
	if (!stream->broken)
		rewatch(stream);
}

struct stream_output *
stream_output_new(const struct frame_header *header)
{
	struct stream_output *output;
	size_t size = FRAME_HEADER_SIZE + (size_t)header->length;

	if ((output = malloc(sizeof(*output) + size)) == NULL)
		return (NULL);
	output->next = NULL;
	output->size = size;
	output->written = 0;
	frame_encode(header, output->bytes);
	return (output);
}

void
stream_send(struct stream *stream, struct stream_output *output)
{
	if (stream->broken ||
	    stream->queued + output->size > STREAM_QUEUE_MAX) {
		stream->broken = 1;
		free(output);
		return;
	}
	*stream->end = output;
	stream->end = &output->next;
	stream->queued += output->size;
	if (stream->first == output)
		flush(stream);
	if (!stream->broken)
		rewatch(stream);
}
