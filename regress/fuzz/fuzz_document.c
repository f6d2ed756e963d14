/*
 * Documents that the command line makes of others' and of its arguments: each
 * is JSON, whatever they say, and says what was asked for.
 */
#include "cli/document.h"
#include "regress/fuzz/fuzz.h"
#include "unpriv/chars.h"
#include "unpriv/json.h"
#include "unpriv/oci_resources.h"

#define WORDS_MAX 12

static char *words[WORDS_MAX + 1];
static size_t nwords;

static int
is_utf8(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t left = strlen(text), n;

	for (; left > 0; s += n, left -= n) {
		if ((n = chars_utf8(s, left)) == 0)
			return (0);
	}
	return (1);
}

static void
check_facts(int error, const struct document_facts *facts)
{
	must(is_line(facts->error, sizeof(facts->error)));
	must((error < 0) == (facts->error[0] != '\0'));
	must(facts->terminal == 0 || facts->terminal == 1);
}

static void
check_json(const struct text *text)
{
	size_t at;

	must(json_parse(text->data, text->length, &at) == NULL);
}

/* Each K=V, unless another of that name comes later. */
static void
check_annotations(const struct options_list *list)
{
	const char *equals;
	char name[4096];
	int annotations, value;
	size_t i, j;

	for (i = 0; i < list->count; i++) {
		equals = strchr(list->values[i], '=');
		must(equals != NULL && equals != list->values[i]);
		if (!is_utf8(list->values[i]) ||
		    (size_t)(equals - list->values[i]) >= sizeof(name))
			continue;
		memcpy(name, list->values[i],
		    (size_t)(equals - list->values[i]) + 1);
		for (j = i + 1; j < list->count; j++) {
			if (strncmp(list->values[j], name,
				(size_t)(equals - list->values[i]) + 1) == 0)
				break;
		}
		if (j < list->count)
			continue;
		name[equals - list->values[i]] = '\0';
		must(json_member(JSON_ROOT, "annotations", &annotations) == 0);
		must(annotations != JSON_NONE);
		must(json_member(annotations, name, &value) == 0);
		must(value != JSON_NONE && json_equals(value, equals + 1));
	}
}

static void
check_bundle(const char *json, size_t length, int pod)
{
	const struct options_list list = { (const char **)(uintptr_t)words,
		nwords };
	struct document_facts facts = { 0 };
	struct text out = { 0 };
	int error;

	error = document_bundle(json, length, &list, pod ? "namespace" : NULL,
	    "id", &out, &facts);
	check_facts(error, &facts);
	if (error == 0) {
		check_json(&out);
		/* Those of the pod come last, and so count. */
		if (!pod)
			check_annotations(&list);
	}
	text_free(&out);
}

static void
check_exec(const char *json, size_t length, int terminal)
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct options options = { .operands = words, .noperands = nwords };
	struct document_facts facts = { 0 };
	struct text out = { 0 };
	int args, error, value;
	size_t i;

	options.terminal = terminal;
	if (nwords > 3) {
		options.cwd = words[1];
		options.user = words[2][0] != '\0' ? words[2] : NULL;
		options.environment.values = (const char **)(uintptr_t)words;
		options.environment.count = 2;
	}
	error = document_exec(json, length, &options, &size, &out, &facts);
	check_facts(error, &facts);
	if (error == 0) {
		check_json(&out);
		must(json_member(JSON_ROOT, "args", &args) == 0);
		must(json_count(args) == (nwords > 0 ? nwords - 1 : 0));
		value = json_first(args);
		for (i = 1; i < nwords; i++, value = json_next(value))
			must(
			    !is_utf8(words[i]) || json_equals(value, words[i]));
	}
	text_free(&out);
}

static void
check_resources(void)
{
	struct options options = { 0 };
	const char **const fields[] = { &options.memory,
		&options.memory_reservation, &options.memory_swap,
		&options.cpu_period, &options.cpu_quota, &options.cpu_burst,
		&options.cpu_share, &options.cpuset_cpus, &options.cpuset_mems,
		&options.pids_limit };
	struct document_facts facts = { 0 };
	struct plan_limits limits;
	struct text out = { 0 };
	char error[MSG_TEXT_SIZE];
	int result;
	size_t i;

	for (i = 0; i < nwords && i < sizeof(fields) / sizeof(fields[0]); i++)
		*fields[i] = words[i][0] != '\0' ? words[i] : NULL;
	result = document_resources(&options, &out, &facts);
	check_facts(result, &facts);
	if (result >= 0) {
		check_json(&out);
		if (oci_resources_decode(out.data, out.length, &limits,
			error) != 0)
			must(is_line(error, sizeof(error)));
	}
	text_free(&out);
}

/* Input: what is wanted, the document, then words, with a NUL between two. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct document_facts facts = { 0 };
	struct text out = { 0 };
	const uint8_t how = input_byte(&in);
	size_t i, length;
	char *json = input_part(&in, &length);

	for (nwords = 0; nwords < WORDS_MAX && in.size > 0; nwords++)
		words[nwords] = input_string(&in);
	words[nwords] = NULL;
	switch (how % 4) {
	case 0:
		check_bundle(json, length, (how & 4) != 0);
		break;
	case 1:
		check_exec(json, length, (how & 4) != 0);
		break;
	case 2:
		check_resources();
		break;
	default:
		check_facts(document_process(json, length, &facts), &facts);
		facts = (struct document_facts){ 0 };
		check_facts(document_annotations(json, length, &out, &facts),
		    &facts);
		if (facts.error[0] == '\0')
			check_json(&out);
		text_free(&out);
	}
	for (i = 0; i < nwords; i++)
		free(words[i]);
	free(json);
	return (0);
}
