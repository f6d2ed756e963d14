/*
 * The resident helper and its steps: everything that privsep/'s own files
 * share.  All memory is static; nothing is sized by a message.
 *
 * Requests are served one at a time.  A step is a forked child that does one
 * privileged thing and reports one result; whatever fails in a step ends it,
 * so that its exit is the cleanup.  The helper waits for a step's result at
 * most STEP_LIMIT; only the result of a start, which may wait for containerd
 * to open a FIFO, is taken by the main loop.
 */
#ifndef PRIVSEP_HELPER_H
#define PRIVSEP_HELPER_H

#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policies.h"
#include "privsep/boot.h"
#include "privsep/channel.h"
#include "privsep/event.h"
#include "privsep/fdpass.h"
#include "privsep/msg.h"
#include "privsep/plan.h"

#define HELPER_RECORDS	256	/* containers and execs of one pod */
#define HELPER_STREAMS	3	/* stdin, stdout, stderr */
#define STEP_LIMIT	30000	/* ms a step may take */

/* An exec has no process before its start, and never is ENDING. */
enum record_state {
	RECORD_FREE,
	RECORD_CREATED,
	RECORD_STARTING,	/* released; not known to have executed */
	RECORD_RUNNING,
	RECORD_ENDING,		/* its process ended, the rest is killed */
	RECORD_STOPPED,
};

#define RECORD_IN(state)	(1u << (state))

/* A container, or an exec session of one. */
struct record {
	enum record_state state;
	struct msg_ref ref;
	uint64_t request;	/* a MSG_START to be answered, or 0 */
	pid_t pid;		/* the workload (launch step before), or 0 */
	int reaped;		/* pid has ended; exited is valid */
	struct plan plan;	/* after policy */
	struct msg_exited exited;
	/* Of a container only: */
	pid_t init_pid;		/* pid 1 of its own pid namespace, or 0 */
	union {			/* all of them owned, or -1 */
		int fds[8];
		struct {
			int launch_fd;	/* socket to the launch step */
			int strings_fd;	/* sealed: plan, cwd, args, env */
			int stdio_fds[HELPER_STREAMS]; /* reader, O_PATH */
			int pidns_fd;	/* a container's own */
			int mntns_fd;
			int state_fd;	/* its directory, locked */
		};
	};
};

struct helper {
	struct boot boot;	/* the key is wiped */
	struct channel channel;
	int signal_fd;
	int own_pidns_fd;
	int bundles_fd;		/* the directory of the bundles */
	int root_fd;		/* runtime_root */
	int lifeline[2];	/* every pid 1 ends when [1] is closed */
	int closing;		/* the shim is gone: kill, clean up, end */
	struct record records[HELPER_RECORDS];
};

/* main.c: sends any message up.  A shim that does not read is given up. */
void	 helper_send(struct helper *h, uint16_t op, const void *body,
	    uint32_t length, const int *fds);

/* main.c: hands an event of this record to the publisher. */
void	 helper_publish(enum event_kind kind, const struct record *rec);

/*
 * log.c: one bounded line on standard error, containerd's log FIFO: a
 * constant message, the ids of ref or NULL, a foreign text (escaped) or NULL,
 * a negative errno or 0.  log_fatal ends the process with status 1.
 */
void	 log_line(const char *m, const struct msg_ref *ref,
	    const char *text, int error);
void	 log_fatal(const char *m) __attribute__((noreturn));

/*
 * path.c: openat2(2) below dirfd, following no symbolic link and leaving it
 * by none; files are created 0600.  Returns a descriptor or a negative errno.
 */
int	 path_open(int dirfd, const char *path, int flags);

/* path.c: opens anew what fd refers to, without waiting.  As path_open. */
int	 path_reopen(int fd, int flags);

/*
 * path.c: 0 if fd is of this type (S_IFMT) and only root can have written it,
 * else -EINVAL or -EPERM.
 */
int	 path_trusted(int fd, mode_t type);

/* record.c */
struct record *record_find(struct helper *h, const struct msg_ref *ref);

/* The container of an exec (or of itself), or NULL. */
struct record *record_container(struct helper *h,
	    const struct msg_ref *ref);

/* A cleared record in state CREATED, or NULL if all are used. */
struct record *record_new(struct helper *h, const struct msg_ref *ref);

/* Closes what the record owns and frees it, a container with its execs. */
void	 record_free(struct helper *h, struct record *rec);

/* True for a record of container id that has a process, unreaped. */
int	 record_alive(const struct record *rec, const char *id);

/* Kills what is left of a container; returns how many are not yet reaped. */
int	 record_kill(struct helper *h, const struct record *c);

/* One request, and what will answer it. */
struct request {
	const struct msg *m;
	int fd;			/* that came with it, or -1; lent */
	struct msg_reply reply;
	int fds[MSG_FDS_MAX];	/* that go with the reply; taken */
};

/*
 * container.c, process.c: an operation.  rec is NULL in state FREE.  Returns
 * 0, or 1 if the answer comes later, or a negative errno with reply.step and
 * reply.text.
 */
typedef int operation(struct helper *h, struct record *rec,
	    struct request *rq);
operation container_create, process_start, process_exec, process_signal,
	    process_stdio /* stdio.c */, process_delete;

/* optab.c: what the shim may ask, of what, and when. */
struct optab_row {
	uint16_t op;		/* enum msg_op */
	const char *name;
	const char *effect;	/* one line, for documents */
	uint32_t nfds;		/* exactly so many descriptors */
	uint32_t container_states; /* RECORD_IN() bits; 0: not for these */
	uint32_t exec_states;
	operation *run;
};

extern const struct optab_row optab[];
extern const size_t optab_rows;

/*
 * optab.c: carries out one message and answers it; fds are lent.  Returns 0,
 * or -EBADMSG if the session must end: no such operation, a malformed body, a
 * wrong number of descriptors.
 */
int	 optab_dispatch(struct helper *h, const struct msg *m,
	    const int fds[MSG_FDS_MAX]);

/* container.c: reports a container's end once all of it was reaped. */
void	 container_settle(struct helper *h, struct record *c);

/* process.c: decodes fd into record->plan, checked; *reply as above. */
int	 process_decode(struct helper *h, struct record *rec, int fd,
	    struct msg_reply *reply);

/* process.c: forks the waiting process of a container or an exec. */
int	 process_launch(struct helper *h, const struct record *c,
	    struct record *rec, struct msg_reply *reply);

/* process.c: tells containerd and the shim that it has ended. */
void	 process_report(struct helper *h, const struct record *rec);

/* process.c: takes the outcome of a start; launch_fd is readable. */
void	 process_started(struct helper *h, struct record *rec);

/* process.c: reaps every child that ended and acts on it. */
void	 process_reap(struct helper *h);

/* state.c: <runtime_root>/<id>, locked, with state.json for people. */
int	 state_open(struct helper *h, struct record *c);
int	 state_write(const struct helper *h,
	    const struct record *c);
int	 state_remove(int root_fd, int state_fd, const char *id);

/* state.c: for --clean: waits for a dying helper, removes what it left. */
int	 state_clean(int root_fd, const char *id);

/* caps.c: exactly what each kind of step keeps, and there, why. */
#define CAPS_BIT(capability)	(UINT64_C(1) << (capability))
extern const uint64_t caps_mount, caps_launch;

/* caps.c: gives up for good all capabilities outside keep.  0 or -errno. */
int	 caps_limit(uint64_t keep);

/* caps.c: the plan's bounding set; then, after setresuid, the rest. */
int	 caps_bound(uint64_t keep);
int	 caps_apply(const uint64_t sets[PLAN_CAPSETS]);

/* init.c: a pid namespace with our pid 1: init_pid, pidns_fd.  -errno. */
int	 init_spawn(struct helper *h, struct record *c);

/* step.c: where a step child finds its descriptors. */
#define STEP_RESULT_FD	3	/* SOCK_SEQPACKET to the helper */
#define STEP_FDS	4	/* those given to step_run */
#define STEP_FDS_MAX	2

/* What a step sends up: one, a launch step a second if it then fails. */
struct step_result {
	int32_t error;		/* 0 or negative errno */
	uint32_t step;		/* enum msg_step, where error != 0 */
	char text[MSG_TEXT_SIZE];
};

/* Releases a launch step; bit n: the descriptor of stream n comes with it. */
struct step_go {
	uint32_t streams;
};

typedef void step_program(const struct helper *, const struct record *);
step_program step_decode __attribute__((noreturn)),
	    step_mount __attribute__((noreturn)),
	    step_launch __attribute__((noreturn));

/*
 * Forks a child that runs program with fds (-1: none), keeping the
 * capabilities of keep, born in pidns_fd unless that is -1, dying with the
 * helper; waits for its result.  Returns the child's socket, or a negative
 * errno with reply->step and text filled; *fd is the descriptor that it sent,
 * or -1; *pid, unless NULL, the child.
 */
int	 step_run(struct helper *h, const struct record *rec,
	    step_program *program, int pidns_fd, uint64_t keep,
	    const int fds[STEP_FDS_MAX], struct msg_reply *reply, int *fd,
	    pid_t *pid);

/* Takes a result.  1, 0 at the end, or a negative errno. */
int	 step_receive(int socket_fd, struct step_result *result, int *fd);

/* In a step: reports success (text: a warning, or NULL), with fd or -1. */
void	 step_done(const char *text, int fd);

/* In a step: reports a failure and ends. */
void	 step_fail(enum msg_step step, int error, const char *text)
	    __attribute__((noreturn));

/* In a step: result, unless it is -1: then fails with errno. */
int	 step_must(enum msg_step step, long result, const char *text);

/* In a step: no_new_privs and a filter from sandbox-policies/, or fails. */
void	 step_confine(const struct sock_fprog *policy);

/* overlay.c: for step_mount, the namespace of the pod's overlay. */
int	 overlay_open(const struct helper *h, const struct plan *plan);

/* filter.c: for step_mount, fills the filter layer; own: one path more. */
void	 filter_build(int layer_fd, const char *own);

#endif
