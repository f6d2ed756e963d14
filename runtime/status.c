#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/status.h"
#include "unpriv/chars.h"
#include "unpriv/priv.h"

/* The steps in which a request can fail, in words. */
static const char *const steps[MSG_STEP_MAX] = {
	[MSG_STEP_REQUEST] = "the request was refused",
	[MSG_STEP_BUNDLE] = "reading the bundle",
	[MSG_STEP_DECODE] = "decoding the specification",
	[MSG_STEP_POLICY] = "refused by policy",
	[MSG_STEP_NAMESPACE] = "entering namespaces",
	[MSG_STEP_OVERLAY] = "building the overlay",
	[MSG_STEP_FILTER] = "building the filters",
	[MSG_STEP_MOUNT] = "mounting",
	[MSG_STEP_STDIO] = "opening standard input and output",
	[MSG_STEP_LAUNCH] = "launching",
	[MSG_STEP_RLIMIT] = "setting a resource limit",
	[MSG_STEP_CWD] = "changing to the working directory",
	[MSG_STEP_IDENTITY] = "taking the identity",
	[MSG_STEP_EXEC] = "exec",
	[MSG_STEP_STATE] = "keeping the state",
	[MSG_STEP_CGROUP] = "making the cgroup",
};

/* What the helper's table says of a request in a state that forbids it. */
static const struct {
	int error;
	enum status_code code;
	const char *text;
} refusals[] = {
	{ -EEXIST, STATUS_ALREADY_EXISTS, "the id is in use" },
	{ -ENOENT, STATUS_NOT_FOUND, "no such container or exec" },
	{ -ESRCH, STATUS_NOT_FOUND, "process already finished" },
	{ -EBUSY, STATUS_FAILED_PRECONDITION,
	    "not possible in the present state" },
	{ -EMFILE, STATUS_RESOURCE_EXHAUSTED,
	    "the pod has too many containers and execs" },
};

/* Replaces what is not printable UTF-8. */
static void
sanitize(char *text)
{
	unsigned char *s = (unsigned char *)text;
	size_t left = strlen(text), n;

	for (; left > 0; s += n, left -= n) {
		if ((n = chars_utf8(s, left)) == 0 || iscntrl(*s)) {
			*s = '?';
			n = 1;
		}
	}
}

void
status_set(struct status *status, enum status_code code, const char *format,
    ...)
{
	va_list args;

	status->code = code;
	status->logged = NULL;
	va_start(args, format);
	vsnprintf(status->text, sizeof(status->text), format, args);
	va_end(args);
	sanitize(status->text);
}

const char *
status_log(const struct status *status)
{
	return (status->logged != NULL ? status->logged : status->text);
}

/* strerror(3) without its locale. */
static const char *
error_text(int error)
{
	const char *text = strerrordesc_np(-error);

	return (text == NULL ? "unknown error" : text);
}

static void
status_refused(struct status *status, int error)
{
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].error == error) {
			status_set(status, refusals[i].code, "%s",
			    refusals[i].text);
			return;
		}
	}
	status_set(status, STATUS_INTERNAL, "%s: %s", steps[MSG_STEP_REQUEST],
	    error_text(error));
}

static enum status_code
code_of(const struct msg_reply *reply)
{
	switch (reply->step) {
	case MSG_STEP_DECODE:
		return (STATUS_INVALID_ARGUMENT);
	case MSG_STEP_POLICY:
		return (STATUS_PERMISSION_DENIED);
	case MSG_STEP_EXEC:
	case MSG_STEP_CWD:
		return (STATUS_INVALID_ARGUMENT);
	default:
		/* NotFound would mean that there is no such container. */
		return (STATUS_UNKNOWN);
	}
}

void
status_from_reply(struct status *status, const struct msg_reply *reply)
{
	enum status_code code = code_of(reply);
	const char *error = error_text(reply->error);

	if (reply->error == PRIV_LOST && reply->step == MSG_STEP_NONE)
		status_set(status, STATUS_UNAVAILABLE,
		    "the privileged helper is gone");
	else if (reply->step == MSG_STEP_REQUEST && reply->text[0] == '\0')
		status_refused(status, reply->error);
	else if (reply->step == MSG_STEP_EXEC) {
		/* Its first letter small, as clients know it from others. */
		status_set(status, code, "exec \"%s\": %c%s", reply->text,
		    tolower((unsigned char)error[0]), error + 1);
		status->logged = error;
	} else if (reply->step == MSG_STEP_CWD && reply->text[0] != '\0')
		status_set(status, code,
		    "changing to working directory "
		    "\"%s\": %s",
		    reply->text, error);
	else if ((reply->step == MSG_STEP_DECODE ||
		     reply->step == MSG_STEP_POLICY) &&
	    reply->text[0] != '\0')
		/* The text is the whole reason; the number is but a class. */
		status_set(status, code, "%s: %s", steps[reply->step],
		    reply->text);
	else if (reply->text[0] != '\0')
		status_set(status, code, "%s: %s: %s", steps[reply->step],
		    reply->text, error);
	else
		status_set(status, code, "%s: %s", steps[reply->step], error);
}

uint32_t
status_exit(const struct msg_reply *reply)
{
	if (reply->step != MSG_STEP_EXEC)
		return (1);
	return (reply->error == -ENOENT ? 127 : 126);
}
