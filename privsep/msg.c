/*
 * Checks of requests: pure functions from bytes to a verdict.  They make no
 * system call, allocate nothing and log nothing, so that they can be fuzzed
 * and tested exhaustively.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "privsep/msg.h"

/* No program of ours leaves the C locale: A to Z, a to z, 0 to 9. */
#define is_alnum(c)	isalnum((unsigned char)(c))

/* Names below Reaper's own directory that an id must not take. */
static const char *const reserved[] = {
	"empty", "merged", "ns", "overlay", "overlay-filters", "shared-mnt-ns",
};

int
msg_string_valid(const char *s, size_t size)
{
	size_t i = strnlen(s, size);

	if (i == size)
		return (0);
	while (i < size && s[i] == '\0')
		i++;
	return (i == size);
}

int
msg_id_valid(const char s[MSG_ID_SIZE])
{
	size_t i;

	if (!msg_string_valid(s, MSG_ID_SIZE) || strlen(s) > MSG_ID_MAX ||
	    !is_alnum(s[0]))
		return (0);
	for (i = 1; s[i] != '\0'; i++) {
		/* A separator stands alone between two alphanumerics. */
		if (!is_alnum(s[i]) && (strchr("._-", s[i]) == NULL ||
		    !is_alnum(s[i - 1]) || !is_alnum(s[i + 1])))
			return (0);
	}
	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strcmp(s, reserved[i]) == 0)
			return (0);
	}
	return (1);
}

int
msg_ref_valid(const struct msg_ref *ref)
{
	return (msg_id_valid(ref->id) && (msg_id_valid(ref->exec) ||
	    (ref->exec[0] == '\0' &&
	    msg_string_valid(ref->exec, sizeof(ref->exec)))));
}

int
msg_body_check(uint16_t op, const union msg_body *b, uint32_t length)
{
	const struct msg_signal *sig = &b->signal;
	const struct msg_stdio *io = &b->stdio;
	const uint32_t which = b->choice.which;
	const size_t due = op == MSG_SIGNAL ? sizeof(*sig) :
	    op == MSG_STDIO ? sizeof(*io) :
	    op >= MSG_CGROUP ? sizeof(b->choice) : sizeof(b->ref);

	/* Every request begins with a struct msg_ref. */
	if (op < MSG_PREPARE || op > MSG_PUBLISH || length != due ||
	    !msg_ref_valid(&b->ref) ||
	    (op == MSG_SIGNAL && (sig->signo < 1 || sig->signo > 64 ||
	    sig->all > 1 || (sig->all == 1 && sig->ref.exec[0] != '\0'))) ||
	    (op == MSG_STDIO && (io->stream > MSG_STDERR ||
	    io->path[0] != '/' || io->file > (io->stream != MSG_STDIN) ||
	    !msg_string_valid(io->path, sizeof(io->path)))) ||
	    (op == MSG_CGROUP && which >= MSG_CGROUP_MAX) ||
	    (op == MSG_PUBLISH && which != EVENT_PAUSED &&
	    which != EVENT_RESUMED))
		return (-EBADMSG);
	return (0);
}
