/*
 * Annotations that say anything, in a bundle that is good: the plan is one
 * that the helper accepts, names are labels and ids, and what is forbidden
 * stays so whatever else is said; or there is an error text.
 */
#include "privsep/plan.h"
#include "regress/fuzz/fuzz.h"
#include "unpriv/oci.h"

#define INPUT_MAX 4096

static const char before[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},"
    "\"args\":[\"sh\"],\"cwd\":\"/\"},\"root\":{\"path\":\"/\"},\"annotations\":{";
static const char behind[] =
    "},\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},"
    "{\"type\":\"network\"}]}}";

static void
check_label(const char *label)
{
	const size_t length = strnlen(label, PLAN_NAMESPACE_SIZE);

	must(length < PLAN_NAMESPACE_SIZE);
	must(strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == length);
	must(length == 0 || (label[0] != '-' && label[length - 1] != '-'));
}

static void
check_plan(const struct plan *plan, const struct node *node)
{
	check_label(plan->sandbox_namespace);
	check_label(plan->overlay_name);
	check_label(plan->pod_uid);
	must(plan->sandbox_id[0] == '\0' || msg_id_valid(plan->sandbox_id));
	must((plan->flags & PLAN_CRI) == 0 || plan->sandbox_id[0] != '\0');
	must((plan->flags & PLAN_CRI_SANDBOX) == 0 ||
	    (plan->flags & PLAN_CRI) != 0);
	must(node->annotations || plan->overlay_name[0] == '\0');
	/* Nothing here asks for a privileged one. */
	must((plan->flags & PLAN_HOST) == 0);
}

/* Input: settings, then the members of the object. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char json[sizeof(before) + INPUT_MAX + sizeof(behind)];
	static char strings[65536];
	static struct node node;
	static struct plan plan;
	const struct oci_node on = { .node = &node };
	size_t length = strlen(before);
	int used;

	if (size < 1 || size > INPUT_MAX)
		return (-1);
	node.annotations = (data[0] & 1) == 0;
	node.dns_kubernetes = (data[0] & 2) != 0;
	node.overlay_node = (data[0] & 4) != 0;
	strcpy(node.runtime_root, "/run/reaper");
	memcpy(json, before, length);
	memcpy(json + length, data + 1, size - 1);
	length += size - 1;
	memcpy(json + length, behind, strlen(behind));
	length += strlen(behind);
	used = oci_decode(PLAN_BUNDLE, json, length, &on, &plan, strings,
	    sizeof(strings));
	must(is_line(plan.error, sizeof(plan.error)));
	if (used < 0) {
		must((plan.flags & PLAN_HAS_ERROR) != 0 &&
		    plan.error[0] != '\0');
		return (0);
	}
	must((size_t)used <= sizeof(strings));
	must(plan_check(&plan, PLAN_BUNDLE, strings, (size_t)used) == NULL);
	/* Members may end the object, and give another process. */
	if (memchr(data + 1, '}', size - 1) == NULL)
		check_plan(&plan, &node);
	return (0);
}
