/*
 * A client that may send anything, to the whole Task service over an engine
 * whose helper answers every request at once with success and then dies.
 * What has a name that begins with t has a terminal, whatever was asked for; the
 * cgroup of what has one that begins with u is of version 2.
 * Every answer is a message, and nothing is left behind.
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "privsep/channel.h"
#include "regress/fuzz/fuzz.h"
#include "shim/frame.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "shim/task.h"
#include "unpriv/endpoint.h"
#include "unpriv/priv.h"

#define INPUT_MAX 4096 /* bytes; a socket takes them at once */
#define PID	  100
#define ROUNDS	  2 /* of the loop: enough for what one frame leads to */

static struct loop *loop;
static struct channel shim, helper;

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
settle(void)
{
	struct loop_timer timer = { .armed = 0 };
	int i;

	for (i = 0; i < ROUNDS; i++) {
		loop_timer_set(loop, &timer, 0, stop, loop);
		must(loop_run(loop) == 0);
		loop_timer_cancel(loop, &timer);
	}
}

static void
ignore(void *arg)
{
	(void)arg;
}

static void
ignore_id(void *arg, const char *id)
{
	(void)arg;
	(void)id;
}

static void
ignore_count(void *arg, size_t containers)
{
	(void)arg;
	(void)containers;
}

static void
ignore_loss(void *arg, const char *why)
{
	(void)arg;
	(void)why;
}

static int
has_terminal(const struct msg_ref *ref)
{
	return ((ref->exec[0] != '\0' ? ref->exec : ref->id)[0] == 't');
}

/* Opens what comes with an answer; returns how many that are. */
static uint32_t
answer_fds(const struct msg *request, struct msg_reply *reply, int fds[2])
{
	const union msg_body *body = &request->body;
	uint16_t op = request->header.op;
	int terminal = has_terminal(&body->ref);
	int in = op == MSG_STDIO && body->stdio.stream == MSG_STDIN;
	int out = op == MSG_STDIO && body->stdio.stream == MSG_STDOUT;
	int master = op == (body->ref.exec[0] == '\0' ? MSG_CREATE : MSG_START);
	int ends[2];

	reply->fds = terminal && master ? MSG_FDS_TERMINAL : 0;
	if (in) {
		must(pipe2(ends, O_NONBLOCK) == 0);
		fds[0] = ends[1];
		fds[1] = ends[0];
		if (terminal)
			return (2);
		close(fds[1]);
		return (1);
	}
	if (!terminal || (!master && !out))
		return (0);
	fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	must(fds[0] != -1);
	return (1);
}

/* The same of a file of a cgroup; there is no swap. */
static uint32_t
cgroup_fds(const struct msg *request, struct msg_reply *reply, int fds[2])
{
	const struct msg_choice *choice = &request->body.choice;

	if (choice->which == MSG_CGROUP_SWAP) {
		reply->error = -ENOENT;
		reply->step = MSG_STEP_REQUEST;
		return (0);
	}
	if (choice->ref.id[0] == 'u')
		reply->fds = MSG_FDS_CGROUP2;
	/* What is written to it is in it. */
	if (choice->which <= MSG_CGROUP_FREEZE)
		fds[0] = memfd_create("file", MFD_CLOEXEC);
	else
		fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	must(fds[0] != -1);
	return (1);
}

/* Plays the helper, as long as there are requests; every signal kills. */
static void
helper_answer(void)
{
	struct msg_reply reply;
	struct msg_exited exited = { .pid = PID, .status = 137 };
	struct msg message;
	int fds[MSG_FDS_MAX];
	uint32_t n;

	while (channel_receive(&helper, &message, fds) == 1) {
		if (fds[0] != -1)
			close(fds[0]);
		reply = (struct msg_reply){ .pid = PID,
			.request = message.header.sequence };
		if (message.header.op == MSG_CGROUP)
			n = cgroup_fds(&message, &reply, fds);
		else
			n = answer_fds(&message, &reply, fds);
		must(channel_send(&helper, MSG_REPLY, &reply, sizeof(reply),
			 fds, n) == 0);
		while (n-- > 0)
			close(fds[n]);
		exited.ref = message.body.ref;
		must(message.header.op != MSG_SIGNAL ||
		    channel_send(&helper, MSG_EXITED, &exited, sizeof(exited),
			NULL, 0) == 0);
		settle();
	}
}

/* The length of the first frame, or of all there is. */
static size_t
frame_size(const uint8_t *data, size_t size)
{
	struct frame_header header;

	if (size < FRAME_HEADER_SIZE)
		return (size);
	frame_decode(data, &header);
	if (header.length > size - FRAME_HEADER_SIZE)
		return (size);
	return (FRAME_HEADER_SIZE + header.length);
}

/* Once, since keys take time. */
static void
channels_open(void)
{
	const uint8_t key[CHANNEL_KEY_SIZE] = { 0 };

	must(channel_open(&shim, -1, CHANNEL_SHIM, key, getpid(), geteuid()) ==
		0 &&
	    channel_open(&helper, -1, CHANNEL_HELPER, key, getpid(),
		geteuid()) == 0);
}

static struct engine *
engine_begin(void)
{
	static const struct engine_handlers handlers = {
		.ready = ignore,
		.changed = ignore_count,
		.lost = ignore_loss,
	};
	const struct msg_ready ready = { .helper_pid = (uint32_t)getpid() };
	struct engine *engine;
	int fds[2];

	if (shim.keys == NULL)
		channels_open();
	must(endpoint_pair(fds) == 0);
	shim.fd = fds[0];
	helper.fd = fds[1];
	shim.sent = shim.received = helper.sent = helper.received = 0;
	engine = engine_new(loop, &shim, getpid(), &handlers, NULL);
	must(engine != NULL &&
	    channel_send(&helper, MSG_READY, &ready, sizeof(ready), NULL, 0) ==
		0);
	return (engine);
}

/* Each answer is whole and is a message; the last may be on its way. */
static void
answers_check(int fd)
{
	static uint8_t data[1 << 18];
	const ssize_t n = read(fd, data, sizeof(data));
	struct frame_header header;
	ProtobufCMessage *message;
	size_t at, left;

	for (at = 0; n > 0 && (left = (size_t)n - at) >= FRAME_HEADER_SIZE;
	     at += FRAME_HEADER_SIZE + header.length) {
		frame_decode(data + at, &header);
		must(header.type == FRAME_RESPONSE &&
		    header.length <= FRAME_DATA_MAX);
		if (header.length > left - FRAME_HEADER_SIZE)
			break;
		message =
		    protobuf_c_message_unpack(&ttrpc__response__descriptor,
			NULL, header.length, data + at + FRAME_HEADER_SIZE);
		must(message != NULL && protobuf_c_message_check(message));
		protobuf_c_message_free_unpacked(message, NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct task_service service = { .shim_pid = 1,
		.create = ignore_id,
		.shutdown = ignore_id };
	struct ttrpc_server *server;
	size_t n;
	int before, fds[2];

	if (size > INPUT_MAX)
		return (-1);
	before = fds_count();
	must((loop = loop_new()) != NULL);
	service.engine = engine_begin();
	server = ttrpc_new(loop, -1, 0, task_dispatch, &service);
	must(server != NULL &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0 &&
	    ttrpc_add(server, fds[1]) == 0);
	for (; size > 0; data += n, size -= n) {
		n = frame_size(data, size);
		must(write(fds[0], data, n) == (ssize_t)n);
		settle();
		helper_answer();
	}
	close(helper.fd);
	settle();
	answers_check(fds[0]);
	close(fds[0]);
	ttrpc_free(server);
	engine_free(service.engine);
	close(shim.fd);
	loop_free(loop);
	must(fds_count() == before);
	return (0);
}
