#include <errno.h>
#include <string.h>

#include "unpriv/conf_list.h"

/* The bytes before the empty string at the end. */
static size_t
list_length(const char *list)
{
	const char *s;

	CONF_LIST_FOREACH(s, list)
		continue;
	return ((size_t)(s - list));
}

char *
conf_list_find(char list[NODE_LIST_SIZE], struct slice entry)
{
	char *s;

	CONF_LIST_FOREACH(s, list) {
		if (slice_is(entry, s))
			return (s);
	}
	return (NULL);
}

int
conf_list_add(char list[NODE_LIST_SIZE], struct slice entry)
{
	const size_t length = list_length(list);

	if (conf_list_find(list, entry) != NULL)
		return (0);
	if (length + entry.length + 2 > NODE_LIST_SIZE)
		return (-E2BIG);
	memcpy(list + length, entry.start, entry.length);
	memset(list + length + entry.length, 0, 2);
	return (0);
}

void
conf_list_remove(char list[NODE_LIST_SIZE], char *entry)
{
	const size_t after = (size_t)(entry - list) + strlen(entry) + 1;

	memmove(entry, list + after, list_length(list) + 1 - after);
}

int
conf_list_well_formed(const char list[NODE_LIST_SIZE])
{
	size_t at = 0, length;

	while (at < NODE_LIST_SIZE) {
		length = strnlen(list + at, NODE_LIST_SIZE - at);
		if (length == 0)
			return (1);
		at += length + 1;
	}
	return (0);
}
