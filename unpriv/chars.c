#include <stdint.h>
#include <string.h>

#include "unpriv/chars.h"

int
chars_digit(char c)
{
	return (c >= '0' && c <= '9');
}

size_t
chars_utf8(const unsigned char *s, size_t length)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t i, n;

	if (s[0] < 0x80)
		return (1);
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return (0);
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n > length)
		return (0);
	if (s[0] == 0xe0)
		low = 0xa0; /* else it were an overlong form */
	else if (s[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (s[1] < low || s[1] > high)
		return (0);
	for (i = 2; i < n; i++) {
		if (s[i] < 0x80 || s[i] > 0xbf)
			return (0);
	}
	return (n);
}

/* The value of four hexadecimal digits, or -1. */
static int32_t
hex4(const char *s, size_t length)
{
	int32_t value = 0;
	size_t i;

	if (length < 4)
		return (-1);
	for (i = 0; i < 4; i++) {
		value <<= 4;
		if (chars_digit(s[i]))
			value |= s[i] - '0';
		else if (s[i] >= 'a' && s[i] <= 'f')
			value |= s[i] - 'a' + 10;
		else if (s[i] >= 'A' && s[i] <= 'F')
			value |= s[i] - 'A' + 10;
		else
			return (-1);
	}
	return (value);
}

static size_t
utf8_encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return (1);
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return (2);
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return (3);
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return (4);
}

/* Decodes \uXXXX or a pair of them; returns the bytes consumed, or 0. */
static size_t
unescape_unicode(const char *s, size_t length, char out[4], size_t *written)
{
	int32_t high, low;
	uint32_t c;

	high = hex4(s + 2, length - 2);
	if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff))
		return (0);
	if (high < 0xd800 || high > 0xdbff) {
		*written = utf8_encode((uint32_t)high, out);
		return (6);
	}
	if (length < 12 || s[6] != '\\' || s[7] != 'u')
		return (0);
	low = hex4(s + 8, length - 8);
	if (low < 0xdc00 || low > 0xdfff)
		return (0);
	c = 0x10000 + ((uint32_t)(high - 0xd800) << 10) +
	    (uint32_t)(low - 0xdc00);
	*written = utf8_encode(c, out);
	return (12);
}

size_t
chars_json(const char *s, size_t length, char out[4], size_t *written)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *escape;
	size_t n;

	if (s[0] != '\\') {
		if ((unsigned char)s[0] < 0x20)
			return (0);
		n = chars_utf8((const unsigned char *)s, length);
		memcpy(out, s, n);
		*written = n;
		return (n);
	}
	if (length < 2)
		return (0);
	if (s[1] == 'u')
		return (unescape_unicode(s, length, out, written));
	if (s[1] == '\0' || (escape = strchr(from, s[1])) == NULL)
		return (0);
	out[0] = to[escape - from];
	*written = 1;
	return (2);
}

int
chars_number(const char *s, size_t length)
{
	const char *end = s + length;

	if (s < end && *s == '-')
		s++;
	if (s == end || !chars_digit(*s))
		return (0);
	if (*s++ != '0') {
		while (s < end && chars_digit(*s))
			s++;
	}
	if (s < end && *s == '.') {
		if (++s == end || !chars_digit(*s))
			return (0);
		while (s < end && chars_digit(*s))
			s++;
	}
	if (s < end && (*s == 'e' || *s == 'E')) {
		if (++s < end && (*s == '+' || *s == '-'))
			s++;
		if (s == end || !chars_digit(*s))
			return (0);
		while (s < end && chars_digit(*s))
			s++;
	}
	return (s == end);
}

int
chars_path(const char *s)
{
	size_t length;

	if (strcmp(s, "/") == 0)
		return (1);
	for (; s[0] == '/'; s += length) {
		length = strcspn(++s, "/");
		if (length == 0 || strncmp(s, ".", length) == 0 ||
		    strncmp(s, "..", length) == 0)
			return (0);
	}
	return (1);
}
