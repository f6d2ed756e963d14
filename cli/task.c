#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/attend.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/confine.h"
#include "cli/task.h"
#include "privsep/channel.h"
#include "privsep/plan.h"

#define VIEW_LIMIT 10 /* s that a shim may take to say its state */

/*
 * Calls.
 */

struct calling {
	struct client client;
	const char *method;
	const ProtobufCMessage *request;
};

static int
call_work(void *arg)
{
	struct calling *calling = arg;

	if (client_call(&calling->client, calling->method, calling->request,
		NULL, NULL) == 0)
		return (CLI_DONE);
	cli_error("%s", calling->client.error);
	return (CLI_FAILED);
}

int
task_call(const struct place *place, const char *method,
    const ProtobufCMessage *request)
{
	struct calling calling = { .method = method, .request = request };
	int code;

	if ((calling.client.fd = place_connect_or_say(place)) < 0)
		return (CLI_FAILED);
	code = confine(call_work, &calling);
	close(calling.client.fd);
	return (code);
}

int
task_start(const struct place *place)
{
	CLIENT_REQUEST(Start) request;
	int code;

	containerd__task__v2__start_request__init(&request);
	request.id = CLIENT_STRING(place->id);
	if ((code = task_call(place, "Start", &request.base)) == CLI_DONE)
		streams_go(place);
	return (code);
}

/*
 * States.
 */

struct viewing {
	struct client client;
	const char *id;
	struct task_view *shared;
};

static int
view_work(void *arg)
{
	struct viewing *viewing = arg;
	CLIENT_REQUEST(State) request;
	CLIENT_RESPONSE(State) * response;
	ProtobufCMessage *message;

	containerd__task__v2__state_request__init(&request);
	request.id = CLIENT_STRING(viewing->id);
	if (client_call(&viewing->client, "State", &request.base,
		&containerd__task__v2__state_response__descriptor,
		&message) != 0) {
		/* It is about to be deleted, or never came to be. */
		if (viewing->client.code == STATUS_NOT_FOUND ||
		    viewing->client.code == STATUS_UNAVAILABLE)
			return (CLI_DONE);
		cli_error("%s", viewing->client.error);
		return (CLI_FAILED);
	}
	response = (void *)message;
	viewing->shared->status = (uint32_t)response->status;
	viewing->shared->pid = response->pid;
	return (CLI_DONE);
}

int
task_view(const struct place *place, struct task_view *view)
{
	static const char *const names[] = {
		[CONTAINERD__V1__TYPES__STATUS__CREATED] = "created",
		[CONTAINERD__V1__TYPES__STATUS__RUNNING] = "running",
		[CONTAINERD__V1__TYPES__STATUS__STOPPED] = "stopped",
		[CONTAINERD__V1__TYPES__STATUS__PAUSED] = "paused",
		[CONTAINERD__V1__TYPES__STATUS__PAUSING] = "running",
	};
	static struct task_view *shared;
	const struct timeval patience = { .tv_sec = VIEW_LIMIT };
	struct viewing viewing = { .id = place->id };
	int code;

	if (shared == NULL)
		shared = confine_share(sizeof(*shared));
	memset(shared, 0, sizeof(*shared));
	/* Where there is no shim there is no process. */
	shared->status = CONTAINERD__V1__TYPES__STATUS__STOPPED;
	viewing.shared = shared;
	if ((viewing.client.fd = place_connect(place)) >= 0) {
		/* One that hangs must not hide the others of a list. */
		(void)setsockopt(viewing.client.fd, SOL_SOCKET, SO_RCVTIMEO,
		    &patience, sizeof(patience));
		code = confine(view_work, &viewing);
		close(viewing.client.fd);
		if (code != CLI_DONE)
			return (code);
	} else if (viewing.client.fd != -ENOENT &&
	    viewing.client.fd != -ECONNREFUSED) {
		return (
		    place_connect_or_say(place) < 0 ? CLI_FAILED : CLI_DONE);
	}
	view->status = shared->status;
	view->pid = shared->pid;
	if (view->status >= sizeof(names) / sizeof(names[0]) ||
	    names[view->status] == NULL) {
		cli_error("the shim says an unknown state");
		return (CLI_FAILED);
	}
	view->name = names[view->status];
	if (view->status == CONTAINERD__V1__TYPES__STATUS__STOPPED)
		view->pid = 0;
	return (CLI_DONE);
}

/*
 * The end.
 */

struct ending {
	struct client client;
	const char *id;
	int force;
};

static int
end_fail(const struct ending *ending)
{
	if (ending->client.code == STATUS_NOT_FOUND ||
	    ending->client.code == STATUS_UNAVAILABLE)
		return (CLI_DONE);
	cli_error("%s", ending->client.error);
	return (CLI_FAILED);
}

static int
kill_and_wait(struct ending *ending)
{
	CLIENT_REQUEST(Kill) request;
	CLIENT_REQUEST(Wait) wait;

	containerd__task__v2__kill_request__init(&request);
	request.id = CLIENT_STRING(ending->id);
	request.signal = SIGKILL;
	request.all = 1;
	containerd__task__v2__wait_request__init(&wait);
	wait.id = CLIENT_STRING(ending->id);
	/* A Delete ends what was created and not started. */
	if (client_call(&ending->client, "Kill", &request.base, NULL, NULL) !=
		0 ||
	    client_call(&ending->client, "Wait", &wait.base, NULL, NULL) != 0)
		return (end_fail(ending));
	return (CLI_DONE);
}

static int
end_work(void *arg)
{
	struct ending *ending = arg;
	CLIENT_REQUEST(Delete) request;
	CLIENT_REQUEST(Shutdown) shutdown;
	int code = CLI_DONE;

	if (ending->force)
		code = kill_and_wait(ending);
	containerd__task__v2__delete_request__init(&request);
	request.id = CLIENT_STRING(ending->id);
	if (code == CLI_DONE &&
	    client_call(&ending->client, "Delete", &request.base, NULL, NULL) !=
		0)
		code = end_fail(ending);
	containerd__task__v2__shutdown_request__init(&shutdown);
	shutdown.id = CLIENT_STRING(ending->id);
	if (code == CLI_DONE &&
	    client_call(&ending->client, "Shutdown", &shutdown.base, NULL,
		NULL) != 0)
		code = end_fail(ending);
	return (code);
}

int
task_delete(struct place *place, int force)
{
	struct ending ending = { .id = place->id, .force = force };
	int code = CLI_DONE;

	if ((ending.client.fd = place_connect(place)) >= 0) {
		code = confine(end_work, &ending);
		close(ending.client.fd);
	} else if (ending.client.fd != -ENOENT &&
	    ending.client.fd != -ECONNREFUSED) {
		code = place_connect_or_say(place) < 0 ? CLI_FAILED : CLI_DONE;
	}
	/* As containerd does after every container, and after a dead shim. */
	if (code == CLI_DONE)
		code = place_shim(place, "delete");
	if (code == CLI_DONE)
		code = place_remove(place);
	place_close(place);
	return (code);
}

int
task_pid_file(const char *path, uint32_t pid)
{
	char new[PATH_MAX];
	int error = 0, fd;

	if (path == NULL)
		return (CLI_DONE);
	if (snprintf(new, sizeof(new), "%s.%d", path, (int)getpid()) >=
	    (int)sizeof(new)) {
		cli_error("--pid-file: %.256s: too long", path);
		return (CLI_FAILED);
	}
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0644);
	if (fd == -1 || dprintf(fd, "%u", pid) < 0 || rename(new, path) == -1)
		error = errno;
	if (fd != -1)
		close(fd);
	if (error == 0)
		return (CLI_DONE);
	if (fd != -1)
		(void)unlink(new);
	cli_error("--pid-file: %.256s: %s", path, strerror(error));
	return (CLI_FAILED);
}

/*
 * Attending.
 */

static int
attend_leave(struct attend *a)
{
	struct streams *s = a->streams;
	sigset_t set;
	/* 2 is there to be nothing. */
	int keep[] = { a->call.fd, a->wait.fd, -1, s->go, s->tty, s->fifos[0],
		s->fifos[1], s->fifos[2], s->ours[0], s->ours[1], s->ours[2] };
	int code;

	/* Of its own terminal come the size and the end. */
	if (s->made) {
		signals_hold(&set);
		a->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
		if (a->signals == -1) {
			cli_error("signals: %s", strerror(errno));
			return (CLI_FAILED);
		}
	}
	keep[2] = a->signals;
	code = confine_leave(attend, a, s->made ? s->tty : -1, keep,
	    sizeof(keep) / sizeof(keep[0]));
	fdpass_close(&a->signals, 1);
	return (code);
}

static int
attend_stay(struct attend *a)
{
	struct termios cooked, raw;
	int code, fds[2], tty = -1;
	sigset_t set;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1) {
		cli_error("signals: %s", strerror(errno));
		return (CLI_FAILED);
	}
	signals_hold(&set);
	a->signals = fds[0];
	a->piped = 1;
	if (!a->streams->made && a->streams->tty != -1 &&
	    tcgetattr(a->streams->tty, &cooked) == 0)
		tty = fcntl(a->streams->tty, F_DUPFD_CLOEXEC, 3);
	if (tty != -1) {
		raw = cooked;
		cfmakeraw(&raw);
		(void)tcsetattr(tty, TCSANOW, &raw);
	}
	pid = confine_begin(attend, a);
	/* An input ends with its last writer. */
	streams_close(a->streams);
	fdpass_close(&fds[0], 1);
	code = confine_end(pid, &set, fds[1]);
	fdpass_close(&fds[1], 1);
	if (tty != -1)
		(void)tcsetattr(tty, TCSADRAIN, &cooked);
	fdpass_close(&tty, 1);
	return (code);
}

int
task_attend(const struct place *place, const struct task_attendance *attendance)
{
	struct attend a = {
		.id = place->id,
		.exec = attendance->exec,
		.streams = attendance->streams,
		.signals = -1,
		.start = attendance->start,
		.remove = attendance->remove,
	};
	int code = CLI_FAILED;

	a.call.fd = a.wait.fd = -1;
	if ((a.call.fd = place_connect_or_say(place)) >= 0 &&
	    (a.wait.fd = place_connect_or_say(place)) >= 0)
		code = attendance->detach ? attend_leave(&a) : attend_stay(&a);
	fdpass_close(&a.call.fd, 1);
	fdpass_close(&a.wait.fd, 1);
	streams_close(attendance->streams);
	return (code);
}

/*
 * Documents.
 */

int
task_read(int fd, const char *name, struct text *text)
{
	char buffer[16384];
	ssize_t n;

	for (;;) {
		n = read(fd, buffer, sizeof(buffer));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		text_add(text, buffer, (size_t)n);
		if (text->length > PLAN_DOCUMENT_MAX)
			break;
	}
	if (n == 0 && !text->failed)
		return (CLI_DONE);
	cli_error("%.256s: %s", name,
	    n == -1   ? strerror(errno) :
		n > 0 ? "larger than 4 MiB" :
			"memory is short");
	return (CLI_FAILED);
}

int
task_open(const char *path)
{
	struct stat st;
	int fd;

	if (strcmp(path, "-") == 0)
		return (fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
	/* Waits for nothing, whatever it is. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		cli_error("%.256s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		cli_error("%.256s: is not a regular file", path);
		close(fd);
		fd = -1;
	}
	return (fd);
}
