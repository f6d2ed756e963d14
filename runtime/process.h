/*
 * Containers and execs in memory; for the files of the engine alone.
 */
#ifndef RUNTIME_PROCESS_H
#define RUNTIME_PROCESS_H

#include "privsep/plan.h"
#include "runtime/engine.h"
#include "runtime/terminal.h"
#include "unpriv/priv.h"

enum process_state {
	PROCESS_CREATING,	/* unknown to all but Delete */
	PROCESS_CREATED,
	PROCESS_STARTING,	/* the helper was asked to */
	PROCESS_RUNNING,
	PROCESS_STOPPED,
	PROCESS_DELETING,	/* the helper was asked to */
};

/* Whether a container that runs may do so. */
enum process_freeze {
	PROCESS_THAWED,
	PROCESS_FREEZING,
	PROCESS_FROZEN,
	PROCESS_THAWING,
};

/* Who is to be told how an operation ended; done is NULL for nobody. */
struct process_call {
	engine_done *done;
	void *arg;
};

/* A file of a container's cgroup. */
struct cgroup_slot {
	struct process *process;	/* it is in; of a container */
	int fd;				/* owned, or -1 */
};

struct cgroup_job;	/* of cgroup.c */

struct process {
	struct process *next;		/* of the same list */
	struct process *execs;		/* of a container */
	struct process *container;	/* of an exec, else NULL */
	struct engine *engine;
	struct msg_ref ref;
	enum process_state state;
	int ended;		/* while its streams were being opened */
	int start_due;		/* when its standard input has been opened */
	int stdin_closed;	/* by CloseIO */
	int doomed;		/* to be ended and deleted before its start */
	int reap_due;		/* a start failed; MSG_EXITED is on its way */
	int delete_due;		/* MSG_DELETE is to be repeated after that */
	int held;		/* ended; its output is kept open to be read */
	int draining;		/* and those who wait were not told yet */
	int answer_due;		/* deleted while it was draining */
	int removed;		/* in no list; waits for the helper's replies */
	unsigned requests;	/* at the helper, with this as their arg */
	unsigned streams_due;	/* answers to MSG_STDIO not yet seen */
	uint32_t pid;
	uint32_t exit_status;
	struct timespec exited_at;
	char *bundle;
	char *stdio[ENGINE_STREAMS];	/* never NULL */
	/* The keeper of stdin, both ends of the others; owned, or -1. */
	int fds[ENGINE_STREAMS];
	struct terminal *terminal;	/* owned, or NULL: it has none */
	struct status *failure;		/* of the creation, or NULL */
	struct loop_timer drain_timer;
	struct process_call setup;	/* a Create, Exec or Start */
	struct process_call deletion;
	struct engine_waiter *waiters;
	/* Of a container's cgroup: 1 << enum msg_cgroup each. */
	uint32_t files_asked;		/* of the helper */
	uint32_t files_known;		/* perhaps that there is none */
	uint32_t files_v2;		/* of version 2 */
	struct cgroup_slot files[MSG_CGROUP_MAX];
	struct cgroup_job *jobs;	/* that wait for files, in order; owned */
	enum process_freeze freeze;
	struct process_call freezing;	/* or thawing */
	struct loop_watch freeze_watch;	/* of cgroup.events */
	struct loop_timer freeze_timer;
	unsigned freeze_turns;		/* left */
};

struct engine_waiter {
	struct engine_waiter *next, **link;
	struct process_call call;
};

struct engine {
	struct loop *loop;
	struct priv *priv;
	/* Of drain.c, owned: an epoll for one look, a signalfd for SIGIO. */
	int probe_fd, signal_fd;
	struct loop_watch signal_watch;
	struct engine_handlers handlers;
	void *arg;
	struct process *containers;
	size_t ncontainers;
	size_t nprocesses;
	size_t nkills;
};

/* Tells the caller, if there is one, and forgets it. */
void	 process_answer(struct process_call *call,
	    const struct engine_result *result);

/* The same with a failure. */
void	 process_fail(struct process_call *call, const struct status *status);

/* What is known of a process, with STATUS_OK. */
void	 process_result(const struct process *process,
	    struct engine_result *result);

/* Fails a call with a sentence about the state. */
void	 process_refuse(struct process_call *call, enum status_code code,
	    const char *text);

/* Fails a call whose request could not be queued: a negative errno. */
void	 process_refuse_unasked(struct process_call *call, int error);

/*
 * Makes a process in state CREATING, with copies of the strings, and puts it
 * into its list.  Returns NULL if memory is short.
 */
struct process *process_new(struct engine *engine, struct process *container,
	    const struct engine_spec *spec);

/*
 * Takes it and its execs out of everything; waiters hear NOT_FOUND.  The
 * memory goes when the helper has answered all requests that refer to it.
 */
void	 process_remove(struct process *process);

/*
 * A request of this process was answered: counts it, and returns 0 if the
 * process was removed meanwhile, and perhaps freed just now.
 */
int	 process_answered(struct process *process);

/* The container or exec, whatever its state, or NULL. */
struct process *process_find(const struct engine *engine, const char *id,
	    const char *exec);

/* The same, but what is still being created is not found; fills status. */
struct process *process_lookup(const struct engine *engine, const char *id,
	    const char *exec, struct status *status);

/* Answers those who wait for its end, which is known. */
void	 process_tell(struct process *process);

/*
 * The output of a process that has ended ends when it has been read, however
 * late.  Those who wait for the end of the process hear of it then, or after
 * DRAIN_LIMIT milliseconds; then, if answer_due, it is removed.  Clients before
 * containerd 1.6.22 may otherwise close a FIFO that they have not begun to
 * read.
 */
#define DRAIN_LIMIT	250
void	 drain_begin(struct process *process);

/*
 * It is to be deleted, and what was not read by then goes with it: a containerd
 * that was away has DRAIN_LAST milliseconds more to come to that.
 */
#define DRAIN_LAST	2000
void	 drain_again(struct process *process);

/* Those who wait are told now. */
void	 drain_end(struct process *process);

/*
 * For engine_new, before the sandbox: blocks SIGIO and serves it in the loop.
 * Returns 0 or a negative errno.
 */
int	 drain_open(struct engine *engine);
void	 drain_close(struct engine *engine);

/* Answers Delete, and removes it. */
void	 process_deleted(struct process *process);

/*
 * cgroup.c: begins without any file; closes those that there are, and fails
 * what waits for some: it has ended.
 */
void	 cgroup_init(struct process *process);
void	 cgroup_close(struct process *process);

/* The same, and nobody is told. */
void	 cgroup_forget(struct process *process);

/*
 * Once all files of the mask (1 << enum msg_cgroup) are known, run is called,
 * with a struct plan_limits of the caller's, copied, or NULL; before that, the
 * call fails if the container ends or the helper cannot be asked.  It may be
 * called at once.  Those that have a file in common run one after the other.
 */
typedef void cgroup_run(struct process *process, struct process_call *call,
	    const struct plan_limits *limits);
void	 cgroup_want(struct process *process, uint32_t files, cgroup_run *run,
	    struct process_call *call, const struct plan_limits *limits);

/* Writes a text to a file.  Returns 0 or a negative errno. */
int	 cgroup_write(const struct process *process, enum msg_cgroup file,
	    const char *text);

/* Reads a file from its beginning.  Returns the bytes read, 0 for none. */
size_t	 cgroup_read(const struct process *process, enum msg_cgroup file,
	    char *buffer, size_t size);

/* freeze.c: a signal was sent; version 1 keeps it from who is frozen. */
void	 freeze_killed(struct engine *engine, const struct msg_ref *ref,
	    uint32_t signo);

/* freeze.c: waits no longer; the caller is told that the container ended. */
void	 freeze_end(struct process *process);

/* It has ended: remembers how, and tells those who wait. */
void	 process_stop(struct process *process, uint32_t exit_status,
	    const struct timespec *at);

/*
 * Fills status with why a process cannot go on whose request and whose
 * specification disagree about its terminal.
 */
void	 process_disagrees(const struct process *process,
	    struct status *status);

/* Fills status with why a stream was not opened. */
void	 process_stream_failed(const struct process *process, int stream,
	    const struct msg_reply *reply, struct status *status);

/* Asks the helper to open standard input.  Returns what priv_stdio does. */
int	 process_stdin(struct process *process, priv_done *done);

/*
 * One line in the log about what has happened to it, with status, or NULL,
 * what went wrong all the same.  That a request has failed is logged by who
 * answers it.
 */
void	 process_log(const struct process *process, const char *message,
	    const struct status *status);

/* Asks the helper to forget it. */
void	 process_discard(struct process *process);

/*
 * Ends and discards what was created but will not be started: kills a
 * container, whose end then leads to process_discard.
 */
void	 process_doom(struct process *process);

#endif
