/*
 * A client of a shim's socket: unary calls of the Task service.  What it
 * answers may be anything: used in confined children only.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <protobuf-c/protobuf-c.h>

#include "runtime/status.h"
#include "shim/proto/task.pb-c.h"

/* A connection, blocking, with limits on how long it waits. */
struct client {
	int fd;			/* lent */
	uint32_t stream;	/* of the last call */
	enum status_code code;	/* how the last call failed */
	char error[STATUS_TEXT_SIZE]; /* and why, in printable ASCII */
};

/* Sends a call.  Returns 0, or -1 with code and error. */
int	 client_send(struct client *client, const char *method,
	    const ProtobufCMessage *request);

/*
 * Takes the answer to the last call.  Returns 0 and, unless response is NULL,
 * a message of this type, to be freed with protobuf_c_message_free_unpacked,
 * or -1 with code and error; STATUS_UNAVAILABLE if the shim has gone.
 */
int	 client_receive(struct client *client,
	    const ProtobufCMessageDescriptor *type, ProtobufCMessage **response);

/* Both, one after the other. */
int	 client_call(struct client *client, const char *method,
	    const ProtobufCMessage *request,
	    const ProtobufCMessageDescriptor *type,
	    ProtobufCMessage **response);

/* The generated types have long names. */
#define CLIENT_REQUEST(name)	Containerd__Task__V2__##name##Request
#define CLIENT_RESPONSE(name)	Containerd__Task__V2__##name##Response

/* A string of a request, which is not written to. */
#define CLIENT_STRING(s)	((char *)(uintptr_t)(s))

#endif
