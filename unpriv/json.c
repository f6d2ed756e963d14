#include <errno.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "unpriv/chars.h"
#include "unpriv/json.h"

/*
 * The open document.  after[i] is the first token beyond the subtree of token
 * i: what makes a step over a value independent of its size.
 */
static struct {
	const char *text;
	size_t length;
	size_t ntokens;
} document;
static jsmntok_t tokens[JSON_TOKENS_MAX];
static int after[JSON_TOKENS_MAX];

/* Position of the check that follows jsmn. */
struct cursor {
	size_t at; /* byte */
	int token; /* the next one */
	const char *error;
};

static int
is_space(char c)
{
	return (c == ' ' || c == '\t' || c == '\n' || c == '\r');
}

/* A character that stands for itself in a string, as nearly all do. */
static int
is_plain(char c)
{
	return (c >= ' ' && c <= '~' && c != '\\' && c != '"');
}

/* The byte at the cursor, or NUL, which no valid document contains. */
static char
peek(const struct cursor *cursor)
{
	return (
	    cursor->at < document.length ? document.text[cursor->at] : '\0');
}

static void
skip_space(struct cursor *cursor)
{
	while (is_space(peek(cursor)))
		cursor->at++;
}

static int
fail(struct cursor *cursor, const char *error)
{
	if (cursor->error == NULL)
		cursor->error = error;
	return (0);
}

static int
check_string(struct cursor *cursor, const jsmntok_t *token)
{
	size_t end = (size_t)token->end, n, written;
	char out[4];

	cursor->at = (size_t)token->start;
	while (cursor->at < end) {
		if (is_plain(document.text[cursor->at])) {
			cursor->at++;
			continue;
		}
		n = chars_json(document.text + cursor->at, end - cursor->at,
		    out, &written);
		if (n == 0)
			return (fail(cursor,
			    "a character or an escape that "
			    "is not allowed in a string"));
		cursor->at += n;
	}
	cursor->at++; /* the closing quote */
	return (1);
}

static int
raw_is(const jsmntok_t *token, const char *word)
{
	size_t length = (size_t)(token->end - token->start);

	return (length == strlen(word) &&
	    memcmp(document.text + token->start, word, length) == 0);
}

static int
check_primitive(struct cursor *cursor, const jsmntok_t *token)
{
	if (!raw_is(token, "true") && !raw_is(token, "false") &&
	    !raw_is(token, "null") &&
	    !chars_number(document.text + token->start,
		(size_t)(token->end - token->start)))
		return (fail(cursor, "neither true, false, null nor a number"));
	cursor->at = (size_t)token->end;
	return (1);
}

/* Checks that the next token is of this kind and begins at the cursor. */
static const jsmntok_t *
expect_token(struct cursor *cursor)
{
	const jsmntok_t *token;
	size_t start;

	if ((size_t)cursor->token == document.ntokens)
		return (NULL);
	token = &tokens[cursor->token];
	start = (size_t)token->start - (token->type == JSMN_STRING);
	return (start == cursor->at ? token : NULL);
}

static int check_value(struct cursor *cursor);

/* Checks `"key":` and its value, or an element, at the cursor. */
static int
check_item(struct cursor *cursor, int keyed)
{
	const jsmntok_t *token;
	int key;

	if (!keyed)
		return (check_value(cursor));
	token = expect_token(cursor);
	if (token == NULL || token->type != JSMN_STRING)
		return (fail(cursor, "expected a key"));
	key = cursor->token++;
	if (!check_string(cursor, token))
		return (0);
	skip_space(cursor);
	if (peek(cursor) != ':')
		return (fail(cursor, "expected a colon"));
	cursor->at++;
	skip_space(cursor);
	if (!check_value(cursor))
		return (0);
	after[key] = cursor->token;
	return (1);
}

static int
check_container(struct cursor *cursor, int keyed)
{
	const char close = keyed ? '}' : ']';

	cursor->at++;
	skip_space(cursor);
	if (peek(cursor) == close) {
		cursor->at++;
		return (1);
	}
	for (;;) {
		if (!check_item(cursor, keyed))
			return (0);
		skip_space(cursor);
		if (peek(cursor) == close) {
			cursor->at++;
			return (1);
		}
		if (peek(cursor) != ',')
			return (fail(cursor,
			    keyed ?
				"expected a comma or the end of the object" :
				"expected a comma or the end of the array"));
		cursor->at++;
		skip_space(cursor);
	}
}

/* Recurses as deep as the document, which depth_valid has bounded. */
static int
check_value(struct cursor *cursor)
{
	const jsmntok_t *token;
	int value = cursor->token, ok;

	if ((token = expect_token(cursor)) == NULL)
		return (fail(cursor, "expected a value"));
	cursor->token++;
	switch (token->type) {
	case JSMN_OBJECT:
	case JSMN_ARRAY:
		ok = check_container(cursor, token->type == JSMN_OBJECT);
		break;
	case JSMN_STRING:
		ok = check_string(cursor, token);
		break;
	default:
		ok = check_primitive(cursor, token);
		break;
	}
	after[value] = cursor->token;
	return (ok);
}

/*
 * Checks the depth before jsmn sees the text: it walks up from the last token
 * at each closing bracket, which takes quadratic time in a deep document.
 */
static int
depth_valid(struct cursor *cursor)
{
	size_t depth = 0;
	int quoted = 0;
	char c;

	for (; cursor->at < document.length; cursor->at++) {
		c = document.text[cursor->at];
		if (quoted && c == '\\')
			cursor->at++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{'))
			depth++;
		else if (!quoted && (c == ']' || c == '}') && depth > 0)
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return (fail(cursor, "nested too deeply"));
	}
	cursor->at = 0;
	return (1);
}

static const char *
jsmn_error(int error)
{
	if (error == JSMN_ERROR_NOMEM)
		return ("too many values");
	if (error == JSMN_ERROR_PART)
		return ("ends too early");
	return ("not JSON");
}

const char *
json_parse(const char *text, size_t length, size_t *offset)
{
	struct cursor cursor = { 0, 0, NULL };
	jsmn_parser parser;
	int n;

	document.text = text;
	document.length = length;
	document.ntokens = 0;
	*offset = 0;
	if (length > INT32_MAX)
		return ("too large");
	if (!depth_valid(&cursor))
		goto out;
	jsmn_init(&parser);
	n = jsmn_parse(&parser, text, length, tokens, JSON_TOKENS_MAX);
	if (n < 0) {
		*offset = parser.pos;
		return (jsmn_error(n));
	}
	document.ntokens = (size_t)n;
	skip_space(&cursor);
	if (peek(&cursor) != '{') {
		fail(&cursor, "expected an object");
		goto out;
	}
	if (!check_value(&cursor))
		goto out;
	skip_space(&cursor);
	if (cursor.at != length || (size_t)cursor.token != document.ntokens)
		fail(&cursor, "something follows the document");
out:
	*offset = cursor.at;
	return (cursor.error);
}

enum json_type
json_type(int value)
{
	switch (tokens[value].type) {
	case JSMN_OBJECT:
		return (JSON_OBJECT);
	case JSMN_ARRAY:
		return (JSON_ARRAY);
	case JSMN_STRING:
		return (JSON_STRING);
	default:
		break;
	}
	switch (document.text[tokens[value].start]) {
	case 't':
	case 'f':
		return (JSON_BOOLEAN);
	case 'n':
		return (JSON_NULL);
	default:
		return (JSON_NUMBER);
	}
}

size_t
json_count(int value)
{
	if (tokens[value].type != JSMN_OBJECT &&
	    tokens[value].type != JSMN_ARRAY)
		return (0);
	return ((size_t)tokens[value].size);
}

int
json_first(int value)
{
	return (json_count(value) > 0 ? value + 1 : JSON_NONE);
}

int
json_next(int value)
{
	int next = after[value];

	/* The last one of its container is followed by something outside. */
	if ((size_t)next >= document.ntokens ||
	    tokens[next].parent != tokens[value].parent)
		return (JSON_NONE);
	return (next);
}

int
json_member_value(int key)
{
	return (key + 1);
}

int
json_member(int object, const char *name, int *value)
{
	int key;

	*value = JSON_NONE;
	for (key = json_first(object); key != JSON_NONE; key = json_next(key)) {
		if (!json_equals(key, name))
			continue;
		if (*value != JSON_NONE)
			return (-EEXIST);
		*value = json_member_value(key);
	}
	return (0);
}

int
json_equals(int value, const char *s)
{
	const jsmntok_t *token = &tokens[value];
	size_t at, end, n, written, length = strlen(s);
	char out[4];

	if (token->type != JSMN_STRING)
		return (0);
	at = (size_t)token->start;
	end = (size_t)token->end;
	/* Hardly a string has escapes, and most are compared often. */
	if (memchr(document.text + at, '\\', end - at) == NULL)
		return (end - at == length &&
		    memcmp(document.text + at, s, length) == 0);
	while (at < end) {
		n = chars_json(document.text + at, end - at, out, &written);
		if (n == 0 || written > length || memcmp(s, out, written) != 0)
			return (0);
		at += n;
		s += written;
		length -= written;
	}
	return (length == 0);
}

int
json_string(int value, char *buffer, size_t size)
{
	const jsmntok_t *token = &tokens[value];
	size_t at, end, n, written, length = 0;
	char out[4];

	if (token->type != JSMN_STRING)
		return (-EINVAL);
	at = (size_t)token->start;
	end = (size_t)token->end;
	while (at < end) {
		n = chars_json(document.text + at, end - at, out, &written);
		if (n == 0)
			return (-EINVAL);
		if (written >= size - length)
			return (-ENAMETOOLONG);
		memcpy(buffer + length, out, written);
		length += written;
		at += n;
	}
	if (length >= size)
		return (-ENAMETOOLONG);
	buffer[length] = '\0';
	return ((int)length);
}

int
json_boolean(int value, int *boolean)
{
	if (json_type(value) != JSON_BOOLEAN)
		return (-EINVAL);
	*boolean = document.text[tokens[value].start] == 't';
	return (0);
}

int
json_unsigned(int value, uint64_t max, uint64_t *number)
{
	const jsmntok_t *token = &tokens[value];
	uint64_t n = 0;
	int i;

	if (json_type(value) != JSON_NUMBER)
		return (-EINVAL);
	if (document.text[token->start] == '-')
		return (-ERANGE);
	for (i = token->start; i < token->end; i++) {
		if (!chars_digit(document.text[i]))
			return (-EINVAL);
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, document.text[i] - '0', &n))
			return (-ERANGE);
	}
	if (n > max)
		return (-ERANGE);
	*number = n;
	return (0);
}

int
json_signed(int value, int64_t min, int64_t max, int64_t *number)
{
	const jsmntok_t *token = &tokens[value];
	int64_t n = 0;
	int i, negative;

	if (json_type(value) != JSON_NUMBER)
		return (-EINVAL);
	negative = document.text[token->start] == '-';
	/* Downwards, because the range reaches further there. */
	for (i = token->start + negative; i < token->end; i++) {
		if (!chars_digit(document.text[i]))
			return (-EINVAL);
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_sub_overflow(n, document.text[i] - '0', &n))
			return (-ERANGE);
	}
	if (!negative && __builtin_sub_overflow(0, n, &n))
		return (-ERANGE);
	if (n < min || n > max)
		return (-ERANGE);
	*number = n;
	return (0);
}

const char *
json_raw(int value, size_t *length)
{
	*length = (size_t)(tokens[value].end - tokens[value].start);
	return (document.text + tokens[value].start);
}
