#include <string.h>

#include "unpriv/slice.h"

struct slice
slice_of(const char *s)
{
	return ((struct slice){ s, strlen(s) });
}

int
slice_is(struct slice slice, const char *s)
{
	return (slice.length == strlen(s) &&
	    memcmp(slice.start, s, slice.length) == 0);
}

static int
is_blank(char c)
{
	return (c == ' ' || c == '\t' || c == '\r');
}

struct slice
slice_trim(struct slice slice)
{
	while (slice.length > 0 && is_blank(slice.start[0])) {
		slice.start++;
		slice.length--;
	}
	while (slice.length > 0 && is_blank(slice.start[slice.length - 1]))
		slice.length--;
	return (slice);
}

struct slice
slice_split(struct slice slice, char c, struct slice *rest)
{
	const char *found;

	*rest = (struct slice){ NULL, 0 };
	if (slice.length == 0 ||
	    (found = memchr(slice.start, c, slice.length)) == NULL)
		return (slice);
	rest->start = found + 1;
	rest->length = slice.length - (size_t)(rest->start - slice.start);
	slice.length = (size_t)(found - slice.start);
	return (slice);
}
