/*
 * A shim that may answer anything, to the command line's client: it gets a
 * message of the type that it has asked for, or a code and an error that can
 * be shown.
 */
#include <sys/socket.h>

#include <unistd.h>

#include "cli/client.h"
#include "regress/fuzz/fuzz.h"

#define INPUT_MAX 32768 /* bytes; a socket takes them at once */
#define CALLS	  4

static const ProtobufCMessageDescriptor *const types[] = {
	&containerd__task__v2__state_response__descriptor,
	&containerd__task__v2__pids_response__descriptor,
	&containerd__task__v2__wait_response__descriptor,
	&containerd__task__v2__create_task_response__descriptor,
};

/* Asks once.  Returns whether there was an answer. */
static int
check_call(struct client *client, const ProtobufCMessageDescriptor *type,
    int empty)
{
	ProtobufCMessage *message = NULL;

	client->stream += 2;
	client->code = STATUS_OK;
	strcpy(client->error, "\n");
	if (client_receive(client, type, empty ? NULL : &message) != 0) {
		must(client->code != STATUS_OK && message == NULL);
		must(is_line(client->error, sizeof(client->error)));
		return (0);
	}
	if (empty)
		return (1);
	must(message != NULL && message->descriptor == type);
	/* Text of a message ends, and is UTF-8. */
	must(protobuf_c_message_check(message));
	protobuf_c_message_free_unpacked(message, NULL);
	return (1);
}

/* Input: what is asked, then the answers; their streams are 1, 3, 5, 7. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client client = { .stream = UINT32_MAX };
	int fds[2], i;

	if (size < 1 || size > INPUT_MAX)
		return (-1);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	must(write(fds[1], data + 1, size - 1) == (ssize_t)(size - 1));
	close(fds[1]);
	client.fd = fds[0];
	for (i = 0; i < CALLS; i++) {
		if (!check_call(&client, types[data[0] >> 2 * i & 3],
			data[0] == 0xff) &&
		    client.code == STATUS_UNAVAILABLE)
			break;
	}
	close(fds[0]);
	return (0);
}
