/*
 * The decode step: reads a JSON document, writes a plan.  It has no
 * capability and can only read and write, and it is the one place where
 * privileged code runs the decoder of unpriv/.
 */

#include "privsep/helper.h"
#include "unpriv/oci.h"

/* Untouched pages cost nothing: only a decode step ever writes to these. */
static char document[PLAN_DOCUMENT_MAX + 1];
static struct {
	struct plan plan;
	char strings[PLAN_TAIL_MAX];
} out;

void
step_decode(const struct helper *h, const struct record *r)
{
	const char *p = (const char *)&out;
	size_t length = 0;
	int n, size;

	(void)h;
	if ((n = oci_prepare()) != 0)
		step_fail(MSG_STEP_DECODE, n, "a pipe");
	step_confine(&policy_decode);
	do {
		n = step_must(MSG_STEP_BUNDLE, read(STEP_FDS,
		    document + length, sizeof(document) - length), NULL);
		length += (size_t)n;
	} while (n > 0 && length < sizeof(document));
	if (length > PLAN_DOCUMENT_MAX)
		step_fail(MSG_STEP_DECODE, -EFBIG, "larger than 4 MiB");
	size = oci_decode(RECORD_IS_EXEC(r) ? PLAN_PROCESS : PLAN_BUNDLE,
	    document, length, &out.plan, out.strings, sizeof(out.strings));
	out.plan.error[sizeof(out.plan.error) - 1] = '\0';
	if (size < 0)
		step_fail(MSG_STEP_DECODE, size, out.plan.error);
	for (length = sizeof(out.plan) + (size_t)size; length > 0;
	    p += n, length -= (size_t)n)
		n = step_must(MSG_STEP_DECODE, write(STEP_FDS + 1, p, length),
		    "writing the plan");
	step_report(0, MSG_STEP_NONE, NULL, -1);
}
