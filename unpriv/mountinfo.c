#include <stdint.h>
#include <string.h>

#include "unpriv/chars.h"
#include "unpriv/mountinfo.h"

#define NUMBER(table) (sizeof(table) / sizeof((table)[0]))
#define CROSSINGS_MAX 256 /* mounts on the way to a path */

static const struct {
	const char *digits;
	char c;
	int made; /* in paths; the others are read */
} escapes[] = { { "040", ' ', 1 }, { "011", '\t', 1 }, { "012", '\n', 1 },
	{ "134", '\\', 1 }, { "043", '#', 0 } };

static int
is_same(struct slice a, struct slice b)
{
	return (
	    a.length == b.length && memcmp(a.start, b.start, a.length) == 0);
}

/* Takes what comes before the next c, or all. */
static struct slice
cut(struct slice *from, char c)
{
	struct slice part = *from;
	const char *end = NULL;

	if (from->length > 0)
		end = memchr(from->start, c, from->length);
	if (end != NULL)
		part.length = (size_t)(end - from->start);
	from->start += part.length + (end != NULL);
	from->length -= part.length + (end != NULL);
	return (part);
}

static int
is_number(struct slice text)
{
	size_t i;

	for (i = 0; i < text.length; i++) {
		if (!chars_digit(text.start[i]))
			return (0);
	}
	return (text.length > 0 && text.length <= 10);
}

int
mountinfo_below(struct slice path, struct slice prefix)
{
	return (prefix.length > 0 && path.length >= prefix.length &&
	    memcmp(path.start, prefix.start, prefix.length) == 0 &&
	    (path.length == prefix.length ||
		prefix.start[prefix.length - 1] == '/' ||
		path.start[prefix.length] == '/'));
}

/* The character of an escape of the kernel's: three digits; or NUL. */
static char
escape_decode(const char *digits, size_t length)
{
	size_t i;

	for (i = 0; length >= 3 && i < NUMBER(escapes); i++) {
		if (memcmp(digits, escapes[i].digits, 3) == 0)
			return (escapes[i].c);
	}
	return ('\0');
}

int
mountinfo_decode(struct slice text, char path[PATH_MAX])
{
	size_t i, used = 0;
	char c;

	if (text.length == 0 || text.start[0] != '/')
		return (0);
	for (i = 0; i < text.length; i++) {
		if ((c = text.start[i]) == '\\') {
			c = escape_decode(text.start + i + 1,
			    text.length - i - 1);
			i += 3;
		} else if (c == '\t') {
			return (0);
		}
		if (c == '\0' || used == PATH_MAX - 1)
			return (0);
		path[used++] = c;
	}
	path[used] = '\0';
	return (chars_path(path));
}

struct slice
mountinfo_encode(const char *path, char *text, size_t size)
{
	struct slice made = { text, 0 };
	size_t i;

	for (; *path != '\0'; path++) {
		if (size - made.length < 4)
			return ((struct slice){ text, 0 });
		for (i = 0; i < NUMBER(escapes); i++) {
			if (escapes[i].made && escapes[i].c == *path)
				break;
		}
		if (i == NUMBER(escapes)) {
			text[made.length++] = *path;
			continue;
		}
		text[made.length] = '\\';
		memcpy(text + made.length + 1, escapes[i].digits, 3);
		made.length += 4;
	}
	return (made);
}

/* Splits a line.  Returns whether it has all fields of one. */
static int
line_split(struct slice text, struct mountinfo_mount *mount)
{
	struct slice field;

	mount->id = cut(&text, ' ');
	mount->parent = cut(&text, ' ');
	mount->device = cut(&text, ' ');
	mount->root = cut(&text, ' ');
	mount->path = cut(&text, ' ');
	field = cut(&text, ' '); /* options */
	if (field.length == 0)
		return (0);
	do {
		if (text.length == 0)
			return (0);
		field = cut(&text, ' ');
	} while (field.length != 1 || field.start[0] != '-');
	mount->type = cut(&text, ' ');
	/* The source may be empty, but has its place. */
	if (mount->type.length == 0 || text.length == 0)
		return (0);
	mount->source = cut(&text, ' ');
	return (1);
}

int
mountinfo_next(struct slice *rest, struct mountinfo_mount *mount)
{
	return (rest->length > 0 && line_split(cut(rest, '\n'), mount));
}

/*
 * What the root directory lies in, by its number.  It is mounted on nothing
 * that is in the list: what has the shortest path, and is not mounted on
 * another that has the same, is either the root, or on what holds it.
 */
static struct slice
root_find(struct slice text)
{
	struct mountinfo_mount mount, top = { .path.length = SIZE_MAX };
	struct slice rest = text, parent;
	int n, found = 1;

	while (mountinfo_next(&rest, &mount)) {
		if (mount.path.length < top.path.length)
			top = mount;
	}
	parent = top.parent;
	for (n = 0; found && n < CROSSINGS_MAX; n++) {
		found = 0;
		for (rest = text; !found && mountinfo_next(&rest, &mount);)
			found = is_same(mount.path, top.path) &&
			    is_same(mount.id, parent) &&
			    !is_same(mount.id, mount.parent);
		if (found)
			parent = mount.parent;
	}
	return (parent);
}

size_t
mountinfo_read(struct mountinfo *list, const char *text, size_t length)
{
	static char path[PATH_MAX];
	struct mountinfo_mount mount;
	struct slice rest = { text, length };
	size_t n;

	for (n = 1; rest.length > 0; n++) {
		if (!line_split(cut(&rest, '\n'), &mount) ||
		    !is_number(mount.id) || !is_number(mount.parent) ||
		    !mountinfo_decode(mount.path, path))
			return (n);
	}
	list->text = (struct slice){ text, length };
	list->root = root_find(list->text);
	return (0);
}

int
mountinfo_find(const struct mountinfo *list, struct slice path,
    struct mountinfo_mount *found)
{
	struct mountinfo_mount here = { .id = list->root, .path.length = 1 };
	struct mountinfo_mount mount, next;
	struct slice rest;
	int n;

	for (n = 0; n < CROSSINGS_MAX; n++) {
		next.path.length = SIZE_MAX;
		for (rest = list->text; mountinfo_next(&rest, &mount);) {
			if (is_same(mount.parent, here.id) &&
			    !is_same(mount.id, here.id) &&
			    mountinfo_below(path, mount.path) &&
			    mount.path.length >= here.path.length &&
			    mount.path.length <= next.path.length)
				next = mount;
		}
		if (next.path.length == SIZE_MAX) {
			*found = here;
			return (here.path.start != NULL);
		}
		here = next;
	}
	/* Numbers that go in a circle: there is no way. */
	return (0);
}

int
mountinfo_visible(const struct mountinfo *list,
    const struct mountinfo_mount *mount)
{
	struct mountinfo_mount found;

	return (mountinfo_find(list, mount->path, &found) &&
	    is_same(found.id, mount->id) &&
	    found.path.length == mount->path.length);
}
