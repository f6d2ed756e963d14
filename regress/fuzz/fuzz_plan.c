/*
 * A plan that is accepted can be used without another look: its strings are
 * all there, and nothing in it exceeds what the helper does with it.
 */

#include "privsep/plan.h"
#include "regress/fuzz/fuzz.h"

static void
check_strings(const struct plan *plan, const char *strings, size_t length)
{
	const char *end = strings + plan->strings_length;
	struct plan_mount m;

	if (plan->nmounts * sizeof(m) + plan->strings_length != length)
		abort();
	for (uint32_t i = 0;
	     i < 1 + plan->argc + plan->envc + 2 * plan->nmounts; i++) {
		if (strings == end)
			abort();
		strings += strnlen(strings, (size_t)(end - strings)) + 1;
		if (strings > end)
			abort();
	}
	if (strings != end)
		abort();
	for (uint32_t i = 0; i < plan->nmounts; i++) {
		memcpy(&m, end + i * sizeof(m), sizeof(m));
		if (m.kind == 0 || m.kind >= PLAN_KINDS)
			abort();
	}
}

/* Below the root of the cgroups, whatever it is appended to. */
static void
check_cgroup(const char path[PLAN_CGROUP_SIZE])
{
	const char *s;

	if (memchr(path, '\0', PLAN_CGROUP_SIZE) == NULL)
		abort();
	for (s = path; *s != '\0'; s++) {
		/* Each component begins with something else. */
		if ((s == path || s[-1] == '/') && (*s == '/' || *s == '.'))
			abort();
		if (*s <= ' ' || *s > '~')
			abort();
	}
	if (s != path && s[-1] == '/')
		abort();
}

static void
check_limits(const struct plan_limits *limits)
{
	const char *text = limits->v1[0];
	size_t i;

	for (i = 0; i < 2 * MSG_CGROUP_LIMITS; i++, text += PLAN_LIMIT_SIZE) {
		if (memchr(text, '\0', PLAN_LIMIT_SIZE) == NULL ||
		    strpbrk(text, "\n\t/.") != NULL)
			abort();
	}
}

/*
 * Input: the length of what follows the plan, that, of which the last bytes are
 * records of mounts if there is room for two, then differences to a plan that
 * is nearly good, each a place (two bytes) and what to flip there.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan plan = { .magic = PLAN_MAGIC, .kind = PLAN_BUNDLE };
	uint8_t *bytes = (uint8_t *)&plan;
	size_t length;
	char *strings;

	if (size < 1 || size - 1 < data[0])
		return (-1);
	length = data[0];
	plan.argc = 1;
	plan.nmounts = length > 2 * sizeof(struct plan_mount) ? 2 : 0;
	plan.strings_length =
	    (uint32_t)(length - plan.nmounts * sizeof(struct plan_mount));
	for (size_t i = 1 + length; i + 3 <= size; i += 3)
		bytes[(data[i] | data[i + 1] << 8) % sizeof(plan)] ^=
		    data[i + 2];

	/* Of their own, so that a step beyond them is noticed. */
	strings = malloc(length);
	if (strings == NULL)
		abort();
	memcpy(strings, data + 1, length);
	if (plan_check(&plan, PLAN_BUNDLE, strings, length) == NULL) {
		check_strings(&plan, strings, length);
		check_cgroup(plan.cgroup);
		check_limits(&plan.limits);
		if (plan.uid == UINT32_MAX || plan.gid == UINT32_MAX ||
		    plan.ngroups > PLAN_GROUPS_MAX ||
		    plan.nrlimits > PLAN_RLIMITS_MAX ||
		    memchr(plan.sandbox_id, '\0', MSG_ID_SIZE) == NULL)
			abort();
	}
	free(strings);
	return (0);
}
