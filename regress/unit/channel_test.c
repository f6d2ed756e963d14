/*
 * The channel, against a peer that has the real keys and breaks every rule.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "privsep/channel.h"
#include "unpriv/endpoint.h"

#define SURPLUS (MSG_FDS_MAX + 8)

static const uint8_t master[CHANNEL_KEY_SIZE] = { 1, 2, 3 };

struct ends {
	struct channel shim;
	struct channel helper;
};

static void
ends_open(struct ends *ends)
{
	int fds[2];

	ATF_REQUIRE_EQ(endpoint_pair(fds), 0);
	ATF_REQUIRE_EQ(channel_open(&ends->shim, fds[0], CHANNEL_SHIM, master,
			   getpid(), getuid()),
	    0);
	ATF_REQUIRE_EQ(channel_open(&ends->helper, fds[1], CHANNEL_HELPER,
			   master, getpid(), getuid()),
	    0);
}

static struct msg_ref
ref_make(const char *id)
{
	struct msg_ref ref;

	memset(&ref, 0, sizeof(ref));
	strncpy(ref.id, id, sizeof(ref.id) - 1);
	return (ref);
}

/* Takes one datagram as it is from the shim's end, changes it, delivers it. */
static int
tamper(struct ends *ends, void (*change)(struct msg *, size_t *))
{
	struct msg_ref ref = ref_make("a");
	struct msg message;
	int fds[MSG_FDS_MAX];
	ssize_t n;
	size_t size;

	ATF_REQUIRE_EQ(channel_send(&ends->shim, MSG_CREATE, &ref, sizeof(ref),
			   NULL, 0),
	    0);
	memset(&message, 0, sizeof(message));
	n = recv(ends->helper.fd, &message, sizeof(message), 0);
	ATF_REQUIRE_EQ(n, (ssize_t)(sizeof(message.header) + sizeof(ref)));
	size = (size_t)n;
	change(&message, &size);
	ATF_REQUIRE_EQ(send(ends->shim.fd, &message, size, 0), (ssize_t)size);
	return (channel_receive(&ends->helper, &message, fds));
}

ATF_TC_WITHOUT_HEAD(a_message_arrives_with_its_descriptors);
ATF_TC_BODY(a_message_arrives_with_its_descriptors, tc)
{
	struct ends ends;
	struct msg_ref ref = ref_make("container");
	struct msg message;
	int fds[MSG_FDS_MAX], pipes[2];

	ends_open(&ends);
	ATF_REQUIRE_EQ(pipe2(pipes, O_CLOEXEC), 0);
	ATF_REQUIRE_EQ(channel_receive(&ends.helper, &message, fds), -EAGAIN);
	ATF_REQUIRE_EQ(channel_send(&ends.shim, MSG_EXEC, &ref, sizeof(ref),
			   pipes, 2),
	    0);
	ATF_REQUIRE_EQ(channel_receive(&ends.helper, &message, fds), 1);
	ATF_CHECK_EQ(message.header.op, MSG_EXEC);
	ATF_CHECK_EQ(message.header.sequence, 1);
	ATF_CHECK_EQ(memcmp(&message.body.ref, &ref, sizeof(ref)), 0);
	ATF_CHECK(fds[0] != -1 && fds[1] != -1);
	ATF_CHECK((fcntl(fds[0], F_GETFD) & FD_CLOEXEC) != 0);
	ATF_CHECK_EQ(write(fds[1], "x", 1), 1);
}

ATF_TC_WITHOUT_HEAD(the_end_of_the_peer_is_the_end_of_the_session);
ATF_TC_BODY(the_end_of_the_peer_is_the_end_of_the_session, tc)
{
	struct ends ends;
	struct msg_ref ref = ref_make("a");
	struct msg message;
	int fds[MSG_FDS_MAX];

	ends_open(&ends);
	ATF_REQUIRE_EQ(channel_send(&ends.shim, MSG_CREATE, &ref, sizeof(ref),
			   NULL, 0),
	    0);
	close(ends.shim.fd);
	ATF_CHECK_EQ(channel_receive(&ends.helper, &message, fds), 1);
	ATF_CHECK_EQ(channel_receive(&ends.helper, &message, fds), 0);
}

static void
change_nothing(struct msg *message, size_t *size)
{
	(void)message;
	(void)size;
}

static void
change_body(struct msg *message, size_t *size)
{
	(void)size;
	message->body.ref.id[0] ^= 1;
}

static void
change_tag(struct msg *message, size_t *size)
{
	(void)size;
	message->header.tag[31] ^= 1;
}

static void
change_magic(struct msg *message, size_t *size)
{
	(void)size;
	message->header.magic ^= 1;
}

static void
change_version(struct msg *message, size_t *size)
{
	(void)size;
	message->header.version++;
}

static void
change_op(struct msg *message, size_t *size)
{
	(void)size;
	message->header.op = MSG_DELETE;
}

static void
change_sequence(struct msg *message, size_t *size)
{
	(void)size;
	message->header.sequence++;
}

static void
change_length(struct msg *message, size_t *size)
{
	(void)size;
	message->header.length--;
}

static void
change_count(struct msg *message, size_t *size)
{
	(void)size;
	message->header.nfds = 1;
}

static void
cut_body(struct msg *message, size_t *size)
{
	(void)message;
	*size -= 1;
}

static void
cut_header(struct msg *message, size_t *size)
{
	(void)message;
	*size = sizeof(message->header) - 1;
}

static void
add_bytes(struct msg *message, size_t *size)
{
	(void)message;
	*size += 1;
}

ATF_TC_WITHOUT_HEAD(an_unchanged_message_is_taken);
ATF_TC_BODY(an_unchanged_message_is_taken, tc)
{
	struct ends ends;

	/* That the tests below refuse for the right reason. */
	ends_open(&ends);
	ATF_CHECK_EQ(tamper(&ends, change_nothing), 1);
}

ATF_TC_WITHOUT_HEAD(a_message_changed_anywhere_ends_the_session);
ATF_TC_BODY(a_message_changed_anywhere_ends_the_session, tc)
{
	static void (*const changes[])(struct msg *, size_t *) = {
		change_body,
		change_tag,
		change_magic,
		change_version,
		change_op,
		change_sequence,
		change_length,
		change_count,
		cut_body,
		cut_header,
		add_bytes,
	};
	struct ends ends;
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		ends_open(&ends);
		ATF_CHECK_EQ_MSG(tamper(&ends, changes[i]), -EBADMSG,
		    "change %zu was accepted", i);
	}
}

ATF_TC_WITHOUT_HEAD(a_replayed_or_reflected_message_ends_the_session);
ATF_TC_BODY(a_replayed_or_reflected_message_ends_the_session, tc)
{
	struct ends ends;
	struct msg_ref ref = ref_make("a");
	struct msg message, got;
	int fds[MSG_FDS_MAX];
	ssize_t n;

	ends_open(&ends);
	ATF_REQUIRE_EQ(channel_send(&ends.shim, MSG_CREATE, &ref, sizeof(ref),
			   NULL, 0),
	    0);
	n = recv(ends.helper.fd, &message, sizeof(message), MSG_PEEK);
	ATF_REQUIRE(n > 0);
	ATF_REQUIRE_EQ(channel_receive(&ends.helper, &got, fds), 1);
	ATF_REQUIRE_EQ(send(ends.shim.fd, &message, (size_t)n, 0), n);
	ATF_CHECK_EQ(channel_receive(&ends.helper, &got, fds), -EBADMSG);
	/* The same to its sender: the keys differ by direction. */
	ATF_REQUIRE_EQ(send(ends.helper.fd, &message, (size_t)n, 0), n);
	ATF_CHECK_EQ(channel_receive(&ends.shim, &got, fds), -EBADMSG);
}

ATF_TC_WITHOUT_HEAD(another_process_with_the_key_is_refused);
ATF_TC_BODY(another_process_with_the_key_is_refused, tc)
{
	struct ends ends;
	struct msg_ref ref = ref_make("a");
	struct msg message;
	int fds[MSG_FDS_MAX], status;
	pid_t pid;

	ends_open(&ends);
	/* A fork has no keys; one that kept them has another pid. */
	if ((pid = fork()) == 0) {
		struct channel own;

		_exit(channel_open(&own, ends.shim.fd, CHANNEL_SHIM, master,
			  getppid(), getuid()) != 0 ||
		    channel_send(&own, MSG_CREATE, &ref, sizeof(ref), NULL,
			0) != 0);
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE_EQ(status, 0);
	ATF_CHECK_EQ(channel_receive(&ends.helper, &message, fds), -EPERM);
}

ATF_TC_WITHOUT_HEAD(a_fork_has_no_keys);
ATF_TC_BODY(a_fork_has_no_keys, tc)
{
	static const uint8_t zeros[2 * CHANNEL_KEY_SIZE];
	struct ends ends;
	int status;
	pid_t pid;

	ends_open(&ends);
	ATF_REQUIRE(memcmp(ends.helper.keys, zeros, sizeof(zeros)) != 0);
	if ((pid = fork()) == 0)
		_exit(memcmp(ends.helper.keys, zeros, sizeof(zeros)) != 0);
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_CHECK_EQ(status, 0);
}

/* The lowest free descriptor: grows if one is left open. */
static int
next_fd(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return (fd);
}

ATF_TC_WITHOUT_HEAD(surplus_descriptors_end_the_session_and_are_closed);
ATF_TC_BODY(surplus_descriptors_end_the_session_and_are_closed, tc)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * SURPLUS)];
	} control;
	struct msg_ref ref = ref_make("a");
	struct ends ends;
	struct msg message;
	struct msghdr header;
	struct iovec iov;
	int before, count, fds[MSG_FDS_MAX], i, many[SURPLUS];
	ssize_t n;

	for (count = MSG_FDS_MAX + 1; count <= SURPLUS; count++) {
		ends_open(&ends);
		ATF_REQUIRE_EQ(channel_send(&ends.shim, MSG_CREATE, &ref,
				   sizeof(ref), NULL, 0),
		    0);
		n = recv(ends.helper.fd, &message, sizeof(message), 0);
		ATF_REQUIRE(n > 0);
		for (i = 0; i < count; i++)
			many[i] = STDIN_FILENO;
		memset(&control, 0, sizeof(control));
		memset(&header, 0, sizeof(header));
		iov.iov_base = &message;
		iov.iov_len = (size_t)n;
		header.msg_iov = &iov;
		header.msg_iovlen = 1;
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
		memcpy(CMSG_DATA(&control.align), many,
		    sizeof(int) * (size_t)count);
		ATF_REQUIRE_EQ(sendmsg(ends.shim.fd, &header, 0), n);
		before = next_fd();
		ATF_CHECK_EQ(channel_receive(&ends.helper, &message, fds),
		    -EBADMSG);
		ATF_CHECK_EQ_MSG(next_fd(), before, "%d were sent", count);
	}
}

ATF_TC_WITHOUT_HEAD(a_full_socket_loses_no_sequence_number);
ATF_TC_BODY(a_full_socket_loses_no_sequence_number, tc)
{
	struct ends ends;
	struct msg_ref ref = ref_make("a");
	struct msg message;
	int fds[MSG_FDS_MAX], sent = 0;

	ends_open(&ends);
	while (channel_send(&ends.shim, MSG_CREATE, &ref, sizeof(ref), NULL,
		   0) == 0)
		sent++;
	ATF_REQUIRE(sent > 64);
	for (; sent > 0; sent--)
		ATF_REQUIRE_EQ(channel_receive(&ends.helper, &message, fds), 1);
	ATF_CHECK_EQ(channel_send(&ends.shim, MSG_CREATE, &ref, sizeof(ref),
			 NULL, 0),
	    0);
	ATF_CHECK_EQ(channel_receive(&ends.helper, &message, fds), 1);
}

ATF_TC_WITHOUT_HEAD(what_was_sent_by_one_that_went_is_received);
ATF_TC_BODY(what_was_sent_by_one_that_went_is_received, tc)
{
	int fds[MSG_FDS_MAX], pair[2];
	char byte = 0;

	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	ATF_REQUIRE_EQ(fdpass_send(pair[0], "n", 1, NULL, 0), 0);
	ATF_REQUIRE_EQ(fdpass_send(pair[1], "y", 1, NULL, 0), 0);
	/* Without having read what it got. */
	close(pair[1]);
	ATF_CHECK_EQ(fdpass_receive(pair[0], &byte, 1, fds, NULL), 1);
	ATF_CHECK_EQ(byte, 'y');
	ATF_CHECK_EQ(fdpass_receive(pair[0], &byte, 1, fds, NULL), 0);
	close(pair[0]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_message_arrives_with_its_descriptors);
	ATF_TP_ADD_TC(tp, the_end_of_the_peer_is_the_end_of_the_session);
	ATF_TP_ADD_TC(tp, an_unchanged_message_is_taken);
	ATF_TP_ADD_TC(tp, a_message_changed_anywhere_ends_the_session);
	ATF_TP_ADD_TC(tp, a_replayed_or_reflected_message_ends_the_session);
	ATF_TP_ADD_TC(tp, another_process_with_the_key_is_refused);
	ATF_TP_ADD_TC(tp, a_fork_has_no_keys);
	ATF_TP_ADD_TC(tp, surplus_descriptors_end_the_session_and_are_closed);
	ATF_TP_ADD_TC(tp, a_full_socket_loses_no_sequence_number);
	ATF_TP_ADD_TC(tp, what_was_sent_by_one_that_went_is_received);
	return (atf_no_error());
}
