/*
 * containerd-shim-floor-v1: the do-nothing shim.
 *
 * It answers each call of containerd's Task service at once and merely forks
 * and executes the command of config.json on the bare host, in the cgroup that
 * it names: no isolation, no overlay, no identity, no standard streams but
 * output straight into its FIFO.  What a task costs with it is what containerd
 * and the kernel themselves cost, the floor below which no shim can go.  It is
 * a measuring device, not a runtime: never install it.
 *
 * One shim per pod.  TaskExit is the one event that is published.
 */
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "regress/bench/floor_cgroup.h"
#include "regress/bench/floor_process.h"
#include "regress/lib/wire.h"

#define CLIENTS_MAX 64 /* connections with containerd at once */

/* Codes of gRPC. */
enum code {
	OK = 0,
	INVALID_ARGUMENT = 3,
	NOT_FOUND = 5,
	EXHAUSTED = 8,
	FAILED_PRECONDITION = 9,
	UNIMPLEMENTED = 12,
};

static struct {
	const char *id; /* of this container, while it is only started */
	const char *namespace;
	struct sockaddr_un address;
	struct pollfd fds[2 + CLIENTS_MAX]; /* listener, signals, connections */
	size_t nfds;
	int done; /* Shutdown was answered, and no process is left */
} shim;

static void
timestamp_add(struct message *m, unsigned field, const struct timespec *at)
{
	struct message inner = { 0 };

	message_number(&inner, 1, (uint64_t)at->tv_sec);
	message_number(&inner, 2, (uint64_t)at->tv_nsec);
	message_nest(m, field, &inner);
}

static void
reply(int fd, uint32_t stream, enum code code, struct message *payload)
{
	struct message response = { 0 }, status = { 0 };

	if (code != OK) {
		message_number(&status, 1, (uint64_t)code);
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
reply_waited(const struct process *process, const struct waiter *waiter)
{
	struct message m = { 0 };

	message_number(&m, 1, process->exit_status);
	timestamp_add(&m, 2, &process->exited_at);
	reply(waiter->fd, waiter->stream, OK, &m);
}

/* Takes a connection into the loop, in a place that is free. */
static void
client_add(int fd)
{
	size_t i;

	for (i = 2; i < shim.nfds && shim.fds[i].fd != -1; i++)
		;
	if (i == sizeof(shim.fds) / sizeof(shim.fds[0]))
		errx(1, "more than %d connections", CLIENTS_MAX);
	shim.fds[i] = (struct pollfd){ fd, POLLIN, 0 };
	if (i == shim.nfds)
		shim.nfds++;
}

/* Forgets a connection and the Wait calls that came over it. */
static void
client_remove(struct pollfd *client)
{
	struct process *p;
	size_t i, kept;

	for (p = processes; p != NULL; p = p->next) {
		for (i = kept = 0; i < p->nwaiters; i++)
			if (p->waiters[i].fd != client->fd)
				p->waiters[kept++] = p->waiters[i];
		p->nwaiters = kept;
	}
	(void)close(client->fd);
	client->fd = -1;
}

/* Publishes TaskExit; the loop takes the answer. */
static void
exit_publish(const struct process *process)
{
	struct message event = { 0 }, any = { 0 }, envelope = { 0 };
	struct message forward = { 0 }, request = { 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("TTRPC_ADDRESS");
	int fd;

	message_string(&event, 1, process->id);
	message_string(&event, 2,
	    *process->exec_id != '\0' ? process->exec_id : process->id);
	message_number(&event, 3, (uint64_t)process->pid);
	message_number(&event, 4, process->exit_status);
	timestamp_add(&event, 5, &process->exited_at);
	message_string(&any, 1, "containerd.events.TaskExit");
	message_nest(&any, 2, &event);
	timestamp_add(&envelope, 1, &process->exited_at);
	message_string(&envelope, 2, shim.namespace);
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
		/* A close before the answer could overtake the request. */
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) ==
			0 &&
		    frame_write(fd, 1, WIRE_REQUEST, &request) == 0)
			client_add(fd);
		else
			(void)close(fd);
	}
	free(request.data);
}

static void
children_reap(void)
{
	struct process *p;
	size_t i;

	while ((p = process_reap()) != NULL) {
		for (i = 0; i < p->nwaiters; i++)
			reply_waited(p, &p->waiters[i]);
		p->nwaiters = 0;
		exit_publish(p);
	}
}

/*
 * The calls, each answered at once but for Wait.  The process is the one that
 * the request names, if there is one.
 */
static enum code
call_create(struct process *process, struct slice in, struct message *out)
{
	struct slice bundle = slice_find(in, 2);
	struct cgroup cgroup;
	char path[4096], *text;

	(void)snprintf(path, sizeof(path), "%.*s/config.json",
	    (int)bundle.length, (const char *)bundle.data);
	if ((text = text_read(path)) == NULL ||
	    cgroup_make(&cgroup, text) == -1 ||
	    (process = process_add(slice_find(in, 1), (struct slice){ 0 }, text,
		 strstr(text, "\"process\""))) == NULL)
		return INVALID_ARGUMENT;
	process->cgroup = cgroup;
	process->output = text_copy(slice_find(in, 6));
	message_number(out, 1, (uint64_t)process->pid);
	return OK;
}

static enum code
call_exec(struct process *process, struct slice in, struct message *out)
{
	struct process *container;
	char *text;

	(void)out;
	container = process_find(slice_find(in, 1), (struct slice){ 0 });
	if (container == NULL || container->status != RUNNING)
		return FAILED_PRECONDITION;
	text = text_copy(slice_find(slice_find(in, 7), 2));
	process = process_add(slice_find(in, 1), slice_find(in, 2), text, text);
	if (process == NULL)
		return INVALID_ARGUMENT;
	process->cgroup = container->cgroup;
	process->output = text_copy(slice_find(in, 5));
	return OK;
}

static enum code
call_start(struct process *process, struct slice in, struct message *out)
{
	(void)in;
	if (process->status != CREATED || process_start(process) == -1)
		return FAILED_PRECONDITION;
	message_number(out, 1, (uint64_t)process->pid);
	return OK;
}

static enum code
call_state(struct process *process, struct slice in, struct message *out)
{
	(void)in;
	message_string(out, 1, process->id);
	message_number(out, 3, (uint64_t)process->pid);
	message_number(out, 4, process->status);
	message_number(out, 9, process->exit_status);
	if (process->status == STOPPED)
		timestamp_add(out, 10, &process->exited_at);
	message_string(out, 11, process->exec_id);
	return OK;
}

static enum code
call_kill(struct process *process, struct slice in, struct message *out)
{
	(void)out;
	if (process->status != RUNNING ||
	    kill(process->pid, (int)slice_number(in, 3)) == -1)
		return NOT_FOUND;
	return OK;
}

static enum code
call_delete(struct process *process, struct slice in, struct message *out)
{
	(void)in;
	if (process->status == RUNNING)
		return FAILED_PRECONDITION;
	message_number(out, 1, (uint64_t)process->pid);
	message_number(out, 2, process->exit_status);
	timestamp_add(out, 3, &process->exited_at);
	return process_remove(process) == 0 ? OK : FAILED_PRECONDITION;
}

static enum code
call_pids(struct process *process, struct slice in, struct message *out)
{
	struct message info = { 0 };

	(void)in;
	message_number(&info, 1, (uint64_t)process->pid);
	message_nest(out, 1, &info);
	return OK;
}

static enum code
call_connect(struct process *process, struct slice in, struct message *out)
{
	(void)in;
	message_number(out, 1, (uint64_t)getpid());
	message_number(out, 2, (uint64_t)process->pid);
	return OK;
}

static enum code
call_shutdown(struct process *process, struct slice in, struct message *out)
{
	(void)process;
	(void)in;
	(void)out;
	shim.done = processes == NULL;
	return OK;
}

static const struct {
	const char *name;
	enum code (*answer)(struct process *, struct slice, struct message *);
	int process; /* there must be one of this name */
} calls[] = {
	{ "Create", call_create, 0 },
	{ "Start", call_start, 1 },
	{ "State", call_state, 1 },
	{ "Kill", call_kill, 1 },
	{ "Delete", call_delete, 1 },
	{ "Exec", call_exec, 0 },
	{ "Pids", call_pids, 1 },
	{ "Connect", call_connect, 1 },
	{ "Shutdown", call_shutdown, 0 },
};

static void
call_wait(struct process *process, int fd, uint32_t stream)
{
	struct waiter waiter = { fd, stream };
	struct message none = { 0 };

	if (process == NULL)
		reply(fd, stream, NOT_FOUND, &none);
	else if (process->status == STOPPED)
		reply_waited(process, &waiter);
	else if (process->nwaiters == WAITERS_MAX)
		reply(fd, stream, EXHAUSTED, &none);
	else
		process->waiters[process->nwaiters++] = waiter;
}

static void
dispatch(int fd, const struct frame *frame)
{
	struct slice request = { frame->data, frame->length };
	struct slice method = slice_find(request, 2);
	struct slice in = slice_find(request, 3);
	struct process *process;
	struct message out = { 0 };
	enum code code = UNIMPLEMENTED;
	size_t i;

	process = process_find(slice_find(in, 1), slice_find(in, 2));
	if (slice_is(method, "Wait")) {
		call_wait(process, fd, frame->stream);
		return;
	}
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (slice_is(method, calls[i].name))
			code = calls[i].process && process == NULL ?
			    NOT_FOUND :
			    calls[i].answer(process, in, &out);
	reply(fd, frame->stream, code, &out);
}

/* Takes one frame: a call, or the answer to an event. */
static void
client_read(struct pollfd *client)
{
	static struct frame frame;

	if (frame_read(client->fd, &frame) && frame.type == WIRE_REQUEST)
		dispatch(client->fd, &frame);
	else
		client_remove(client);
}

static void
serve(int listener)
{
	struct signalfd_siginfo info;
	sigset_t child;
	size_t i, n;
	int fd;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	shim.fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
	shim.fds[1] = (struct pollfd){ .events = POLLIN };
	shim.nfds = 2;
	if ((shim.fds[1].fd = signalfd(-1, &child, SFD_CLOEXEC)) == -1)
		err(1, "signalfd");
	while (!shim.done) {
		n = shim.nfds;
		if (poll(shim.fds, n, -1) == -1)
			continue;
		for (i = 2; i < n; i++)
			if (shim.fds[i].fd != -1 && shim.fds[i].revents != 0)
				client_read(&shim.fds[i]);
		if (shim.fds[1].revents != 0 &&
		    read(shim.fds[1].fd, &info, sizeof(info)) == sizeof(info))
			children_reap();
		if (shim.fds[0].revents != 0 &&
		    (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1)
			client_add(fd);
	}
	(void)unlink(shim.address.sun_path);
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

/* The id of the pod that the bundle in the working directory is of. */
static const char *
pod_id(void)
{
	static const char key[] = "\"io.kubernetes.cri.sandbox-id\":\"";
	char *from, *text = text_read("config.json");

	if (text == NULL || (from = strstr(text, key)) == NULL)
		return shim.id;
	from += sizeof(key) - 1;
	from[strcspn(from, "\"")] = '\0';
	return from;
}

/* Listens for the pod.  Returns the listener, or -1: its shim is there. */
static int
pod_listen(void)
{
	const struct sockaddr *address = (struct sockaddr *)&shim.address;
	int fd;

	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	if (connect(fd, address, sizeof(shim.address)) == 0)
		return -1;
	(void)mkdir("/run/containerd", 0711);
	(void)mkdir("/run/containerd/s", 0711);
	(void)unlink(shim.address.sun_path);
	if (bind(fd, address, sizeof(shim.address)) == -1 ||
	    listen(fd, CLIENTS_MAX) == -1)
		err(1, "%s", shim.address.sun_path);
	return fd;
}

static void
start(const char *containerd)
{
	uint64_t h = 0xcbf29ce484222325u;
	int fd, null;

	cgroup_hurry();
	h = hash(hash(hash(h, containerd), shim.namespace), pod_id());
	shim.address.sun_family = AF_UNIX;
	(void)snprintf(shim.address.sun_path, sizeof(shim.address.sun_path),
	    "/run/containerd/s/%016llx", (unsigned long long)h);
	if ((fd = pod_listen()) != -1)
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
		}
	(void)printf("unix://%s", shim.address.sun_path);
}

int
main(int argc, char **argv)
{
	const char *containerd = "", *action;
	int i;

	shim.id = shim.namespace = "";
	for (i = 1; i < argc - 1; i++)
		if (strcmp(argv[i], "-id") == 0)
			shim.id = argv[i + 1];
		else if (strcmp(argv[i], "-namespace") == 0)
			shim.namespace = argv[i + 1];
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
