/*
 * The profile of a bundle: whether it has the node, or is confined.
 *
 * No field says "privileged", so it is told by what a privileged pod has and
 * no other can ask for: a rule that allows all devices, /sys to write to, and
 * nothing covered.  Capabilities do not count: a pod may add all of them.  A
 * runtime handler that keeps the node's devices from privileged pods makes no
 * such rule: its pods are confined.
 */
#include <linux/capability.h>

#include <errno.h>
#include <string.h>

#include "unpriv/oci_reader.h"

/*
 * A member that is not null, or JSON_NONE.  False if it is given twice: then
 * there is no telling which one counts.
 */
static int
member(int object, const char *name, int *value)
{
	if (json_member(object, name, value) != 0)
		return (0);
	if (*value != JSON_NONE && json_type(*value) == JSON_NULL)
		*value = JSON_NONE;
	return (1);
}

/* The first element of a member that is an array, or JSON_NONE. */
static int
first_of(int object, const char *name)
{
	int array;

	if (!member(object, name, &array) || array == JSON_NONE ||
	    json_type(array) != JSON_ARRAY)
		return (JSON_NONE);
	return (json_first(array));
}

/* Whether a member is this text; what is missing is if absent says so. */
static int
is_text(int object, const char *name, const char *text, int absent)
{
	int value;

	if (!member(object, name, &value))
		return (0);
	return (value == JSON_NONE ? absent : json_equals(value, text));
}

static int
is_any_number(int rule, const char *name)
{
	int64_t number;
	int value;

	if (!member(rule, name, &value))
		return (0);
	return (value == JSON_NONE || json_signed(value, -1, -1, &number) == 0);
}

/* Reading, writing and making nodes. */
static int
is_any_access(int rule)
{
	char text[8];
	int value;

	return (member(rule, "access", &value) && value != JSON_NONE &&
	    json_string(value, text, sizeof(text)) >= 0 &&
	    strchr(text, 'r') != NULL && strchr(text, 'w') != NULL &&
	    strchr(text, 'm') != NULL);
}

/* Rules count in their order: one that forbids anything leaves not all. */
static int
allows_all_devices(int rule)
{
	int all = 0, allow, value;

	for (; rule != JSON_NONE; rule = json_next(rule)) {
		if (json_type(rule) != JSON_OBJECT ||
		    !member(rule, "allow", &value))
			return (0);
		if (value == JSON_NONE || json_boolean(value, &allow) != 0 ||
		    !allow)
			all = 0;
		else if (is_text(rule, "type", "a", 1) &&
		    is_any_number(rule, "major") &&
		    is_any_number(rule, "minor") && is_any_access(rule))
			all = 1;
	}
	return (all);
}

static int
has_option(int mount, const char *name)
{
	int option = first_of(mount, "options");

	for (; option != JSON_NONE; option = json_next(option)) {
		if (json_equals(option, name))
			return (1);
	}
	return (0);
}

/* CRI leaves its own out for a volume of the node's /sys, which is the same. */
static int
is_sys(int mount)
{
	if (has_option(mount, "bind") || has_option(mount, "rbind") ||
	    is_text(mount, "type", "bind", 0))
		return (is_text(mount, "source", "/sys", 0));
	return (is_text(mount, "type", "sysfs", 0));
}

static int
sys_is_writable(int mount)
{
	int writable = 0;

	for (; mount != JSON_NONE; mount = json_next(mount)) {
		if (json_type(mount) != JSON_OBJECT)
			return (0);
		if (!is_text(mount, "destination", "/sys", 0))
			continue;
		writable = is_sys(mount) && !has_option(mount, "ro") &&
		    !has_option(mount, "rro");
		if (!writable)
			return (0);
	}
	return (writable);
}

static int
is_privileged(int bundle)
{
	int linux_object, resources;

	return (member(bundle, "linux", &linux_object) &&
	    linux_object != JSON_NONE &&
	    json_type(linux_object) == JSON_OBJECT &&
	    first_of(linux_object, "maskedPaths") == JSON_NONE &&
	    first_of(linux_object, "readonlyPaths") == JSON_NONE &&
	    member(linux_object, "resources", &resources) &&
	    resources != JSON_NONE && json_type(resources) == JSON_OBJECT &&
	    allows_all_devices(first_of(resources, "devices")) &&
	    sys_is_writable(first_of(bundle, "mounts")));
}

static void
take_node(struct plan *plan)
{
	plan->flags |= PLAN_HOST;
	memset(plan->apparmor, 0, sizeof(plan->apparmor));
}

/* As the node itself would run it: root has every capability. */
static void
take_capabilities(struct plan *plan)
{
	const uint64_t all = (UINT64_C(1) << (CAP_LAST_CAP + 1)) - 1;

	plan->capabilities[PLAN_BOUNDING] = all;
	if (plan->uid != 0)
		return;
	plan->capabilities[PLAN_EFFECTIVE] = all;
	plan->capabilities[PLAN_PERMITTED] = all;
}

int
oci_find_profile(struct oci_reader *reader, int bundle)
{
	const uint32_t profile = reader->on->node->profile;
	const int privileged = is_privileged(bundle);

	/*
	 * It executes nothing: there is nobody to have the node, or anything.
	 */
	if ((reader->plan->flags & PLAN_CRI_SANDBOX) != 0) {
		memset(reader->plan->capabilities, 0,
		    sizeof(reader->plan->capabilities));
		return (0);
	}
	if (!privileged && profile == NODE_HOST)
		take_capabilities(reader->plan);
	if (privileged && profile != NODE_AUTO && profile != NODE_HOST) {
		strcpy(reader->path, "privileged");
		return (oci_refuse(reader, JSON_NONE,
		    "REAPER_WORKLOAD_PROFILE=confined refuses such pods"));
	}
	if (privileged || profile == NODE_HOST)
		take_node(reader->plan);
	return (0);
}
