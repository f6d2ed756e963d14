/*
 * A list of mounts that says anything: of one that is taken each mount has a
 * path that is normal, and comes out of its escapes as it went in; what a path
 * lies in is at it or above it.
 */
#include <ctype.h>

#include "regress/fuzz/fuzz.h"
#include "unpriv/chars.h"
#include "unpriv/mountinfo.h"

#define INPUT_MAX 4096

static void
check_number(struct slice text)
{
	size_t i;

	must(text.length > 0);
	for (i = 0; i < text.length; i++)
		must(isdigit((unsigned char)text.start[i]));
}

static void
check_path(struct slice text)
{
	static char again[PATH_MAX], escaped[4 * PATH_MAX], path[PATH_MAX];
	struct slice made;

	must(mountinfo_decode(text, path) && chars_path(path));
	made = mountinfo_encode(path, escaped, sizeof(escaped));
	must(made.length > 0 && mountinfo_decode(made, again));
	must(strcmp(path, again) == 0);
}

static void
check_found(const struct mountinfo *list, struct slice path)
{
	struct mountinfo_mount found;

	if (!mountinfo_find(list, path, &found))
		return;
	must(mountinfo_below(path, found.path));
	must(found.path.start >= list->text.start &&
	    found.path.start + found.path.length <=
		list->text.start + list->text.length);
}

/* Input: the list, then a path, with a NUL between them. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct mountinfo_mount mount, found;
	struct mountinfo list;
	struct slice rest, path;
	char *text, *name;
	size_t length, lines = 0;

	if (size > INPUT_MAX)
		return (-1);
	text = input_part(&in, &length);
	name = input_part(&in, &path.length);
	path.start = name;
	if (mountinfo_read(&list, text, length) == 0) {
		for (rest = list.text; mountinfo_next(&rest, &mount); lines++) {
			check_number(mount.id);
			check_number(mount.parent);
			check_path(mount.path);
			check_found(&list, mount.path);
			if (mountinfo_visible(&list, &mount))
				must(
				    mountinfo_find(&list, mount.path, &found) &&
				    found.id.length == mount.id.length);
		}
		must(rest.length == 0);
		check_found(&list, path);
	}
	free(text);
	free(name);
	return (0);
}
