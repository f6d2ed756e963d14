#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/conf_filter.h"
#include "unpriv/conf_list.h"

/*
 * The keys of sshd are named as well, so that one that is generated later is
 * hidden too.
 */
const char *const conf_filter_defaults[] = {
	"root/.ssh",
	"etc/shadow",
	"etc/gshadow",
	"etc/ssh/ssh_host_*_key",
	"etc/ssh/ssh_host_rsa_key",
	"etc/ssh/ssh_host_ecdsa_key",
	"etc/ssh/ssh_host_ed25519_key",
	"etc/ssh/ssh_host_dsa_key",
	"etc/ssl/private",
	"etc/sudoers",
	"etc/sudoers.d",
	"var/lib/docker",
	"run/secrets",
	NULL,
};

/*
 * What would hand over the node, its cluster or another tenant.  Some lie in
 * others: they stay when an administrator allows those.
 */
const char *const conf_filter_confined[] = {
	"root",
	"root/.kube",
	"home",
	"home/*/.ssh",
	"etc/shadow-",
	"etc/gshadow-",
	"etc/*.keytab",
	"etc/NetworkManager/system-connections",
	"etc/cni",
	"etc/containerd",
	"etc/crio",
	"etc/docker",
	"etc/krb5.keytab",
	"etc/kubernetes",
	"etc/letsencrypt",
	"etc/munge",
	"etc/rancher",
	"etc/wireguard",
	"run/containerd",
	"run/credentials",
	"run/crio",
	"run/dbus",
	"run/docker",
	"run/docker.sock",
	"run/k3s",
	"run/log/journal",
	"run/netns",
	"run/podman",
	"run/systemd",
	"run/user",
	"swap.img",
	"swapfile",
	"var/backups",
	"var/lib/cloud",
	"var/lib/cni",
	"var/lib/containerd",
	"var/lib/containers",
	"var/lib/crio",
	"var/lib/etcd",
	"var/lib/k0s",
	"var/lib/kubelet",
	"var/lib/rancher",
	"var/lib/systemd/coredump",
	"var/lib/systemd/credential.secret",
	"var/log/containers",
	"var/log/journal",
	"var/log/pods",
	"var/snap/microk8s",
	NULL,
};

size_t
conf_filter_own(const struct conf *conf, const char *own[CONF_FILTER_OWN_MAX])
{
	const char *const paths[CONF_FILTER_OWN_MAX] = {
		conf->node.runtime_root,
		conf->node.overlay_base,
		conf->node.log_dir,
		conf->shim_log,
		conf->runtime_log,
	};
	size_t count = 0, i;

	for (i = 0; i < CONF_FILTER_OWN_MAX; i++) {
		if (paths[i][0] != '\0')
			own[count++] = paths[i];
	}
	return (count);
}

static int
add_all(char *list, const char *const *entries)
{
	int error = 0;

	for (; error == 0 && *entries != NULL; entries++)
		error = conf_list_add(list, slice_of(*entries));
	return (error);
}

/* What is on the list before anything is allowed. */
static int
list_fill(const struct conf_given *given, char *list, int confined)
{
	const char *entry;
	int error = 0;

	if (!given->filter_replace) {
		error = add_all(list, conf_filter_defaults);
		if (error == 0 && confined)
			error = add_all(list, conf_filter_confined);
	}
	CONF_LIST_FOREACH(entry, given->filter_paths) {
		if (error == 0)
			error = conf_list_add(list, slice_of(entry));
	}
	return (error);
}

static int
allow(struct conf_given *given)
{
	struct node *node = &given->conf.node;
	char *found, shown[NODE_LIST_SIZE + 1];
	const char *entry;
	size_t i, taken;

	CONF_LIST_FOREACH(entry, given->filter_allow) {
		for (i = 0, taken = 0; i < 2; i++) {
			found =
			    conf_list_find(node->filters[i], slice_of(entry));
			if (found == NULL)
				continue;
			conf_list_remove(node->filters[i], found);
			taken++;
		}
		if (taken == 0)
			break;
	}
	if (*entry == '\0')
		return (0);
	snprintf(shown, sizeof(shown), "/%s", entry);
	return (conf_refuse(given, CONF_FILTER_ALLOWLIST, slice_of(shown),
	    "no entry of the list of filters reads like this"));
}

static size_t
depth(const char *path)
{
	size_t n = 0;

	while ((path = strchr(path, '/')) != NULL)
		path++, n++;
	return (n);
}

/*
 * What lies below another entry is hidden with that, and must not be made a
 * second time inside: there it would show that it exists.
 */
static void
list_reduce(char *list)
{
	char *entry = list;
	const char *above;

	while (*entry != '\0') {
		CONF_LIST_FOREACH(above, list) {
			if (depth(above) < depth(entry) &&
			    fnmatch(above, entry,
				FNM_PATHNAME | FNM_LEADING_DIR) == 0)
				break;
		}
		if (*above != '\0')
			conf_list_remove(list, entry);
		else
			entry += strlen(entry) + 1;
	}
}

static int
own_add(struct conf *conf, char *list)
{
	const char *own[CONF_FILTER_OWN_MAX];
	size_t count = conf_filter_own(conf, own), i;
	int error = 0;

	for (i = 0; error == 0 && i < count; i++)
		error = conf_list_add(list, slice_of(own[i] + 1));
	return (error);
}

int
conf_filter_make(struct conf_given *given)
{
	struct node *node = &given->conf.node;
	int error;

	memset(node->filters, 0, sizeof(node->filters));
	if (given->filter_replace && given->filter_paths[0] == '\0')
		return (conf_refuse(given, CONF_FILTER_MODE,
		    given->values[CONF_FILTER_MODE].text,
		    "expected REAPER_FILTER_PATHS beside it"));
	if ((error = list_fill(given, node->filters[0], 1)) == 0)
		error = list_fill(given, node->filters[1], 0);
	if (error == 0 && (error = allow(given)) == -EINVAL)
		return (error);
	if (!given->filter_enabled)
		memset(node->filters, 0, sizeof(node->filters));
	if (error == 0 &&
	    (error = own_add(&given->conf, node->filters[0])) == 0)
		error = own_add(&given->conf, node->filters[1]);
	if (error != 0)
		return (conf_refuse(given, CONF_FILTER_PATHS,
		    given->values[CONF_FILTER_PATHS].text,
		    "with what Reaper hides by itself, the list is longer "
		    "than 4095 bytes"));
	list_reduce(node->filters[0]);
	list_reduce(node->filters[1]);
	return (0);
}
_Static_assert(NODE_LIST_SIZE == 4096, "see the message");
