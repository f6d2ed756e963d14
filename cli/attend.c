#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/attend.h"
#include "cli/cli.h"

#define CHUNK 4096 /* a pipe that is ready takes as much without waiting */

/* Bytes on their way from one descriptor to another; -1 has ended. */
struct pump {
	int from, to;
	size_t length, done;
	int broken; /* the reader has gone, which nobody was told */
	char bytes[CHUNK];
};

enum { POLL_WAIT, POLL_SIGNALS, POLL_GO, POLL_PUMPS };

/* A call whose answer is empty.  Failures are what it is told later. */
static int
call(struct attend *a, const char *method, const ProtobufCMessage *request)
{
	return (client_call(&a->call, method, request, NULL, NULL));
}

static int
start(struct attend *a)
{
	CLIENT_REQUEST(Start) request;

	containerd__task__v2__start_request__init(&request);
	request.id = CLIENT_STRING(a->id);
	request.exec_id = CLIENT_STRING(a->exec);
	if (call(a, "Start", &request.base) == 0)
		return (CLI_DONE);
	cli_error("%s", a->call.error);
	return (CLI_FAILED);
}

static void
resize(struct attend *a)
{
	CLIENT_REQUEST(ResizePty) request;
	struct winsize size;

	if (a->streams->tty == -1 ||
	    ioctl(a->streams->tty, TIOCGWINSZ, &size) == -1 ||
	    (size.ws_row == 0 && size.ws_col == 0))
		return;
	containerd__task__v2__resize_pty_request__init(&request);
	request.id = CLIENT_STRING(a->id);
	request.exec_id = CLIENT_STRING(a->exec);
	request.width = size.ws_col;
	request.height = size.ws_row;
	(void)call(a, "ResizePty", &request.base);
}

static void
signal_hand_on(struct attend *a, int signo)
{
	CLIENT_REQUEST(Kill) request;

	containerd__task__v2__kill_request__init(&request);
	request.id = CLIENT_STRING(a->id);
	request.exec_id = CLIENT_STRING(a->exec);
	request.signal = (uint32_t)signo;
	/* Whichever of them writes. */
	request.all = signo == SIGPIPE && a->exec[0] == '\0';
	(void)call(a, "Kill", &request.base);
}

/* The next one, or 0. */
static int
signal_next(const struct attend *a)
{
	struct signalfd_siginfo info;
	unsigned char byte;

	if (a->piped)
		return (read(a->signals, &byte, 1) == 1 ? byte : 0);
	return (read(a->signals, &info, sizeof(info)) == sizeof(info) ?
		(int)info.ssi_signo :
		0);
}

static void
signals_take(struct attend *a)
{
	int signo;

	while ((signo = signal_next(a)) != 0) {
		if (signo == SIGWINCH)
			resize(a);
		else
			signal_hand_on(a, signo);
	}
}

/* There is no more to be typed. */
static void
input_end(struct attend *a, struct pump *pump)
{
	CLIENT_REQUEST(CloseIO) request;

	containerd__task__v2__close_iorequest__init(&request);
	request.id = CLIENT_STRING(a->id);
	request.exec_id = CLIENT_STRING(a->exec);
	request.stdin = 1;
	if (pump->to != -1)
		close(pump->to);
	pump->to = pump->from = -1;
	a->streams->fifos[MSG_STDIN] = -1;
	(void)call(a, "CloseIO", &request.base);
}

/*
 * Moves what there is, once.  Returns 0 when nothing more comes for now.  What
 * cannot be written any more is read all the same: the workload must not wait.
 */
static int
pump_move(struct pump *pump)
{
	ssize_t n;

	if (pump->done == pump->length) {
		n = read(pump->from, pump->bytes, sizeof(pump->bytes));
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return (0);
		if (n <= 0) {
			pump->from = -1;
			return (0);
		}
		pump->done = 0;
		pump->length = (size_t)n;
		return (1);
	}
	n = pump->to == -1 ? -1 :
			     write(pump->to, pump->bytes + pump->done,
				 pump->length - pump->done);
	if (n == -1 && pump->to != -1 && (errno == EAGAIN || errno == EINTR))
		return (0);
	if (n == -1) {
		pump->done = pump->length;
		pump->broken = pump->to != -1 && errno == EPIPE;
		pump->to = -1;
	} else {
		pump->done += (size_t)n;
	}
	return (1);
}

static void
pump_poll(const struct pump *pump, struct pollfd *pollfd)
{
	if (pump->from == -1)
		*pollfd = (struct pollfd){ -1, 0, 0 };
	else if (pump->done < pump->length)
		*pollfd = (struct pollfd){ pump->to, POLLOUT, 0 };
	else
		*pollfd = (struct pollfd){ pump->from, POLLIN, 0 };
}

/* What it has written before its end is there by now. */
static void
pump_empty(struct pump *pump)
{
	struct pollfd pollfd;

	while (pump->from != -1) {
		if (pump_move(pump))
			continue;
		if (pump->done == pump->length)
			return;
		pollfd = (struct pollfd){ pump->to, POLLOUT, 0 };
		(void)poll(&pollfd, 1, -1);
	}
}

static int
wait_send(struct attend *a)
{
	CLIENT_REQUEST(Wait) request;

	containerd__task__v2__wait_request__init(&request);
	request.id = CLIENT_STRING(a->id);
	request.exec_id = CLIENT_STRING(a->exec);
	return (client_send(&a->wait, "Wait", &request.base));
}

static int
wait_take(struct attend *a)
{
	ProtobufCMessage *message;
	int code;

	if (client_receive(&a->wait,
		&containerd__task__v2__wait_response__descriptor,
		&message) != 0) {
		cli_error("%s", a->wait.error);
		return (ATTEND_LOST);
	}
	code = (int)(((CLIENT_RESPONSE(Wait) *)(void *)message)->exit_status &
	    0xff);
	protobuf_c_message_free_unpacked(message, NULL);
	return (code);
}

static void
exec_remove(struct attend *a)
{
	CLIENT_REQUEST(Delete) request;

	containerd__task__v2__delete_request__init(&request);
	request.id = CLIENT_STRING(a->id);
	request.exec_id = CLIENT_STRING(a->exec);
	(void)call(a, "Delete", &request.base);
}

static void
pumps_begin(const struct attend *a, struct pump pumps[ENGINE_STREAMS])
{
	const struct streams *streams = a->streams;
	int i, input;

	for (i = 0; i < ENGINE_STREAMS; i++) {
		input = i == MSG_STDIN;
		pumps[i].from = input ? streams->ours[i] : streams->fifos[i];
		pumps[i].to = input ? streams->fifos[i] : streams->ours[i];
	}
}

/* Copies until the end has been told. */
static void
copy(struct attend *a, struct pump pumps[ENGINE_STREAMS])
{
	struct pollfd pollfds[POLL_PUMPS + ENGINE_STREAMS];
	int i, go = a->streams->go;

	do {
		pollfds[POLL_WAIT] = (struct pollfd){ a->wait.fd, POLLIN, 0 };
		pollfds[POLL_SIGNALS] =
		    (struct pollfd){ a->signals, POLLIN, 0 };
		pollfds[POLL_GO] = (struct pollfd){ go, POLLIN, 0 };
		for (i = 0; i < ENGINE_STREAMS; i++)
			pump_poll(&pumps[i], &pollfds[POLL_PUMPS + i]);
		/* Nobody reads what is typed before the start. */
		if (go != -1)
			pollfds[POLL_PUMPS + MSG_STDIN].fd = -1;
		if (poll(pollfds, POLL_PUMPS + ENGINE_STREAMS, -1) == -1)
			continue;
		if (pollfds[POLL_SIGNALS].revents != 0)
			signals_take(a);
		if (pollfds[POLL_GO].revents != 0)
			go = -1;
		for (i = 0; i < ENGINE_STREAMS; i++) {
			if (pollfds[POLL_PUMPS + i].revents == 0)
				continue;
			(void)pump_move(&pumps[i]);
			if (i == MSG_STDIN && pumps[i].from == -1)
				input_end(a, &pumps[i]);
			/* It would be told, had it the pipe itself. */
			if (pumps[i].broken)
				signal_hand_on(a, SIGPIPE);
			pumps[i].broken = 0;
		}
	} while (pollfds[POLL_WAIT].revents == 0);
}

int
attend(void *arg)
{
	static struct pump pumps[ENGINE_STREAMS];
	struct attend *a = arg;
	int code, i;

	resize(a);
	if (a->start && (code = start(a)) != CLI_DONE)
		return (code);
	pumps_begin(a, pumps);
	if (wait_send(a) != 0) {
		cli_error("%s", a->wait.error);
		return (ATTEND_LOST);
	}
	copy(a, pumps);
	code = wait_take(a);
	for (i = MSG_STDOUT; i < ENGINE_STREAMS; i++)
		pump_empty(&pumps[i]);
	if (a->remove)
		exec_remove(a);
	return (code);
}
