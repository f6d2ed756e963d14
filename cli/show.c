/*
 * state, list, ps: what is asked of containers.
 */
#include <sys/stat.h>

#include <dirent.h>
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
#include "unpriv/clock.h"

#define OCI_VERSION "1.2.0"

static void
text_print(struct text *text)
{
	fwrite(text->data, 1, text->length, stdout);
	text_free(text);
}

/* "NAME": and a string, with what goes before it. */
static void
member_string(struct text *out, const char *before, const char *name,
    const char *value)
{
	text_string(out, before);
	text_json(out, name);
	text_string(out, ": ");
	text_json(out, value);
}

static void
member_number(struct text *out, const char *before, const char *name,
    int64_t value)
{
	text_string(out, before);
	text_json(out, name);
	text_string(out, ": ");
	text_number(out, value);
}

struct stating {
	const char *id, *source;
	struct task_view view;
	int config; /* config.json, or -1 */
};

static int
state_work(void *arg)
{
	static const char next[] = ",\n  ";
	struct stating *s = arg;
	struct document_facts facts = { 0 };
	struct text annotations = { 0 }, document = { 0 }, out = { 0 };

	member_string(&out, "{\n  ", "ociVersion", OCI_VERSION);
	member_string(&out, next, "id", s->id);
	member_string(&out, next, "status", s->view.name);
	member_number(&out, next, "pid", s->view.pid);
	member_string(&out, next, "bundle", s->source);
	if (s->config != -1 &&
	    task_read(s->config, "config.json", &document) == CLI_DONE) {
		if (document_annotations(document.data, document.length,
			&annotations, &facts) == 0) {
			text_string(&out, ",\n  \"annotations\": ");
			text_add(&out, annotations.data, annotations.length);
		} else {
			cli_error("config.json: %s", facts.error);
		}
	}
	text_string(&out, "\n}\n");
	text_print(&out);
	return (CLI_DONE);
}

int
cli_state(const struct options *options)
{
	char source[PATH_MAX];
	struct place place;
	struct stating s;
	int code = place_begin(&place, options, 0);

	if (code == CLI_DONE)
		code = place_open(&place, options->operands[0], PLACE_SHARED);
	if (code != CLI_DONE || (code = task_view(&place, &s.view)) != CLI_DONE)
		return (code);
	place_source(&place, source);
	s.id = place.id;
	s.source = source;
	s.config =
	    openat(place.fd, "config.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return (confine(state_work, &s));
}

/* Reads the choice of a format.  1 is json, 0 a table, or -1 after a message. */
static int
format_is_json(const struct options *options)
{
	const char *format = options->format;

	if (format == NULL || strcmp(format, "table") == 0)
		return (0);
	if (strcmp(format, "json") == 0)
		return (1);
	cli_error("--format %.40s: expected table or json", format);
	return (-1);
}

/* One line of a list: all of it is root's own, or a number. */
static void
list_add(struct text *out, const struct place *place,
    const struct task_view *view, int json)
{
	char at[CLOCK_TEXT_SIZE], line[MSG_ID_SIZE + 80], source[PATH_MAX];
	struct stat st = { 0 };

	place_source(place, source);
	if (fstatat(place->fd, "source", &st, AT_SYMLINK_NOFOLLOW) == -1)
		st.st_mtim.tv_sec = 0;
	clock_text(at, &st.st_mtim);
	if (json) {
		member_string(out, out->length > 1 ? ",{" : "{", "ociVersion",
		    OCI_VERSION);
		member_string(out, ",", "id", place->id);
		member_number(out, ",", "pid", view->pid);
		member_string(out, ",", "status", view->name);
		member_string(out, ",", "bundle", source);
		member_string(out, ",", "rootfs", "/");
		member_string(out, ",", "created", at);
		member_string(out, ",", "owner", "root");
		text_string(out, "}");
		return;
	}
	snprintf(line, sizeof(line), "%-20s %-10u %-10s %s ", place->id,
	    view->pid, view->name, at);
	text_string(out, line);
	/* Quoted: it may have characters that a terminal acts on. */
	text_json(out, source);
	text_string(out, "\n");
}

static int
compare(const struct dirent **a, const struct dirent **b)
{
	return (strcmp((*a)->d_name, (*b)->d_name));
}

static int
is_id(const struct dirent *entry)
{
	char id[MSG_ID_SIZE] = { 0 };

	if (strlen(entry->d_name) >= sizeof(id))
		return (0);
	memcpy(id, entry->d_name, strlen(entry->d_name));
	return (msg_id_valid(id));
}

/* Adds one, unless it has been deleted meanwhile. */
static int
list_one(struct text *out, struct place *place, const char *id,
    const struct options *options, int json)
{
	struct task_view view;
	int code;

	if ((code = place_find(place, id, PLACE_SHARED)) != CLI_DONE)
		return (code == -1 ? CLI_DONE : code);
	if (options->quiet) {
		text_string(out, id);
		text_string(out, "\n");
	} else if ((code = task_view(place, &view)) == CLI_DONE) {
		list_add(out, place, &view, json);
	}
	place_close(place);
	return (code);
}

int
cli_list(const struct options *options)
{
	int code, i, json = format_is_json(options), n = 0;
	struct dirent **entries = NULL;
	struct text out = { 0 };
	struct place place;

	if (json == -1)
		return (CLI_USAGE);
	json &= !options->quiet;
	if ((code = place_begin(&place, options, 0)) != CLI_DONE)
		return (code);
	if (place.bundles != -1)
		n = scandirat(place.bundles, ".", &entries, is_id, compare);
	if (json)
		text_string(&out, "[");
	else if (!options->quiet)
		text_string(&out,
		    "ID                   PID        STATUS     "
		    "CREATED                        BUNDLE\n");
	for (i = 0; i < n; i++) {
		/* What one shim does wrong hides no other. */
		if (list_one(&out, &place, entries[i]->d_name, options, json) !=
		    CLI_DONE)
			code = CLI_FAILED;
		free(entries[i]);
	}
	free(entries);
	text_string(&out, json ? "]\n" : "");
	text_print(&out);
	return (n < 0 ? CLI_FAILED : code);
}

struct listing {
	struct client client;
	const char *id;
	int json;
};

static int
ps_work(void *arg)
{
	struct listing *l = arg;
	CLIENT_REQUEST(Pids) request;
	CLIENT_RESPONSE(Pids) * response;
	ProtobufCMessage *message;
	struct text out = { 0 };
	size_t i;

	containerd__task__v2__pids_request__init(&request);
	request.id = CLIENT_STRING(l->id);
	if (client_call(&l->client, "Pids", &request.base,
		&containerd__task__v2__pids_response__descriptor,
		&message) != 0) {
		cli_error("%s", l->client.error);
		return (CLI_FAILED);
	}
	response = (void *)message;
	text_string(&out, l->json ? "[" : "PID\n");
	for (i = 0; i < response->n_processes; i++) {
		text_string(&out, l->json && i > 0 ? "," : "");
		text_number(&out, response->processes[i]->pid);
		text_string(&out, l->json ? "" : "\n");
	}
	text_string(&out, l->json ? "]\n" : "");
	text_print(&out);
	return (CLI_DONE);
}

int
cli_ps(const struct options *options)
{
	struct listing l = { .json = format_is_json(options) };
	struct place place;
	int code;

	if (l.json == -1)
		return (CLI_USAGE);
	code = place_begin(&place, options, 0);
	if (code == CLI_DONE)
		code = place_open(&place, options->operands[0], PLACE_SHARED);
	if (code != CLI_DONE)
		return (code);
	l.id = place.id;
	if ((l.client.fd = place_connect_or_say(&place)) < 0)
		return (CLI_FAILED);
	return (confine(ps_work, &l));
}
