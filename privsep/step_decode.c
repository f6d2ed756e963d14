/*
 * The decode step: reads a JSON document, writes a plan.  It has no
 * capability and can only read and write, and it is the one place where
 * privileged code runs the decoder of unpriv/.
 */
#include "privsep/helper.h"
#include "unpriv/decode.h"
#include "unpriv/oci.h"

void
step_decode(const struct helper *h, const struct record *r)
{
	const struct decode_node on = { &h->boot.node, STEP_FDS + 2,
		RECORD_IS_EXEC(r) ? -1 : STEP_FDS + 3 };
	const struct plan *plan;
	int error;

	/* An exec has no profile of its own. */
	if (!RECORD_IS_EXEC(r) && (error = oci_prepare()) != 0)
		step_fail(MSG_STEP_DECODE, error, "a pipe");
	step_confine(&policy_decode);
	error = decode_document(RECORD_IS_EXEC(r) ? PLAN_PROCESS : PLAN_BUNDLE,
	    STEP_FDS, &on, STEP_FDS + 1, &plan);
	if (error != 0)
		step_fail(MSG_STEP_DECODE, error, plan->error);
	step_report(0, MSG_STEP_NONE, NULL, -1);
}
