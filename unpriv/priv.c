#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unpriv/endpoint.h"
#include "unpriv/priv.h"

#define BURST	16 /* messages taken before others get their turn */
#define PID_MAX 0x3fffffff

/* One request, waiting to be sent or to be answered. */
struct request {
	struct request *next;
	priv_done *done;
	void *arg;
	uint64_t sequence; /* 0: not yet sent */
	int fd;		   /* to be sent with it, owned, or -1 */
	uint16_t op;
	uint32_t length;
	union msg_body body;
};

struct queue {
	struct request *first, **end;
	size_t length;
};

struct priv {
	struct loop *loop;
	struct channel *channel;
	struct loop_watch watch;
	struct loop_timer breaker;
	pid_t helper;
	struct priv_handlers handlers;
	void *arg;
	struct queue waiting, sent;
	const char *why; /* the session is over, or about to be */
	int ready;
	int lost;
};

static void
queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
	queue->length = 0;
}

static void
queue_add(struct queue *queue, struct request *request)
{
	request->next = NULL;
	*queue->end = request;
	queue->end = &request->next;
	queue->length++;
}

/* Takes the request with this sequence out of the queue, or returns NULL. */
static struct request *
queue_take(struct queue *queue, uint64_t sequence)
{
	struct request *request, **p = &queue->first;

	while ((request = *p) != NULL && request->sequence != sequence)
		p = &request->next;
	if (request == NULL)
		return (NULL);
	*p = request->next;
	if (queue->end == &request->next)
		queue->end = p;
	queue->length--;
	return (request);
}

static void
request_free(struct request *request)
{
	if (request->fd != -1)
		close(request->fd);
	free(request);
}

static void
queue_free(struct queue *queue)
{
	struct request *request;

	while ((request = queue->first) != NULL) {
		queue->first = request->next;
		request_free(request);
	}
}

/* Completes all of a queue without an answer. */
static void
queue_fail(struct queue *queue)
{
	const struct msg_reply reply = { .error = PRIV_LOST };
	struct request *request;
	int fds[MSG_FDS_MAX];

	while ((request = queue->first) != NULL) {
		(void)queue_take(queue, request->sequence);
		memset(fds, -1, sizeof(fds));
		request->done(request->arg, &reply, fds);
		request_free(request);
	}
}

static void
session_end(void *arg)
{
	struct priv *priv = arg;

	if (priv->lost)
		return;
	priv->lost = 1;
	loop_timer_cancel(priv->loop, &priv->breaker);
	loop_remove(priv->loop, &priv->watch);
	queue_fail(&priv->sent);
	queue_fail(&priv->waiting);
	priv->handlers.lost(priv->arg, priv->why);
}

void
priv_break(struct priv *priv, const char *why)
{
	if (priv->why != NULL)
		return;
	priv->why = why;
	/* Later, because callers are in the middle of something. */
	loop_timer_set(priv->loop, &priv->breaker, 0, session_end, priv);
}

static void
send_some(struct priv *priv)
{
	struct request *request;
	int error = 0;

	while (priv->why == NULL && (request = priv->waiting.first) != NULL &&
	    priv->sent.length < PRIV_FLIGHT_MAX) {
		error = channel_send(priv->channel, request->op, &request->body,
		    request->length, &request->fd, request->fd != -1);
		/* What it said before it went comes first, then its end. */
		if (error == -EAGAIN || error == -EPIPE || error == -ECONNRESET)
			break;
		if (error != 0) {
			priv_break(priv, "the channel to the helper failed");
			return;
		}
		(void)queue_take(&priv->waiting, 0);
		request->sequence = priv->channel->sent;
		if (request->fd != -1)
			close(request->fd);
		request->fd = -1;
		queue_add(&priv->sent, request);
	}
	if (loop_modify(priv->loop, &priv->watch,
		EPOLLIN | (error == -EAGAIN ? EPOLLOUT : 0)) != 0)
		priv_break(priv, "the channel cannot be watched");
}

#define TALKS (O_RDWR | O_NONBLOCK)
#define HEARS (O_RDONLY | O_NONBLOCK)

/* What comes with an answer, where anything does. */
static const struct shape {
	uint16_t op;
	uint32_t variant;
	uint32_t fds; /* of the reply */
	uint32_t nfds;
	int modes[2];
} shapes[] = {
	{ MSG_START, 0, 1, 1, { TALKS } },
	{ MSG_START, 0, 2, 1, { TALKS } },
	{ MSG_START, 0, 3, 2, { TALKS, TALKS } },
	{ MSG_STDIO, MSG_STDIN, 0, 1, { O_WRONLY } },
	/* With a terminal. */
	{ MSG_CREATE, 0, MSG_FDS_TERMINAL, 1, { TALKS } },
	{ MSG_START, 0, MSG_FDS_TERMINAL, 1, { TALKS } },
	{ MSG_STDIO, MSG_STDIN, 0, 2, { O_WRONLY, HEARS } },
	{ MSG_STDIO, MSG_STDOUT, 0, 1, { TALKS } },
	/* To read, and to write as well. */
	{ MSG_CGROUP, 0, 0, 1, { O_RDONLY } },
	{ MSG_CGROUP, 0, MSG_FDS_CGROUP2, 1, { O_RDONLY } },
	{ MSG_CGROUP, 1, 0, 1, { O_RDWR } },
	{ MSG_CGROUP, 1, MSG_FDS_CGROUP2, 1, { O_RDWR } },
};

/* What of the request itself decides about the answer. */
static uint32_t
request_variant(const struct request *request)
{
	if (request->op == MSG_STDIO)
		return (request->body.stdio.stream);
	return (request->op == MSG_CGROUP &&
	    request->body.choice.which <= MSG_CGROUP_FREEZE);
}

/* Finds what an answer with descriptors looks like, or NULL. */
static const struct shape *
shape_find(const struct request *request, const struct msg *message)
{
	const struct shape *shape = shapes,
			   *end = shape + sizeof(shapes) / sizeof(shapes[0]);

	/* The master of a container has come before its start. */
	if (request->op == MSG_START && request->body.ref.exec[0] == '\0' &&
	    message->body.reply.fds == MSG_FDS_TERMINAL)
		return (NULL);
	for (; shape < end; shape++) {
		if (shape->op == request->op &&
		    shape->variant == request_variant(request) &&
		    shape->fds == message->body.reply.fds &&
		    shape->nfds == message->header.nfds)
			return (shape);
	}
	return (NULL);
}

/* Whether a descriptor is open so; it may be non-blocking in any case. */
static int
mode_fits(int fd, int mode)
{
	int flags = fcntl(fd, F_GETFL);

	return (flags != -1 && (flags & O_ACCMODE) == (mode & O_ACCMODE) &&
	    (flags & mode & O_NONBLOCK) == (mode & O_NONBLOCK));
}

/* Checks an answer against its request.  Returns NULL or what is wrong. */
static const char *
reply_check(const struct request *request, const struct msg *message,
    const int fds[MSG_FDS_MAX])
{
	const struct msg_reply *reply = &message->body.reply;
	const struct shape *shape = NULL;
	uint32_t i;

	if (reply->error == 0)
		shape = shape_find(request, message);
	if (shape == NULL &&
	    (message->header.nfds != 0 || reply->fds != 0 ||
		(reply->error == 0 && request->op == MSG_CGROUP) ||
		(reply->error == 0 && request->op == MSG_STDIO &&
		    request->body.stdio.stream == MSG_STDIN)))
		return ("the helper sent descriptors nobody asked for");
	for (i = 0; shape != NULL && i < shape->nfds; i++) {
		if (!mode_fits(fds[i], shape->modes[i]))
			return ("the helper sent a descriptor of another kind");
	}
	if (reply->error == 0 &&
	    (request->op == MSG_CREATE || request->op == MSG_START) &&
	    (reply->pid < 2 || reply->pid > PID_MAX))
		return ("the helper named an impossible process");
	return (NULL);
}

/* Takes fds.  Returns NULL or what is wrong. */
static const char *
take_reply(struct priv *priv, const struct msg *message, int fds[MSG_FDS_MAX])
{
	const struct msg_reply *reply = &message->body.reply;
	struct request *request;
	const char *wrong;

	request = queue_take(&priv->sent, reply->request);
	if (request == NULL)
		return ("the helper answered what was not asked");
	if ((wrong = reply_check(request, message, fds)) != NULL) {
		/* It is still to be completed, with all the others. */
		queue_add(&priv->sent, request);
		return (wrong);
	}
	/* Of a lone stderr, so that [1] is always stderr. */
	if (request->op == MSG_START && reply->fds == 2) {
		fds[1] = fds[0];
		fds[0] = -1;
	}
	request->done(request->arg, reply, fds);
	memset(fds, -1, sizeof(*fds) * MSG_FDS_MAX);
	request_free(request);
	return (NULL);
}

static const char *
take_ready(struct priv *priv, const struct msg *message)
{
	if (priv->ready ||
	    message->body.ready.helper_pid != (uint32_t)priv->helper)
		return ("the helper is not the one that was started");
	priv->ready = 1;
	priv->handlers.ready(priv->arg);
	return (NULL);
}

/* Takes the descriptors that it uses out of fds. */
static const char *
take_message(struct priv *priv, const struct msg *message, int fds[MSG_FDS_MAX])
{
	uint16_t op = message->header.op;

	if (endpoint_body_check(op, &message->body, message->header.length) !=
	    0)
		return ("the helper sent a malformed message");
	if (op != MSG_REPLY && message->header.nfds != 0)
		return ("the helper sent descriptors nobody asked for");
	if (op == MSG_READY)
		return (take_ready(priv, message));
	if (!priv->ready)
		return ("the helper spoke before it was ready");
	if (op == MSG_REPLY)
		return (take_reply(priv, message, fds));
	if (priv->handlers.exited(priv->arg, &message->body.exited) != 0)
		return ("the helper reported an end that cannot be");
	return (NULL);
}

static void
receive_some(struct priv *priv)
{
	struct msg message;
	const char *wrong;
	int fds[MSG_FDS_MAX], i, n, turn;

	for (turn = 0; turn < BURST && priv->why == NULL; turn++) {
		n = channel_receive(priv->channel, &message, fds);
		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n <= 0) {
			priv_break(priv,
			    n == 0 ? "the helper has ended" :
				     "the channel failed");
			return;
		}
		if ((wrong = take_message(priv, &message, fds)) != NULL)
			priv_break(priv, wrong);
		for (i = 0; i < MSG_FDS_MAX; i++) {
			if (fds[i] != -1)
				close(fds[i]);
		}
	}
}

static void
on_channel(void *arg, uint32_t events)
{
	struct priv *priv = arg;

	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		receive_some(priv);
	/* Answers make room for requests. */
	if (priv->why == NULL)
		send_some(priv);
	else
		session_end(priv);
}

struct priv *
priv_new(struct loop *loop, struct channel *channel, pid_t helper,
    const struct priv_handlers *handlers, void *arg)
{
	struct priv *priv;
	int error;

	if ((priv = calloc(1, sizeof(*priv))) == NULL)
		return (NULL);
	priv->loop = loop;
	priv->channel = channel;
	priv->helper = helper;
	priv->handlers = *handlers;
	priv->arg = arg;
	queue_init(&priv->waiting);
	queue_init(&priv->sent);
	error = loop_add(loop, &priv->watch, channel->fd, EPOLLIN, on_channel,
	    priv);
	if (error != 0) {
		free(priv);
		errno = -error;
		return (NULL);
	}
	return (priv);
}

void
priv_free(struct priv *priv)
{
	loop_timer_cancel(priv->loop, &priv->breaker);
	if (!priv->lost)
		loop_remove(priv->loop, &priv->watch);
	queue_free(&priv->sent);
	queue_free(&priv->waiting);
	free(priv);
}

/* Queues a request; takes fd in any case. */
static int
submit(struct priv *priv, uint16_t op, const union msg_body *body,
    uint32_t length, int fd, priv_done *done, void *arg)
{
	struct request *request = NULL;
	int error = 0;

	if (priv->why != NULL)
		error = -ENOTCONN;
	else if (msg_body_check(op, body, length) != 0)
		error = -EINVAL;
	else if (priv->waiting.length >= PRIV_QUEUE_MAX)
		error = -ENOBUFS;
	else if ((request = malloc(sizeof(*request))) == NULL)
		error = -ENOMEM;
	if (error != 0) {
		if (fd != -1)
			close(fd);
		return (error);
	}
	request->done = done;
	request->arg = arg;
	request->sequence = 0;
	request->fd = fd;
	request->op = op;
	request->length = length;
	memcpy(&request->body, body, length);
	queue_add(&priv->waiting, request);
	send_some(priv);
	return (0);
}

static int
submit_ref(struct priv *priv, uint16_t op, const struct msg_ref *ref, int fd,
    priv_done *done, void *arg)
{
	const union msg_body body = { .ref = *ref };

	return (submit(priv, op, &body, sizeof(body.ref), fd, done, arg));
}

int
priv_prepare(struct priv *priv, const struct msg_ref *ref, priv_done *done,
    void *arg)
{
	return (submit_ref(priv, MSG_PREPARE, ref, -1, done, arg));
}

int
priv_create(struct priv *priv, const struct msg_ref *ref, priv_done *done,
    void *arg)
{
	return (submit_ref(priv, MSG_CREATE, ref, -1, done, arg));
}

int
priv_start(struct priv *priv, const struct msg_ref *ref, priv_done *done,
    void *arg)
{
	return (submit_ref(priv, MSG_START, ref, -1, done, arg));
}

int
priv_delete(struct priv *priv, const struct msg_ref *ref, priv_done *done,
    void *arg)
{
	return (submit_ref(priv, MSG_DELETE, ref, -1, done, arg));
}

int
priv_exec(struct priv *priv, const struct msg_ref *ref, int spec_fd,
    priv_done *done, void *arg)
{
	return (submit_ref(priv, MSG_EXEC, ref, spec_fd, done, arg));
}

int
priv_signal(struct priv *priv, const struct msg_ref *ref, uint32_t signo,
    int all, priv_done *done, void *arg)
{
	union msg_body body = { .signal = { .ref = *ref, .signo = signo } };

	body.signal.all = all != 0;
	return (submit(priv, MSG_SIGNAL, &body, sizeof(body.signal), -1, done,
	    arg));
}

int
priv_stdio(struct priv *priv, const struct msg_ref *ref, enum msg_stream stream,
    int file, const char *path, priv_done *done, void *arg)
{
	union msg_body body = { .stdio = { .ref = *ref, .stream = stream } };

	body.stdio.file = file != 0;
	if (strlen(path) >= sizeof(body.stdio.path))
		return (-EINVAL);
	strcpy(body.stdio.path, path);
	return (
	    submit(priv, MSG_STDIO, &body, sizeof(body.stdio), -1, done, arg));
}

static int
submit_choice(struct priv *priv, uint16_t op, const struct msg_ref *ref,
    uint32_t which, priv_done *done, void *arg)
{
	const union msg_body body = { .choice = { *ref, which } };

	return (submit(priv, op, &body, sizeof(body.choice), -1, done, arg));
}

int
priv_cgroup(struct priv *priv, const struct msg_ref *ref, enum msg_cgroup file,
    priv_done *done, void *arg)
{
	return (submit_choice(priv, MSG_CGROUP, ref, file, done, arg));
}

int
priv_publish(struct priv *priv, const struct msg_ref *ref,
    enum event_kind event, priv_done *done, void *arg)
{
	return (submit_choice(priv, MSG_PUBLISH, ref, event, done, arg));
}
