#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "shim/proto/ttrpc.pb-c.h"
#include "shim/stream.h"
#include "shim/ttrpc.h"
#include "shim/wire.h"

#define RETRY 1000 /* milliseconds without accepting after a failure */

struct ttrpc_call {
	struct ttrpc_call *next, **link;
	struct connection *connection; /* NULL: the client has gone */
	uint32_t stream;
	void (*cancel)(void *arg);
	void *arg;
};

struct connection {
	struct connection *next, **link;
	struct ttrpc_server *server;
	struct stream stream;
	uint32_t last_id;
	struct ttrpc_call *calls;
	size_t ncalls;
};

struct ttrpc_server {
	struct loop *loop;
	struct loop_watch listener;
	struct loop_timer retry, sweeper, patience;
	int accepting;
	uid_t client_uid;
	ttrpc_dispatch *dispatch;
	void *arg;
	struct connection *connections;
	size_t nconnections;
	void (*drained)(void *arg);
	void *drained_arg;
};

static void accept_resume(void *arg);

/*
 * Connections.
 */

static void
call_free(struct ttrpc_call *call)
{
	if (call->connection != NULL) {
		*call->link = call->next;
		if (call->next != NULL)
			call->next->link = call->link;
		call->connection->ncalls--;
	}
	free(call);
}

static void
calls_cancel(struct connection *c)
{
	struct ttrpc_call *call;

	while ((call = c->calls) != NULL) {
		c->calls = call->next;
		call->connection = NULL;
		if (call->cancel == NULL)
			continue;
		call->cancel(call->arg);
		free(call);
	}
}

/* Only from the loop: nothing else may be in the middle of using it. */
static void
connection_close(struct connection *c)
{
	struct ttrpc_server *server = c->server;

	calls_cancel(c);
	stream_close(&c->stream);
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	free(c);
	server->nconnections--;
	accept_resume(server);
}

static void
drain_check(struct ttrpc_server *server)
{
	const struct connection *c;
	void (*done)(void *) = server->drained;

	if (done == NULL)
		return;
	for (c = server->connections; c != NULL; c = c->next) {
		if (c->stream.first != NULL)
			return;
	}
	server->drained = NULL;
	loop_timer_cancel(server->loop, &server->patience);
	done(server->drained_arg);
}

/* Nothing more can come of it: broken, or half closed and all answered. */
static int
connection_over(const struct connection *c)
{
	return (c->stream.broken ||
	    (c->stream.ended && c->calls == NULL && c->stream.first == NULL));
}

/* Closes what could not be closed where it came to its end. */
static void
sweep(void *arg)
{
	struct ttrpc_server *server = arg;
	struct connection *c, *next;

	for (c = server->connections; c != NULL; c = next) {
		next = c->next;
		if (connection_over(c))
			connection_close(c);
	}
	drain_check(server);
}

static void
sweep_if(struct connection *c)
{
	struct ttrpc_server *server = c->server;

	if (!server->sweeper.armed &&
	    (connection_over(c) || server->drained != NULL))
		loop_timer_set(server->loop, &server->sweeper, 0, sweep,
		    server);
}

/*
 * Answers.
 */

/* Sends a response; payload may be NULL. */
static void
respond(struct connection *c, uint32_t stream, const struct status *status,
    const ProtobufCMessage *payload)
{
	Google__Rpc__Status error = GOOGLE__RPC__STATUS__INIT;
	Ttrpc__Response response = TTRPC__RESPONSE__INIT;
	struct frame_header header = { .stream = stream,
		.type = FRAME_RESPONSE };
	struct stream_output *output = NULL;

	if (status->code != STATUS_OK) {
		error.code = (int32_t)status->code;
		error.message = (char *)(uintptr_t)status->text;
		response.status = &error;
	}
	if (payload != NULL) {
		response.payload.len = protobuf_c_message_get_packed_size(
		    payload);
		response.payload.data = malloc(response.payload.len + 1);
		if (response.payload.data == NULL)
			goto out;
		protobuf_c_message_pack(payload, response.payload.data);
	}
	header.length = (uint32_t)ttrpc__response__get_packed_size(&response);
	if ((output = stream_output_new(&header)) == NULL)
		goto out;
	ttrpc__response__pack(&response, output->bytes + FRAME_HEADER_SIZE);
	stream_send(&c->stream, output);
out:
	/* A client must not wait for an answer that was lost. */
	if (output == NULL)
		c->stream.broken = 1;
	sweep_if(c);
	free(response.payload.data);
}

void
ttrpc_reply(struct ttrpc_call *call, const ProtobufCMessage *message)
{
	const struct status ok = { .code = STATUS_OK };
	struct connection *c = call->connection;
	uint32_t stream = call->stream;

	call_free(call);
	if (c != NULL)
		respond(c, stream, &ok, message);
}

void
ttrpc_fail(struct ttrpc_call *call, const struct status *status)
{
	struct connection *c = call->connection;
	uint32_t stream = call->stream;

	call_free(call);
	if (c != NULL)
		respond(c, stream, status, NULL);
}

void
ttrpc_on_cancel(struct ttrpc_call *call, void (*cancel)(void *arg), void *arg)
{
	call->cancel = cancel;
	call->arg = arg;
}

/*
 * Requests.
 */

static void
refuse(struct connection *c, uint32_t stream, enum status_code code,
    const char *text)
{
	struct status status;

	status_set(&status, code, "%s", text);
	respond(c, stream, &status, NULL);
}

static struct ttrpc_call *
call_new(struct connection *c, uint32_t stream)
{
	struct ttrpc_call *call;

	if (c->ncalls >= TTRPC_CALLS_MAX ||
	    (call = calloc(1, sizeof(*call))) == NULL)
		return (NULL);
	call->connection = c;
	call->stream = stream;
	call->next = c->calls;
	call->link = &c->calls;
	if (call->next != NULL)
		call->next->link = &call->next;
	c->calls = call;
	c->ncalls++;
	return (call);
}

static void
request_take(struct connection *c, uint32_t stream, const uint8_t *data,
    size_t size)
{
	Ttrpc__Request *request = NULL;
	struct ttrpc_call *call;

	if (wire_check(&ttrpc__request__descriptor, data, size) == 0)
		request = ttrpc__request__unpack(NULL, size, data);
	if (request == NULL) {
		refuse(c, stream, STATUS_INVALID_ARGUMENT,
		    "the request is malformed");
		return;
	}
	if ((call = call_new(c, stream)) == NULL)
		refuse(c, stream, STATUS_RESOURCE_EXHAUSTED,
		    "too many calls are waiting for their answers");
	else
		c->server->dispatch(c->server->arg, call, request->service,
		    request->method, &request->payload);
	ttrpc__request__free_unpacked(request, NULL);
}

static void
on_frame(void *arg, const struct frame_header *header, const uint8_t *data)
{
	struct connection *c = arg;

	if (c->stream.broken || header->type != FRAME_REQUEST)
		return;
	if (data == NULL) {
		refuse(c, header->stream, STATUS_RESOURCE_EXHAUSTED,
		    "the message is longer than 4 MiB");
		return;
	}
	if (header->stream % 2 == 0 || header->stream <= c->last_id) {
		refuse(c, header->stream, STATUS_INVALID_ARGUMENT,
		    "stream ids must be odd and grow");
		return;
	}
	c->last_id = header->stream;
	if (header->flags != 0)
		refuse(c, header->stream, STATUS_UNIMPLEMENTED,
		    "streams are not supported");
	else
		request_take(c, header->stream, data, header->length);
}

static void
on_connection(void *arg, uint32_t events)
{
	struct connection *c = arg;

	stream_handle(&c->stream, events, on_frame, c);
	sweep_if(c);
}

/*
 * Accepting.
 */

static void
accept_pause(struct ttrpc_server *server)
{
	if (server->accepting)
		loop_remove(server->loop, &server->listener);
	server->accepting = 0;
}

int
ttrpc_add(struct ttrpc_server *server, int fd)
{
	struct connection *c;
	int error;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return (-ENOMEM);
	}
	error = stream_open(&c->stream, server->loop, fd, on_connection, c);
	if (error != 0) {
		free(c);
		return (error);
	}
	c->server = server;
	c->next = server->connections;
	c->link = &server->connections;
	if (c->next != NULL)
		c->next->link = &c->next;
	server->connections = c;
	server->nconnections++;
	return (0);
}

static void
on_listener(void *arg, uint32_t events)
{
	struct ttrpc_server *server = arg;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd;

	(void)events;
	if (server->nconnections >= TTRPC_CONNECTIONS_MAX) {
		accept_pause(server);
		return;
	}
	fd = accept4(server->listener.fd, NULL, NULL,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		/* Descriptors or memory are short: not in a circle. */
		accept_pause(server);
		loop_timer_set(server->loop, &server->retry, RETRY,
		    accept_resume, server);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1 ||
	    peer.uid != server->client_uid)
		close(fd);
	else
		(void)ttrpc_add(server, fd);
}

static void
accept_resume(void *arg)
{
	struct ttrpc_server *server = arg;
	int error;

	if (server->accepting || server->listener.fd == -1)
		return;
	error = loop_add(server->loop, &server->listener, server->listener.fd,
	    EPOLLIN, on_listener, server);
	server->accepting = error == 0;
}

struct ttrpc_server *
ttrpc_new(struct loop *loop, int listener, uid_t client_uid,
    ttrpc_dispatch *dispatch, void *arg)
{
	struct ttrpc_server *server;

	if ((server = calloc(1, sizeof(*server))) == NULL)
		return (NULL);
	server->loop = loop;
	server->client_uid = client_uid;
	server->dispatch = dispatch;
	server->arg = arg;
	server->listener.fd = listener;
	accept_resume(server);
	if (listener != -1 && !server->accepting) {
		free(server);
		errno = ENOMEM;
		return (NULL);
	}
	return (server);
}

static void
listener_close(struct ttrpc_server *server)
{
	accept_pause(server);
	loop_timer_cancel(server->loop, &server->retry);
	if (server->listener.fd != -1)
		close(server->listener.fd);
	server->listener.fd = -1;
}

void
ttrpc_free(struct ttrpc_server *server)
{
	listener_close(server);
	while (server->connections != NULL)
		connection_close(server->connections);
	loop_timer_cancel(server->loop, &server->sweeper);
	loop_timer_cancel(server->loop, &server->patience);
	free(server);
}

static void
patience_ends(void *arg)
{
	struct ttrpc_server *server = arg;
	void (*done)(void *) = server->drained;

	server->drained = NULL;
	if (done != NULL)
		done(server->drained_arg);
}

void
ttrpc_drain(struct ttrpc_server *server, uint32_t milliseconds,
    void (*done)(void *arg), void *arg)
{
	listener_close(server);
	server->drained = done;
	server->drained_arg = arg;
	loop_timer_set(server->loop, &server->patience, milliseconds,
	    patience_ends, server);
	loop_timer_set(server->loop, &server->sweeper, 0, sweep, server);
}
