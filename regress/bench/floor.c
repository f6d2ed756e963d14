/*
 * containerd-shim-floor-v1: the do-nothing shim.
 *
 * It answers each call of containerd's Task service at once and merely forks
 * and executes the command of config.json on the bare host: no isolation, no
 * overlay, no identity, no standard streams.  What a task costs with it is
 * what containerd itself costs, the floor below which no shim can go.  It is
 * a measuring device, not a runtime: never install it.
 *
 * One process per container.  TaskExit is the one event that is published.
 */
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "regress/lib/wire.h"

#define CLIENTS_MAX 8  /* connections of containerd; it makes one */
#define WAITERS_MAX 32 /* pending Wait calls */
#define ARGS_MAX    64
#define CONFIG_MAX  65536 /* bytes of config.json */

enum status { CREATED = 1, RUNNING = 2, STOPPED = 3 };

struct waiter {
	int fd;
	uint32_t stream;
};

static struct {
	const char *id;
	const char *namespace;
	char *args[ARGS_MAX];
	char config[CONFIG_MAX];
	pid_t pid;
	enum status status;
	unsigned exit_status;
	struct timespec exited_at;
	struct waiter waiters[WAITERS_MAX];
	size_t nwaiters;
	struct sockaddr_un address;
	int done; /* Shutdown was answered */
} task;

/*
 * Finds "args":["a","b"] of "process" in the text of config.json and unquotes
 * it in place.  Knows the escapes \" \\ \/ and \n, which is all that a
 * benchmark's command has.  Returns 0 or -1.
 */
static int
args_scan(char *text)
{
	char *in, *out;
	size_t n = 0;

	if ((in = strstr(text, "\"process\"")) == NULL ||
	    (in = strstr(in, "\"args\"")) == NULL ||
	    (in = strchr(in, '[')) == NULL)
		return -1;
	for (;;) {
		in += strcspn(in, "\"]");
		if (*in != '"' || n == ARGS_MAX - 1)
			break;
		task.args[n++] = out = ++in;
		while (*in != '"' && *in != '\0') {
			if (*in == '\\' && *++in == 'n')
				*in = '\n';
			*out++ = *in++;
		}
		if (*in++ == '\0')
			return -1;
		*out = '\0';
	}
	return *in == ']' && n > 0 ? 0 : -1;
}

static int
config_read(const struct slice *bundle)
{
	char path[4096];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%.*s/config.json",
	    (int)bundle->length, (const char *)bundle->data);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	n = read(fd, task.config, sizeof(task.config) - 1);
	(void)close(fd);
	if (n <= 0)
		return -1;
	task.config[n] = '\0';
	return args_scan(task.config);
}

static int
task_start(void)
{
	sigset_t none;

	if ((task.pid = fork()) == -1)
		return -1;
	if (task.pid == 0) {
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		(void)execvp(task.args[0], task.args);
		_exit(127);
	}
	task.status = RUNNING;
	return 0;
}

static void
timestamp_add(struct message *m, unsigned field, const struct timespec *at)
{
	struct message inner = { 0 };

	message_number(&inner, 1, (uint64_t)at->tv_sec);
	message_number(&inner, 2, (uint64_t)at->tv_nsec);
	message_nest(m, field, &inner);
}

static void
reply(int fd, uint32_t stream, unsigned code, struct message *payload)
{
	struct message response = { 0 }, status = { 0 };

	if (code != 0) {
		message_number(&status, 1, code);
		message_string(&status, 2, "refused by the floor shim");
		message_nest(&response, 1, &status);
	}
	if (payload->length > 0)
		message_bytes(&response, 2, payload->data, payload->length);
	(void)frame_write(fd, stream, WIRE_RESPONSE, &response);
	free(response.data);
	free(payload->data);
	*payload = (struct message){ 0 };
}

static void
reply_waited(const struct waiter *waiter)
{
	struct message m = { 0 };

	message_number(&m, 1, task.exit_status);
	timestamp_add(&m, 2, &task.exited_at);
	reply(waiter->fd, waiter->stream, 0, &m);
}

/* Publishes TaskExit; nobody waits for the answer. */
static void
exit_publish(void)
{
	struct message event = { 0 }, any = { 0 }, envelope = { 0 };
	struct message forward = { 0 }, request = { 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("TTRPC_ADDRESS");
	int fd;

	message_string(&event, 1, task.id);
	message_string(&event, 2, task.id);
	message_number(&event, 3, (uint64_t)task.pid);
	message_number(&event, 4, task.exit_status);
	timestamp_add(&event, 5, &task.exited_at);
	message_string(&any, 1, "containerd.events.TaskExit");
	message_nest(&any, 2, &event);
	timestamp_add(&envelope, 1, &task.exited_at);
	message_string(&envelope, 2, task.namespace);
	message_string(&envelope, 3, "/tasks/exit");
	message_nest(&envelope, 4, &any);
	message_nest(&forward, 1, &envelope);
	message_string(&request, 1,
	    "containerd.services.events.ttrpc.v1.Events");
	message_string(&request, 2, "Forward");
	message_nest(&request, 3, &forward);

	if (path != NULL && strlen(path) < sizeof(address.sun_path) &&
	    (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) != -1) {
		(void)memcpy(address.sun_path, path, strlen(path));
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) ==
		    0)
			(void)frame_write(fd, 1, WIRE_REQUEST, &request);
		/* Left open: a close could overtake the request. */
	}
	free(request.data);
}

static void
task_reap(void)
{
	size_t i;
	int status;

	if (task.status != RUNNING ||
	    waitpid(task.pid, &status, WNOHANG) != task.pid)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &task.exited_at);
	task.status = STOPPED;
	task.exit_status = WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) :
					       128 + (unsigned)WTERMSIG(status);
	for (i = 0; i < task.nwaiters; i++)
		reply_waited(&task.waiters[i]);
	task.nwaiters = 0;
	exit_publish();
}

/* The calls, each answered at once but for Wait.  Returns a status code. */
static unsigned
call_create(struct slice in, struct message *out)
{
	struct slice bundle = slice_find(in, 2);

	if (task.status != 0 || config_read(&bundle) == -1)
		return 3;
	task.status = CREATED;
	task.pid = getpid();
	message_number(out, 1, (uint64_t)task.pid);
	return 0;
}

static unsigned
call_start(struct slice in, struct message *out)
{
	(void)in;
	if (task.status != CREATED || task_start() == -1)
		return 9;
	message_number(out, 1, (uint64_t)task.pid);
	return 0;
}

static unsigned
call_state(struct slice in, struct message *out)
{
	(void)in;
	if (task.status == 0)
		return 5;
	message_string(out, 1, task.id);
	message_number(out, 3, (uint64_t)task.pid);
	message_number(out, 4, task.status);
	message_number(out, 9, task.exit_status);
	if (task.status == STOPPED)
		timestamp_add(out, 10, &task.exited_at);
	return 0;
}

static unsigned
call_kill(struct slice in, struct message *out)
{
	(void)out;
	if (task.status != RUNNING ||
	    kill(task.pid, (int)slice_number(in, 3)) == -1)
		return 5;
	return 0;
}

static unsigned
call_delete(struct slice in, struct message *out)
{
	(void)in;
	if (task.status == 0)
		return 5;
	if (task.status == RUNNING)
		return 9;
	message_number(out, 1, (uint64_t)task.pid);
	message_number(out, 2, task.exit_status);
	timestamp_add(out, 3, &task.exited_at);
	task.status = 0;
	return 0;
}

static unsigned
call_pids(struct slice in, struct message *out)
{
	struct message process = { 0 };

	(void)in;
	if (task.status == 0)
		return 5;
	message_number(&process, 1, (uint64_t)task.pid);
	message_nest(out, 1, &process);
	return 0;
}

static unsigned
call_connect(struct slice in, struct message *out)
{
	(void)in;
	message_number(out, 1, (uint64_t)getpid());
	message_number(out, 2, (uint64_t)task.pid);
	return 0;
}

static unsigned
call_shutdown(struct slice in, struct message *out)
{
	(void)in;
	(void)out;
	task.done = task.status == 0;
	return 0;
}

static const struct {
	const char *name;
	unsigned (*answer)(struct slice, struct message *);
} calls[] = {
	{ "Create", call_create },
	{ "Start", call_start },
	{ "State", call_state },
	{ "Kill", call_kill },
	{ "Delete", call_delete },
	{ "Pids", call_pids },
	{ "Connect", call_connect },
	{ "Shutdown", call_shutdown },
};

static void
call_wait(int fd, uint32_t stream)
{
	struct waiter waiter = { fd, stream };
	struct message none = { 0 };

	if (task.status == STOPPED)
		reply_waited(&waiter);
	else if (task.nwaiters == WAITERS_MAX)
		reply(fd, stream, 8, &none);
	else
		task.waiters[task.nwaiters++] = waiter;
}

static void
dispatch(int fd, const struct frame *frame)
{
	struct slice request = { frame->data, frame->length };
	struct slice method = slice_find(request, 2);
	struct slice payload = slice_find(request, 3);
	struct message out = { 0 };
	unsigned code = 12;
	size_t i;

	if (slice_is(method, "Wait")) {
		call_wait(fd, frame->stream);
		return;
	}
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (slice_is(method, calls[i].name))
			code = calls[i].answer(payload, &out);
	reply(fd, frame->stream, code, &out);
}

/* Forgets a connection and the Wait calls that came over it. */
static void
hang_up(struct pollfd *client)
{
	size_t i, kept = 0;

	for (i = 0; i < task.nwaiters; i++)
		if (task.waiters[i].fd != client->fd)
			task.waiters[kept++] = task.waiters[i];
	task.nwaiters = kept;
	(void)close(client->fd);
	client->fd = -1;
}

static void
serve(int listener)
{
	static struct frame frame;
	struct pollfd fds[2 + CLIENTS_MAX];
	struct signalfd_siginfo info;
	sigset_t child;
	size_t i, n = 2;
	int fd;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
	fds[1] = (struct pollfd){ .events = POLLIN };
	if ((fds[1].fd = signalfd(-1, &child, SFD_CLOEXEC)) == -1)
		err(1, "signalfd");
	while (!task.done) {
		if (poll(fds, n, -1) == -1)
			continue;
		if (fds[1].revents != 0 &&
		    read(fds[1].fd, &info, sizeof(info)) == sizeof(info))
			task_reap();
		for (i = 2; i < n; i++)
			if (fds[i].fd == -1 || fds[i].revents == 0)
				continue;
			else if (frame_read(fds[i].fd, &frame))
				dispatch(fds[i].fd, &frame);
			else
				hang_up(&fds[i]);
		if (fds[0].revents != 0 && n < 2 + CLIENTS_MAX &&
		    (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1)
			fds[n++] = (struct pollfd){ fd, POLLIN, 0 };
	}
	(void)unlink(task.address.sun_path);
}

/* FNV-1a, to name the socket after all that makes it unique. */
static uint64_t
hash(uint64_t h, const char *string)
{
	do
		h = (h ^ (uint8_t)*string) * 0x100000001b3u;
	while (*string++ != '\0');
	return h;
}

static void
start(const char *containerd)
{
	uint64_t h = 0xcbf29ce484222325u;
	int fd, null;

	h = hash(hash(hash(h, containerd), task.namespace), task.id);
	task.address.sun_family = AF_UNIX;
	(void)snprintf(task.address.sun_path, sizeof(task.address.sun_path),
	    "/run/containerd/s/%016llx", (unsigned long long)h);
	(void)mkdir("/run/containerd", 0711);
	(void)mkdir("/run/containerd/s", 0711);
	(void)unlink(task.address.sun_path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&task.address, sizeof(task.address)) ==
		-1 ||
	    listen(fd, CLIENTS_MAX) == -1)
		err(1, "%s", task.address.sun_path);
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		if ((null = open("/dev/null", O_RDWR)) == -1 ||
		    dup2(null, 0) == -1 || dup2(null, 1) == -1 ||
		    dup2(null, 2) == -1)
			err(1, "/dev/null");
		serve(fd);
		_exit(0);
	default:
		(void)printf("unix://%s", task.address.sun_path);
	}
}

int
main(int argc, char **argv)
{
	const char *containerd = "", *action;
	int i;

	task.id = task.namespace = "";
	for (i = 1; i < argc - 1; i++)
		if (strcmp(argv[i], "-id") == 0)
			task.id = argv[i + 1];
		else if (strcmp(argv[i], "-namespace") == 0)
			task.namespace = argv[i + 1];
		else if (strcmp(argv[i], "-address") == 0)
			containerd = argv[i + 1];
	action = argc > 1 ? argv[argc - 1] : "";
	if (strcmp(action, "start") == 0)
		start(containerd);
	else if (strcmp(action, "delete") != 0)
		errx(1,
		    "usage: %s -namespace NS -address A -id ID start|delete",
		    argv[0]);
	return 0; /* delete: an empty answer is a valid one */
}
