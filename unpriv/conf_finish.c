#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/conf.h"
#include "unpriv/conf_filter.h"
#include "unpriv/conf_list.h"

static int
is_given(const struct conf_given *given, enum conf_key_id id)
{
	return (given->values[id].from != CONF_FROM_DEFAULT);
}

/*
 * The base of overlays is emptied, and its parts belong to pods: nothing else
 * can be there.
 */
static int
base_finish(struct conf_given *given)
{
	struct node *node = &given->conf.node;
	struct slice *text = &given->values[CONF_OVERLAY_BASE].text;

	snprintf(given->overlay_default, sizeof(given->overlay_default),
	    "%s/overlay", node->runtime_root);
	if (!is_given(given, CONF_OVERLAY_BASE))
		*text = slice_of(given->overlay_default);
	if (slice_is(*text, given->overlay_default))
		memset(node->overlay_base, 0, sizeof(node->overlay_base));
	if (node->overlay_base[0] != '\0' &&
	    conf_paths_touch(node->overlay_base, node->runtime_root))
		return (conf_refuse(given, CONF_OVERLAY_BASE, *text,
		    "expected a directory that is not in REAPER_RUNTIME_ROOT "
		    "and does not hold it"));
	if (node->log_dir[0] != '\0' &&
	    conf_paths_touch(node->log_dir,
		node->overlay_base[0] != '\0' ? node->overlay_base :
						given->overlay_default))
		return (conf_refuse(given, CONF_LOG_DIR,
		    given->values[CONF_LOG_DIR].text,
		    "expected a directory that is not in REAPER_OVERLAY_BASE "
		    "and does not hold it"));
	if (node->overlay_size[0] == '\0' &&
	    !is_given(given, CONF_OVERLAY_BASE))
		return (conf_refuse(given, CONF_OVERLAY_SIZE,
		    given->values[CONF_OVERLAY_SIZE].text,
		    "expected REAPER_OVERLAY_BASE beside it"));
	return (0);
}

/* What confined pods must not have of /run, whoever allows it. */
static int
run_finish(struct conf_given *given)
{
	const char *forbidden[2 + CONF_FILTER_OWN_MAX] = { "/run/netns",
		"/run/containerd" };
	const size_t count = 2 + conf_filter_own(&given->conf, forbidden + 2);
	const char *entry;
	size_t i;

	CONF_LIST_FOREACH(entry, given->conf.node.run_allow) {
		for (i = 0; i < count; i++) {
			if (conf_paths_touch(entry, forbidden[i]))
				return (conf_refuse(given, CONF_RUN_ALLOW,
				    slice_of(entry),
				    "expected nothing that is, is in or "
				    "holds what is Reaper's or containerd's"));
		}
	}
	return (0);
}

/* What /etc/resolv.conf is a link to where a resolver owns that file. */
static const char *const resolvers[] = {
	"/run/systemd/resolve/resolv.conf",
	"/run/systemd/resolve/stub-resolv.conf",
	"/run/resolvconf/resolv.conf",
	"/run/NetworkManager/resolv.conf",
};

static int
resolvers_add(struct conf_given *given)
{
	char *list = given->conf.node.run_allow;
	size_t i;

	for (i = 0; i < sizeof(resolvers) / sizeof(resolvers[0]); i++) {
		if (conf_list_add(list, slice_of(resolvers[i])) != 0)
			return (conf_refuse(given, CONF_RUN_ALLOW,
			    given->values[CONF_RUN_ALLOW].text,
			    "with the files of resolvers, the list is longer "
			    "than 4095 bytes"));
	}
	return (0);
}

int
conf_finish(struct conf_given *given)
{
	int error;

	if (given->conf.error[0] != '\0')
		return (-EINVAL);
	if ((error = base_finish(given)) != 0 ||
	    (error = run_finish(given)) != 0 ||
	    (error = resolvers_add(given)) != 0)
		return (error);
	return (conf_filter_make(given));
}
