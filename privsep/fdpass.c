#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "privsep/fdpass.h"

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(struct ucred)) +
	    CMSG_SPACE(sizeof(int) * FDPASS_MAX)];
};

int
fdpass_send(int socket_fd, const void *data, size_t size, const int *fds,
    size_t nfds)
{
	union control control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, size };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (nfds > FDPASS_MAX)
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

/*
 * Takes what the control data holds.  Truncated control data may still have
 * installed descriptors, so all are found before anything is refused.
 */
static int
control_parse(struct msghdr *header, int fds[FDPASS_MAX],
    struct ucred *credentials)
{
	struct cmsghdr *c;
	size_t i, length, nfds = 0;
	int error = credentials != NULL ? -EBADMSG : 0, fd;

	for (c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
		length = c->cmsg_len - CMSG_LEN(0);
		if (c->cmsg_type == SCM_CREDENTIALS && credentials != NULL &&
		    length == sizeof(*credentials)) {
			memcpy(credentials, CMSG_DATA(c), length);
			error = 0;
		}
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < length / sizeof(fd); i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (nfds < FDPASS_MAX)
				fds[nfds++] = fd;
			else
				close(fd);
		}
	}
	return ((header->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ?
	    -EBADMSG : error);
}

int
fdpass_receive(int socket_fd, void *data, size_t size, int fds[FDPASS_MAX],
    struct ucred *credentials)
{
	union control control;
	struct iovec iov = { data, size };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n;
	int error, i;

	memset(fds, -1, sizeof(*fds) * FDPASS_MAX);
	n = recvmsg(socket_fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n == -1)
		return (-errno);
	error = control_parse(&header, fds, credentials);
	if (n > 0 && error == 0)
		return ((int)n);
	for (i = 0; i < FDPASS_MAX; i++) {
		if (fds[i] != -1)
			close(fds[i]);
	}
	return (n == 0 ? 0 : error);
}
