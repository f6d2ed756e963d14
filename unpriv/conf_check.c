#include <fnmatch.h>
#include <string.h>

#include "unpriv/conf.h"
#include "unpriv/conf_filter.h"
#include "unpriv/conf_list.h"

/* Of an array of this size: its text, or one that is too long. */
static struct slice
array_text(const char *array, size_t size)
{
	return ((struct slice){ array, strnlen(array, size) });
}

static int
path_good(const char path[NODE_PATH_SIZE])
{
	return (conf_path_valid(array_text(path, NODE_PATH_SIZE)));
}

static int
path_good_or_empty(const char path[NODE_PATH_SIZE])
{
	return (path[0] == '\0' || path_good(path));
}

static int
size_good_or_empty(const char size[NODE_SIZE_SIZE])
{
	return (size[0] == '\0' ||
	    conf_size_valid(array_text(size, NODE_SIZE_SIZE)));
}

/* Absolute paths below a directory. */
static int
paths_good(const char list[NODE_LIST_SIZE], const char *below)
{
	const char *entry;

	if (!conf_list_well_formed(list))
		return (0);
	CONF_LIST_FOREACH(entry, list) {
		if (strncmp(entry, below, strlen(below)) != 0 ||
		    !conf_path_valid(slice_of(entry)))
			return (0);
	}
	return (1);
}

/* Patterns, among them Reaper's own paths, which have been checked. */
static int
filters_good(const struct conf *conf, const char list[NODE_LIST_SIZE])
{
	const char *entry, *own[CONF_FILTER_OWN_MAX];
	size_t count = conf_filter_own(conf, own);

	if (!conf_list_well_formed(list))
		return (0);
	CONF_LIST_FOREACH(entry, list) {
		if (!conf_pattern_valid(slice_of(entry)))
			return (0);
	}
	while (count-- > 0) {
		CONF_LIST_FOREACH(entry, list) {
			if (fnmatch(entry, own[count] + 1,
				FNM_PATHNAME | FNM_LEADING_DIR) == 0)
				break;
		}
		if (*entry == '\0')
			return (0);
	}
	return (1);
}

const char *
conf_check(const struct conf *conf)
{
	const struct node *node = &conf->node;

	const struct {
		const char *field;
		int good;
	} checks[] = {
		{ "error", conf->error[0] == '\0' },
		{ "uids",
		    conf->uids.first >= 1 &&
			conf->uids.first <= conf->uids.last &&
			conf->uids.last <= CONF_UID_MAX &&
			conf->uids.last - conf->uids.first < CONF_UIDS_MAX },
		{ "profile", node->profile <= NODE_HOST },
		{ "network_host", node->network_host <= 1 },
		{ "overlay_node", node->overlay_node <= 1 },
		{ "dns_kubernetes", node->dns_kubernetes <= 1 },
		{ "annotations", node->annotations <= 1 },
		{ "host_network_caps", node->host_network_caps <= 1 },
		{ "audit", node->audit <= 1 },
		{ "runtime_root", path_good(node->runtime_root) },
		{ "shim_log", path_good_or_empty(conf->shim_log) },
		{ "runtime_log", path_good_or_empty(conf->runtime_log) },
		{ "log_dir", path_good_or_empty(node->log_dir) },
		{ "overlay_base", path_good_or_empty(node->overlay_base) },
		{ "overlay_size", size_good_or_empty(node->overlay_size) },
		{ "run_allow", paths_good(node->run_allow, "/run/") },
		{ "device_allow", paths_good(node->device_allow, "/dev/") },
	};
	size_t i;

	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (!checks[i].good)
			return (checks[i].field);
	}
	if (!filters_good(conf, node->filters[0]) ||
	    !filters_good(conf, node->filters[1]))
		return ("filters");
	return (NULL);
}
