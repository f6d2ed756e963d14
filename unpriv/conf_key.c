#include <stddef.h>

#include "unpriv/conf.h"
#include "unpriv/conf_key.h"

#define GIVEN(field) offsetof(struct conf_given, field)

#define PATH_EXPECTED                                                      \
	"an absolute path of at most 255 characters, without spaces, .., " \
	"or a slash at its end"
#define SWITCH_EXPECTED "true or false (or 1, 0, yes, no, on, off)"
#define PATTERNS	"absolute paths separated by colons, with * and ? for "

static const struct conf_word profiles[] = {
	{ "auto", NODE_AUTO },
	{ "confined", NODE_CONFINED },
	{ "host", NODE_HOST },
	{ NULL, 0 },
};
static const struct conf_word networks[] = {
	{ "auto", 0 },
	{ "host", 1 },
	{ NULL, 0 },
};
static const struct conf_word isolations[] = {
	{ "namespace", 0 },
	{ "node", 1 },
	{ NULL, 0 },
};
static const struct conf_word dns_modes[] = {
	{ "host", 0 },
	{ "kubernetes", 1 },
	{ "k8s", 1 },
	{ NULL, 0 },
};
static const struct conf_word filter_modes[] = {
	{ "append", 0 },
	{ "replace", 1 },
	{ NULL, 0 },
};

static const struct conf_key keys[CONF_KEYS] = {
	[CONF_WORKLOAD_PROFILE] = {
		.name = "REAPER_WORKLOAD_PROFILE",
		.words = profiles,
		.field = GIVEN(conf.node.profile),
		.initial = "auto",
		.expected = "auto, confined or host",
		.effect = "Which pods get the node as it is. auto: those whose "
		    "containers are privileged, the others are confined. "
		    "confined: none, privileged ones are refused. host: all.",
	},
	[CONF_NETWORK] = {
		.name = "REAPER_NETWORK",
		.words = networks,
		.field = GIVEN(conf.node.network_host),
		.initial = "auto",
		.expected = "auto or host",
		.effect = "auto: the network that the pod asks for, its own or "
		    "with hostNetwork the node's, so that Services, probes "
		    "and NetworkPolicy work. host: the node's for all.",
	},
	[CONF_HOST_NETWORK_CAPS] = {
		.name = "REAPER_HOST_NETWORK_CAPS",
		.set = value_switch,
		.field = GIVEN(conf.node.host_network_caps),
		.initial = "false",
		.expected = SWITCH_EXPECTED,
		.effect = "Whether confined pods on the node's network keep "
		    "the capabilities NET_ADMIN and NET_RAW, if their "
		    "containers have them: with these they can change and "
		    "read the node's traffic.",
	},
	[CONF_DNS_MODE] = {
		.name = "REAPER_DNS_MODE",
		.words = dns_modes,
		.field = GIVEN(conf.node.dns_kubernetes),
		.initial = "host",
		.expected = "host, kubernetes or k8s",
		.effect = "Which resolv.conf pods see: the node's, or that of "
		    "the cluster's DNS. kubernetes and k8s are the same.",
	},
	[CONF_ANNOTATIONS_ENABLED] = {
		.name = "REAPER_ANNOTATIONS_ENABLED",
		.set = value_switch,
		.field = GIVEN(conf.node.annotations),
		.initial = "true",
		.expected = SWITCH_EXPECTED,
		.effect = "Whether a pod's annotations below reaper.runtime/ "
		    "count.",
	},
	[CONF_RUN_ALLOW] = {
		.name = "REAPER_RUN_ALLOW",
		.set = value_run,
		.field = GIVEN(conf.node.run_allow),
		.absent = "none",
		.expected = "absolute paths below /run, separated by colons, "
		    "without patterns",
		.effect = "What confined pods see of the node's /run; theirs "
		    "is otherwise their own. A socket is worth what its "
		    "server does for whoever connects.",
	},
	[CONF_DEVICE_ALLOW] = {
		.name = "REAPER_DEVICE_ALLOW",
		.set = value_devices,
		.field = GIVEN(conf.node.device_allow),
		.absent = "none",
		.expected = "absolute paths below /dev, separated by colons, "
		    "without patterns",
		.effect = "Devices of the node that confined pods have besides "
		    "the usual ones and those that they ask for.",
	},
	[CONF_OVERLAY_ISOLATION] = {
		.name = "REAPER_OVERLAY_ISOLATION",
		.words = isolations,
		.field = GIVEN(conf.node.overlay_node),
		.initial = "namespace",
		.expected = "namespace or node",
		.effect = "Who shares what is written: the pods of one "
		    "Kubernetes namespace, or all pods of the node, who then "
		    "can change each other's files.",
	},
	[CONF_OVERLAY_BASE] = {
		.name = "REAPER_OVERLAY_BASE",
		.set = value_path,
		.field = GIVEN(conf.node.overlay_base),
		.absent = "overlay below REAPER_RUNTIME_ROOT",
		.expected = PATH_EXPECTED,
		.effect = "The directory for what pods write. On a disk it is "
		    "emptied when the node has rebooted. It is Reaper's alone.",
	},
	[CONF_OVERLAY_SIZE] = {
		.name = "REAPER_OVERLAY_SIZE",
		.set = value_size,
		.field = GIVEN(conf.node.overlay_size),
		.initial = "25%",
		.expected = "1% to 100%, a number of bytes from 1m on (k, m, "
		    "g), or none",
		.effect = "How much the pods of one overlay can write, in the "
		    "node's memory: a share of it, or a size. none: it goes "
		    "to the filesystem of REAPER_OVERLAY_BASE, which must be "
		    "given then, and only that limits it.",
	},
	[CONF_FILTER_ENABLED] = {
		.name = "REAPER_FILTER_ENABLED",
		.set = value_switch,
		.field = GIVEN(filter_enabled),
		.initial = "true",
		.expected = SWITCH_EXPECTED,
		.effect = "Whether the node's sensitive files are hidden from "
		    "pods. Reaper's own directories always are.",
	},
	[CONF_FILTER_PATHS] = {
		.name = "REAPER_FILTER_PATHS",
		.set = value_patterns,
		.field = GIVEN(filter_paths),
		.absent = "none",
		.expected = "absolute paths separated by colons, in which * and ? "
 "may stand for characters, without spaces, .., [ or a backslash",
		.effect = "Further files and directories to hide from all "
		    "pods. In a component * stands for any characters and ? "
		    "for one.",
	},
	[CONF_FILTER_MODE] = {
		.name = "REAPER_FILTER_MODE",
		.words = filter_modes,
		.field = GIVEN(filter_replace),
		.initial = "append",
		.expected = "append or replace",
		.effect = "append: REAPER_FILTER_PATHS is hidden besides what "
		    "Reaper hides by itself. replace: instead of it, from "
		    "confined and other pods alike.",
	},
	[CONF_FILTER_ALLOWLIST] = {
		.name = "REAPER_FILTER_ALLOWLIST",
		.set = value_patterns,
		.field = GIVEN(filter_allow),
		.absent = "none",
		.expected = "absolute paths separated by colons, as entries of the list",
		.effect = "Entries to take off the list of what is hidden, "
		    "each spelled as it stands there; one that does not stand "
		    "there is an error.",
	},
	[CONF_FILTER_DIR] = {
		.name = "REAPER_FILTER_DIR",
		.set = value_path,
		.field = GIVEN(filter_dir),
		.absent = "none",
		.expected = PATH_EXPECTED,
		.effect = "Accepted and without effect: filters need no "
		    "directory, they are a layer of each overlay.",
	},
	[CONF_LOG_DIR] = {
		.name = "REAPER_LOG_DIR",
		.set = value_path,
		.field = GIVEN(conf.node.log_dir),
		.absent = "none",
		.expected = PATH_EXPECTED,
		.effect = "The directory below which containerd may have the "
		    "output of containers written to files; without it there "
		    "are none. Pods do not see it.",
	},
	[CONF_SHIM_LOG] = {
		.name = "REAPER_SHIM_LOG",
		.set = value_path,
		.field = GIVEN(conf.shim_log),
		.absent = "none",
		.expected = PATH_EXPECTED,
		.effect = "A file for the lines of shims: what was asked of "
		    "them, and what came of it.",
	},
	[CONF_RUNTIME_LOG] = {
		.name = "REAPER_RUNTIME_LOG",
		.set = value_path,
		.field = GIVEN(conf.runtime_log),
		.absent = "none",
		.expected = PATH_EXPECTED,
		.effect = "A file for the lines of the privileged helpers: "
		    "what happened to containers, whatever a shim says.",
	},
	[CONF_AUDIT] = {
		.name = "REAPER_AUDIT",
		.set = value_switch,
		.field = GIVEN(conf.node.audit),
		.initial = "false",
		.expected = SWITCH_EXPECTED,
		.effect = "Whether every operation that a shim asks of its "
		    "privileged helper has a line in the helper's logs: when, "
		    "which, by whom, for what, and the error, if any.",
	},
	[CONF_UID] = {
		.name = "REAPER_UID",
		.set = value_uids,
		.field = GIVEN(conf.uids),
		/*
		 * Below the range where systemd allocates users dynamically
		 * ends (65519) and nobody (65534): no package claims it.
		 */
		.initial = "65521",
		.expected = "a user id from 1 to 2147483646, or a range of up "
		    "to 65536, as 65000-65499",
		.effect = "The user id of shims. Nothing else may use it. Of a "
		    "range each shim has one of its own, and a pod for which "
		    "none is left does not start.",
	},
	[CONF_RUNTIME_ROOT] = {
		.name = "REAPER_RUNTIME_ROOT",
		.set = value_path,
		.field = GIVEN(conf.node.runtime_root),
		.initial = "/run/reaper",
		.expected = PATH_EXPECTED,
		.effect = "The directory for the state of containers and "
		    "overlays. Pods do not see it.",
	},
};

const struct conf_key *
conf_key(enum conf_key_id id)
{
	return (&keys[id]);
}
