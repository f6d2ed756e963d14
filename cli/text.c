#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/text.h"
#include "unpriv/chars.h"

#define RTMIN 34 /* as kill(1) counts: glibc keeps two for itself */
#define RTMAX 64

void
text_add(struct text *text, const void *data, size_t length)
{
	size_t room = text->room;
	char *grown;

	if (text->failed)
		return;
	if (length > room - text->length) {
		room = (text->length + length) * 2;
		if ((grown = realloc(text->data, room)) == NULL) {
			text->failed = 1;
			return;
		}
		text->data = grown;
		text->room = room;
	}
	if (length > 0)
		memcpy(text->data + text->length, data, length);
	text->length += length;
}

void
text_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void
text_number(struct text *text, int64_t number)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%lld", (long long)number);
	text_string(text, digits);
}

/* The code point of a well-formed sequence of n bytes. */
static uint32_t
code_point(const unsigned char *s, size_t n)
{
	static const unsigned char first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = s[0] & first[n];
	size_t i;

	for (i = 1; i < n; i++)
		code = code << 6 | (s[i] & 0x3f);
	return (code);
}

void
text_json(struct text *text, const char *string)
{
	const unsigned char *s = (const unsigned char *)string;
	size_t left = strlen(string), n;
	char escape[16];
	uint32_t code;

	text_string(text, "\"");
	for (; left > 0; s += n, left -= n) {
		n = chars_utf8(s, left);
		code = n == 0 ? 0xfffd : code_point(s, n);
		n += n == 0;
		if (code == '"' || code == '\\')
			snprintf(escape, sizeof(escape), "\\%c", (char)code);
		else if (code >= ' ' && code <= '~')
			snprintf(escape, sizeof(escape), "%c", (char)code);
		else if (code <= 0xffff)
			snprintf(escape, sizeof(escape), "\\u%04x", code);
		else
			snprintf(escape, sizeof(escape), "\\u%04x\\u%04x",
			    0xd800 + ((code - 0x10000) >> 10),
			    0xdc00 + ((code - 0x10000) & 0x3ff));
		text_string(text, escape);
	}
	text_string(text, "\"");
}

void
text_free(struct text *text)
{
	free(text->data);
	memset(text, 0, sizeof(*text));
}

int
text_parse(const char *word, int64_t min, int64_t max, int64_t *number)
{
	const char *digits = word + (word[0] == '-');
	long long value;

	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return (-EINVAL);
	errno = 0;
	value = strtoll(word, NULL, 10);
	if (errno != 0 || value < min || value > max)
		return (-EINVAL);
	if (value == 0 && digits != word)
		return (-EINVAL);
	*number = value;
	return (0);
}

int
text_parse_size(const char *word, int64_t min, int64_t *number)
{
	static const char units[] = "kmgt";
	const size_t length = strlen(word);
	char digits[24];
	const char *unit;
	int shift = 0;

	if (length == 0 || length >= sizeof(digits))
		return (-EINVAL);
	memcpy(digits, word, length + 1);
	unit = strchr(units, tolower((unsigned char)word[length - 1]));
	if (unit != NULL) {
		shift = 10 * (int)(unit - units + 1);
		digits[length - 1] = '\0';
	}
	if (text_parse(digits, min, INT64_MAX >> shift, number) != 0)
		return (-EINVAL);
	/* A negative number means something else than a size. */
	*number = *number < 0 ? *number : *number << shift;
	return (0);
}

/* RTMIN, RTMIN+N, RTMAX, RTMAX-N. */
static int
realtime_signal(const char *word)
{
	int64_t number = 0;
	int from;

	if (strncasecmp(word, "RTMIN", 5) == 0 && strchr("+", word[5]) != NULL)
		from = RTMIN;
	else if (strncasecmp(word, "RTMAX", 5) == 0 &&
	    strchr("-", word[5]) != NULL)
		from = RTMAX;
	else
		return (-EINVAL);
	if (word[5] != '\0' &&
	    (!chars_digit(word[6]) ||
		text_parse(word + 6, 0, RTMAX - RTMIN, &number) != 0))
		return (-EINVAL);
	return (from + (from == RTMIN ? (int)number : -(int)number));
}

int
text_signal(const char *word)
{
	int64_t number;
	int signo;

	if (text_parse(word, 1, RTMAX, &number) == 0)
		return ((int)number);
	if (strncasecmp(word, "SIG", 3) == 0)
		word += 3;
	for (signo = 1; signo < 32; signo++) {
		if (strcasecmp(word, sigabbrev_np(signo)) == 0)
			return (signo);
	}
	return (realtime_signal(word));
}
