/*
 * The container state machine: the containers of a pod and their execs, as
 * containerd's Task service and the OCI command line see them.  It decides
 * what is allowed when, asks the helper to do it, and remembers how every
 * process ended.
 *
 * Containers and execs are named by strings: exec empty means the container
 * itself.  Nothing here waits: an operation that needs the helper ends in a
 * callback, everything else answers from memory.
 */
#ifndef RUNTIME_ENGINE_H
#define RUNTIME_ENGINE_H

#include <sys/types.h>

#include <time.h>

#include "privsep/channel.h"
#include "runtime/status.h"
#include "unpriv/loop.h"

#define ENGINE_PROCESSES_MAX	256	/* containers and execs together */
#define ENGINE_KILLS_MAX	256	/* signals on their way at a time */
#define ENGINE_PIDS_MAX		32768	/* of a container that are told */
#define ENGINE_PATIENCE		1000	/* ms for the files of a cgroup */
#define ENGINE_STREAMS		3	/* stdin, stdout, stderr */

struct engine;
struct engine_waiter;

struct engine_handlers {
	/* The helper works; once. */
	void (*ready)(void *arg);
	/* The number of containers has changed. */
	void (*changed)(void *arg, size_t containers);
	/*
	 * The helper is gone, why in a constant text.  All processes are
	 * reported as killed and all callbacks were called.  Once.
	 */
	void (*lost)(void *arg, const char *why);
};

/* The files of a container's cgroup, to be read with pread(2). */
struct engine_stats {
	int v2;				/* of version 2 */
	int fds[MSG_CGROUP_MAX];	/* by enum msg_cgroup; -1: none */
};

/* What an operation came to. */
struct engine_result {
	struct status status;		/* with STATUS_OK alone the rest: */
	uint32_t pid;			/* 0 for an exec before its start */
	uint32_t exit_status;		/* 0 to 255, or 128 + signal */
	struct timespec exited_at;	/* zero if it never ran */
	/* Of engine_stats alone: the engine's, valid during the call. */
	const struct engine_stats *stats;
};

/* Ends an operation: called once, perhaps before its function returns. */
typedef void engine_done(void *arg, const struct engine_result *result);

/* A container or exec to be; the strings stay the caller's. */
struct engine_spec {
	const char *id;
	const char *exec;		/* "" for a container */
	const char *bundle;		/* of a container: its directory */
	/*
	 * Paths of FIFOs, or "", or URIs: fifo://PATH, and of output without a
	 * terminal file://PATH, below the node's REAPER_LOG_DIR.
	 */
	const char *stdio[ENGINE_STREAMS];
	int terminal;			/* then stderr is ignored */
	int checkpoint;			/* restoring one is asked for */
	const void *process;		/* of an exec: the JSON document */
	size_t process_size;
};

enum engine_state {
	ENGINE_CREATED,
	ENGINE_RUNNING,
	ENGINE_STOPPED,
	ENGINE_PAUSING,
	ENGINE_PAUSED,
};

/* What is known of a process; strings are valid until the next call. */
struct engine_view {
	enum engine_state state;
	uint32_t pid;
	uint32_t exit_status;
	struct timespec exited_at;	/* zero unless STOPPED */
	const char *bundle;
	const char *stdio[ENGINE_STREAMS]; /* as they were given */
	int terminal;
};

struct engine_pid {
	uint32_t pid;
	const char *exec;		/* "" for the container's own */
};

/*
 * Takes over the channel as priv_new does, and its descriptors of standard
 * streams.  Returns NULL with errno set.
 */
struct engine *engine_new(struct loop *loop, struct channel *channel,
	    pid_t helper, const struct engine_handlers *handlers, void *arg);

/* Frees all; pending operations are forgotten, not called back. */
void	 engine_free(struct engine *engine);

/*
 * A container will be created: what takes no more than its name is done from
 * now on; or it will not.  Nobody is told what becomes of that.
 */
void	 engine_expect(struct engine *engine, const char *id);
void	 engine_forget(struct engine *engine, const char *id);

/*
 * Creates a container: afterwards its process exists and waits.  Fails with
 * INVALID_ARGUMENT (also if the specification does not agree about the
 * terminal), ALREADY_EXISTS, UNIMPLEMENTED (checkpoint), RESOURCE_EXHAUSTED,
 * or the helper's reasons.
 */
void	 engine_create(struct engine *engine, const struct engine_spec *spec,
	    engine_done *done, void *arg);

/*
 * Registers an exec of a running container, else FAILED_PRECONDITION.  Whether
 * its document agrees about the terminal may show at its start only.
 */
void	 engine_exec(struct engine *engine, const struct engine_spec *spec,
	    engine_done *done, void *arg);

/*
 * Starts what was created, with its standard input unless that is a terminal's;
 * if the input cannot be opened nothing is changed.  After another failure it
 * is STOPPED with 126, 127 or 1, its waiters are released, and it can be
 * deleted.
 */
void	 engine_start(struct engine *engine, const char *id, const char *exec,
	    engine_done *done, void *arg);

/*
 * Sends a signal, 1 to 64, to a process or, with all, to a whole container
 * (all means nothing for an exec); 0 sends nothing and asks the same.
 * NOT_FOUND if it has ended, FAILED_PRECONDITION for an exec that was not
 * started.
 */
void	 engine_kill(struct engine *engine, const char *id, const char *exec,
	    uint32_t signo, int all, engine_done *done, void *arg);

/*
 * Forgets what has stopped.  A container that was never started is killed
 * first; while it runs, FAILED_PRECONDITION.  A container takes its execs
 * with it.
 */
void	 engine_delete(struct engine *engine, const char *id,
	    const char *exec, engine_done *done, void *arg);

/*
 * Waits for an end, any number of times, before the start or after the end.
 * Returns NULL if done was already called, otherwise a handle that is valid
 * until done is called or engine_unwait, which makes sure it is not.
 */
struct engine_waiter *engine_wait(struct engine *engine, const char *id,
	    const char *exec, engine_done *done, void *arg);
void	 engine_unwait(struct engine_waiter *waiter);

/* Fills view and returns 0, or fills status and returns -1: NOT_FOUND. */
int	 engine_state(const struct engine *engine, const char *id,
	    const char *exec, struct engine_view *view, struct status *status);

/*
 * Freezes a container that runs, or thaws it again; else
 * FAILED_PRECONDITION, also while the other is under way.  Its execs are
 * PAUSED with it, and none may be added or started.
 */
void	 engine_freeze(struct engine *engine, const char *id, int frozen,
	    engine_done *done, void *arg);

/*
 * Sets what is given of a container's limits: size bytes of JSON, as
 * oci_resources_decode takes it.  INVALID_ARGUMENT if that is wrong,
 * FAILED_PRECONDITION after the container's end.
 */
void	 engine_update(struct engine *engine, const char *id,
	    const void *resources, size_t size, engine_done *done, void *arg);

/*
 * Answers with the files of a container's cgroup: from memory, but the first
 * time the helper is asked for them; UNAVAILABLE if that takes longer than
 * ENGINE_PATIENCE.  NOT_FOUND if it has ended, or the node has no cgroups.
 */
void	 engine_stats(struct engine *engine, const char *id,
	    engine_done *done, void *arg);

/* The same of the list of processes alone, for engine_pids. */
void	 engine_procs(struct engine *engine, const char *id,
	    engine_done *done, void *arg);

/*
 * Fills list, of ENGINE_PIDS_MAX entries, with the processes of a container:
 * those in its cgroup, if engine_procs has found that, or else its first
 * one, even if that has ended, and its running execs.  Returns their
 * number, at least 1, or 0 after filling status: NOT_FOUND.
 */
size_t	 engine_pids(const struct engine *engine, const char *id,
	    struct engine_pid *list, struct status *status);

/*
 * Sets the size of a terminal, in characters; without a terminal it does
 * nothing.  Returns 0, or fills status and returns -1: NOT_FOUND,
 * INVALID_ARGUMENT for more than 65535, FAILED_PRECONDITION after the end.
 */
int	 engine_resize(struct engine *engine, const char *id, const char *exec,
	    uint32_t width, uint32_t height, struct status *status);

/* Closes the writer that keeps standard input from ending.  As engine_state. */
int	 engine_close_stdin(struct engine *engine, const char *id,
	    const char *exec, struct status *status);

#endif
