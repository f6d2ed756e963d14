/*
 * Characters of untrusted text: UTF-8, and what JSON makes of it.  Pure.
 */
#ifndef UNPRIV_CHARS_H
#define UNPRIV_CHARS_H

#include <stddef.h>

/* True for '0' to '9', whatever the locale. */
int	 chars_digit(char c);

/*
 * The number of bytes of the well-formed UTF-8 sequence at s, of at least 1
 * and at most length bytes, or 0 (Unicode 15, table 3-7).
 */
size_t	 chars_utf8(const unsigned char *s, size_t length);

/*
 * Decodes the character or escape at s, of at least 1 and at most length
 * bytes, inside a JSON string.  Fills out and *written; returns the number of
 * bytes that it takes in the document, or 0 if it is not allowed there:
 * control characters, unknown escapes, lone surrogates, U+0000, bad UTF-8.
 */
size_t	 chars_json(const char *s, size_t length, char out[4],
	    size_t *written);

/*
 * True if the length bytes at s are a number of JSON:
 * -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
 */
int	 chars_number(const char *s, size_t length);

/* True if s is an absolute path, no component of which is empty or dots. */
int	 chars_path(const char *s);

#endif
