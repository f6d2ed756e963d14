#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#include "unpriv/endpoint.h"
#include "unpriv/priv.h"

int
endpoint_pair(int fds[2])
{
	const int on = 1;
	int i, saved;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, fds) == -1)
		return (-errno);
	for (i = 0; i < 2; i++) {
		if (setsockopt(fds[i], SOL_SOCKET, SO_PASSCRED, &on,
			sizeof(on)) == -1) {
			saved = errno;
			close(fds[0]);
			close(fds[1]);
			return (-saved);
		}
	}
	return (0);
}

static int
ready_valid(const union msg_body *body)
{
	return (body->ready.helper_pid > 1);
}

static int
reply_valid(const union msg_body *body)
{
	const struct msg_reply *reply = &body->reply;

	return (reply->request > 0 && reply->error <= 0 &&
	    reply->error >= -4095 && reply->step < MSG_STEP_MAX &&
	    (reply->error != 0) == (reply->step != MSG_STEP_NONE) &&
	    (reply->fds <= 3 || reply->fds == MSG_FDS_TERMINAL ||
		reply->fds == MSG_FDS_CGROUP2) &&
	    msg_string_valid(reply->text, sizeof(reply->text)));
}

static int
exited_valid(const union msg_body *body)
{
	const struct msg_exited *exited = &body->exited;

	return (msg_ref_valid(&exited->ref) && exited->pid > 1 &&
	    exited->status <= 255 && exited->nanoseconds < 1000000000 &&
	    exited->reserved == 0);
}

static const struct {
	uint16_t op;
	uint32_t length;
	int (*valid)(const union msg_body *);
} shapes[] = {
	{ MSG_READY, sizeof(struct msg_ready), ready_valid },
	{ MSG_REPLY, sizeof(struct msg_reply), reply_valid },
	{ MSG_EXITED, sizeof(struct msg_exited), exited_valid },
};

int
endpoint_body_check(uint16_t op, const union msg_body *body, uint32_t length)
{
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (shapes[i].op == op && shapes[i].length == length)
			return (shapes[i].valid(body) ? 0 : -EBADMSG);
	}
	return (-EBADMSG);
}
