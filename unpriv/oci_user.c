/*
 * What a login would set: variables of the environment that the process does
 * not have, from the node's user database (passwd(5)).  It may say anything: a
 * line that is not one of seven fields is as good as none.
 */
#include <string.h>

#include "unpriv/chars.h"
#include "unpriv/oci_reader.h"

#define NUMBER(table) (sizeof(table) / sizeof((table)[0]))

enum field {
	NAME,
	PASSWORD,
	UID,
	GID,
	GECOS,
	HOME,
	SHELL,
	FIELDS,
};

struct text {
	const char *s; /* not NUL-terminated */
	size_t length;
};

static const struct {
	const char *key; /* with its '=' */
	enum field field;
	int path; /* to be absolute */
} variables[] = {
	{ "HOME=", HOME, 1 },
	{ "USER=", NAME, 0 },
	{ "LOGNAME=", NAME, 0 },
	{ "SHELL=", SHELL, 1 },
};

/* Takes what comes before the next c, or all; returns whether there was one. */
static int
text_cut(struct text *from, char c, struct text *part)
{
	const char *end = memchr(from->s, c, from->length);

	*part = *from;
	if (end == NULL) {
		from->s += from->length;
		from->length = 0;
		return (0);
	}
	part->length = (size_t)(end - from->s);
	from->s += part->length + 1;
	from->length -= part->length + 1;
	return (1);
}

static int
line_split(struct text line, struct text fields[FIELDS])
{
	size_t i;

	for (i = 0; i < FIELDS; i++) {
		if (text_cut(&line, ':', &fields[i]) != (i < FIELDS - 1))
			return (0);
	}
	return (1);
}

static int
is_uid(struct text text, uint32_t uid)
{
	uint64_t number = 0;
	size_t i;

	for (i = 0; i < text.length; i++) {
		if (!chars_digit(text.s[i]) || number > UINT32_MAX)
			return (0);
		number = number * 10 + (uint64_t)(text.s[i] - '0');
	}
	return (text.length > 0 && number == uid);
}

/* The first line counts, as in getpwuid(3). */
static int
user_find(const struct oci_node *on, uint32_t uid, struct text fields[FIELDS])
{
	struct text rest = { on->passwd, on->passwd_length }, line;

	while (rest.length > 0) {
		text_cut(&rest, '\n', &line);
		if (line_split(line, fields) && is_uid(fields[UID], uid))
			return (1);
	}
	return (0);
}

static int
is_usable(struct text text, int path)
{
	size_t i;

	for (i = 0; i < text.length; i++) {
		if ((unsigned char)text.s[i] < ' ' || text.s[i] == 0x7f)
			return (0);
	}
	return (text.length > 0 && (!path || text.s[0] == '/'));
}

/* Where there is no room for it, the process does without. */
static void
variable_add(struct oci_reader *reader, const char *key, struct text value)
{
	struct plan *plan = reader->plan;
	const size_t length = strlen(key);
	char *to = reader->strings + reader->used;

	if (plan->argc + plan->envc >= PLAN_VECTOR_MAX ||
	    length + value.length + 1 > reader->size - reader->used)
		return;
	memcpy(to, key, length);
	memcpy(to + length, value.s, value.length);
	to[length + value.length] = '\0';
	reader->used += length + value.length + 1;
	plan->envc++;
}

/* Bits of those that the environment has, which ends the strings so far. */
static unsigned int
variables_given(const struct oci_reader *reader, const char *env)
{
	const char *end = reader->strings + reader->used;
	unsigned int given = 0;
	size_t i;

	for (; env < end; env += strlen(env) + 1) {
		for (i = 0; i < NUMBER(variables); i++) {
			if (strncmp(env, variables[i].key,
				strlen(variables[i].key)) == 0)
				given |= 1u << i;
		}
	}
	return (given);
}

void
oci_add_variables(struct oci_reader *reader, size_t env)
{
	const unsigned int given =
	    variables_given(reader, reader->strings + env);
	struct text fields[FIELDS];
	size_t i;

	if (!user_find(reader->on, reader->plan->uid, fields)) {
		memset(fields, 0, sizeof(fields));
		fields[HOME] = (struct text){ "/", 1 };
	}
	for (i = 0; i < NUMBER(variables); i++) {
		if ((given & 1u << i) == 0 &&
		    is_usable(fields[variables[i].field], variables[i].path))
			variable_add(reader, variables[i].key,
			    fields[variables[i].field]);
	}
}
