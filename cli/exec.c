/*
 * exec: one more process in a container.
 */
#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/confine.h"
#include "cli/document.h"
#include "cli/task.h"
#include "privsep/channel.h"

#define SPEC_TYPE "types.containerd.io/opencontainers/runtime-spec/1/Process"

/* What the confined child leaves. */
struct found {
	struct document_facts facts;
	uint32_t pid;
};

struct adding {
	struct client client;
	const struct options *options;
	const char *id;
	char exec[MSG_ID_SIZE];
	int document; /* of the process, or config.json */
	struct text text;
	struct winsize size; /* of the terminal that the user sits at */
	struct streams streams;
	struct found *found;
};

/* Makes or checks the process document. */
static int
document_make(struct adding *a)
{
	const struct options *options = a->options;
	const char *name = options->process != NULL ? options->process :
						      "config.json";
	struct document_facts *facts = &a->found->facts;
	struct text in = { 0 };
	int error;

	if (task_read(a->document, name, &in) != CLI_DONE)
		return (CLI_FAILED);
	if (options->process != NULL) {
		error = document_process(in.data, in.length, facts);
		a->text = in;
	} else {
		error = document_exec(in.data, in.length, options, &a->size,
		    &a->text, facts);
	}
	if (error == 0)
		return (CLI_DONE);
	cli_error("%.256s: %s", name, facts->error);
	return (CLI_FAILED);
}

static int
document_work(void *arg)
{
	return (document_make(arg));
}

static void
forget(struct adding *a)
{
	CLIENT_REQUEST(Delete) request;

	containerd__task__v2__delete_request__init(&request);
	request.id = CLIENT_STRING(a->id);
	request.exec_id = a->exec;
	(void)client_call(&a->client, "Delete", &request.base, NULL, NULL);
}

static int
start(struct adding *a)
{
	CLIENT_REQUEST(Start) request;
	CLIENT_RESPONSE(Start) * response;
	ProtobufCMessage *message;

	containerd__task__v2__start_request__init(&request);
	request.id = CLIENT_STRING(a->id);
	request.exec_id = a->exec;
	if (client_call(&a->client, "Start", &request.base,
		&containerd__task__v2__start_response__descriptor,
		&message) != 0) {
		cli_error("%s", a->client.error);
		forget(a);
		return (CLI_FAILED);
	}
	response = (void *)message;
	a->found->pid = response->pid;
	return (CLI_DONE);
}

static int
exec_work(void *arg)
{
	struct adding *a = arg;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	CLIENT_REQUEST(ExecProcess) request;

	if (document_make(a) != CLI_DONE)
		return (CLI_FAILED);
	containerd__task__v2__exec_process_request__init(&request);
	request.id = CLIENT_STRING(a->id);
	request.exec_id = a->exec;
	request.terminal = a->streams.terminal;
	request.stdin = a->streams.paths[0];
	request.stdout = a->streams.paths[1];
	request.stderr = a->streams.paths[2];
	any.type_url = CLIENT_STRING(SPEC_TYPE);
	any.value.data = (uint8_t *)a->text.data;
	any.value.len = a->text.length;
	request.spec = &any;
	if (client_call(&a->client, "Exec", &request.base, NULL, NULL) != 0) {
		cli_error("%s", a->client.error);
		return (CLI_FAILED);
	}
	return (start(a));
}

static int
document_open(struct adding *a, const struct place *place)
{
	if (a->options->process != NULL)
		a->document = task_open(a->options->process);
	else if ((a->document = openat(place->fd, "config.json",
		      O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) == -1)
		cli_error("config.json: %s", strerror(errno));
	return (a->document == -1 ? CLI_FAILED : CLI_DONE);
}

/* The name of the exec: given, or one that nobody has. */
static int
name_choose(struct adding *a)
{
	const char *given = a->options->exec_id;
	struct timespec now;

	memset(a->exec, 0, sizeof(a->exec));
	if (given == NULL) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		snprintf(a->exec, sizeof(a->exec), "exec-%d-%lld%09ld",
		    (int)getpid(), (long long)now.tv_sec, now.tv_nsec);
		return (CLI_DONE);
	}
	if (strlen(given) < sizeof(a->exec))
		memcpy(a->exec, given, strlen(given));
	if (msg_id_valid(a->exec))
		return (CLI_DONE);
	cli_error("--exec-id \"%.80s\": expected letters and digits, with "
		  "single '.', '_' and '-' between them",
	    given);
	return (CLI_FAILED);
}

/* Its process runs afterwards. */
static int
add(struct adding *a, const struct place *place)
{
	const struct options *options = a->options;
	int code;

	/* Whether it has a terminal must be known before it has streams. */
	if ((code = document_open(a, place)) != CLI_DONE ||
	    (code = confine(document_work, a)) != CLI_DONE)
		return (code);
	if (lseek(a->document, 0, SEEK_SET) == -1) {
		cli_error("%.256s: %s", options->process, strerror(errno));
		return (CLI_FAILED);
	}
	code = streams_make(&a->streams, place, a->exec, options,
	    a->found->facts.terminal, options->detach);
	if (code != CLI_DONE) {
		streams_unlink(place, a->exec);
		return (code);
	}
	code = CLI_FAILED;
	if ((a->client.fd = place_connect_or_say(place)) >= 0)
		code = confine(exec_work, a);
	streams_unlink(place, a->exec);
	if (code == CLI_DONE)
		code = task_pid_file(options->pid_file, a->found->pid);
	if (code != CLI_DONE)
		streams_close(&a->streams);
	return (code);
}

int
cli_exec(const struct options *options)
{
	static struct adding a;
	struct task_attendance attendance = {
		.streams = &a.streams,
		.detach = options->detach,
		.remove = 1,
	};
	struct place place;
	int code;

	if ((options->process == NULL) == (options->noperands < 2)) {
		cli_error("exec: expected a command, or --process FILE");
		return (CLI_USAGE);
	}
	a.options = options;
	a.document = a.client.fd = -1;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &a.size) == -1)
		memset(&a.size, 0, sizeof(a.size));
	a.found = confine_share(sizeof(*a.found));
	if ((code = place_begin(&place, options, 0)) != CLI_DONE ||
	    (code = place_open(&place, options->operands[0], PLACE_SHARED)) !=
		CLI_DONE ||
	    (code = name_choose(&a)) != CLI_DONE)
		return (code);
	a.id = place.id;
	code = add(&a, &place);
	fdpass_close(&a.document, 1);
	fdpass_close(&a.client.fd, 1);
	if (code != CLI_DONE)
		return (code);
	/* Others may delete the container, which ends this. */
	place_unlock(&place);
	attendance.exec = a.exec;
	return (task_attend(&place, &attendance));
}
