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
log_fatal(const char *m)
{
	log_line(m, NULL, NULL, -errno);
	_exit(1);
}
