/*
 * The ttrpc server against a client that knows only bytes.  The vectors were
 * recorded between Go's client and server.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <atf-c.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regress/unit/settle.h"
#include "shim/frame.h"
#include "shim/proto/task.pb-c.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "shim/task.h"
#include "shim/ttrpc.h"
#include "shim/wire.h"

#define CALLS	      5000
#define LITERAL(text) (const uint8_t *)(text), sizeof(text) - 1

#define CONNECT_REQUEST                            \
	"\x00\x00\x00\x4f\x00\x00\x00\x01\x01\x00" \
	"\x0a\x17"                                 \
	"containerd.task.v2.Task"                  \
	"\x12\x07"                                 \
	"Connect"                                  \
	"\x1a\x05\x0a\x03"                         \
	"abc"                                      \
	"\x2a\x24\x0a\x1a"                         \
	"containerd-namespace-ttrpc"               \
	"\x12\x06"                                 \
	"k8s.io"
#define CONNECT_RESPONSE                           \
	"\x00\x00\x00\x08\x00\x00\x00\x01\x02\x00" \
	"\x12\x06\x08\xac\x02\x10\xad\x02"
#define NOT_FOUND_RESPONSE                                                 \
	"\x00\x00\x00\x29\x00\x00\x00\x01\x02\x00\x0a\x27\x08\x05\x12\x23" \
	"process already finished: not found"
#define EMPTY_RESPONSE "\x00\x00\x00\x00\x00\x00\x00\x01\x02\x00"

/* What the server has dispatched; answered by the tests. */
static struct ttrpc_call *calls[CALLS];
static size_t ncalls;
static char last_service[64], last_method[64];
static size_t last_size;
static uint8_t last_payload[16];
static int cancelled;

static struct loop *loop;
static struct ttrpc_server *server;

static void
dispatch(void *arg, struct ttrpc_call *call, const char *service,
    const char *method, const ProtobufCBinaryData *payload)
{
	ATF_REQUIRE(arg == &loop);
	ATF_REQUIRE(ncalls < CALLS);
	calls[ncalls++] = call;
	snprintf(last_service, sizeof(last_service), "%s", service);
	snprintf(last_method, sizeof(last_method), "%s", method);
	last_size = payload->len;
	if (last_size > 0 && last_size <= sizeof(last_payload))
		memcpy(last_payload, payload->data, last_size);
}

static void
begin(void)
{
	ATF_REQUIRE((loop = loop_new()) != NULL);
	server = ttrpc_new(loop, -1, geteuid(), dispatch, &loop);
	ATF_REQUIRE(server != NULL);
}

static void
end(void)
{
	ttrpc_free(server);
	loop_free(loop);
}

/* A client; the server has the other end. */
static int
client_new(void)
{
	int fds[2];

	ATF_REQUIRE_EQ(socketpair(AF_UNIX,
			   SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
	    0);
	ATF_REQUIRE_EQ(ttrpc_add(server, fds[1]), 0);
	return (fds[0]);
}

static void
client_send(int fd, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	while (size > 0) {
		n = write(fd, bytes, size);
		ATF_REQUIRE(n > 0 || errno == EAGAIN);
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
		settle(loop);
	}
}

/* A request of a payload of so many bytes; freed by the caller. */
static uint8_t *
request_new(uint32_t stream, size_t payload_size, size_t *size)
{
	Ttrpc__Request request = TTRPC__REQUEST__INIT;
	struct frame_header header = { .stream = stream,
		.type = FRAME_REQUEST };
	uint8_t *bytes;

	request.service = (char *)(uintptr_t) "service";
	request.method = (char *)(uintptr_t) "Method";
	request.payload.len = payload_size;
	request.payload.data = calloc(1, payload_size + 1);
	header.length = (uint32_t)ttrpc__request__get_packed_size(&request);
	*size = FRAME_HEADER_SIZE + header.length;
	bytes = malloc(*size);
	ATF_REQUIRE(bytes != NULL && request.payload.data != NULL);
	frame_encode(&header, bytes);
	ttrpc__request__pack(&request, bytes + FRAME_HEADER_SIZE);
	free(request.payload.data);
	return (bytes);
}

static void
client_request(int fd, uint32_t stream)
{
	size_t size;
	uint8_t *bytes = request_new(stream, 4, &size);

	client_send(fd, bytes, size);
	free(bytes);
}

/* The server has answered exactly so. */
static void
expect_bytes(int fd, const uint8_t *bytes, size_t size)
{
	uint8_t buffer[4096];
	ssize_t n;

	settle(loop);
	n = read(fd, buffer, sizeof(buffer));
	ATF_REQUIRE_EQ_MSG(n, (ssize_t)size, "%zd bytes", n);
	ATF_CHECK_EQ(memcmp(buffer, bytes, size), 0);
}

static void
expect_nothing(int fd)
{
	char byte;

	settle(loop);
	ATF_REQUIRE_EQ(read(fd, &byte, 1), -1);
	ATF_REQUIRE_EQ(errno, EAGAIN);
}

static void
expect_closed(int fd)
{
	char byte;
	ssize_t n;

	settle(loop);
	n = read(fd, &byte, 1);
	ATF_REQUIRE(n == 0 || (n == -1 && errno == ECONNRESET));
}

/* The next answer on fd: its stream and code. */
static void
expect_answer(int fd, uint32_t stream, enum status_code code)
{
	uint8_t bytes[FRAME_HEADER_SIZE], data[1024];
	struct frame_header header;
	Ttrpc__Response *response;

	settle(loop);
	ATF_REQUIRE_EQ(read(fd, bytes, sizeof(bytes)), FRAME_HEADER_SIZE);
	frame_decode(bytes, &header);
	ATF_REQUIRE_EQ(header.type, FRAME_RESPONSE);
	ATF_REQUIRE_EQ(header.flags, 0);
	ATF_REQUIRE_EQ_MSG(header.stream, stream, "stream %u", header.stream);
	ATF_REQUIRE(header.length <= sizeof(data));
	if (header.length > 0)
		ATF_REQUIRE_EQ(read(fd, data, header.length),
		    (ssize_t)header.length);
	response = ttrpc__response__unpack(NULL, header.length, data);
	ATF_REQUIRE(response != NULL);
	ATF_CHECK_EQ_MSG(response->status == NULL ?
		STATUS_OK :
		(enum status_code)response->status->code,
	    code, "code %d",
	    response->status == NULL ? 0 : response->status->code);
	ttrpc__response__free_unpacked(response, NULL);
}

static void
fail_call(struct ttrpc_call *call, enum status_code code, const char *text)
{
	struct status status;

	status_set(&status, code, "%s", text);
	ttrpc_fail(call, &status);
}

static void
count_frames(void *arg, const struct frame_header *header, const uint8_t *data)
{
	static const uint8_t want[] = CONNECT_REQUEST;

	ATF_CHECK_EQ(header->length, 79);
	ATF_CHECK_EQ(header->stream, 1);
	ATF_CHECK_EQ(memcmp(data, want + FRAME_HEADER_SIZE, 79), 0);
	++*(int *)arg;
}

ATF_TC_WITHOUT_HEAD(ttrpc_puts_frames_together_from_pieces_of_any_size);
ATF_TC_BODY(ttrpc_puts_frames_together_from_pieces_of_any_size, tc)
{
	static const uint8_t bytes[] = CONNECT_REQUEST CONNECT_REQUEST;
	const size_t size = sizeof(bytes) - 1;
	size_t at, n, piece;

	for (piece = 1; piece <= size; piece++) {
		struct frame_reader reader = { .nbytes = 0 };
		int frames = 0;

		for (at = 0; at < size; at += n) {
			n = piece < size - at ? piece : size - at;
			ATF_REQUIRE_EQ(frame_feed(&reader, bytes + at, n,
					   count_frames, &frames),
			    0);
		}
		ATF_CHECK_EQ(frames, 2);
		ATF_CHECK(reader.data == NULL);
		frame_reset(&reader);
	}
}

ATF_TC_WITHOUT_HEAD(ttrpc_reads_and_answers_what_containerd_sends);
ATF_TC_BODY(ttrpc_reads_and_answers_what_containerd_sends, tc)
{
	Containerd__Task__V2__ConnectResponse response =
	    CONTAINERD__TASK__V2__CONNECT_RESPONSE__INIT;
	int fd;

	begin();
	fd = client_new();
	client_send(fd, LITERAL(CONNECT_REQUEST));
	ATF_REQUIRE_EQ(ncalls, 1);
	ATF_CHECK_STREQ(last_service, "containerd.task.v2.Task");
	ATF_CHECK_STREQ(last_method, "Connect");
	ATF_REQUIRE_EQ(last_size, 5);
	ATF_CHECK_EQ(memcmp(last_payload,
			 "\x0a\x03"
			 "abc",
			 5),
	    0);
	response.shim_pid = 300;
	response.task_pid = 301;
	ttrpc_reply(calls[0], &response.base);
	expect_bytes(fd, LITERAL(CONNECT_RESPONSE));
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_writes_errors_as_go_does);
ATF_TC_BODY(ttrpc_writes_errors_as_go_does, tc)
{
	int fd;

	begin();
	fd = client_new();
	client_send(fd, LITERAL(CONNECT_REQUEST));
	fail_call(calls[0], STATUS_NOT_FOUND,
	    "process already finished: not found");
	expect_bytes(fd, LITERAL(NOT_FOUND_RESPONSE));
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_writes_the_empty_answer_as_an_empty_frame);
ATF_TC_BODY(ttrpc_writes_the_empty_answer_as_an_empty_frame, tc)
{
	int fd;

	begin();
	fd = client_new();
	client_send(fd, LITERAL(CONNECT_REQUEST));
	ttrpc_reply(calls[0], NULL);
	expect_bytes(fd, LITERAL(EMPTY_RESPONSE));
	end();
}

/* What the Task service says of names that it does not know. */
ATF_TC_WITHOUT_HEAD(task_names_the_service_or_method_that_is_not_there);
ATF_TC_BODY(task_names_the_service_or_method_that_is_not_there, tc)
{
	static const uint8_t service[] =
	    "\x00\x00\x00\x25\x00\x00\x00\x01\x02\x00\x0a\x23\x08\x0c\x12\x1f"
	    "service containerd.task.v3.Task";
	static const uint8_t method[] =
	    "\x00\x00\x00\x10\x00\x00\x00\x03\x02\x00\x0a\x0e\x08\x0c\x12\x0a"
	    "method Foo";
	struct task_service task = { .shim_pid = 1 };
	const ProtobufCBinaryData none = { 0, NULL };
	int fd;

	begin();
	fd = client_new();
	client_request(fd, 1);
	task_dispatch(&task, calls[0], "containerd.task.v3.Task", "Create",
	    &none);
	expect_bytes(fd, service, sizeof(service) - 1);
	client_request(fd, 3);
	task_dispatch(&task, calls[1], "containerd.task.v2.Task", "Foo", &none);
	expect_bytes(fd, method, sizeof(method) - 1);
	end();
}

ATF_TC_WITHOUT_HEAD(task_says_of_a_method_that_it_lacks_that_it_does);
ATF_TC_BODY(task_says_of_a_method_that_it_lacks_that_it_does, tc)
{
	struct task_service task = { .shim_pid = 1 };
	const ProtobufCBinaryData none = { 0, NULL };
	int fd;

	begin();
	fd = client_new();
	client_request(fd, 1);
	task_dispatch(&task, calls[0], "containerd.task.v2.Task", "Checkpoint",
	    &none);
	expect_answer(fd, 1, STATUS_UNIMPLEMENTED);
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_answers_many_calls_in_any_order);
ATF_TC_BODY(ttrpc_answers_many_calls_in_any_order, tc)
{
	uint8_t *one, *all;
	size_t size;
	int fd, i;

	begin();
	fd = client_new();
	all = malloc(1000);
	/* In one piece, so that one read has several frames. */
	for (i = 0; i < 10; i++) {
		one = request_new((uint32_t)i * 2 + 1, 4, &size);
		ATF_REQUIRE(size <= 100);
		memcpy(all + (size_t)i * size, one, size);
		free(one);
	}
	client_send(fd, all, 10 * size);
	ATF_REQUIRE_EQ(ncalls, 10);
	for (i = 9; i >= 0; i--) {
		ttrpc_reply(calls[i], NULL);
		expect_answer(fd, (uint32_t)i * 2 + 1, STATUS_OK);
	}
	free(all);
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_refuses_streams_that_are_even_or_do_not_grow);
ATF_TC_BODY(ttrpc_refuses_streams_that_are_even_or_do_not_grow, tc)
{
	static const uint32_t streams[] = { 0, 2, 5, 3, 1, 4294967294u };
	size_t i;
	int fd;

	begin();
	fd = client_new();
	client_request(fd, 5);
	ATF_REQUIRE_EQ(ncalls, 1);
	for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		client_request(fd, streams[i]);
		expect_answer(fd, streams[i], STATUS_INVALID_ARGUMENT);
	}
	client_request(fd, 7);
	ATF_CHECK_EQ(ncalls, 2);
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_refuses_streaming_and_ignores_unknown_frames);
ATF_TC_BODY(ttrpc_refuses_streaming_and_ignores_unknown_frames, tc)
{
	size_t size;
	uint8_t *bytes;
	int fd;

	begin();
	fd = client_new();
	bytes = request_new(1, 4, &size);
	bytes[9] = 0x02;
	client_send(fd, bytes, size);
	expect_answer(fd, 1, STATUS_UNIMPLEMENTED);
	bytes[9] = 0;
	bytes[8] = FRAME_DATA;
	client_send(fd, bytes, size);
	bytes[8] = FRAME_RESPONSE;
	client_send(fd, bytes, size);
	bytes[8] = 0xff;
	client_send(fd, bytes, size);
	expect_nothing(fd);
	ATF_CHECK_EQ(ncalls, 0);
	client_request(fd, 3);
	ATF_CHECK_EQ(ncalls, 1);
	free(bytes);
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_takes_4_mib_and_passes_over_what_is_longer);
ATF_TC_BODY(ttrpc_takes_4_mib_and_passes_over_what_is_longer, tc)
{
	const struct frame_header longer = { FRAME_DATA_MAX + 1, 3,
		FRAME_REQUEST, 0 };
	size_t size;
	uint8_t *bytes;
	int fd;

	begin();
	fd = client_new();
	bytes = request_new(1, FRAME_DATA_MAX - 22, &size);
	ATF_REQUIRE_EQ(size, FRAME_DATA_MAX + FRAME_HEADER_SIZE);
	client_send(fd, bytes, size);
	ATF_REQUIRE_EQ(ncalls, 1);
	ATF_CHECK_EQ(last_size, FRAME_DATA_MAX - 22);
	frame_encode(&longer, bytes);
	client_send(fd, bytes, FRAME_HEADER_SIZE);
	expect_answer(fd, 3, STATUS_RESOURCE_EXHAUSTED);
	client_send(fd, bytes, longer.length);
	client_request(fd, 3);
	ATF_CHECK_EQ(ncalls, 2);
	free(bytes);
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_refuses_malformed_requests_one_by_one);
ATF_TC_BODY(ttrpc_refuses_malformed_requests_one_by_one, tc)
{
	static const char *const bodies[] = {
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", /* varint */
		"\x0a\x05"
		"abc", /* longer than it is */
		"\x0a\x02"
		"\xc3\x28", /* not UTF-8 */
		"\x0b\x0c", /* a group */
		"\x07",	    /* no such kind of field */
		"\x02\x01"
		"a", /* field 0 */
		"\x2a\x04\x0a\x02"
		"a\xff",    /* not UTF-8, inside */
		"\x08\x01", /* a number for a string */
	};
	struct frame_header header = { 0, 1, FRAME_REQUEST, 0 };
	uint8_t bytes[64];
	size_t i;
	int fd;

	begin();
	fd = client_new();
	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		header.length = (uint32_t)strlen(bodies[i]);
		header.stream = (uint32_t)i * 2 + 1;
		frame_encode(&header, bytes);
		memcpy(bytes + FRAME_HEADER_SIZE, bodies[i], header.length);
		client_send(fd, bytes, FRAME_HEADER_SIZE + header.length);
		ATF_CHECK_EQ_MSG(ncalls, 0, "accepted body %zu", i);
		expect_answer(fd, header.stream, STATUS_INVALID_ARGUMENT);
	}
	client_request(fd, 1001);
	ATF_CHECK_EQ(ncalls, 1);
	end();
}

ATF_TC_WITHOUT_HEAD(wire_refuses_what_would_be_misread_or_would_swell);
ATF_TC_BODY(wire_refuses_what_would_be_misread_or_would_swell, tc)
{
	static const uint8_t nul[] = { 0x0a, 3, 'a', 0, 'b' };
	const ProtobufCMessageDescriptor *type =
	    &containerd__task__v2__create_task_request__descriptor;
	uint8_t mounts[2 * (WIRE_FIELDS_MAX + 1)], *p;

	ATF_CHECK_EQ(wire_check(type, nul, 3), -EBADMSG);
	ATF_CHECK_EQ(wire_check(type, nul, sizeof(nul)), -EBADMSG);
	ATF_CHECK_EQ(wire_check(type,
			 (const uint8_t *)"\x0a\x01"
					  "a",
			 3),
	    0);
	ATF_CHECK_EQ(wire_check(type, NULL, 0), 0);
	for (p = mounts; p < mounts + sizeof(mounts); p += 2) {
		p[0] = 0x1a;
		p[1] = 0;
	}
	ATF_CHECK_EQ(wire_check(type, mounts, sizeof(mounts) - 2), 0);
	ATF_CHECK_EQ(wire_check(type, mounts, sizeof(mounts)), -EBADMSG);
	/* Unknown fields are no way around. */
	for (p = mounts; p < mounts + sizeof(mounts); p += 2)
		p[0] = 0x7a;
	ATF_CHECK_EQ(wire_check(type, mounts, sizeof(mounts)), -EBADMSG);
}

ATF_TC_WITHOUT_HEAD(ttrpc_answers_a_client_that_has_closed_its_half);
ATF_TC_BODY(ttrpc_answers_a_client_that_has_closed_its_half, tc)
{
	int fd;

	begin();
	fd = client_new();
	client_request(fd, 1);
	ATF_REQUIRE_EQ(shutdown(fd, SHUT_WR), 0);
	expect_nothing(fd);
	ttrpc_reply(calls[0], NULL);
	expect_answer(fd, 1, STATUS_OK);
	expect_closed(fd);
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_closes_half_a_frame_without_an_answer);
ATF_TC_BODY(ttrpc_closes_half_a_frame_without_an_answer, tc)
{
	int fd;

	begin();
	fd = client_new();
	client_send(fd, (const uint8_t *)CONNECT_REQUEST, 40);
	ATF_REQUIRE_EQ(shutdown(fd, SHUT_WR), 0);
	expect_closed(fd);
	ATF_CHECK_EQ(ncalls, 0);
	end();
}

static void
cancel(void *arg)
{
	ATF_CHECK(arg == &cancelled);
	cancelled++;
}

ATF_TC_WITHOUT_HEAD(ttrpc_drops_the_calls_of_a_client_that_goes);
ATF_TC_BODY(ttrpc_drops_the_calls_of_a_client_that_goes, tc)
{
	int fd;

	begin();
	fd = client_new();
	client_request(fd, 1);
	client_request(fd, 3);
	client_request(fd, 5);
	ttrpc_on_cancel(calls[0], cancel, &cancelled);
	ttrpc_on_cancel(calls[2], cancel, &cancelled);
	settle(loop);
	ATF_CHECK_EQ(cancelled, 0);
	close(fd);
	settle(loop);
	ATF_CHECK_EQ(cancelled, 2);
	/* One that is under way ends in nothing. */
	ttrpc_reply(calls[1], NULL);
	settle(loop);
	end();
}

/* Sends requests, each answered at once, for as long as they are taken. */
static void
client_flood(int fd)
{
	size_t size, sent = 0;
	uint32_t stream = 1;
	uint8_t *bytes;
	ssize_t n;

	do {
		bytes = request_new(stream, 4, &size);
		n = write(fd, bytes, size);
		free(bytes);
		stream += 2;
		sent += size;
		ATF_REQUIRE_MSG(sent < 1 << 20, "it takes all");
		settle(loop);
		while (ncalls > 0)
			fail_call(calls[--ncalls], STATUS_UNKNOWN,
			    "a text as long as errors often are, or longer");
	} while (n == (ssize_t)size);
}

ATF_TC_WITHOUT_HEAD(ttrpc_does_not_heap_up_answers_that_nobody_reads);
ATF_TC_BODY(ttrpc_does_not_heap_up_answers_that_nobody_reads, tc)
{
	int fd, other;

	begin();
	fd = client_new();
	client_flood(fd);
	expect_answer(fd, 1, STATUS_UNKNOWN);
	other = client_new();
	client_request(other, 1);
	ATF_REQUIRE_EQ(ncalls, 1);
	ttrpc_reply(calls[0], NULL);
	expect_answer(other, 1, STATUS_OK);
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_closes_a_client_that_lets_answers_heap_up);
ATF_TC_BODY(ttrpc_closes_a_client_that_lets_answers_heap_up, tc)
{
	Containerd__Task__V2__StateResponse big =
	    CONTAINERD__TASK__V2__STATE_RESPONSE__INIT;
	size_t i;
	int fd;

	begin();
	fd = client_new();
	big.id = calloc(1, 1 << 20);
	memset(big.id, 'x', (1 << 20) - 1);
	for (i = 0; i < 20; i++)
		client_request(fd, (uint32_t)i * 2 + 1);
	ATF_REQUIRE_EQ(ncalls, 20);
	ttrpc_on_cancel(calls[19], cancel, &cancelled);
	for (i = 0; i < 19; i++)
		ttrpc_reply(calls[i], &big.base);
	settle(loop);
	ATF_CHECK_EQ(cancelled, 1);
	free(big.id);
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_writes_the_rest_when_the_client_reads_again);
ATF_TC_BODY(ttrpc_writes_the_rest_when_the_client_reads_again, tc)
{
	Containerd__Task__V2__StateResponse big =
	    CONTAINERD__TASK__V2__STATE_RESPONSE__INIT;
	static uint8_t buffer[1 << 16];
	size_t got = 0, spin;
	ssize_t n;
	int fd;

	begin();
	fd = client_new();
	client_request(fd, 1);
	big.id = calloc(1, 3 << 20);
	memset(big.id, 'x', (3 << 20) - 1);
	ttrpc_reply(calls[0], &big.base);
	for (spin = 0; spin < 1000 && got < 3 << 20; spin++) {
		if ((n = read(fd, buffer, sizeof(buffer))) > 0)
			got += (size_t)n;
		settle(loop);
	}
	ATF_CHECK_EQ(got, (3 << 20) - 1 + FRAME_HEADER_SIZE + 5 + 5);
	free(big.id);
	client_request(fd, 3);
	ATF_CHECK_EQ(ncalls, 2);
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_bounds_the_calls_that_wait);
ATF_TC_BODY(ttrpc_bounds_the_calls_that_wait, tc)
{
	uint32_t i;
	int fd;

	begin();
	fd = client_new();
	for (i = 0; i < TTRPC_CALLS_MAX; i++)
		client_request(fd, i * 2 + 1);
	ATF_REQUIRE_EQ(ncalls, TTRPC_CALLS_MAX);
	client_request(fd, i * 2 + 1);
	expect_answer(fd, i * 2 + 1, STATUS_RESOURCE_EXHAUSTED);
	ttrpc_reply(calls[0], NULL);
	expect_answer(fd, 1, STATUS_OK);
	client_request(fd, i * 2 + 3);
	ATF_CHECK_EQ(ncalls, TTRPC_CALLS_MAX + 1);
	end();
}

/* Serves a socket in the working directory, of clients with this user. */
static void
listen_begin(struct sockaddr_un *address, uid_t uid)
{
	int fd;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, "socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(bind(fd, (void *)address, sizeof(*address)), 0);
	ATF_REQUIRE_EQ(listen(fd, 1024), 0);
	ATF_REQUIRE((loop = loop_new()) != NULL);
	server = ttrpc_new(loop, fd, uid, dispatch, &loop);
	ATF_REQUIRE(server != NULL);
}

static int
client_connect(const struct sockaddr_un *address)
{
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(connect(fd, (const void *)address, sizeof(*address)), 0);
	return (fd);
}

ATF_TC_WITHOUT_HEAD(ttrpc_turns_other_users_away);
ATF_TC_BODY(ttrpc_turns_other_users_away, tc)
{
	struct sockaddr_un address;
	int fd;

	listen_begin(&address, geteuid() + 1);
	fd = client_connect(&address);
	expect_closed(fd);
	end();
}

ATF_TC_WITHOUT_HEAD(ttrpc_bounds_connections_and_lets_the_next_wait);
ATF_TC_BODY(ttrpc_bounds_connections_and_lets_the_next_wait, tc)
{
	int fds[TTRPC_CONNECTIONS_MAX], i, late;
	struct sockaddr_un address;

	listen_begin(&address, geteuid());
	for (i = 0; i < TTRPC_CONNECTIONS_MAX; i++) {
		fds[i] = client_connect(&address);
		settle(loop);
	}
	client_request(fds[TTRPC_CONNECTIONS_MAX - 1], 1);
	ATF_REQUIRE_EQ(ncalls, 1);
	late = client_connect(&address);
	client_request(late, 1);
	ATF_CHECK_EQ(ncalls, 1);
	close(fds[0]);
	settle(loop);
	ATF_CHECK_EQ(ncalls, 2);
	end();
}

static void
count(void *arg)
{
	++*(int *)arg;
}

ATF_TC_WITHOUT_HEAD(ttrpc_drains_when_the_last_answer_was_written);
ATF_TC_BODY(ttrpc_drains_when_the_last_answer_was_written, tc)
{
	Containerd__Task__V2__StateResponse big =
	    CONTAINERD__TASK__V2__STATE_RESPONSE__INIT;
	static uint8_t buffer[2 << 20];
	struct sockaddr_un address;
	int drained = 0, fd;

	listen_begin(&address, geteuid());
	fd = client_connect(&address);
	client_request(fd, 1);
	big.id = calloc(1, 1 << 20);
	memset(big.id, 'x', (1 << 20) - 1);
	ttrpc_reply(calls[0], &big.base);
	free(big.id);
	ttrpc_drain(server, 60000, count, &drained);
	settle(loop);
	ATF_CHECK_EQ(drained, 0);
	ATF_CHECK_EQ(connect(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
			 (void *)&address, sizeof(address)),
	    -1);
	while (read(fd, buffer, sizeof(buffer)) > 0)
		settle(loop);
	ATF_CHECK_EQ(drained, 1);
	end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ttrpc_puts_frames_together_from_pieces_of_any_size);
	ATF_TP_ADD_TC(tp, ttrpc_reads_and_answers_what_containerd_sends);
	ATF_TP_ADD_TC(tp, ttrpc_writes_errors_as_go_does);
	ATF_TP_ADD_TC(tp, ttrpc_writes_the_empty_answer_as_an_empty_frame);
	ATF_TP_ADD_TC(tp, task_names_the_service_or_method_that_is_not_there);
	ATF_TP_ADD_TC(tp, task_says_of_a_method_that_it_lacks_that_it_does);
	ATF_TP_ADD_TC(tp, ttrpc_answers_many_calls_in_any_order);
	ATF_TP_ADD_TC(tp, ttrpc_refuses_streams_that_are_even_or_do_not_grow);
	ATF_TP_ADD_TC(tp, ttrpc_refuses_streaming_and_ignores_unknown_frames);
	ATF_TP_ADD_TC(tp, ttrpc_takes_4_mib_and_passes_over_what_is_longer);
	ATF_TP_ADD_TC(tp, ttrpc_refuses_malformed_requests_one_by_one);
	ATF_TP_ADD_TC(tp, wire_refuses_what_would_be_misread_or_would_swell);
	ATF_TP_ADD_TC(tp, ttrpc_answers_a_client_that_has_closed_its_half);
	ATF_TP_ADD_TC(tp, ttrpc_closes_half_a_frame_without_an_answer);
	ATF_TP_ADD_TC(tp, ttrpc_drops_the_calls_of_a_client_that_goes);
	ATF_TP_ADD_TC(tp, ttrpc_does_not_heap_up_answers_that_nobody_reads);
	ATF_TP_ADD_TC(tp, ttrpc_closes_a_client_that_lets_answers_heap_up);
	ATF_TP_ADD_TC(tp, ttrpc_writes_the_rest_when_the_client_reads_again);
	ATF_TP_ADD_TC(tp, ttrpc_bounds_the_calls_that_wait);
	ATF_TP_ADD_TC(tp, ttrpc_turns_other_users_away);
	ATF_TP_ADD_TC(tp, ttrpc_bounds_connections_and_lets_the_next_wait);
	ATF_TP_ADD_TC(tp, ttrpc_drains_when_the_last_answer_was_written);
	return (atf_no_error());
}
