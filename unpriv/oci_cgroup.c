/*
 * The path of a container's cgroup: "/parent/ID" or, where systemd manages
 * the cgroups, "parent.slice:PREFIX:ID".  Nothing says which it is but the
 * form.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/chars.h"
#include "unpriv/oci_reader.h"

#define SLICE	   ".slice"
#define ROOT_SLICE "-.slice" /* has no name of its own in paths */

static int
is_cgroup_char(char c)
{
	return (chars_digit(c) || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || (c != '\0' && strchr("._:@-\\", c)));
}

static int
is_component(const char *s, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (!is_cgroup_char(s[i]))
			return (0);
	}
	return (length > 0 && s[0] != '.');
}

/* Components with one '/' between two. */
static int
is_path(const char *s)
{
	size_t length;

	for (;; s += length + 1) {
		length = strcspn(s, "/");
		if (!is_component(s, length))
			return (0);
		if (s[length] == '\0')
			return (1);
	}
}

/*
 * Writes where systemd has a slice: "a-b.slice" lies in "a.slice".  Returns
 * the length, or 0 if it is no name of a slice or too long.
 */
static size_t
slice_expand(const char *slice, size_t length, char *path, size_t size)
{
	size_t i, used = 0, stem;

	if (length <= strlen(SLICE))
		return (0);
	stem = length - strlen(SLICE);
	if (memcmp(slice + stem, SLICE, strlen(SLICE)) != 0 ||
	    memchr(slice, '/', length) != NULL)
		return (0);
	for (i = 0; i <= stem; i++) {
		if (i < stem && slice[i] != '-')
			continue;
		/* A dash stands between two parts. */
		if (i == 0 || slice[i - 1] == '-')
			return (0);
		if (used + i + strlen(SLICE) + 1 >= size)
			return (0);
		used += (size_t)snprintf(path + used, size - used,
		    "%.*s" SLICE "/", (int)i, slice);
	}
	return (used);
}

/* Translates SLICE:PREFIX:ID.  Returns 0 or -EINVAL. */
static int
translate(const char *text, char path[PLAN_CGROUP_SIZE])
{
	const char *prefix = strchr(text, ':') + 1;
	const char *id = strchr(prefix, ':') + 1;
	size_t length = (size_t)(prefix - text) - 1, used = 0;
	int n;

	if (strncmp(text, ROOT_SLICE ":", strlen(ROOT_SLICE ":")) != 0 &&
	    (used = slice_expand(text, length, path, PLAN_CGROUP_SIZE)) == 0)
		return (-EINVAL);
	if (id - prefix == 1 || id[0] == '\0' || strchr(id, ':') != NULL)
		return (-EINVAL);
	n = snprintf(path + used, PLAN_CGROUP_SIZE - used, "%.*s-%s.scope",
	    (int)(id - prefix) - 1, prefix, id);
	return ((size_t)n < PLAN_CGROUP_SIZE - used ? 0 : -EINVAL);
}

/* Whether it has two colons, but is no path. */
static int
is_unit(const char *text)
{
	const char *colon = strchr(text, ':');

	return (colon != NULL && strchr(colon + 1, ':') != NULL &&
	    strchr(text, '/') == NULL);
}

int
oci_read_cgroup(struct oci_reader *reader, int value, uint32_t arg)
{
	char text[PLAN_CGROUP_SIZE], path[PLAN_CGROUP_SIZE] = { 0 };
	int length;

	(void)arg;
	length = json_string(value, text, sizeof(text));
	if (length == 0)
		return (0);
	if (length > 0 && is_unit(text)) {
		if (translate(text, path) != 0 || !is_path(path))
			return (oci_refuse(reader, value,
			    "expected SLICE:PREFIX:NAME, a slice's name ending "
			    "in .slice, together at most 255 characters"));
	} else {
		if (length > 0)
			strcpy(path, text + (text[0] == '/'));
		if (length < 0 || !is_path(path))
			return (oci_refuse(reader, value,
			    "expected the path of a cgroup, of at most 255 "
			    "characters, none of them unusual, without "
			    "components that are empty or begin with a dot"));
	}
	memcpy(reader->plan->cgroup, path, sizeof(path));
	return (0);
}
