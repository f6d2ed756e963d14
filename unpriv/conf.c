#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/chars.h"
#include "unpriv/conf.h"

#define PREFIX	    "REAPER_"
#define VALUE_SHOWN 48 /* bytes of a refused value that are shown */
#define PLACE_SIZE  64 /* "line N: KEY", or the variable's name */

/*
 * Below the range where systemd allocates users dynamically ends (65519) and
 * nobody (65534), a user id that no package claims.
 */
#define DEFAULT_UID 65521u
#define UID_LIMIT   2147483646u /* 2^31-2 */

/* Part of a text. */
struct slice {
	const char *start;
	size_t length;
};

static int
slice_is(struct slice slice, const char *s)
{
	return (slice.length == strlen(s) &&
	    memcmp(slice.start, s, slice.length) == 0);
}

static struct slice
slice_trim(struct slice slice)
{
	static const char blank[] = " \t\r";

	while (slice.length > 0 && slice.start[0] != '\0' &&
	    strchr(blank, slice.start[0]) != NULL) {
		slice.start++;
		slice.length--;
	}
	while (slice.length > 0 && slice.start[slice.length - 1] != '\0' &&
	    strchr(blank, slice.start[slice.length - 1]) != NULL)
		slice.length--;
	return (slice);
}

/* The part before the first c; *rest, what follows it (start NULL: no c). */
static struct slice
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

static int
set_uid(struct conf *conf, struct slice value)
{
	uint64_t uid = 0;
	size_t i;

	if (value.length < 1 || value.length > 10)
		return (-EINVAL);
	for (i = 0; i < value.length; i++) {
		if (!chars_digit(value.start[i]))
			return (-EINVAL);
		uid = uid * 10 + (uint64_t)(value.start[i] - '0');
	}
	if (uid < 1 || uid > UID_LIMIT)
		return (-EINVAL);
	conf->uid = (uint32_t)uid;
	return (0);
}

/* There is one kind; the other is refused and not forgotten. */
static int
set_isolation(struct conf *conf, struct slice value)
{
	(void)conf;
	return (slice_is(value, "namespace") ? 0 : -EINVAL);
}

/* What the bundle says, or the node's for all. */
static int
set_network(struct conf *conf, struct slice value)
{
	conf->node.network_host = (uint32_t)slice_is(value, "host");
	return (
	    conf->node.network_host || slice_is(value, "auto") ? 0 : -EINVAL);
}

/* Absolute, printable, and of components that name something. */
static int
path_valid(struct slice path)
{
	struct slice part, rest;
	size_t i;

	if (path.length < 2 || path.length >= CONF_PATH_SIZE ||
	    path.start[0] != '/')
		return (0);
	for (i = 0; i < path.length; i++) {
		if (path.start[i] <= ' ' || path.start[i] > '~')
			return (0);
	}
	rest = (struct slice){ path.start + 1, path.length - 1 };
	while (rest.start != NULL) {
		part = slice_split(rest, '/', &rest);
		if (part.length == 0 || slice_is(part, ".") ||
		    slice_is(part, ".."))
			return (0);
	}
	return (1);
}

static int
path_copy(char copy[CONF_PATH_SIZE], struct slice path)
{
	if (!path_valid(path))
		return (-EINVAL);
	memset(copy, 0, CONF_PATH_SIZE);
	memcpy(copy, path.start, path.length);
	return (0);
}

static int
set_runtime_root(struct conf *conf, struct slice value)
{
	return (path_copy(conf->node.runtime_root, value));
}

static int
set_shim_log(struct conf *conf, struct slice value)
{
	return (path_copy(conf->shim_log, value));
}

static int
set_runtime_log(struct conf *conf, struct slice value)
{
	return (path_copy(conf->runtime_log, value));
}

static int
set_log_dir(struct conf *conf, struct slice value)
{
	return (path_copy(conf->node.log_dir, value));
}

#define PATH_EXPECTED                                                      \
	"an absolute path of at most 255 characters, without spaces, .., " \
	"or a slash at its end"

/* Every setting that there is. */
static const struct setting {
	const char *key;
	int (*set)(struct conf *conf, struct slice value);
	const char *expected;
} settings[] = {
	{ "REAPER_UID", set_uid, "a user id from 1 to 2147483646" },
	{ "REAPER_RUNTIME_ROOT", set_runtime_root, PATH_EXPECTED },
	{ "REAPER_SHIM_LOG", set_shim_log, PATH_EXPECTED },
	{ "REAPER_RUNTIME_LOG", set_runtime_log, PATH_EXPECTED },
	{ "REAPER_LOG_DIR", set_log_dir, PATH_EXPECTED },
	{ "REAPER_NETWORK", set_network, "auto or host" },
	{ "REAPER_OVERLAY_ISOLATION", set_isolation,
	    "namespace; one overlay for the node is not supported yet" },
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

void
conf_printable(char *buffer, size_t size, const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length && i + 1 < size; i++)
		buffer[i] = text[i] < 0x20 || text[i] > 0x7e ? '?' : text[i];
	buffer[i] = '\0';
}

static int
refuse(struct conf *conf, const char *place, struct slice text,
    const char *reason)
{
	char shown[VALUE_SHOWN];

	conf_printable(shown, sizeof(shown), text.start, text.length);
	snprintf(conf->error, sizeof(conf->error), "%s: \"%s\": %s%s", place,
	    shown, reason, text.length >= sizeof(shown) ? " (cut)" : "");
	return (-EINVAL);
}

/*
 * Applies one setting; seen has a bit for each key that this source has given
 * before.
 */
static int
apply(struct conf *conf, const char *place, struct slice key,
    struct slice value, uint32_t *seen)
{
	char reason[128];
	size_t i;

	for (i = 0; i < SETTINGS; i++) {
		if (slice_is(key, settings[i].key))
			break;
	}
	if (i == SETTINGS)
		return (refuse(conf, place, key,
		    "this version has no such setting"));
	if ((*seen & 1u << i) != 0)
		return (refuse(conf, place, key, "given twice"));
	*seen |= 1u << i;
	if (settings[i].set(conf, value) == 0)
		return (0);
	snprintf(reason, sizeof(reason), "expected %s", settings[i].expected);
	return (refuse(conf, place, value, reason));
}

void
conf_init(struct conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->uid = DEFAULT_UID;
	strcpy(conf->node.runtime_root, "/run/reaper");
}

int
conf_parse_text(struct conf *conf, const char *text, size_t length)
{
	struct slice line, key, value, rest = { text, length };
	char place[PLACE_SIZE], name[32];
	uint32_t seen = 0;
	size_t number;
	int error;

	for (number = 1; rest.start != NULL; number++) {
		line = slice_trim(slice_split(rest, '\n', &rest));
		if (line.length == 0 || line.start[0] == '#')
			continue;
		snprintf(place, sizeof(place), "line %zu", number);
		key = slice_trim(slice_split(line, '=', &value));
		if (value.start == NULL)
			return (
			    refuse(conf, place, line, "expected KEY=VALUE"));
		conf_printable(name, sizeof(name), key.start, key.length);
		snprintf(place, sizeof(place), "line %zu: %s", number, name);
		error = apply(conf, place, key, slice_trim(value), &seen);
		if (error != 0)
			return (error);
	}
	return (0);
}

int
conf_parse_environment(struct conf *conf, char *const envp[])
{
	struct slice key, value;
	char name[PLACE_SIZE];
	uint32_t seen = 0;
	int error;

	for (; *envp != NULL; envp++) {
		if (strncmp(*envp, PREFIX, strlen(PREFIX)) != 0)
			continue;
		key = slice_split((struct slice){ *envp, strlen(*envp) }, '=',
		    &value);
		if (value.start == NULL || slice_is(key, CONF_FILE_VARIABLE))
			continue;
		conf_printable(name, sizeof(name), key.start, key.length);
		error = apply(conf, name, key, value, &seen);
		if (error != 0)
			return (error);
	}
	return (0);
}

/* The same of an array that came over a pipe. */
static int
path_check(const char path[CONF_PATH_SIZE])
{
	const size_t length = strnlen(path, CONF_PATH_SIZE);

	return (length < CONF_PATH_SIZE &&
	    path_valid((struct slice){ path, length }));
}

const char *
conf_check(const struct conf *conf)
{
	if (conf->error[0] != '\0')
		return ("error");
	if (conf->uid < 1 || conf->uid > UID_LIMIT)
		return ("uid");
	if (conf->node.network_host > 1)
		return ("network_host");
	if (!path_check(conf->node.runtime_root))
		return ("runtime_root");
	if (conf->shim_log[0] != '\0' && !path_check(conf->shim_log))
		return ("shim_log");
	if (conf->runtime_log[0] != '\0' && !path_check(conf->runtime_log))
		return ("runtime_log");
	if (conf->node.log_dir[0] != '\0' && !path_check(conf->node.log_dir))
		return ("log_dir");
	return (NULL);
}
