/*
 * Whatever the document says, the decoder gives a plan that the helper
 * accepts, or an error text.
 */
#include <stdlib.h>
#include <string.h>

#include "privsep/plan.h"
#include "unpriv/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(uint32_t kind, const char *json, size_t length)
{
	static struct plan plan;
	static char strings[65536];
	static const struct node node;
	const struct oci_node on = { .node = &node };
	int used = oci_decode(kind, json, length, &on, &plan, strings,
	    sizeof(strings));

	if (used >= 0) {
		if ((size_t)used > sizeof(strings) ||
		    plan_check(&plan, kind, strings, (size_t)used) != NULL)
			abort();
		return;
	}
	if ((plan.flags & PLAN_HAS_ERROR) == 0 || plan.error[0] == '\0' ||
	    memchr(plan.error, '\0', sizeof(plan.error)) == NULL)
		abort();
	for (const char *s = plan.error; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of their own, and without a NUL: a step beyond them is noticed. */
	char *json = malloc(size > 0 ? size : 1);

	if (json == NULL)
		abort();
	memcpy(json, data, size);
	check(PLAN_BUNDLE, json, size);
	check(PLAN_PROCESS, json, size);
	free(json);
	return (0);
}
