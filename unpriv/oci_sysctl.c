#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/oci_reader.h"

/*
 * The name of a setting as a path below /proc/sys.  As sysctl(8) has it, the
 * first of '.' and '/' stands between components, and the other one is part of
 * a name: an interface may be called eth0.1.
 */
static void
name_to_path(char *name)
{
	if (name[strcspn(name, "./")] != '.')
		return;
	for (; *name != '\0'; name++) {
		if (*name == '.')
			*name = '/';
		else if (*name == '/')
			*name = '.';
	}
}

static int
read_sysctl(struct oci_reader *reader, int key, int value)
{
	struct plan *plan = reader->plan;
	struct plan_sysctl *sysctl = &plan->sysctls[plan->nsysctls];
	uint32_t i;

	if (plan->nsysctls == PLAN_SYSCTLS_MAX)
		return (oci_refuse(reader, key, "expected at most 16"));
	memset(sysctl, 0, sizeof(*sysctl));
	if (json_string(key, sysctl->name, sizeof(sysctl->name)) >= 0)
		name_to_path(sysctl->name);
	if (!plan_sysctl_valid(sysctl->name))
		return (oci_refuse(reader, key,
		    "expected net.*, kernel.shm*, kernel.msg*, kernel.sem*, "
		    "fs.mqueue.* or kernel.domainname: all others are the "
		    "node's"));
	for (i = 0; i < plan->nsysctls; i++) {
		if (strcmp(plan->sysctls[i].name, sysctl->name) == 0)
			return (oci_refuse(reader, key, "given twice"));
	}
	if (json_string(value, sysctl->value, sizeof(sysctl->value)) < 1 ||
	    !plan_text_printable(sysctl->value))
		return (oci_refuse(reader, value,
		    "expected a text of 1 to 95 printable characters"));
	plan->nsysctls++;
	return (0);
}

int
oci_read_sysctls(struct oci_reader *reader, int value, uint32_t arg)
{
	int error = 0, key;

	(void)arg;
	for (key = json_first(value); key != JSON_NONE && error == 0;
	     key = json_next(key))
		error = read_sysctl(reader, key, json_member_value(key));
	return (error);
}

/* Whether the bundle has that namespace of its own, or joins one. */
static int
is_apart(const struct plan *plan, enum plan_ns ns)
{
	static const uint32_t kinds[PLAN_NS_MAX] = {
		[PLAN_NS_NET] = CLONE_NEWNET,
		[PLAN_NS_IPC] = CLONE_NEWIPC,
		[PLAN_NS_UTS] = CLONE_NEWUTS,
	};

	return ((plan->unshare & kinds[ns]) != 0 || plan->ns_pids[ns] != 0 ||
	    (ns == PLAN_NS_NET && plan->netns[0] != '\0'));
}

void
oci_drop_sysctls(struct oci_reader *reader)
{
	struct plan *plan = reader->plan;
	const uint32_t n = plan->nsysctls;
	size_t used;
	uint32_t i;

	plan->nsysctls = 0;
	for (i = 0; i < n; i++) {
		const struct plan_sysctl sysctl = plan->sysctls[i];

		memset(&plan->sysctls[i], 0, sizeof(sysctl));
		if (is_apart(plan, plan_sysctl_ns(sysctl.name))) {
			plan->sysctls[plan->nsysctls++] = sysctl;
			continue;
		}
		used = strlen(plan->error);
		snprintf(plan->error + used, sizeof(plan->error) - used,
		    "%slinux.sysctl %s: ignored, it is the node's here",
		    used > 0 ? "; " : "", sysctl.name);
	}
}
