#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "privsep/channel.h"

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(struct ucred)) +
	    CMSG_SPACE(sizeof(int) * MSG_FDS_MAX)];
};

int
fdpass_send(int socket_fd, const void *data, size_t size, const int *fds,
    size_t nfds)
{
	union control control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, size };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (nfds > MSG_FDS_MAX)
		return (-EINVAL);
	if (nfds > 0) {
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * nfds);
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
	}
	n = sendmsg(socket_fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
	return (n == (ssize_t)size ? 0 : n == -1 ? -errno : -EIO);
}

int
fdpass_receive(int socket_fd, void *data, size_t size, int fds[MSG_FDS_MAX],
    struct ucred *credentials)
{
	union control control;
	struct iovec iov = { data, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control) };
	int bad = credentials != NULL, fd;
	struct cmsghdr *c;
	size_t i, length, nfds = 0;
	ssize_t n;

	memset(fds, -1, sizeof(*fds) * MSG_FDS_MAX);
	/* Told once where the other went without reading all that it got. */
	do
		n = recvmsg(socket_fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n == -1 && errno == ECONNRESET);
	if (n == -1)
		return (-errno);
	/*
	 * Truncated control data may still have installed descriptors, so all
	 * are found before anything is refused.
	 */
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		length = c->cmsg_len - CMSG_LEN(0);
		if (c->cmsg_type == SCM_CREDENTIALS && credentials != NULL &&
		    length == sizeof(*credentials)) {
			memcpy(credentials, CMSG_DATA(c), length);
			bad = 0;
		}
		for (i = 0; c->cmsg_type == SCM_RIGHTS &&
		    i < length / sizeof(fd); i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (nfds < MSG_FDS_MAX)
				fds[nfds++] = fd;
			else
				close(fd);
		}
	}
	if (n > 0 && !bad && (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return ((int)n);
	fdpass_close(fds, MSG_FDS_MAX);
	return (n == 0 ? 0 : -EBADMSG);
}

void
fdpass_close(int *fds, size_t n)
{
	for (; n > 0; fds++, n--) {
		if (*fds >= 0)
			close(*fds);
		*fds = -1;
	}
}
