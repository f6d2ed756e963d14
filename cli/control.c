/*
 * start, kill, delete, pause, resume, update: what is done to containers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/confine.h"
#include "cli/document.h"
#include "cli/task.h"

#define RESOURCES_TYPE \
	"types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"

/* Opens the container that the first operand names. */
static int
open_named(struct place *place, const struct options *options)
{
	int code = place_begin(place, options, 0);

	if (code == CLI_DONE)
		code = place_open(place, options->operands[0], PLACE_SHARED);
	return (code);
}

int
cli_start(const struct options *options)
{
	struct place place;
	int code = open_named(&place, options);

	return (code == CLI_DONE ? task_start(&place) : code);
}

int
cli_kill(const struct options *options)
{
	const char *word = options->noperands > 1 ? options->operands[1] :
						    "TERM";
	CLIENT_REQUEST(Kill) request;
	int code, signo = text_signal(word);
	struct place place;

	if (signo < 0) {
		cli_error("\"%.40s\" is no signal", word);
		return (CLI_FAILED);
	}
	if ((code = open_named(&place, options)) != CLI_DONE)
		return (code);
	containerd__task__v2__kill_request__init(&request);
	request.id = place.id;
	request.signal = (uint32_t)signo;
	request.all = options->all;
	return (task_call(&place, "Kill", &request.base));
}

int
cli_delete(const struct options *options)
{
	struct task_view view;
	struct place place;
	int code;

	if ((code = place_begin(&place, options, 0)) != CLI_DONE)
		return (code);
	code = place_find(&place, options->operands[0], PLACE_ALONE);
	if (code == -1 && options->force)
		return (CLI_DONE);
	if (code == -1) {
		cli_error("container \"%s\" does not exist", place.id);
		return (CLI_FAILED);
	}
	if (code != CLI_DONE)
		return (code);
	if (!options->force) {
		if ((code = task_view(&place, &view)) != CLI_DONE)
			return (code);
		if (view.status != CONTAINERD__V1__TYPES__STATUS__STOPPED &&
		    view.status != CONTAINERD__V1__TYPES__STATUS__CREATED) {
			cli_error("container \"%s\" is %s: kill it first, or "
				  "use --force",
			    place.id, view.name);
			return (CLI_FAILED);
		}
	}
	return (task_delete(&place, options->force));
}

int
cli_pause(const struct options *options)
{
	CLIENT_REQUEST(Pause) request;
	struct place place;
	int code;

	if ((code = open_named(&place, options)) != CLI_DONE)
		return (code);
	containerd__task__v2__pause_request__init(&request);
	request.id = place.id;
	return (task_call(&place, "Pause", &request.base));
}

int
cli_resume(const struct options *options)
{
	CLIENT_REQUEST(Resume) request;
	struct place place;
	int code;

	if ((code = open_named(&place, options)) != CLI_DONE)
		return (code);
	containerd__task__v2__resume_request__init(&request);
	request.id = place.id;
	return (task_call(&place, "Resume", &request.base));
}

struct updating {
	struct client client;
	const struct options *options;
	const char *id;
	int file; /* of resources, or -1 */
};

static int
update_work(void *arg)
{
	struct updating *u = arg;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	CLIENT_REQUEST(UpdateTask) request;
	struct document_facts facts = { 0 };
	struct text text = { 0 };

	if (u->file != -1) {
		if (task_read(u->file, u->options->resources, &text) !=
		    CLI_DONE)
			return (CLI_FAILED);
	} else if (document_resources(u->options, &text, &facts) < 0) {
		cli_error("%s", facts.error);
		return (CLI_FAILED);
	}
	containerd__task__v2__update_task_request__init(&request);
	request.id = CLIENT_STRING(u->id);
	any.type_url = CLIENT_STRING(RESOURCES_TYPE);
	any.value.data = (uint8_t *)text.data;
	any.value.len = text.length;
	request.resources = &any;
	if (client_call(&u->client, "Update", &request.base, NULL, NULL) == 0)
		return (CLI_DONE);
	cli_error("%s", u->client.error);
	return (CLI_FAILED);
}

int
cli_update(const struct options *options)
{
	struct updating u = { .options = options, .file = -1 };
	struct document_facts facts = { 0 };
	struct text none = { 0 };
	struct place place;
	int code;

	code = document_resources(options, &none, &facts);
	text_free(&none);
	if (code < 0) {
		cli_error("%s", facts.error);
		return (CLI_FAILED);
	}
	if ((code == 1) == (options->resources == NULL)) {
		cli_error("update: expected limits, or --resources FILE");
		return (CLI_USAGE);
	}
	if (options->resources != NULL &&
	    (u.file = task_open(options->resources)) == -1)
		return (CLI_FAILED);
	if ((code = open_named(&place, options)) != CLI_DONE)
		return (code);
	u.id = place.id;
	if ((u.client.fd = place_connect_or_say(&place)) < 0)
		return (CLI_FAILED);
	return (confine(update_work, &u));
}
