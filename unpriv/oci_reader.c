#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/oci_reader.h"

#define VALUE_MAX 40 /* bytes of a refused value that are shown */

static const char *const type_names[] = {
	[JSON_NULL] = "null",
	[JSON_BOOLEAN] = "true or false",
	[JSON_NUMBER] = "a number",
	[JSON_STRING] = "a string",
	[JSON_ARRAY] = "an array",
	[JSON_OBJECT] = "an object",
};

/* Text of the document may hold anything; what we say is printable. */
static void
make_printable(char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
	}
}

static void
show_value(int value, char *buffer, size_t size)
{
	enum json_type type = json_type(value);
	const char *raw, *quote = type == JSON_STRING ? "\"" : "";
	size_t length;

	raw = json_raw(value, &length);
	if (type == JSON_ARRAY || type == JSON_OBJECT)
		snprintf(buffer, size, "%s", type_names[type]);
	else if (length <= VALUE_MAX)
		snprintf(buffer, size, "%s%.*s%s", quote, (int)length, raw,
		    quote);
	else
		snprintf(buffer, size, "%s%.*s...%s", quote, VALUE_MAX, raw,
		    quote);
}

int
oci_refuse(struct oci_reader *reader, int value, const char *expected)
{
	struct plan *plan = reader->plan;
	char shown[VALUE_MAX + 16];

	if (value == JSON_NONE) {
		snprintf(plan->error, sizeof(plan->error), "%s: %s",
		    reader->path, expected);
	} else {
		show_value(value, shown, sizeof(shown));
		snprintf(plan->error, sizeof(plan->error), "%s: %s: %s",
		    reader->path, shown, expected);
	}
	make_printable(plan->error);
	return (-EINVAL);
}

static int
refuse_type(struct oci_reader *reader, int value, enum json_type type)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "expected %s", type_names[type]);
	return (oci_refuse(reader, value, expected));
}

static int
read_field(struct oci_reader *reader, int object, const struct oci_field *field)
{
	int value;

	if (json_member(object, field->name, &value) != 0)
		return (oci_refuse(reader, JSON_NONE, "given twice"));
	if (value == JSON_NONE || json_type(value) == JSON_NULL) {
		if (!field->required)
			return (0);
		return (oci_refuse(reader, JSON_NONE, "is missing"));
	}
	if (json_type(value) != field->type)
		return (refuse_type(reader, value, field->type));
	return (field->read(reader, value, field->arg));
}

int
oci_read_object(struct oci_reader *reader, int object,
    const struct oci_field *fields, size_t nfields)
{
	size_t i, length = strlen(reader->path);
	int error = 0;

	for (i = 0; i < nfields && error == 0; i++) {
		snprintf(reader->path + length, sizeof(reader->path) - length,
		    "%s%s", length > 0 ? "." : "", fields[i].name);
		error = read_field(reader, object, &fields[i]);
		reader->path[length] = '\0';
	}
	return (error);
}

int
oci_read_array(struct oci_reader *reader, int array, size_t max,
    enum json_type type, int (*read)(struct oci_reader *, int, uint32_t),
    uint32_t arg)
{
	size_t i = 0, length = strlen(reader->path);
	char expected[48];
	int error = 0, value;

	if (json_count(array) > max) {
		snprintf(expected, sizeof(expected),
		    "expected at most %zu elements", max);
		return (oci_refuse(reader, JSON_NONE, expected));
	}
	for (value = json_first(array); value != JSON_NONE && error == 0;
	     value = json_next(value), i++) {
		snprintf(reader->path + length, sizeof(reader->path) - length,
		    "[%zu]", i);
		if (json_type(value) != type)
			error = refuse_type(reader, value, type);
		else
			error = read(reader, value, arg);
		reader->path[length] = '\0';
	}
	return (error);
}

int
oci_read_empty(struct oci_reader *reader, int value, uint32_t arg)
{
	size_t length;

	(void)arg;
	if (json_type(value) == JSON_STRING)
		json_raw(value, &length);
	else
		length = json_count(value);
	if (length == 0)
		return (0);
	return (oci_refuse(reader, value,
	    "not supported, and without it the "
	    "workload would have less isolation than was asked for"));
}

int
oci_read_flag(struct oci_reader *reader, int value, uint32_t arg)
{
	int on;

	if (json_boolean(value, &on) != 0)
		return (oci_refuse(reader, value, "expected true or false"));
	if (on)
		reader->plan->flags |= arg;
	return (0);
}

int
oci_append(struct oci_reader *reader, int value, const char **string)
{
	int length;

	*string = reader->strings + reader->used;
	length = json_string(value, reader->strings + reader->used,
	    reader->size - reader->used);
	if (length < 0)
		return (oci_refuse(reader, JSON_NONE,
		    "args, env and all other strings together are too long"));
	reader->used += (size_t)length + 1;
	return (0);
}
