#include <errno.h>
#include <string.h>
#include <strings.h>

#include "unpriv/chars.h"
#include "unpriv/conf.h"
#include "unpriv/conf_list.h"
#include "unpriv/conf_value.h"

#define BYTES_MIN (1ull << 20) /* bytes */
#define BYTES_MAX (1ull << 60)

int
value_word(const struct conf_word *words, void *field, struct slice text)
{
	for (; words->word != NULL; words++) {
		if (slice_is(text, words->word)) {
			*(uint32_t *)field = words->number;
			return (0);
		}
	}
	return (-EINVAL);
}

int
value_switch(void *field, struct slice text)
{
	static const struct conf_word words[] = {
		{ "true", 1 },
		{ "1", 1 },
		{ "yes", 1 },
		{ "on", 1 },
		{ "false", 0 },
		{ "0", 0 },
		{ "no", 0 },
		{ "off", 0 },
		{ NULL, 0 },
	};
	const struct conf_word *word;

	for (word = words; word->word != NULL; word++) {
		if (text.length == strlen(word->word) &&
		    strncasecmp(text.start, word->word, text.length) == 0) {
			*(uint32_t *)field = word->number;
			return (0);
		}
	}
	return (-EINVAL);
}

/* All of text as a number of at most 18 digits. */
static int
number_read(struct slice text, uint64_t *number)
{
	size_t i;

	*number = 0;
	if (text.length < 1 || text.length > 18)
		return (-EINVAL);
	for (i = 0; i < text.length; i++) {
		if (!chars_digit(text.start[i]))
			return (-EINVAL);
		*number = *number * 10 + (uint64_t)(text.start[i] - '0');
	}
	return (0);
}

static int
uid_read(struct slice text, uint32_t *uid)
{
	uint64_t number;

	if (text.length > 10 || number_read(text, &number) != 0 || number < 1 ||
	    number > CONF_UID_MAX)
		return (-EINVAL);
	*uid = (uint32_t)number;
	return (0);
}

int
value_uids(void *field, struct slice text)
{
	struct conf_uids uids;
	struct slice last, first = slice_split(text, '-', &last);

	if (uid_read(first, &uids.first) != 0)
		return (-EINVAL);
	uids.last = uids.first;
	if (last.start != NULL && uid_read(last, &uids.last) != 0)
		return (-EINVAL);
	if (uids.last < uids.first || uids.last - uids.first >= CONF_UIDS_MAX)
		return (-EINVAL);
	memcpy(field, &uids, sizeof(uids));
	return (0);
}

int
conf_size_valid(struct slice text)
{
	static const char units[] = "kmg";
	const char *unit;
	unsigned int shift = 0;
	uint64_t number;
	char last;

	/* A number that begins with 0 is octal to the kernel. */
	if (text.length < 1 || text.length >= NODE_SIZE_SIZE ||
	    text.start[0] == '0')
		return (0);
	last = text.start[--text.length];
	if (last == '%')
		return (number_read(text, &number) == 0 && number <= 100);
	unit = strchr(units, last | 0x20);
	if (unit == NULL)
		text.length++;
	else
		shift = 10 * (unsigned int)(unit - units + 1);
	return (number_read(text, &number) == 0 &&
	    number <= BYTES_MAX >> shift && number << shift >= BYTES_MIN);
}

int
value_size(void *field, struct slice text)
{
	const int none = slice_is(text, "none");

	if (!none && !conf_size_valid(text))
		return (-EINVAL);
	memset(field, 0, NODE_SIZE_SIZE);
	if (!none)
		memcpy(field, text.start, text.length);
	return (0);
}

/* Without a first slash; special are characters that are not allowed. */
static int
components_valid(struct slice path, const char *special)
{
	struct slice part, rest = path;
	size_t i;

	if (path.length < 1 || path.length >= NODE_PATH_SIZE - 1)
		return (0);
	for (i = 0; i < path.length; i++) {
		if (path.start[i] <= ' ' || path.start[i] > '~' ||
		    strchr(special, path.start[i]) != NULL)
			return (0);
	}
	while (rest.start != NULL) {
		part = slice_split(rest, '/', &rest);
		if (part.length == 0 || slice_is(part, ".") ||
		    slice_is(part, ".."))
			return (0);
	}
	return (1);
}

/* What follows the first slash; nothing if there is none. */
static struct slice
relative(struct slice path)
{
	if (path.length < 1 || path.start[0] != '/')
		return ((struct slice){ NULL, 0 });
	return ((struct slice){ path.start + 1, path.length - 1 });
}

int
conf_path_valid(struct slice path)
{
	return (components_valid(relative(path), "*?[\\"));
}

int
conf_pattern_valid(struct slice pattern)
{
	return (components_valid(pattern, "[\\"));
}

int
value_path(void *field, struct slice text)
{
	if (!conf_path_valid(text))
		return (-EINVAL);
	memset(field, 0, NODE_PATH_SIZE);
	memcpy(field, text.start, text.length);
	return (0);
}

/* below is a directory that all must lie in, or NULL: patterns. */
static int
value_list(char *field, struct slice text, const char *below)
{
	const size_t length = below != NULL ? strlen(below) : 0;
	char list[NODE_LIST_SIZE] = { 0 };
	struct slice entry, rest = text;
	int error;

	while (text.length > 0 && rest.start != NULL) {
		entry = slice_split(rest, ':', &rest);
		if (entry.length > 1 && entry.start[entry.length - 1] == '/')
			entry.length--;
		if (below == NULL)
			entry = relative(entry);
		else if (entry.length <= length ||
		    memcmp(entry.start, below, length) != 0)
			return (-EINVAL);
		if (below == NULL ? !conf_pattern_valid(entry) :
				    !conf_path_valid(entry))
			return (-EINVAL);
		if ((error = conf_list_add(list, entry)) != 0)
			return (error);
	}
	memcpy(field, list, sizeof(list));
	return (0);
}

int
value_run(void *field, struct slice text)
{
	return (value_list(field, text, "/run/"));
}

int
value_devices(void *field, struct slice text)
{
	return (value_list(field, text, "/dev/"));
}

int
value_patterns(void *field, struct slice text)
{
	return (value_list(field, text, NULL));
}

int
conf_paths_touch(const char *a, const char *b)
{
	const size_t length = strlen(a), other = strlen(b);
	const size_t common = length < other ? length : other;
	/* Where the longer goes on, or both end. */
	const char next = length < other ? b[common] : a[common];

	return (memcmp(a, b, common) == 0 && (next == '/' || next == '\0'));
}
