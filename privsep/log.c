#include "privsep/helper.h"

void
log_line(const char *m, const struct msg_ref *ref, const char *text,
    int error)
{
	/*
	 * One write is one line.  The log is a socket in non-blocking mode
	 * to the publisher, which bounds it: a full one loses lines.
	 */
	(void)dprintf(STDERR_FILENO, "program=reaper-privsep msg=\"%s\" "
	    "id=%s exec=%s errno=%d text=\"%s\"\n", m,
	    ref != NULL ? ref->id : "", ref != NULL ? ref->exec : "",
	    -error, text != NULL ? text : "");
}

void
log_operation(const struct helper *h, const char *op,
    const struct msg_ref *ref, int error)
{
	/* One that is under way has no result yet. */
	if (h->boot.node.audit && error <= 0)
		(void)dprintf(STDERR_FILENO, LOG_OPERATION "%s peer=%u id=%s "
		    "exec=%s errno=%d\n", op, h->boot.shim_pid, ref->id,
		    ref->exec, -error);
}

void
log_fatal(const char *m)
{
	log_line(m, NULL, NULL, -errno);
	_exit(1);
}
