#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/document.h"
#include "unpriv/conf.h"
#include "unpriv/json.h"

#define CRI	 "io.kubernetes.cri."
#define PODS_OWN 2 /* annotations of --namespace */

struct pair {
	char *key;
	const char *value;
};

/* Annotations to be added. */
struct pairs {
	struct pair *list;
	size_t count;
};

static int __attribute__((format(printf, 2, 3)))
refuse(struct document_facts *facts, const char *format, ...)
{
	char message[DOCUMENT_ERROR_SIZE];
	va_list values;

	va_start(values, format);
	vsnprintf(message, sizeof(message), format, values);
	va_end(values);
	conf_printable(facts->error, sizeof(facts->error), message,
	    strlen(message));
	return (-EINVAL);
}

static int
parse(const char *json, size_t length, struct document_facts *facts)
{
	const char *wrong;
	size_t at;

	if ((wrong = json_parse(json, length, &at)) == NULL)
		return (0);
	return (refuse(facts, "byte %zu: %s", at, wrong));
}

/* A member of this type; JSON_NONE, without an error, if there is none. */
static int
member(int object, const char *name, enum json_type type, int *value,
    struct document_facts *facts)
{
	if (json_member(object, name, value) != 0)
		return (refuse(facts, "%s is given twice", name));
	if (*value != JSON_NONE && json_type(*value) != type)
		return (refuse(facts, "%s is of another type than it should be",
		    name));
	return (0);
}

static int
terminal_find(int process, struct document_facts *facts)
{
	int value;

	if (member(process, "terminal", JSON_BOOLEAN, &value, facts) != 0)
		return (-EINVAL);
	facts->terminal = 0;
	return (value == JSON_NONE ? 0 : json_boolean(value, &facts->terminal));
}

/* A value as it stands in the document. */
static void
add_raw(struct text *out, int value)
{
	size_t length;
	const char *raw = json_raw(value, &length);
	const char *quote = json_type(value) == JSON_STRING ? "\"" : "";

	text_string(out, quote);
	text_add(out, raw, length);
	text_string(out, quote);
}

static int
pairs_make(struct pairs *pairs, const struct options_list *list,
    const char *namespace, const char *id, struct document_facts *facts)
{
	const char *equals;
	size_t i;

	pairs->count = 0;
	pairs->list = calloc(list->count + PODS_OWN, sizeof(*pairs->list));
	for (i = 0; pairs->list != NULL && i < list->count; i++) {
		equals = strchr(list->values[i], '=');
		if (equals == NULL || equals == list->values[i])
			return (refuse(facts,
			    "--annotation %.80s: expected KEY=VALUE",
			    list->values[i]));
		pairs->list[i].key = strndup(list->values[i],
		    (size_t)(equals - list->values[i]));
		pairs->list[i].value = equals + 1;
		pairs->count++;
	}
	if (pairs->list != NULL && namespace != NULL) {
		pairs->list[i++] =
		    (struct pair){ strdup(CRI "sandbox-id"), id };
		pairs->list[i++] =
		    (struct pair){ strdup(CRI "sandbox-namespace"), namespace };
		pairs->count = i;
	}
	for (i = 0; i < pairs->count; i++) {
		if (pairs->list[i].key == NULL)
			break;
	}
	if (pairs->list == NULL || i < pairs->count)
		return (refuse(facts, "memory is short"));
	return (0);
}

static void
pairs_free(struct pairs *pairs)
{
	size_t i;

	for (i = 0; pairs->list != NULL && i < pairs->count; i++)
		free(pairs->list[i].key);
	free(pairs->list);
}

/* The last pair of a name is the one that counts. */
static int
is_given(const struct pairs *pairs, size_t from, int key, const char *name)
{
	size_t i;

	for (i = from; i < pairs->count; i++) {
		if (name != NULL ? strcmp(pairs->list[i].key, name) == 0 :
				   json_equals(key, pairs->list[i].key))
			return (1);
	}
	return (0);
}

/* The object of annotations (JSON_NONE: none) with the pairs. */
static void
annotations_write(int annotations, const struct pairs *pairs, struct text *out)
{
	const char *comma = "";
	size_t i;
	int key;

	text_string(out, "{");
	for (key = annotations == JSON_NONE ? JSON_NONE :
					      json_first(annotations);
	     key != JSON_NONE; key = json_next(key)) {
		if (is_given(pairs, 0, key, NULL))
			continue;
		text_string(out, comma);
		add_raw(out, key);
		text_string(out, ":");
		add_raw(out, json_member_value(key));
		comma = ",";
	}
	for (i = 0; i < pairs->count; i++) {
		if (is_given(pairs, i + 1, JSON_NONE, pairs->list[i].key))
			continue;
		text_string(out, comma);
		text_json(out, pairs->list[i].key);
		text_string(out, ":");
		text_json(out, pairs->list[i].value);
		comma = ",";
	}
	text_string(out, "}");
}

int
document_bundle(const char *json, size_t length,
    const struct options_list *list, const char *namespace, const char *id,
    struct text *out, struct document_facts *facts)
{
	struct pairs pairs = { NULL, 0 };
	int annotations, error, process;
	const char *brace, *raw;
	size_t size;

	if (parse(json, length, facts) != 0 ||
	    member(JSON_ROOT, "process", JSON_OBJECT, &process, facts) != 0 ||
	    (process != JSON_NONE && terminal_find(process, facts) != 0) ||
	    member(JSON_ROOT, "annotations", JSON_OBJECT, &annotations,
		facts) != 0)
		return (-EINVAL);
	if ((error = pairs_make(&pairs, list, namespace, id, facts)) == 0) {
		if (pairs.count == 0) {
			text_add(out, json, length);
		} else if (annotations != JSON_NONE) {
			raw = json_raw(annotations, &size);
			text_add(out, json, (size_t)(raw - json));
			annotations_write(annotations, &pairs, out);
			raw += size;
			text_add(out, raw, length - (size_t)(raw - json));
		} else {
			brace = json_raw(JSON_ROOT, &size) + 1;
			text_string(out, "{\"annotations\":");
			annotations_write(JSON_NONE, &pairs, out);
			text_string(out, json_count(JSON_ROOT) > 0 ? "," : "");
			text_add(out, brace, length - (size_t)(brace - json));
		}
		error = out->failed ? refuse(facts, "memory is short") : 0;
	}
	pairs_free(&pairs);
	return (error);
}

int
document_annotations(const char *json, size_t length, struct text *out,
    struct document_facts *facts)
{
	int annotations, error = 0, key, value;
	const char *comma = "";
	char *buffer;

	if (parse(json, length, facts) != 0 ||
	    member(JSON_ROOT, "annotations", JSON_OBJECT, &annotations,
		facts) != 0)
		return (-EINVAL);
	if ((buffer = malloc(length + 1)) == NULL)
		return (refuse(facts, "memory is short"));
	text_string(out, "{");
	for (key = annotations == JSON_NONE ? JSON_NONE :
					      json_first(annotations);
	     key != JSON_NONE; key = json_next(key)) {
		if (json_string(key, buffer, length + 1) < 0)
			break;
		text_string(out, comma);
		text_json(out, buffer);
		value = json_member_value(key);
		if (json_string(value, buffer, length + 1) < 0)
			break;
		text_string(out, ": ");
		text_json(out, buffer);
		comma = ", ";
	}
	text_string(out, "}");
	free(buffer);
	if (key != JSON_NONE)
		error = refuse(facts, "annotations are not all strings");
	return (out->failed ? refuse(facts, "memory is short") : error);
}

int
document_process(const char *json, size_t length, struct document_facts *facts)
{
	if (parse(json, length, facts) != 0)
		return (-EINVAL);
	return (terminal_find(JSON_ROOT, facts));
}

static void
arguments_write(const struct options *options, struct text *out)
{
	size_t i;

	text_string(out, "{\"args\":[");
	for (i = 1; i < options->noperands; i++) {
		text_string(out, i > 1 ? "," : "");
		text_json(out, options->operands[i]);
	}
	text_string(out, "]");
}

static void
environment_write(int env, const struct options *options, struct text *out)
{
	const char *comma = "";
	size_t i;
	int value;

	text_string(out, ",\"env\":[");
	for (value = env == JSON_NONE ? JSON_NONE : json_first(env);
	     value != JSON_NONE; value = json_next(value)) {
		text_string(out, comma);
		add_raw(out, value);
		comma = ",";
	}
	for (i = 0; i < options->environment.count; i++) {
		text_string(out, comma);
		text_json(out, options->environment.values[i]);
		comma = ",";
	}
	text_string(out, "]");
}

/* UID or UID:GID; without a group it is 0, as in runc. */
static int
user_write(const char *user, struct text *out, struct document_facts *facts)
{
	const char *colon = strchr(user, ':');
	char uid[16] = "";
	int64_t group = 0, number;

	snprintf(uid, sizeof(uid), "%.*s",
	    colon == NULL ? (int)strnlen(user, sizeof(uid)) :
			    (int)(colon - user),
	    user);
	if (text_parse(uid, 0, UINT32_MAX - 1, &number) != 0 ||
	    (colon != NULL &&
		text_parse(colon + 1, 0, UINT32_MAX - 1, &group) != 0))
		return (refuse(facts, "--user %.80s: expected UID or UID:GID",
		    user));
	text_string(out, ",\"user\":{\"uid\":");
	text_number(out, number);
	text_string(out, ",\"gid\":");
	text_number(out, group);
	text_string(out, "}");
	return (0);
}

int
document_exec(const char *json, size_t length, const struct options *options,
    const struct winsize *size, struct text *out, struct document_facts *facts)
{
	int cwd, env, process, user;

	if (parse(json, length, facts) != 0 ||
	    member(JSON_ROOT, "process", JSON_OBJECT, &process, facts) != 0)
		return (-EINVAL);
	if (process == JSON_NONE)
		return (refuse(facts, "config.json has no process"));
	if (member(process, "cwd", JSON_STRING, &cwd, facts) != 0 ||
	    member(process, "env", JSON_ARRAY, &env, facts) != 0 ||
	    member(process, "user", JSON_OBJECT, &user, facts) != 0)
		return (-EINVAL);
	arguments_write(options, out);
	environment_write(env, options, out);
	text_string(out, ",\"cwd\":");
	if (options->cwd != NULL)
		text_json(out, options->cwd);
	else if (cwd != JSON_NONE)
		add_raw(out, cwd);
	else
		text_string(out, "\"/\"");
	if (options->user != NULL) {
		if (user_write(options->user, out, facts) != 0)
			return (-EINVAL);
	} else if (user != JSON_NONE) {
		text_string(out, ",\"user\":");
		add_raw(out, user);
	}
	if (options->terminal && size->ws_row != 0 && size->ws_col != 0) {
		text_string(out, ",\"consoleSize\":{\"height\":");
		text_number(out, size->ws_row);
		text_string(out, ",\"width\":");
		text_number(out, size->ws_col);
		text_string(out, "}");
	}
	text_string(out, options->terminal ? ",\"terminal\":true}" : "}");
	facts->terminal = options->terminal;
	return (out->failed ? refuse(facts, "memory is short") : 0);
}

/* Limits in the order and the groups in which they are written. */
static const struct limit {
	const char *group, *name, *option;
	size_t offset;
	enum { BYTES, NUMBER, WORDS } kind;
	int64_t min;
} limits[] = {
#define FIELD(name) offsetof(struct options, name)
	{ "memory", "limit", "memory", FIELD(memory), BYTES, -1 },
	{ "memory", "reservation", "memory-reservation",
	    FIELD(memory_reservation), BYTES, -1 },
	{ "memory", "swap", "memory-swap", FIELD(memory_swap), BYTES, -1 },
	{ "cpu", "period", "cpu-period", FIELD(cpu_period), NUMBER, 1 },
	{ "cpu", "quota", "cpu-quota", FIELD(cpu_quota), NUMBER, -1 },
	{ "cpu", "burst", "cpu-burst", FIELD(cpu_burst), NUMBER, 0 },
	{ "cpu", "shares", "cpu-share", FIELD(cpu_share), NUMBER, 2 },
	{ "cpu", "cpus", "cpuset-cpus", FIELD(cpuset_cpus), WORDS, 0 },
	{ "cpu", "mems", "cpuset-mems", FIELD(cpuset_mems), WORDS, 0 },
	{ "pids", "limit", "pids-limit", FIELD(pids_limit), NUMBER, -1 },
};

static int
limit_write(const struct limit *limit, const char *value, struct text *out,
    struct document_facts *facts)
{
	int64_t number = 0;

	if ((limit->kind == BYTES &&
		text_parse_size(value, limit->min, &number) != 0) ||
	    (limit->kind == NUMBER &&
		text_parse(value, limit->min, INT64_MAX, &number) != 0))
		return (refuse(facts,
		    "--%s %.40s: expected %s of at least "
		    "%lld",
		    limit->option, value,
		    limit->kind == BYTES ? "a size (with k, m, g, t)" :
					   "a number",
		    (long long)limit->min));
	text_json(out, limit->name);
	text_string(out, ":");
	if (limit->kind == WORDS)
		text_json(out, value);
	else
		text_number(out, number);
	return (0);
}

int
document_resources(const struct options *options, struct text *out,
    struct document_facts *facts)
{
	const char *group = NULL, *value;
	size_t i;

	text_string(out, "{");
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		memcpy(&value, (const char *)options + limits[i].offset,
		    sizeof(value));
		if (value == NULL)
			continue;
		if (group == NULL || strcmp(group, limits[i].group) != 0) {
			text_string(out, group != NULL ? "}," : "");
			text_json(out, limits[i].group);
			text_string(out, ":{");
		} else {
			text_string(out, ",");
		}
		group = limits[i].group;
		if (limit_write(&limits[i], value, out, facts) != 0)
			return (-EINVAL);
	}
	text_string(out, group != NULL ? "}}" : "}");
	if (out->failed)
		return (refuse(facts, "memory is short"));
	return (group != NULL ? 0 : 1);
}
