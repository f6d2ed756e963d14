/*
 * A strict reader of JSON documents (RFC 8259) over jsmn.
 *
 * jsmn finds the tokens; because it is lax about what lies between and in
 * them, every byte of the document is then checked against the grammar.
 * Refused besides what the RFC forbids: documents that are not an object,
 * nesting beyond JSON_DEPTH_MAX, the character U+0000, invalid UTF-8, lone
 * surrogates.
 *
 * There is no allocation and no system call.  All tokens live in static
 * memory, so one document is open at a time: json_parse forgets the one
 * before.  A value is named by the index of its token; JSON_NONE is none.
 */
#ifndef UNPRIV_JSON_H
#define UNPRIV_JSON_H

#include <stddef.h>
#include <stdint.h>

#define JSON_TOKENS_MAX	65536	/* keys and values together */
#define JSON_DEPTH_MAX	64	/* arrays and objects within each other */
#define JSON_NONE	(-1)
#define JSON_ROOT	0	/* the document's object */

enum json_type {
	JSON_NULL,
	JSON_BOOLEAN,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/*
 * Parses length bytes of text, which must stay in place while values are
 * read.  Returns NULL, or a constant text that says what is wrong; *offset is
 * then the byte where it is.
 */
const char *json_parse(const char *text, size_t length, size_t *offset);

/* The type of a value. */
enum json_type json_type(int value);

/*
 * The number of elements of an array or members of an object; 0 for any other
 * value.
 */
size_t	 json_count(int value);

/*
 * Iterates over an array: json_first gives the first element, json_next the
 * one that follows, JSON_NONE after the last.  In an object keys are given;
 * json_member_value has the value of a key.  Each step takes constant time.
 */
int	 json_first(int value);
int	 json_next(int value);
int	 json_member_value(int key);

/*
 * Looks for the member called name; takes time linear in the number of
 * members.  Returns 0 and the value (JSON_NONE if there is no such member) or
 * -EEXIST if there are several.
 */
int	 json_member(int object, const char *name, int *value);

/* True if value is a string, and the same as s after unescaping. */
int	 json_equals(int value, const char *s);

/*
 * Writes the unescaped string with a NUL to buffer.  Returns its length
 * without the NUL, -EINVAL if value is not a string, or -ENAMETOOLONG if it
 * does not fit in size bytes; the buffer's content is then undefined.
 */
int	 json_string(int value, char *buffer, size_t size);

/* Reads true or false.  Returns 0 or -EINVAL. */
int	 json_boolean(int value, int *boolean);

/*
 * Reads a number written as a plain integer, without fraction or exponent.
 * Returns 0, -EINVAL if it is not one, or -ERANGE if it is not in the range.
 */
int	 json_unsigned(int value, uint64_t max, uint64_t *number);
int	 json_signed(int value, int64_t min, int64_t max, int64_t *number);

/*
 * The value as it stands in the document: a pointer into the text, not
 * NUL-terminated; strings without their quotes.
 */
const char *json_raw(int value, size_t *length);

#endif
