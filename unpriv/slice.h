/*
 * Part of a text that belongs to somebody else: not terminated, any bytes.
 * Pure.
 */
#ifndef UNPRIV_SLICE_H
#define UNPRIV_SLICE_H

#include <stddef.h>

struct slice {
	const char *start;
	size_t length;
};

/* All of s, but for its NUL. */
struct slice slice_of(const char *s);

/* True if it is s. */
int	 slice_is(struct slice slice, const char *s);

/* It without the spaces, tabs and carriage returns at both ends. */
struct slice slice_trim(struct slice slice);

/* The part before the first c; *rest, what follows it (start NULL: no c). */
struct slice slice_split(struct slice slice, char c, struct slice *rest);

#endif
