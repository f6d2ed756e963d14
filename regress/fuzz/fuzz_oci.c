/*
 * Whatever the document and the node's files say, the decoder gives a plan that
 * the helper accepts, or an error text.
 *
 * An input is of parts with a NUL between two, the last of which may be
 * missing: the document, the user database, the list of mounts, a byte of
 * settings.  A document alone has no NUL, so it is one as it is.
 */

#include "privsep/plan.h"
#include "regress/fuzz/fuzz.h"
#include "unpriv/oci.h"

enum part { DOCUMENT, PASSWD, MOUNTS, SETTINGS, PARTS };

static void
check_text(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			abort();
}

/* The node's filesystems come first, and so the outer of them. */
static void
check_mounts(const struct plan *plan, const char *strings)
{
	const char *p = strings, *last = "/";
	const char *records = strings + plan->strings_length;
	struct plan_mount m;
	uint32_t i;
	int others = 0;

	for (i = 0; i < 1 + plan->argc + plan->envc; i++)
		p += strlen(p) + 1;
	for (i = 0; i < plan->nmounts; i++) {
		memcpy(&m, records + i * sizeof(m), sizeof(m));
		if (m.kind == PLAN_NODE &&
		    (others || strcmp(last, p) == 0 ||
			strncmp(last, p, strlen(p)) == 0 || i >= 64))
			abort();
		others |= m.kind != PLAN_NODE;
		last = p;
		p += strlen(p) + 1;
		p += strlen(p) + 1;
	}
}

static void
check(uint32_t kind, const char *json, size_t length, const struct oci_node *on)
{
	static struct plan plan;
	static char strings[65536];
	int used =
	    oci_decode(kind, json, length, on, &plan, strings, sizeof(strings));

	if (memchr(plan.error, '\0', sizeof(plan.error)) == NULL)
		abort();
	check_text(plan.error);
	if (used >= 0) {
		if ((size_t)used > sizeof(strings) ||
		    plan_check(&plan, kind, strings, (size_t)used) != NULL)
			abort();
		check_mounts(&plan, strings);
		return;
	}
	if ((plan.flags & PLAN_HAS_ERROR) == 0 || plan.error[0] == '\0')
		abort();
}

static void
node_set(struct node *node, uint8_t settings)
{
	static const char filters[] = "home\0srv/*/keys\0etc/shadow\0";

	memset(node, 0, sizeof(*node));
	node->profile = settings % 3;
	node->annotations = (settings & 4) == 0;
	node->dns_kubernetes = (settings & 8) != 0;
	node->overlay_node = (settings & 16) != 0;
	strcpy(node->runtime_root, "/run/reaper");
	if ((settings & 32) != 0) {
		strcpy(node->run_allow, "/run/nscd");
		strcpy(node->device_allow, "/dev/fuse");
		memcpy(node->filters[0], filters, sizeof(filters));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct node node;
	struct oci_node on = { .node = &node };
	size_t lengths[PARTS] = { 0 };
	struct input in = { data, size };
	char *parts[PARTS];
	int i;

	for (i = 0; i < PARTS; i++)
		parts[i] = input_part(&in, &lengths[i]);
	node_set(&node,
	    lengths[SETTINGS] > 0 ? (uint8_t)parts[SETTINGS][0] : 0);
	on.passwd = parts[PASSWD];
	on.passwd_length = lengths[PASSWD];
	on.mounts = parts[MOUNTS];
	on.mounts_length = lengths[MOUNTS];
	check(PLAN_BUNDLE, parts[DOCUMENT], lengths[DOCUMENT], &on);
	check(PLAN_PROCESS, parts[DOCUMENT], lengths[DOCUMENT], &on);
	for (i = 0; i < PARTS; i++)
		free(parts[i]);
	return (0);
}
