/*
 * A ttrpc server: unary calls, many at a time, answered in any order.
 *
 * What a client can make it keep is bounded: connections, calls of one
 * connection that wait for their answer, answers that are not read (stream.h).
 */
#ifndef SHIM_TTRPC_H
#define SHIM_TTRPC_H

#include <sys/types.h>

#include <protobuf-c/protobuf-c.h>

#include "runtime/status.h"
#include "unpriv/loop.h"

#define TTRPC_CONNECTIONS_MAX	192
#define TTRPC_CALLS_MAX		4096	/* pending, per connection */

struct ttrpc_server;
struct ttrpc_call;

/*
 * One call.  The strings and the payload are valid until this returns; the
 * call must be answered once, now or later, by ttrpc_reply or ttrpc_fail.
 */
typedef void ttrpc_dispatch(void *arg, struct ttrpc_call *call,
	    const char *service, const char *method,
	    const ProtobufCBinaryData *payload);

/*
 * Serves the listener (-1: none), which is taken.  Connections of processes of another
 * user than client_uid are closed at once.  Returns NULL with errno set.
 */
struct ttrpc_server *ttrpc_new(struct loop *loop, int listener,
	    uid_t client_uid, ttrpc_dispatch *dispatch, void *arg);

/*
 * Closes everything.  Calls that wait are cancelled as if their clients had
 * gone; those that cannot be cancelled must be answered before.
 */
void	 ttrpc_free(struct ttrpc_server *server);

/*
 * Serves a connection that was accepted elsewhere, which is taken; it must be
 * non-blocking.  Returns 0 or a negative errno.
 */
int	 ttrpc_add(struct ttrpc_server *server, int fd);

/*
 * Accepts nobody any more, and calls back, once, when all answers were
 * written or milliseconds have passed.
 */
void	 ttrpc_drain(struct ttrpc_server *server, uint32_t milliseconds,
	    void (*done)(void *arg), void *arg);

/*
 * Says what to do when the client goes before the answer: cancel is called
 * once, the call is freed afterwards and must not be answered.  Without this
 * the answer, when it comes, is dropped.
 */
void	 ttrpc_on_cancel(struct ttrpc_call *call, void (*cancel)(void *arg),
	    void *arg);

/* Answers with a message, or NULL for an empty one; the call is gone then. */
void	 ttrpc_reply(struct ttrpc_call *call,
	    const ProtobufCMessage *message);

/* Answers with an error. */
void	 ttrpc_fail(struct ttrpc_call *call, const struct status *status);

#endif
