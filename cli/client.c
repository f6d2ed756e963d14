#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "shim/frame.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "shim/wire.h"
#include "unpriv/conf.h"

#define SERVICE "containerd.task.v2.Task"

static int
fail(struct client *client, enum status_code code, const char *text)
{
	client->code = code;
	conf_printable(client->error, sizeof(client->error), text,
	    strlen(text));
	return (-1);
}

static int
fail_errno(struct client *client, int error)
{
	if (error == EAGAIN)
		return (
		    fail(client, STATUS_ABORTED, "the shim does not answer"));
	if (error == ENOMEM)
		return (
		    fail(client, STATUS_RESOURCE_EXHAUSTED, "memory is short"));
	return (fail(client, STATUS_UNAVAILABLE, "the shim has gone"));
}

static int
write_all(int fd, const uint8_t *data, size_t size)
{
	ssize_t n;

	for (; size > 0; data += n, size -= (size_t)n) {
		if ((n = write(fd, data, size)) == -1 && errno != EINTR)
			return (-1);
		n = n == -1 ? 0 : n;
	}
	return (0);
}

static int
read_all(int fd, uint8_t *data, size_t size)
{
	ssize_t n;

	for (; size > 0; data += n, size -= (size_t)n) {
		n = read(fd, data, size);
		if (n == 0 || (n == -1 && errno != EINTR)) {
			errno = n == 0 ? EPIPE : errno;
			return (-1);
		}
		n = n == -1 ? 0 : n;
	}
	return (0);
}

int
client_send(struct client *client, const char *method,
    const ProtobufCMessage *message)
{
	Ttrpc__Request request = TTRPC__REQUEST__INIT;
	struct frame_header header = { .type = FRAME_REQUEST };
	uint8_t *frame, *payload = NULL;
	int result = -1;

	client->stream += client->stream == 0 ? 1 : 2;
	header.stream = client->stream;
	request.service = CLIENT_STRING(SERVICE);
	request.method = CLIENT_STRING(method);
	request.payload.len = protobuf_c_message_get_packed_size(message);
	payload = malloc(request.payload.len + 1);
	request.payload.data = payload;
	frame = payload == NULL ?
	    NULL :
	    malloc(
		FRAME_HEADER_SIZE + ttrpc__request__get_packed_size(&request));
	if (frame == NULL) {
		(void)fail_errno(client, ENOMEM);
	} else {
		protobuf_c_message_pack(message, payload);
		header.length = (uint32_t)ttrpc__request__pack(&request,
		    frame + FRAME_HEADER_SIZE);
		frame_encode(&header, frame);
		result = write_all(client->fd, frame,
		    FRAME_HEADER_SIZE + header.length);
		if (result == -1)
			(void)fail_errno(client, errno);
	}
	free(frame);
	free(payload);
	return (result);
}

/* A message of this type in what was checked to hold one. */
static ProtobufCMessage *
unpack(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size)
{
	if (wire_check(type, data, size) != 0)
		return (NULL);
	return (protobuf_c_message_unpack(type, NULL, size, data));
}

/* Takes the response in the data of a frame. */
static int
response_take(struct client *client, const uint8_t *data, size_t size,
    const ProtobufCMessageDescriptor *type, ProtobufCMessage **message)
{
	static const char malformed[] = "the shim's answer is malformed";
	Ttrpc__Response *response;
	int result = 0;

	response =
	    (Ttrpc__Response *)(void *)unpack(&ttrpc__response__descriptor,
		data, size);
	if (response == NULL)
		return (fail(client, STATUS_INTERNAL, malformed));
	if (response->status != NULL && response->status->code != 0)
		result = fail(client, (enum status_code)response->status->code,
		    response->status->message);
	else if (message != NULL &&
	    (*message = unpack(type, response->payload.data,
		 response->payload.len)) == NULL)
		result = fail(client, STATUS_INTERNAL, malformed);
	ttrpc__response__free_unpacked(response, NULL);
	return (result);
}

int
client_receive(struct client *client, const ProtobufCMessageDescriptor *type,
    ProtobufCMessage **response)
{
	uint8_t bytes[FRAME_HEADER_SIZE], *data;
	struct frame_header header;
	int result;

	if (read_all(client->fd, bytes, sizeof(bytes)) == -1)
		return (fail_errno(client, errno));
	frame_decode(bytes, &header);
	if (header.type != FRAME_RESPONSE || header.stream != client->stream ||
	    header.length > FRAME_DATA_MAX)
		return (fail(client, STATUS_INTERNAL,
		    "the shim says what was not asked"));
	if ((data = malloc((size_t)header.length + 1)) == NULL)
		return (fail_errno(client, ENOMEM));
	if (read_all(client->fd, data, header.length) == -1)
		result = fail_errno(client, errno);
	else
		result =
		    response_take(client, data, header.length, type, response);
	free(data);
	return (result);
}

int
client_call(struct client *client, const char *method,
    const ProtobufCMessage *request, const ProtobufCMessageDescriptor *type,
    ProtobufCMessage **response)
{
	if (client_send(client, method, request) != 0)
		return (-1);
	return (client_receive(client, type, response));
}
