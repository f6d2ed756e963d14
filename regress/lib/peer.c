/*
 * peer: a client of a shim's socket, for tests.  Calls what ctr cannot, says
 * what no client should say, and stays silent where every client would read.
 *
 *	peer SOCKET call METHOD [FIELD=TEXT | FIELD:NUMBER | FIELD@JSON]...
 *		one call of the Task service; prints "called" to standard error
 *		when it is out, then each field of the answer as FIELD=VALUE, a
 *		message in it as {FIELD=VALUE;...}, or "error CODE TEXT" and
 *		exits 1; FIELD@JSON is a google.protobuf.Any, as containerd's
 *		clients pack resources, FIELD@@FILE one of what the file has
 *	peer SOCKET size METHOD FIELD...
 *		prints how long the message of such a call is, in bytes
 *	peer SOCKET group METHOD ID
 *		one call of Reaper's own service between `start` and a shim; prints
 *		"answered"
 *	peer SOCKET raw
 *		sends its standard input, ends its half of the connection, and
 *		prints how many bytes came back before the other end closed it
 *	peer SOCKET flood COUNT METHOD [FIELD=TEXT | FIELD:NUMBER]...
 *		makes the call COUNT times, a hundred at once, and reads the
 *		answers, whatever they are
 *	peer SOCKET stall COUNT BYTES
 *		opens so many connections, begins a message of 4 MiB on each with
 *		so many bytes, prints "stalled", and holds them until its
 *		standard input ends
 *	peer SOCKET mute METHOD [FIELD=TEXT | FIELD:NUMBER]...
 *		repeats the call without reading until nothing more goes out,
 *		prints "full" or "closed", and holds the connection until its
 *		standard input ends
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire.h"

#define QUIET 1000 /* ms without room for a byte: the pipe is full */

static int
connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strncmp(path, "unix://", 7) == 0)
		path += 7;
	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "path is too long: %s", path);
	(void)memcpy(address.sun_path, path, strlen(path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		err(2, "%s", path);
	return fd;
}

static void
file_nest(struct message *payload, unsigned field, const char *path)
{
	struct message any = { 0 }, content = { 0 };
	char buffer[65536];
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		err(2, "%s", path);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		message_add(&content, buffer, (size_t)n);
	(void)close(fd);
	message_nest(&any, 2, &content);
	message_nest(payload, field, &any);
}

static void
resources_nest(struct message *payload, unsigned field, const char *json)
{
	struct message any = { 0 };

	message_string(&any, 1,
	    "types.containerd.io/opencontainers/"
	    "runtime-spec/1/LinuxResources");
	message_string(&any, 2, json);
	message_nest(payload, field, &any);
}

/* A request of the Task service from METHOD and its fields. */
static struct message
request_parse(char **argv)
{
	struct message request = { 0 }, payload = { 0 };
	unsigned field;
	char *end;
	int i;

	for (i = 1; argv[i] != NULL; i++) {
		field = (unsigned)strtoul(argv[i], &end, 10);
		if (*end == '=')
			message_string(&payload, field, end + 1);
		else if (*end == ':')
			message_number(&payload, field,
			    strtoull(end + 1, NULL, 0));
		else if (*end == '@' && end[1] == '@')
			file_nest(&payload, field, end + 2);
		else if (*end == '@')
			resources_nest(&payload, field, end + 1);
		else
			errx(2, "not a field: %s", argv[i]);
	}
	message_string(&request, 1, "containerd.task.v2.Task");
	message_string(&request, 2, argv[0]);
	message_nest(&request, 3, &payload);
	return request;
}

static int
is_text(struct slice bytes)
{
	size_t i;

	for (i = 0; i < bytes.length && isprint(bytes.data[i]); i++)
		continue;
	return i == bytes.length;
}

/* FIELD=VALUE of each field, with end after it. */
static void
fields_print(struct slice message, const char *end)
{
	struct slice bytes;
	uint64_t value;
	unsigned field;

	while (slice_next(&message, &field, &value, &bytes)) {
		(void)printf("%u=", field);
		if (bytes.data == NULL) {
			(void)printf("%llu", (unsigned long long)value);
		} else if (is_text(bytes)) {
			(void)printf("%.*s", (int)bytes.length,
			    (const char *)bytes.data);
		} else {
			(void)putchar('{');
			fields_print(bytes, ";");
			(void)putchar('}');
		}
		(void)fputs(end, stdout);
	}
}

static int
call(int fd, char **argv)
{
	static struct frame frame;
	struct message request = request_parse(argv);
	struct slice response, status, payload, bytes;

	if (frame_write(fd, 1, WIRE_REQUEST, &request) == -1)
		errx(2, "%s: not sent", argv[0]);
	(void)fprintf(stderr, "called\n");
	if (!frame_read(fd, &frame))
		errx(2, "%s: no answer", argv[0]);
	if (frame.stream != 1 || frame.type != WIRE_RESPONSE)
		errx(2, "%s: not an answer", argv[0]);
	response = (struct slice){ frame.data, frame.length };
	status = slice_find(response, 1);
	payload = slice_find(response, 2);
	free(request.data);
	if (slice_number(status, 1) != 0) {
		bytes = slice_find(status, 2);
		(void)printf("error %llu %.*s\n",
		    (unsigned long long)slice_number(status, 1),
		    (int)bytes.length, (const char *)bytes.data);
		return 1;
	}
	fields_print(payload, "\n");
	return 0;
}

static int
group(int fd, char **argv)
{
	static struct frame frame;
	struct message request = { 0 };

	message_string(&request, 1, "reaper.Group");
	message_string(&request, 2, argv[0]);
	message_string(&request, 3, argv[1]);
	if (frame_write(fd, 1, WIRE_REQUEST, &request) == -1 ||
	    !frame_read(fd, &frame))
		errx(2, "%s: no answer", argv[0]);
	free(request.data);
	(void)puts("answered");
	return 0;
}

static int
raw(int fd)
{
	char buffer[65536];
	size_t answered = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		if (write(fd, buffer, (size_t)n) != n)
			break;
	(void)shutdown(fd, SHUT_WR);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		answered += (size_t)n;
	(void)printf("answered %zu\n", answered);
	return 0;
}

static int
flood(int fd, long count, char **argv)
{
	static struct frame frame;
	struct message request = request_parse(argv);
	uint32_t stream = 1;
	long asked = 0, answered = 0;

	for (; answered < count; answered++) {
		for (; asked < count && asked < answered + 100; asked++) {
			if (frame_write(fd, stream, WIRE_REQUEST, &request) ==
			    -1)
				errx(2, "%s: not sent", argv[0]);
			stream += 2;
		}
		if (!frame_read(fd, &frame))
			errx(2, "%s: no answer", argv[0]);
	}
	free(request.data);
	return 0;
}

static void
input_wait(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
}

static int
stall(const char *path, long count, size_t size)
{
	static uint8_t bytes[WIRE_HEADER + (4 << 20)] = { 0x00, 0x40, 0, 0, 0,
		0, 0, 1, WIRE_REQUEST };
	size_t done;
	ssize_t n;
	int fd;

	if (size >= sizeof(bytes))
		errx(2, "that is a whole message");
	for (; count > 0; count--) {
		fd = connect_to(path);
		for (done = 0; done < size; done += (size_t)n)
			if ((n = write(fd, bytes + done, size - done)) == -1)
				err(2, "write");
	}
	(void)puts("stalled");
	(void)fflush(stdout);
	input_wait();
	return 0;
}

static int
mute(int fd, char **argv)
{
	struct message request = request_parse(argv);
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	uint32_t stream = 1;

	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		err(2, "fcntl");
	/* A frame may be cut short by a full socket; then this is the end. */
	while (poll(&ready, 1, QUIET) == 1) {
		if ((ready.revents & (POLLERR | POLLHUP)) != 0 ||
		    (frame_write(fd, stream, WIRE_REQUEST, &request) == -1 &&
			errno != EAGAIN))
			break;
		stream += 2;
	}
	free(request.data);
	(void)puts(
	    (ready.revents & (POLLERR | POLLHUP)) != 0 ? "closed" : "full");
	(void)fflush(stdout);
	input_wait();
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	int fd;

	if (argc < 3)
		errx(2,
		    "usage: peer SOCKET call|size|group|raw|flood|stall|mute [METHOD FIELD...]");
	(void)signal(SIGPIPE, SIG_IGN);
	fd = connect_to(argv[1]);
	if (strcmp(what, "raw") == 0)
		return raw(fd);
	if (argc > 3 && strcmp(what, "call") == 0)
		return call(fd, argv + 3);
	if (argc > 3 && strcmp(what, "size") == 0)
		return printf("%zu\n", request_parse(argv + 3).length) < 0;
	if (argc == 5 && strcmp(what, "stall") == 0)
		return stall(argv[1], atol(argv[3]), (size_t)atol(argv[4]));
	if (argc == 5 && strcmp(what, "group") == 0)
		return group(fd, argv + 3);
	if (argc > 4 && strcmp(what, "flood") == 0)
		return flood(fd, atol(argv[3]), argv + 4);
	if (argc > 3 && strcmp(what, "mute") == 0)
		return mute(fd, argv + 3);
	errx(2, "unknown: %s", what);
}
