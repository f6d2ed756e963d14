/*
 * A document that says anything: of one that is accepted each value lies in
 * the text and counts its children right, and each string is UTF-8 without
 * U+0000, equals itself, and is found under its name.
 */
#include <errno.h>

#include "regress/fuzz/fuzz.h"
#include "unpriv/chars.h"
#include "unpriv/json.h"

static const char *text;
static size_t length;
static char *buffer;

static void
check_string(int value)
{
	const unsigned char *s = (const unsigned char *)buffer;
	const int used = json_string(value, buffer, length + 1);
	size_t left, n;

	must(used >= 0 && (size_t)used == strlen(buffer));
	for (left = (size_t)used; left > 0; s += n, left -= n)
		must((n = chars_utf8(s, left)) > 0);
	must(json_equals(value, buffer));
	/* Without room for its end it does not fit. */
	must(json_string(value, buffer, (size_t)used) == -ENAMETOOLONG);
}

static void
check_number(int value)
{
	int64_t number;
	uint64_t positive;

	if (json_signed(value, -5, 1000, &number) == 0)
		must(number >= -5 && number <= 1000);
	if (json_unsigned(value, 1000, &positive) == 0)
		must(positive <= 1000 &&
		    json_signed(value, 0, 1000, &number) == 0 &&
		    (uint64_t)number == positive);
}

static void
check_member(int object, int key)
{
	int error, value;
	char *name = malloc(length + 1);

	must(name != NULL && json_string(key, name, length + 1) >= 0);
	error = json_member(object, name, &value);
	must(error == -EEXIST ||
	    (error == 0 && value == json_member_value(key)));
	free(name);
}

static void
check_value(int value, int depth)
{
	const enum json_type type = json_type(value);
	const char *raw;
	int boolean, child;
	size_t count = 0, size;

	must(depth <= JSON_DEPTH_MAX);
	raw = json_raw(value, &size);
	must(raw >= text && raw + size <= text + length);
	if (type == JSON_STRING)
		check_string(value);
	else if (type == JSON_NUMBER)
		check_number(value);
	must((type == JSON_BOOLEAN) == (json_boolean(value, &boolean) == 0));
	for (child = json_first(value); child != JSON_NONE;
	     child = json_next(child), count++) {
		must(type == JSON_OBJECT || type == JSON_ARRAY);
		check_value(child, depth + 1);
		if (type != JSON_OBJECT)
			continue;
		must(json_type(child) == JSON_STRING);
		check_value(json_member_value(child), depth + 1);
		if (count < 8)
			check_member(value, child);
	}
	must(count == json_count(value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at;
	char *copy = malloc(size > 0 ? size : 1);

	buffer = malloc(size + 1);
	must(copy != NULL && buffer != NULL);
	memcpy(copy, data, size);
	text = copy;
	length = size;
	if (json_parse(copy, size, &at) == NULL) {
		must(json_type(JSON_ROOT) == JSON_OBJECT);
		check_value(JSON_ROOT, 0);
	} else {
		must(at <= size);
	}
	free(copy);
	free(buffer);
	return (0);
}
