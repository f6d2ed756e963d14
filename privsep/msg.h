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
/* Of msg_reply.fds. */
#define MSG_FDS_TERMINAL (1u << 2)
#define MSG_FDS_CGROUP2	(1u << 3)

#define MSG_ID_SIZE	80	/* containerd's identifiers: at most 76 */
#define MSG_ID_MAX	76
#define MSG_PATH_SIZE	256	/* FIFO paths, with their NUL */
#define MSG_TEXT_SIZE	256	/* reason of a failure, with its NUL */

/* Operations; the table in optab.c says when each is allowed. */
enum msg_op {
	/*
	 * shim -> helper: requests, each answered by one MSG_REPLY.  Their
	 * bodies: struct msg_ref, but msg_signal, msg_stdio, and msg_choice of
	 * the last two.  MSG_EXEC comes with a descriptor: a sealed memfd.
	 */
	MSG_PREPARE = 1, MSG_CREATE, MSG_START, MSG_EXEC, MSG_SIGNAL, MSG_STDIO,
	MSG_DELETE, MSG_CGROUP, MSG_PUBLISH,
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
 * Names the FIFO of one standard stream, or, of stdout and stderr, a file for
 * logs; -EOPNOTSUPP then says that the node allows none, and -EXDEV that it
 * lies outside.
 *
 * The reply to MSG_STDIN carries the writing end that keeps the FIFO from
 * ending before CloseIO; for FIFOs of stdout and stderr a descriptor to read
 * and to write comes with the reply to MSG_START.  It keeps the workload from
 * EPIPE and what was not read from being lost, and its owner (F_SETOWN), for
 * SIGIO, is the shim.
 *
 * Of a process with a terminal, whose bytes the shim copies, the reply to
 * MSG_STDIN carries the reading end too, second, and that of stdout comes with
 * the reply to MSG_STDOUT; it has no MSG_STDERR.  All non-blocking.
 */
struct msg_stdio {
	struct msg_ref ref;
	uint32_t stream, file;	/* enum msg_stream; 1: a file, or 0 */
	char path[MSG_PATH_SIZE];
};

/*
 * Files of a container's cgroup; privsep/cgroup.c has their names, of which
 * those in comments are version 1's, or 2's where only that has it.
 */
enum msg_cgroup {
	/* Limits, in the order in which they are set, to read and write. */
	MSG_CGROUP_CPUS, MSG_CGROUP_MEMS, MSG_CGROUP_CPU_SHARES,
	MSG_CGROUP_CPU_PERIOD /* version 1's */, MSG_CGROUP_CPU_QUOTA,
	MSG_CGROUP_CPU_BURST, MSG_CGROUP_MEMORY_LIMIT, MSG_CGROUP_SWAP_LIMIT,
	MSG_CGROUP_MEMORY_RESERVATION, MSG_CGROUP_MEMORY_HIGH,
	MSG_CGROUP_MEMORY_MIN, MSG_CGROUP_OOM_GROUP, MSG_CGROUP_PIDS_LIMIT,
	MSG_CGROUP_LIMITS,
	/* freezer.state, to read and write; cgroup.events (v2). */
	MSG_CGROUP_FREEZE = MSG_CGROUP_LIMITS, MSG_CGROUP_EVENTS,
	/* To read: cgroup.procs; cpuacct.usage, cpuacct.stat; cpu.stat. */
	MSG_CGROUP_PROCS, MSG_CGROUP_CPU_USAGE, MSG_CGROUP_CPU_TIMES,
	MSG_CGROUP_CPU,
	/* memory.usage_in_bytes, .max_usage_in_bytes, .failcnt, .stat. */
	MSG_CGROUP_MEMORY, MSG_CGROUP_MEMORY_PEAK, MSG_CGROUP_MEMORY_FAILURES,
	MSG_CGROUP_MEMORY_DETAIL,
	/* memory.oom_control; memory.memsw.usage_in_bytes; pids.current. */
	MSG_CGROUP_MEMORY_OOM, MSG_CGROUP_SWAP, MSG_CGROUP_PIDS,
	MSG_CGROUP_MAX,
};

/*
 * MSG_CGROUP: one of enum msg_cgroup, of a container, whose reply carries the
 * file, or -ENOENT where the kernel has none; MSG_PUBLISH: EVENT_PAUSED or
 * EVENT_RESUMED, which the shim alone knows.
 */
struct msg_choice {
	struct msg_ref ref;
	uint32_t which;
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
	/* The state file; the cgroup, or a limit of it. */
	MSG_STEP_STATE, MSG_STEP_CGROUP, MSG_STEP_MAX,
};

struct msg_reply {
	uint64_t request;	/* sequence of the request answered */
	int32_t error;		/* 0, or a negative errno */
	uint32_t step;		/* enum msg_step, where error != 0 */
	/*
	 * MSG_CREATE and MSG_START: the process.  Of descriptors that come
	 * with MSG_START: bit 0 stdout, bit 1 stderr; MSG_FDS_TERMINAL: with
	 * MSG_CREATE, or with MSG_START of an exec, the terminal's master,
	 * non-blocking and alone; MSG_FDS_CGROUP2: the file that comes with
	 * MSG_CGROUP is version 2's.
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
 * own, one way.  With EVENT_CREATE come memory.oom_control (v1) or
 * memory.events, to read, and version 1's cgroup.event_control, to write,
 * unless there are none.
 */
enum event_kind {
	EVENT_CREATE = 1, EVENT_START, EVENT_EXEC_ADDED, EVENT_EXEC_STARTED,
	EVENT_EXIT, EVENT_DELETE, EVENT_PAUSED, EVENT_RESUMED,
	EVENT_OOM, /* the publisher's own */
};

struct event {
	uint32_t kind;		/* enum event_kind */
	uint32_t pid;		/* of the process, or 0 where there is none */
	struct msg_exited exited; /* ref always; the rest of EXIT and DELETE */
};

/* How a line of the helper begins that says what was asked of it. */
#define LOG_OPERATION	"program=reaper-privsep operation="

#define EVENT_MEMORY_SIZE 256	/* bytes, with the NUL */

/* One datagram. */
struct event_notice {
	struct event event;
	char memory[EVENT_MEMORY_SIZE]; /* that file at a container's end */
};

union msg_body {
	struct msg_ref ref;
	struct msg_signal signal;
	struct msg_stdio stdio;
	struct msg_choice choice;
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
    sizeof(struct msg_stdio) == 424 &&
    sizeof(struct msg_choice) == 164 && sizeof(struct msg_reply) == 280 &&
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
