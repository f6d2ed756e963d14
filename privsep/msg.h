/*
 * The messages between the unprivileged shim and the privileged helper.
 *
 * One message is one datagram of a SOCK_SEQPACKET socketpair: a struct
 * msg_header followed by exactly header.length bytes of one of the bodies
 * below.  Everything is fixed-width, in host byte order (both ends are the
 * same machine and the same build), without pointers and without padding.
 * Strings are NUL-terminated inside their array, and the rest of the array
 * is zero: the receiver refuses anything else.
 */
#ifndef PRIVSEP_MSG_H
#define PRIVSEP_MSG_H

#include <stddef.h>
#include <stdint.h>

#define MSG_MAGIC	0x52656170u	/* "Reap" */
#define MSG_VERSION	1
#define MSG_TAG_SIZE	32		/* bytes; keyed BLAKE2b-256 */
#define MSG_BODY_MAX	512		/* bytes */
#define MSG_FDS_MAX	3		/* descriptors in one message */
#define MSG_FDS_TERMINAL (1u << 2)	/* of msg_reply.fds */

#define MSG_ID_SIZE	80	/* containerd's identifiers: at most 76 */
#define MSG_ID_MAX	76
#define MSG_PATH_SIZE	256	/* FIFO paths, with their NUL */
#define MSG_TEXT_SIZE	256	/* reason of a failure, with its NUL */

/* Operations; the table in optab.c says when each is allowed. */
enum msg_op {
	/*
	 * shim -> helper: requests, each answered by one MSG_REPLY.  Their
	 * bodies: struct msg_ref, but msg_signal and msg_stdio.  MSG_EXEC comes
	 * with a descriptor: a sealed memfd.
	 */
	MSG_CREATE = 1, MSG_START, MSG_EXEC, MSG_SIGNAL, MSG_STDIO, MSG_DELETE,
	/*
	 * helper -> shim: struct msg_ready, once, the first message; msg_reply,
	 * with 0 to 2 descriptors; msg_exited.
	 */
	MSG_READY = 16, MSG_REPLY, MSG_EXITED,
};

struct msg_header {
	uint32_t magic;		/* MSG_MAGIC */
	uint16_t version, op;	/* MSG_VERSION, enum msg_op */
	uint64_t sequence;	/* per direction, from 1, without a gap */
	/* Of the body, bytes, <= MSG_BODY_MAX; attached, <= MSG_FDS_MAX. */
	uint32_t length, nfds;
	uint8_t tag[MSG_TAG_SIZE]; /* over header (tag zeroed) and body */
};

/* Names a container (exec empty) or one exec session of it. */
struct msg_ref {
	char id[MSG_ID_SIZE], exec[MSG_ID_SIZE];
};

/* Signal a process, or with all != 0 the whole container. */
struct msg_signal {
	struct msg_ref ref;
	uint32_t signo, all;	/* 1 to 64; 0, or 1 with an empty ref.exec */
};

enum msg_stream { MSG_STDIN, MSG_STDOUT, MSG_STDERR };

/*
 * Names the FIFO of one standard stream.  The reply to MSG_STDIN carries the
 * writing end that keeps the FIFO from ending before CloseIO; readers that
 * keep stdout and stderr from EPIPE come with the reply to MSG_START.
 *
 * Of a process with a terminal, whose bytes the shim copies, the reply to
 * MSG_STDIN carries the reading end too, second, and that to MSG_STDOUT one
 * descriptor to read and to write; it has no MSG_STDERR.  All non-blocking.
 */
struct msg_stdio {
	struct msg_ref ref;
	uint32_t stream;	/* enum msg_stream */
	char path[MSG_PATH_SIZE];
};

struct msg_ready { uint32_t helper_pid; };

/* Where a request failed; the shim turns it into words. */
enum msg_step {
	MSG_STEP_NONE = 0,
	/* Refused by the table or by a bound; the directory or config.json. */
	MSG_STEP_REQUEST, MSG_STEP_BUNDLE,
	/* The document's content; the plan, or node policy against it. */
	MSG_STEP_DECODE, MSG_STEP_POLICY,
	/* Namespaces; the overlay, its filters, the container's mounts. */
	MSG_STEP_NAMESPACE, MSG_STEP_OVERLAY, MSG_STEP_FILTER, MSG_STEP_MOUNT,
	/* Opening a FIFO; entering namespaces; what the process is given. */
	MSG_STEP_STDIO, MSG_STEP_LAUNCH, MSG_STEP_RLIMIT, MSG_STEP_CWD,
	MSG_STEP_IDENTITY, MSG_STEP_EXEC,
	/* The state file. */
	MSG_STEP_STATE, MSG_STEP_MAX,
};

struct msg_reply {
	uint64_t request;	/* sequence of the request answered */
	int32_t error;		/* 0, or a negative errno */
	uint32_t step;		/* enum msg_step, where error != 0 */
	/*
	 * MSG_CREATE and MSG_START: the process.  Of descriptors that come
	 * with MSG_START: bit 0 stdout, bit 1 stderr; MSG_FDS_TERMINAL: with
	 * MSG_CREATE, or with MSG_START of an exec, the terminal's master,
	 * non-blocking and alone.
	 */
	uint32_t pid, fds;
	char text[MSG_TEXT_SIZE]; /* more about the error, or empty */
};

/*
 * The end of a process, as the kernel reported it: CLOCK_REALTIME when it was
 * reaped; status 0 to 255, or 128 + signal; reserved 0.
 */
struct msg_exited {
	struct msg_ref ref;
	int64_t seconds;
	uint32_t nanoseconds, pid, status, reserved;
};

/*
 * What the helper tells the publisher, the unprivileged process that encodes
 * events for containerd: fixed records on a SOCK_SEQPACKET socket of their
 * own, one way.
 */
enum event_kind {
	EVENT_CREATE = 1, EVENT_START, EVENT_EXEC_ADDED, EVENT_EXEC_STARTED,
	EVENT_EXIT, EVENT_DELETE,
};

struct event {
	uint32_t kind;		/* enum event_kind */
	uint32_t pid;		/* of the process, or 0 where there is none */
	struct msg_exited exited; /* ref always; the rest of EXIT and DELETE */
};

union msg_body {
	struct msg_ref ref;
	struct msg_signal signal;
	struct msg_stdio stdio;
	struct msg_ready ready;
	struct msg_reply reply;
	struct msg_exited exited;
	uint8_t bytes[MSG_BODY_MAX];
};

struct msg {
	struct msg_header header;
	union msg_body body;
};

_Static_assert(sizeof(struct msg_header) == 56 &&
    sizeof(struct msg_ref) == 160 && sizeof(struct msg_signal) == 168 &&
    sizeof(struct msg_stdio) == 420 && sizeof(struct msg_reply) == 280 &&
    sizeof(struct msg_exited) == 184 && sizeof(struct event) == 192, "padding");
_Static_assert(sizeof(union msg_body) == MSG_BODY_MAX, "body is too large");

/*
 * True if s holds a NUL-terminated string of 1 to MSG_ID_MAX characters of
 * containerd's identifier alphabet: alphanumeric runs joined by single '.',
 * '_' or '-' (containerd's pkg/identifiers), the rest of the array zero, and
 * not a name that Reaper's own tree uses (overlay, merged, ns, ...).
 */
int	 msg_id_valid(const char s[MSG_ID_SIZE]);

/* True if the array of size bytes holds a string and only zeros after it. */
int	 msg_string_valid(const char *s, size_t size);

/* True if both names are valid, that of the exec perhaps empty. */
int	 msg_ref_valid(const struct msg_ref *ref);

/*
 * Checks that b, of the given length, is a well formed request op: exact
 * size, valid names, values in range.  Pure: no system call, no allocation.
 * Returns 0 or -EBADMSG.  What the helper sends: unpriv/endpoint.h.
 */
int	 msg_body_check(uint16_t op, const union msg_body *b, uint32_t length);

#endif
