/*
 * A step that was taken over, and may send its helper anything: what is taken
 * of that can stand in a log and in a message to the shim.  All else ends the
 * helper, which is what a jump is for here.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <unistd.h>

#include "privsep/helper.h"
#include "regress/fuzz/fuzz.h"

int __real_fdpass_receive(int fd, void *data, size_t size, int fds[MSG_FDS_MAX],
    struct ucred *credentials);
int __wrap_fdpass_receive(int fd, void *data, size_t size, int fds[MSG_FDS_MAX],
    struct ucred *credentials);
_Noreturn void __wrap_log_fatal(const char *m);

static int sockets[2] = { -1, -1 };
static int received[MSG_FDS_MAX];
static jmp_buf end;

_Noreturn void
__wrap_log_fatal(const char *m)
{
	(void)m;
	longjmp(end, 1);
}

int
__wrap_fdpass_receive(int fd, void *data, size_t size, int fds[MSG_FDS_MAX],
    struct ucred *credentials)
{
	int n = __real_fdpass_receive(fd, data, size, fds, credentials);

	memcpy(received, fds, sizeof(received));
	return (n);
}

static void
check_reply(const struct msg_reply *reply)
{
	must(reply->error <= 0 && reply->step < MSG_STEP_MAX);
	must((reply->error == 0) == (reply->step == MSG_STEP_NONE));
	must(reply->request == 0 && reply->pid == 0 && reply->fds == 0);
	must(msg_string_valid(reply->text, sizeof(reply->text)) &&
	    is_line(reply->text, sizeof(reply->text)) &&
	    strpbrk(reply->text, "\"\\") == NULL);
}

/* Input: descriptors and whether one is wanted, a length, differences. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct {
		struct msg_reply reply;
		char more[8];
	} sent = { .reply.text = "an \"error\"" };
	struct input in = { data, size };
	const uint8_t how = input_byte(&in);
	const int wanted = (how & 4) != 0;
	int before, fd = -1, fds[MSG_FDS_MAX], i, n;
	struct msg_reply reply;
	size_t length;

	if (sockets[0] == -1)
		must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			 sockets) == 0);
	before = fds_count();
	sent.reply.error = (how & 8) != 0 ? -ENOENT : 0;
	sent.reply.step = (how & 8) != 0 ? MSG_STEP_EXEC : MSG_STEP_NONE;
	length = sizeof(sent.reply) +
	    ((how & 16) != 0 ? input_byte(&in) % 8 : 0);
	length -= (how & 32) != 0 ? input_word(&in) % length : 0;
	input_flip(&in, &sent, sizeof(sent));
	for (i = 0; i < MSG_FDS_MAX; i++)
		fds[i] = sockets[0];
	must(fdpass_send(sockets[1], &sent, length, fds, how % 4) == 0);
	if (setjmp(end) != 0) {
		fdpass_close(received, MSG_FDS_MAX);
		must(fds_count() == before);
		return (0);
	}
	n = step_receive(sockets[0], &reply, wanted ? &fd : NULL);
	if (n == 1) {
		check_reply(&reply);
		must(length == sizeof(reply) && (wanted || how % 4 == 0));
		must((fd != -1) == (how % 4 == 1 && wanted));
	}
	if (fd != -1)
		close(fd);
	must(fds_count() == before);
	return (0);
}
