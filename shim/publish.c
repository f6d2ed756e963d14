#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "privsep/channel.h"
#include "shim/event_encode.h"
#include "shim/helper.h"
#include "shim/oom.h"
#include "shim/publish.h"
#include "shim/relay.h"
#include "unpriv/log.h"
#include "unpriv/sandbox.h"

#define EVENTS_FD    3
#define ROOT_FD	     4
#define QUEUE_MAX    256  /* events; the oldest is dropped beyond */
#define RETRY_FIRST  1000 /* ms; doubled up to RETRY_LAST */
#define RETRY_LAST   32000
#define END_LIMIT    2000 /* ms for the last events */
#define ANSWER_LIMIT 5000 /* ms that containerd may take for one */

static struct event queue[QUEUE_MAX];
static size_t first, waiting;
static uint8_t frame[EVENT_FRAME_MAX]; /* the first event's, being sent */
static size_t frame_length, frame_sent;
static struct sockaddr_un containerd = { .sun_family = AF_UNIX };
static int socket_fd = -1;
static uint32_t stream;		     /* of the last frame; odd, growing */
static int64_t retry_at, end_at;     /* ms of CLOCK_MONOTONIC, or 0 */
static int64_t answer_at;	     /* by when the frame must be answered */
static uint8_t header[EVENT_HEADER]; /* of an answer */
static size_t header_length, body_left;
static int retry_delay = RETRY_FIRST;

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static void
drop_first(void)
{
	first = (first + 1) % QUEUE_MAX;
	waiting--;
	frame_length = frame_sent = 0;
}

/* What was sent of a frame is void: it is sent again whole. */
static void
disconnect(void)
{
	if (socket_fd != -1)
		close(socket_fd);
	socket_fd = -1;
	frame_length = frame_sent = header_length = 0;
}

static void
reconnect(void)
{
	socket_fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (socket_fd != -1 &&
	    connect(socket_fd, (struct sockaddr *)&containerd,
		sizeof(containerd)) == 0) {
		stream = 0;
		retry_delay = RETRY_FIRST;
		return;
	}
	disconnect();
	retry_at = now_ms() + retry_delay;
	retry_delay = retry_delay * 2 > RETRY_LAST ? RETRY_LAST :
						     retry_delay * 2;
}

/* The frame is out whole and has not been answered. */
static int
is_asked(void)
{
	return (frame_length != 0 && frame_sent == frame_length);
}

/* Returns 1 if byte is the last of an answer. */
static int
answer_byte(uint8_t byte)
{
	if (header_length < sizeof(header)) {
		header[header_length++] = byte;
		if (header_length < sizeof(header))
			return (0);
		body_left = (size_t)header[0] << 24 | (size_t)header[1] << 16 |
		    (size_t)header[2] << 8 | header[3];
	} else {
		body_left--;
	}
	if (body_left > 0)
		return (0);
	header_length = 0;
	return (1);
}

/* What containerd answers does not matter, only that it has. */
static void
answers_read(void)
{
	uint8_t buffer[512];
	ssize_t i, n;

	while ((n = read(socket_fd, buffer, sizeof(buffer))) > 0) {
		for (i = 0; i < n; i++) {
			if (answer_byte(buffer[i]) && is_asked())
				drop_first();
		}
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR) ||
	    (is_asked() && now_ms() >= answer_at))
		disconnect();
}

/* Sends what the socket takes of the first event.  Returns 1 if all. */
static int
frame_send(void)
{
	ssize_t n;

	if (frame_length == 0) {
		stream = stream == 0 ? 1 : stream + 2;
		frame_length = event_encode(&queue[first], stream, frame);
		if (frame_length == 0) {
			log_event(LOG_LEVEL_ERROR, "an event is too large",
			    "id", queue[first].exited.ref.id, NULL);
			return (1);
		}
	}
	n = write(socket_fd, frame + frame_sent, frame_length - frame_sent);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			disconnect();
		return (0);
	}
	frame_sent += (size_t)n;
	return (frame_sent == frame_length);
}

/*
 * One after the other: containerd handles requests of a connection at the same
 * time, so each must be answered before the next is sent.
 */
static void
events_send(void)
{
	if (socket_fd != -1)
		answers_read();
	while (waiting > 0 && !is_asked()) {
		if (socket_fd == -1 && now_ms() >= retry_at)
			reconnect();
		if (socket_fd == -1 || !frame_send())
			return;
		if (frame_length == 0)
			drop_first();
		answer_at = now_ms() + ANSWER_LIMIT;
	}
}

static void
queue_add(const struct event *event)
{
	relay_event(event);
	if (containerd.sun_path[0] == '\0')
		return;
	if (waiting == QUEUE_MAX) {
		log_event(LOG_LEVEL_WARNING,
		    "an event was dropped: containerd is away", "id",
		    queue[first].exited.ref.id, NULL);
		disconnect();
		drop_first();
	}
	queue[(first + waiting++) % QUEUE_MAX] = *event;
}

static void
queue_add_oom(const struct msg_ref *ref)
{
	const struct event event = { .kind = EVENT_OOM, .exited.ref = *ref };

	queue_add(&event);
}

/* Returns 0 when there will be no more. */
static int
events_take(void)
{
	struct event_notice notice;
	const struct event *event = &notice.event;
	const struct msg_ref *ref = &event->exited.ref;
	int fds[MSG_FDS_MAX], n;

	while ((n = fdpass_receive(EVENTS_FD, &notice, sizeof(notice), fds,
		    NULL)) > 0) {
		if (n == sizeof(notice) && event->kind == EVENT_CREATE) {
			oom_begin(ref, fds[0], fds[1]);
			fds[0] = fds[1] = -1;
		}
		fdpass_close(fds, MSG_FDS_MAX);
		if (n != sizeof(notice) || event->kind < EVENT_CREATE ||
		    event->kind >= EVENT_OOM)
			continue;
		/* Before the end that it was the cause of. */
		if (event->kind == EVENT_EXIT && ref->exec[0] == '\0' &&
		    oom_end(ref, notice.memory,
			strnlen(notice.memory, sizeof(notice.memory))))
			queue_add_oom(ref);
		queue_add(event);
	}
	return (n == -EAGAIN || n == -EINTR);
}

static int
timeout_next(void)
{
	int64_t left = -1, now = now_ms();

	if (waiting > 0 && socket_fd == -1)
		left = retry_at > now ? retry_at - now : 0;
	else if (is_asked())
		left = answer_at > now ? answer_at - now : 0;
	if (end_at != 0 && (left == -1 || end_at - now < left))
		left = end_at > now ? end_at - now : 0;
	if (oom_patience() != -1 && (left == -1 || oom_patience() < left))
		left = oom_patience();
	return ((int)left);
}

static void __attribute__((noreturn)) publish_loop(void)
{
	static struct pollfd pollfds[3 + OOM_MAX] = { { .fd = EVENTS_FD,
							  .events = POLLIN },
		{ .fd = -1 }, { .fd = STDIN_FILENO, .events = POLLIN } };
	const struct msg_ref *ref;
	size_t n;

	for (;;) {
		pollfds[1].fd = socket_fd;
		pollfds[1].events = POLLIN;
		if (waiting > 0 && !is_asked())
			pollfds[1].events |= POLLOUT;
		n = oom_poll(pollfds + 3);
		if (poll(pollfds, 3 + n, timeout_next()) == -1 &&
		    errno != EINTR)
			_exit(1);
		/* Before the events, which change what is watched. */
		oom_take(pollfds + 3, n);
		while ((ref = oom_next()) != NULL)
			queue_add_oom(ref);
		if (pollfds[0].fd != -1 && pollfds[0].revents != 0 &&
		    !events_take()) {
			pollfds[0].fd = -1;
			end_at = now_ms() + END_LIMIT;
		}
		/* The helper's last words came before its end. */
		if ((pollfds[2].revents != 0 || end_at != 0) &&
		    !relay_lines(STDIN_FILENO))
			pollfds[2].fd = -1;
		events_send();
		if (end_at != 0 && (waiting == 0 || now_ms() >= end_at))
			_exit(0);
	}
}

/*
 * The socket's directory becomes the root directory, so that its path is all
 * that can be named.
 */
static int
address_split(const char *address, char directory[sizeof(containerd.sun_path)])
{
	const char *slash;

	if (strncmp(address, "unix://", 7) == 0)
		address += 7;
	slash = strrchr(address, '/');
	if (slash == NULL || address[0] != '/' ||
	    strlen(address) >= sizeof(containerd.sun_path))
		return (-EINVAL);
	strcpy(containerd.sun_path, slash);
	strcpy(directory, address);
	directory[slash == address ? 1 : slash - address] = '\0';
	return (0);
}

static void __attribute__((noreturn)) publish_run(int events, int root)
{
	const int fds[] = { events, root };
	int error;

	if (setsid() == -1 || helper_place(fds, 2, EVENTS_FD, 0) != 0 ||
	    fcntl(EVENTS_FD, F_SETFL, O_NONBLOCK) == -1 ||
	    prctl(PR_SET_NAME, "reaper-publish") == -1)
		_exit(1);
	/* The shim tells containerd's log of what the helper does. */
	log_open(STDERR_FILENO, LOG_LEVEL_WARNING);
	if ((error = sandbox_enter_publisher(ROOT_FD)) != 0) {
		log_event(LOG_LEVEL_ERROR, "the publisher's sandbox", NULL);
		_exit(1);
	}
	publish_loop();
}

pid_t
publish_spawn(int events, const char *address, int empty,
    const char *containerd_namespace, const char *bundles)
{
	char directory[sizeof(containerd.sun_path)];
	int error, root;
	pid_t pid;

	if (address[0] != '\0' &&
	    (error = address_split(address, directory)) != 0)
		return (error);
	event_encode_init(containerd_namespace, bundles);
	root = address[0] != '\0' ?
	    open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC) :
	    fcntl(empty, F_DUPFD_CLOEXEC, 0);
	if (root == -1)
		return (-errno);
	if ((pid = fork()) == 0)
		publish_run(events, root);
	error = -errno;
	close(root);
	return (pid == -1 ? error : pid);
}
