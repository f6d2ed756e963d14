/*
 * Checks of messages: pure functions from bytes to a verdict.  They make no
 * system call, allocate nothing and log nothing, so that they can be fuzzed
 * and tested exhaustively.
 */
#include <errno.h>
#include <string.h>

#include "privsep/msg.h"

/* Names below Reaper's own directory that an id must not take. */
static const char *const reserved[] = {
	"empty", "merged", "ns", "overlay", "overlay-filters", "shared-mnt-ns",
};

static int
is_alnum(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9'));
}

int
msg_string_valid(const char *s, size_t size)
{
	size_t i;

	i = strnlen(s, size);
	if (i == size)
		return (0);
	for (; i < size; i++) {
		if (s[i] != '\0')
			return (0);
	}
	return (1);
}

int
msg_id_valid(const char s[MSG_ID_SIZE])
{
	size_t i, length;

	if (!msg_string_valid(s, MSG_ID_SIZE))
		return (0);
	length = strlen(s);
	if (length < 1 || length > MSG_ID_MAX)
		return (0);
	for (i = 0; i < length; i++) {
		if (is_alnum(s[i]))
			continue;
		if (s[i] != '.' && s[i] != '_' && s[i] != '-')
			return (0);
		/* A separator stands alone between two alphanumerics. */
		if (i == 0 || i + 1 == length || !is_alnum(s[i - 1]))
			return (0);
	}
	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strcmp(s, reserved[i]) == 0)
			return (0);
	}
	return (1);
}

static int
ref_valid(const union msg_body *body)
{
	const struct msg_ref *ref = &body->ref;

	return (msg_id_valid(ref->id) && (msg_id_valid(ref->exec) ||
	    (ref->exec[0] == '\0' && msg_string_valid(ref->exec,
	    sizeof(ref->exec)))));
}

static int
signal_valid(const union msg_body *body)
{
	const struct msg_signal *signal = &body->signal;

	return (ref_valid(body) && signal->signo >= 1 && signal->signo <= 64 &&
	    (signal->all == 0 ||
	    (signal->all == 1 && signal->ref.exec[0] == '\0')));
}

static int
stdio_valid(const union msg_body *body)
{
	const struct msg_stdio *stdio = &body->stdio;

	return (ref_valid(body) && stdio->stream <= MSG_STDERR &&
	    stdio->reserved == 0 && stdio->path[0] == '/' &&
	    msg_string_valid(stdio->path, sizeof(stdio->path)));
}

static int
ready_valid(const union msg_body *body)
{
	return (body->ready.helper_pid > 1 && body->ready.reserved == 0);
}

static int
reply_valid(const union msg_body *body)
{
	const struct msg_reply *reply = &body->reply;

	return (reply->request > 0 && reply->error <= 0 &&
	    reply->error >= -4095 && reply->step < MSG_STEP_MAX &&
	    (reply->error != 0) == (reply->step != MSG_STEP_NONE) &&
	    reply->fds <= 3 &&
	    msg_string_valid(reply->text, sizeof(reply->text)));
}

static int
exited_valid(const union msg_body *body)
{
	const struct msg_exited *exited = &body->exited;

	return (ref_valid(body) && exited->pid > 1 &&
	    exited->status <= 255 && exited->nanoseconds < 1000000000);
}

static const struct {
	uint16_t op;
	uint32_t length;
	int (*valid)(const union msg_body *);
} shapes[] = {
	{ MSG_CREATE, sizeof(struct msg_ref), ref_valid },
	{ MSG_START, sizeof(struct msg_ref), ref_valid },
	{ MSG_EXEC, sizeof(struct msg_ref), ref_valid },
	{ MSG_SIGNAL, sizeof(struct msg_signal), signal_valid },
	{ MSG_STDIO, sizeof(struct msg_stdio), stdio_valid },
	{ MSG_DELETE, sizeof(struct msg_ref), ref_valid },
	{ MSG_READY, sizeof(struct msg_ready), ready_valid },
	{ MSG_REPLY, sizeof(struct msg_reply), reply_valid },
	{ MSG_EXITED, sizeof(struct msg_exited), exited_valid },
};

int
msg_body_check(uint16_t op, const union msg_body *body, uint32_t length)
{
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (shapes[i].op == op && shapes[i].length == length)
			return (shapes[i].valid(body) ? 0 : -EBADMSG);
	}
	return (-EBADMSG);
}
