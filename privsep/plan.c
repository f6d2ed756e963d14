/*
 * Checks a plan as untrusted input.  Pure, like msg.c.
 */
#include <sys/mount.h>

#include <sched.h>
#include <string.h>

#include "privsep/plan.h"

#define ATTRIBUTES	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | \
	    MOUNT_ATTR_NOEXEC)

#define LETTERS_DIGITS	"abcdefghijklmnopqrstuvwxyz0123456789"

int
plan_text_printable(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < ' ' || *s > '~' || *s == '"' || *s == '\\')
			return (0);
	}
	return (1);
}

/* Empty, or of these characters, but for one, at neither end. */
static int
text_valid(const char *s, size_t size, const char *characters, char between)
{
	return (msg_string_valid(s, size) && s[strspn(s, characters)] == '\0' &&
	    (s[0] == '\0' || (s[0] != between &&
	    s[strlen(s) - 1] != between)));
}

enum plan_ns
plan_sysctl_ns(const char *name)
{
	static const struct { const char *prefix; enum plan_ns ns; } own[] = {
		{ "net/", PLAN_NS_NET }, { "kernel/shm", PLAN_NS_IPC },
		{ "kernel/msg", PLAN_NS_IPC }, { "kernel/sem", PLAN_NS_IPC },
		{ "fs/mqueue/", PLAN_NS_IPC },
		{ "kernel/domainname", PLAN_NS_UTS },
	};
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strncmp(name, own[i].prefix, strlen(own[i].prefix)) == 0)
			return (own[i].ns);
	}
	return (PLAN_NS_MAX);
}

int
plan_sysctl_valid(const char name[PLAN_SYSCTL_SIZE])
{
	return (text_valid(name, PLAN_SYSCTL_SIZE, LETTERS_DIGITS
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-/", '/') &&
	    strstr(name, "//") == NULL && strstr(name, "/.") == NULL &&
	    plan_sysctl_ns(name) != PLAN_NS_MAX);
}

static int
sysctls_valid(const struct plan *plan)
{
	const struct plan_sysctl *s = plan->sysctls;
	uint32_t i;

	for (i = 0; i < plan->nsysctls && i < PLAN_SYSCTLS_MAX; i++, s++) {
		if (!plan_sysctl_valid(s->name) || !msg_string_valid(s->value,
		    PLAN_SYSCTL_SIZE) || !plan_text_printable(s->value))
			return (0);
	}
	return (i == plan->nsysctls);
}

static int
limits_valid(const struct plan_limits *limits)
{
	const char *text = limits->v1[0];
	size_t i;

	/* All of version 1's are followed by all of version 2's. */
	for (i = 0; i < sizeof(*limits) / PLAN_LIMIT_SIZE; i++) {
		if (!text_valid(text, PLAN_LIMIT_SIZE, "0123456789,- max",
		    '\0'))
			return (0);
		text += PLAN_LIMIT_SIZE;
	}
	return (1);
}

/* The strings, and the records that follow them. */
static int
strings_valid(const struct plan *plan, const char *strings, size_t length)
{
	const char *p = strings, *end = strings + plan->strings_length;
	const size_t first = (size_t)plan->argc + plan->envc + 1;
	struct plan_mount m;
	size_t i;

	if (plan->argc < 1 || plan->argc > PLAN_VECTOR_MAX ||
	    plan->envc > PLAN_VECTOR_MAX - plan->argc ||
	    plan->nmounts > PLAN_MOUNTS_MAX || plan->strings_length < 2 ||
	    plan->strings_length > PLAN_STRINGS_MAX ||
	    plan->nfilter > PLAN_FILTER_MAX || length != plan->strings_length +
	    plan->nmounts * sizeof(m) + plan->nfilter * sizeof(uint64_t) ||
	    end[-1] != '\0')
		return (0);
	for (i = 0; p < end; i++, p += strlen(p) + 1) {
		/* The working directory and each destination are absolute. */
		if ((i == 0 || (i >= first && (i - first) % 2 == 0)) &&
		    p[0] != '/')
			return (0);
		if (i == 1 && p[0] == '\0')
			return (0);
		if (i < first || (i - first) % 2 == 0 ||
		    (i - first) / 2 >= plan->nmounts)
			continue;
		memcpy(&m, end + (i - first) / 2 * sizeof(m), sizeof(m));
		if (m.kind == 0 || m.kind >= PLAN_KINDS || m.mode > 07777 ||
		    (m.attributes & ~(uint64_t)ATTRIBUTES) != 0 ||
		    (m.propagation != MS_PRIVATE && m.propagation != MS_SLAVE &&
		    m.propagation != MS_SHARED) ||
		    ((m.kind <= PLAN_DEVICE || m.kind == PLAN_ORIGIN) &&
		    p[0] != '/'))
			return (0);
	}
	return (i == first + 2 * (size_t)plan->nmounts);
}

const char *
plan_check(const struct plan *plan, uint32_t kind, const char *strings,
    size_t length)
{
	const struct plan_rlimit *limit = plan->rlimits;
	const uint64_t *caps = plan->capabilities;
	const char *const labels[] = { plan->sandbox_namespace,
		plan->overlay_name, plan->pod_uid };
	uint32_t i;

	if (plan->magic != PLAN_MAGIC || plan->kind != kind ||
	    (plan->flags & ~(uint32_t)PLAN_FLAGS_ALL) != 0 ||
	    (plan->flags & PLAN_HAS_ERROR) != 0 ||
	    !msg_string_valid(plan->error, sizeof(plan->error)) ||
	    !plan_text_printable(plan->error))
		return ("magic, kind, flags or error");
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (!text_valid(labels[i], PLAN_NAMESPACE_SIZE, LETTERS_DIGITS
		    "-", '-'))
			return ("sandbox_namespace, overlay_name or pod_uid");
	}
	/* With the annotations of CRI there is an id. */
	if (!msg_id_valid(plan->sandbox_id) && ((plan->flags & PLAN_CRI) != 0 ||
	    plan->sandbox_id[0] != '\0'))
		return ("sandbox_id");
	if (!text_valid(plan->cgroup, PLAN_CGROUP_SIZE, LETTERS_DIGITS
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ._:@-\\/", '/') ||
	    plan->cgroup[0] == '.' || strstr(plan->cgroup, "//") != NULL ||
	    strstr(plan->cgroup, "/.") != NULL || !limits_valid(&plan->limits))
		return ("cgroup or limits");
	if (!strings_valid(plan, strings, length) || !sysctls_valid(plan) ||
	    (kind != PLAN_BUNDLE &&
	    plan->nmounts + plan->nfilter + plan->nsysctls != 0))
		return ("strings, mounts, filter or sysctls");
	if ((plan->unshare & ~(uint32_t)PLAN_UNSHARE_ALL) != 0 ||
	    !msg_string_valid(plan->hostname, PLAN_HOSTNAME_SIZE) ||
	    !msg_string_valid(plan->netns, PLAN_NETNS_SIZE) ||
	    strchr(plan->netns, '/') != NULL ||
	    !msg_string_valid(plan->apparmor, PLAN_APPARMOR_SIZE) ||
	    !plan_text_printable(plan->apparmor))
		return ("unshare, hostname, netns or apparmor");
	/* UINT32_MAX means "leave as is" to setresuid(2) and friends. */
	if (plan->uid == UINT32_MAX || plan->gid == UINT32_MAX ||
	    plan->ngroups > PLAN_GROUPS_MAX)
		return ("uid, gid or ngroups");
	if (plan->umask > 0777 || plan->oom_score_adj < -1000 ||
	    plan->oom_score_adj > 1000 || plan->rows > UINT16_MAX ||
	    plan->columns > UINT16_MAX || plan->nrlimits > PLAN_RLIMITS_MAX)
		return ("umask, oom_score_adj, rows, columns or nrlimits");
	for (i = 0; i < plan->ngroups; i++) {
		if (plan->groups[i] == UINT32_MAX)
			return ("groups");
	}
	for (; limit < plan->rlimits + plan->nrlimits; limit++) {
		if (limit->resource > 15 || limit->soft > limit->hard)
			return ("rlimits");
	}
	if ((caps[PLAN_EFFECTIVE] & ~caps[PLAN_PERMITTED]) != 0)
		return ("effective capabilities beyond the permitted");
	return (NULL);
}
