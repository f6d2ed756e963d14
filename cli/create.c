/*
 * create, run: from a bundle to a container.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/confine.h"
#include "cli/document.h"
#include "cli/task.h"
#include "privsep/channel.h"
#include "privsep/plan.h"

/* What confined children leave; checked where it is used. */
struct found {
	struct document_facts facts;
	uint32_t pid;
};

struct creation {
	const struct options *options;
	struct place place;
	struct streams streams;
	struct found *found;
	int config; /* the user's config.json */
	int copy;   /* memory for the one that is ours */
	struct client client;
};

/* Reads the user's document, and writes ours. */
static int
document_work(void *arg)
{
	struct creation *c = arg;
	struct text in = { 0 }, out = { 0 };
	size_t done = 0;
	ssize_t n;

	if (task_read(c->config, "config.json", &in) != CLI_DONE)
		return (CLI_FAILED);
	if (document_bundle(in.data, in.length, &c->options->annotations,
		c->options->namespace, c->place.id, &out,
		&c->found->facts) != 0) {
		cli_error("config.json: %s", c->found->facts.error);
		return (CLI_FAILED);
	}
	if (out.length > PLAN_DOCUMENT_MAX) {
		cli_error("config.json: larger than 4 MiB");
		return (CLI_FAILED);
	}
	for (; done < out.length; done += (size_t)n) {
		n = write(c->copy, out.data + done, out.length - done);
		if (n <= 0) {
			cli_error("config.json: %s", strerror(errno));
			return (CLI_FAILED);
		}
	}
	return (CLI_DONE);
}

/* Puts what was written to memory into the bundle. */
static int
document_place(const struct creation *c)
{
	int error = 0, fd;
	struct stat st;
	off_t at = 0;
	void *data;

	fd = openat(c->place.fd, "config.json",
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1 || fstat(c->copy, &st) == -1 || st.st_size == 0 ||
	    st.st_size > (off_t)PLAN_DOCUMENT_MAX) {
		cli_error("config.json: %s", strerror(errno));
		fdpass_close(&fd, 1);
		return (CLI_FAILED);
	}
	data =
	    mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, c->copy, 0);
	while (data != MAP_FAILED && at < st.st_size) {
		ssize_t n = write(fd, (const char *)data + at,
		    (size_t)(st.st_size - at));

		if (n <= 0)
			break;
		at += n;
	}
	error = errno;
	if (data != MAP_FAILED)
		munmap(data, (size_t)st.st_size);
	close(fd);
	if (at == st.st_size)
		return (CLI_DONE);
	cli_error("config.json: %s", strerror(error));
	return (CLI_FAILED);
}

static int
document_copy(struct creation *c, const char *bundle)
{
	char path[PATH_MAX];
	int code;

	if (snprintf(path, sizeof(path), "%s/config.json", bundle) >=
	    (int)sizeof(path)) {
		cli_error("--bundle: %.256s: too long", bundle);
		return (CLI_FAILED);
	}
	if ((c->config = task_open(path)) == -1)
		return (CLI_FAILED);
	if ((c->copy = memfd_create("config.json", MFD_CLOEXEC)) == -1) {
		cli_error("config.json: %s", strerror(errno));
		return (CLI_FAILED);
	}
	if ((code = confine(document_work, c)) == CLI_DONE)
		code = document_place(c);
	return (code);
}

static int
create_work(void *arg)
{
	struct creation *c = arg;
	CLIENT_REQUEST(CreateTask) request;
	CLIENT_RESPONSE(CreateTask) * response;
	ProtobufCMessage *message;

	containerd__task__v2__create_task_request__init(&request);
	request.id = CLIENT_STRING(c->place.id);
	request.bundle = CLIENT_STRING(c->place.path);
	request.terminal = c->streams.terminal;
	request.stdin = c->streams.paths[0];
	request.stdout = c->streams.paths[1];
	request.stderr = c->streams.paths[2];
	if (client_call(&c->client, "Create", &request.base,
		&containerd__task__v2__create_task_response__descriptor,
		&message) != 0) {
		cli_error("%s", c->client.error);
		return (CLI_FAILED);
	}
	response = (void *)message;
	c->found->pid = response->pid;
	return (CLI_DONE);
}

/* There is a bundle; fills it, and has a shim make a container of it. */
static int
bundle_create(struct creation *c, const char *bundle, int detached)
{
	const struct options *options = c->options;
	int code;

	if ((code = document_copy(c, bundle)) != CLI_DONE)
		return (code);
	code = streams_make(&c->streams, &c->place, c->place.id, options,
	    c->found->facts.terminal || options->terminal, detached);
	if (code != CLI_DONE)
		return (code);
	if ((code = place_shim(&c->place, "start")) == CLI_DONE) {
		code = CLI_FAILED;
		if ((c->client.fd = place_connect_or_say(&c->place)) >= 0)
			code = confine(create_work, c);
		fdpass_close(&c->client.fd, 1);
	}
	if (code == CLI_DONE)
		code = task_pid_file(options->pid_file, c->found->pid);
	if (code != CLI_DONE)
		streams_close(&c->streams);
	return (code);
}

/* Makes the container, or leaves nothing. */
static int
create(struct creation *c, const struct options *options, int detached)
{
	const char *given = options->bundle != NULL ? options->bundle : ".";
	char bundle[PATH_MAX];
	int code;

	c->options = options;
	c->found = confine_share(sizeof(*c->found));
	c->config = c->copy = c->client.fd = -1;
	if (realpath(given, bundle) == NULL) {
		cli_error("--bundle: %.256s: %s", given, strerror(errno));
		return (CLI_FAILED);
	}
	code = place_begin(&c->place, options, 1);
	if (code == CLI_DONE)
		code = place_make(&c->place, options->operands[0], bundle);
	if (code != CLI_DONE)
		return (code);
	code = bundle_create(c, bundle, detached);
	fdpass_close(&c->config, 1);
	fdpass_close(&c->copy, 1);
	if (code != CLI_DONE)
		(void)task_delete(&c->place, 1);
	return (code);
}

/* Leaves somebody with the streams, if any are ours to copy. */
static int
leave(struct creation *c)
{
	const struct task_attendance attendance = {
		.exec = "",
		.streams = &c->streams,
		.detach = 1,
	};
	int code = CLI_DONE, i, used = c->streams.made;

	for (i = 0; i < ENGINE_STREAMS; i++)
		used |= c->streams.fifos[i] != -1;
	if (!used) {
		streams_close(&c->streams);
		return (CLI_DONE);
	}
	if (c->streams.fifos[MSG_STDIN] != -1)
		code = streams_wait(&c->streams, &c->place);
	if (code == CLI_DONE)
		return (task_attend(&c->place, &attendance));
	streams_close(&c->streams);
	return (code);
}

int
cli_create(const struct options *options)
{
	static struct creation c;
	int code;

	if ((code = create(&c, options, 1)) != CLI_DONE)
		return (code);
	if ((code = leave(&c)) != CLI_DONE)
		(void)task_delete(&c.place, 1);
	place_close(&c.place);
	return (code);
}

int
cli_run(const struct options *options)
{
	static struct creation c;
	const struct task_attendance attendance = {
		.exec = "",
		.streams = &c.streams,
		.start = 1,
	};
	int code, end;

	if ((code = create(&c, options, options->detach)) != CLI_DONE)
		return (code);
	if (options->detach) {
		if ((code = leave(&c)) != CLI_DONE ||
		    (code = task_start(&c.place)) != CLI_DONE)
			(void)task_delete(&c.place, 1);
		place_close(&c.place);
		return (code);
	}
	/* Others may do something to it while it runs. */
	place_unlock(&c.place);
	code = task_attend(&c.place, &attendance);
	if (options->keep)
		return (code);
	if ((end = place_lock(&c.place)) == CLI_DONE)
		end = task_delete(&c.place, 1);
	/* Somebody else may have deleted it. */
	return (end > CLI_DONE ? end : code);
}
