/*
 * What a client sends, in pieces of any size: a message that passes the check
 * does no harm when it is unpacked, nor does the payload that it carries.
 */

#include "regress/fuzz/fuzz.h"
#include "shim/frame.h"
#include "shim/proto/task.pb-c.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "shim/wire.h"

/* By stream, as there is no service to ask for. */
static const ProtobufCMessageDescriptor *const payloads[] = {
	&containerd__task__v2__create_task_request__descriptor,
	&containerd__task__v2__exec_process_request__descriptor,
	&containerd__task__v2__kill_request__descriptor,
	&containerd__task__v2__wait_request__descriptor,
};

static ProtobufCMessage *
unpack(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size)
{
	ProtobufCMessage *message;

	if (wire_check(type, data, size) != 0)
		return (NULL);
	message = protobuf_c_message_unpack(type, NULL, size, data);
	/* It may be refused, where a field has another type. */
	if (message != NULL && !protobuf_c_message_check(message))
		abort();
	return (message);
}

static void
take_frame(void *arg, const struct frame_header *header, const uint8_t *data)
{
	ProtobufCMessage *request, *payload;
	ProtobufCBinaryData *bytes;
	unsigned int *frames = arg;

	(*frames)++;
	if ((data == NULL) != (header->length > FRAME_DATA_MAX))
		abort();
	if (data == NULL)
		return;
	request = unpack(&ttrpc__request__descriptor, data, header->length);
	if (request == NULL)
		return;
	bytes = &((Ttrpc__Request *)request)->payload;
	payload = unpack(payloads[header->stream % 4], bytes->data, bytes->len);
	if (payload != NULL)
		protobuf_c_message_free_unpacked(payload, NULL);
	protobuf_c_message_free_unpacked(request, NULL);
}

/* Feeds it in pieces; returns how many frames there were. */
static unsigned int
feed(const uint8_t *data, size_t size, size_t piece)
{
	struct frame_reader reader = { .nbytes = 0 };
	unsigned int frames = 0;

	while (size > 0) {
		size_t n = piece < size ? piece : size;

		if (frame_feed(&reader, data, n, take_frame, &frames) != 0)
			abort();
		data += n;
		size -= n;
	}
	frame_reset(&reader);
	return (frames);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return (-1);
	/* However it arrives, it is the same. */
	if (feed(data + 1, size - 1, data[0] % 16 + 1U) !=
	    feed(data + 1, size - 1, size))
		abort();
	return (0);
}
