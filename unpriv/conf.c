#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/conf.h"

#define PREFIX	    "REAPER_"
#define VALUE_SHOWN 48 /* bytes of a refused value that are shown */
#define PLACE_SIZE  64 /* "line N: KEY", or the variable's name */

void
conf_printable(char *buffer, size_t size, const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length && i + 1 < size; i++)
		buffer[i] = text[i] < 0x20 || text[i] > 0x7e ? '?' : text[i];
	buffer[i] = '\0';
}

static int
refuse(struct conf_given *given, const char *place, struct slice text,
    const char *reason)
{
	char *error = given->conf.error, shown[VALUE_SHOWN];

	conf_printable(shown, sizeof(shown), text.start, text.length);
	snprintf(error, CONF_ERROR_SIZE, "%s: \"%s\": %s%s", place, shown,
	    reason, text.length >= sizeof(shown) ? " (cut)" : "");
	return (-EINVAL);
}

/* Says where something is: in a line, or without one in the environment. */
static void
place_write(char place[PLACE_SIZE], uint32_t from, struct slice name)
{
	char shown[32];

	conf_printable(shown, sizeof(shown), name.start, name.length);
	if (from == CONF_FROM_ENVIRONMENT)
		snprintf(place, PLACE_SIZE, "%s", shown);
	else
		snprintf(place, PLACE_SIZE, "line %u: %s", from, shown);
}

int
conf_refuse(struct conf_given *given, enum conf_key_id id, struct slice text,
    const char *reason)
{
	char place[PLACE_SIZE];

	place_write(place, given->values[id].from,
	    slice_of(conf_key(id)->name));
	return (refuse(given, place, text, reason));
}

static int
value_set(struct conf_given *given, enum conf_key_id id, struct slice text)
{
	const struct conf_key *key = conf_key(id);
	void *field = (char *)given + key->field;

	return (key->words != NULL ? value_word(key->words, field, text) :
				     key->set(field, text));
}

/*
 * Applies one setting; seen has a bit for each key that this source has given
 * before.
 */
static int
apply(struct conf_given *given, uint32_t from, struct slice name,
    struct slice text, uint32_t *seen)
{
	char place[PLACE_SIZE], reason[192];
	enum conf_key_id id;
	int error;

	place_write(place, from, name);
	for (id = 0; id < CONF_KEYS; id++) {
		if (slice_is(name, conf_key(id)->name))
			break;
	}
	if (id == CONF_KEYS)
		return (refuse(given, place, name,
		    "this version has no such setting"));
	if ((*seen & 1u << id) != 0)
		return (refuse(given, place, name, "given twice"));
	*seen |= 1u << id;
	error = value_set(given, id, text);
	given->values[id] = (struct conf_value){ text, from };
	if (error == 0)
		return (0);
	snprintf(reason, sizeof(reason), "expected %s", conf_key(id)->expected);
	if (error == -E2BIG)
		snprintf(reason, sizeof(reason),
		    "the list is longer than %d bytes", NODE_LIST_SIZE - 1);
	return (conf_refuse(given, id, text, reason));
}
_Static_assert(CONF_KEYS <= 32, "a bit for each");

void
conf_init(struct conf_given *given)
{
	const char *initial;
	enum conf_key_id id;

	memset(given, 0, sizeof(*given));
	for (id = 0; id < CONF_KEYS; id++) {
		initial = conf_key(id)->initial;
		given->values[id].text = slice_of(
		    initial != NULL ? initial : "");
		if (initial != NULL)
			value_set(given, id, given->values[id].text);
	}
}

int
conf_parse_text(struct conf_given *given, const char *text, size_t length)
{
	struct slice line, name, value, rest = { text, length };
	char place[PLACE_SIZE];
	uint32_t number, seen = 0;
	int error = given->conf.error[0] != '\0' ? -EINVAL : 0;

	for (number = 1; error == 0 && rest.start != NULL; number++) {
		line = slice_trim(slice_split(rest, '\n', &rest));
		if (line.length == 0 || line.start[0] == '#')
			continue;
		name = slice_trim(slice_split(line, '=', &value));
		if (value.start != NULL) {
			error = apply(given, number, name, slice_trim(value),
			    &seen);
			continue;
		}
		snprintf(place, sizeof(place), "line %u", number);
		error = refuse(given, place, line, "expected KEY=VALUE");
	}
	return (error);
}

int
conf_parse_environment(struct conf_given *given, char *const envp[])
{
	struct slice name, value;
	uint32_t seen = 0;
	int error = given->conf.error[0] != '\0' ? -EINVAL : 0;

	for (; error == 0 && *envp != NULL; envp++) {
		if (strncmp(*envp, PREFIX, strlen(PREFIX)) != 0)
			continue;
		name = slice_split(slice_of(*envp), '=', &value);
		if (value.start != NULL && !slice_is(name, CONF_FILE_VARIABLE))
			error = apply(given, CONF_FROM_ENVIRONMENT, name, value,
			    &seen);
	}
	return (error);
}
