#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/process.h"
#include "unpriv/log.h"

#define KILLED 137 /* 128 + SIGKILL */

/* A signal on its way. */
struct kill {
	struct engine *engine;
	struct process_call call;
	struct msg_ref ref; /* this and what follows: for the log */
	uint32_t signo;
	int all;
};

static int on_exited(void *arg, const struct msg_exited *exited);
static void on_lost(void *arg, const char *why);

static void
on_ready(void *arg)
{
	struct engine *engine = arg;

	engine->handlers.ready(engine->arg);
}

struct engine *
engine_new(struct loop *loop, struct channel *channel, pid_t helper,
    const struct engine_handlers *handlers, void *arg)
{
	static const struct priv_handlers upwards = {
		.ready = on_ready,
		.exited = on_exited,
		.lost = on_lost,
	};
	struct engine *engine;
	int error;

	if ((engine = calloc(1, sizeof(*engine))) == NULL)
		return (NULL);
	engine->loop = loop;
	engine->handlers = *handlers;
	engine->arg = arg;
	if ((error = drain_open(engine)) != 0) {
		free(engine);
		errno = -error;
		return (NULL);
	}
	engine->priv = priv_new(loop, channel, helper, &upwards, engine);
	if (engine->priv == NULL) {
		error = errno;
		drain_close(engine);
		free(engine);
		errno = error;
		return (NULL);
	}
	return (engine);
}

static void
forget_calls(struct process *process)
{
	struct engine_waiter *waiter;

	process->setup.done = NULL;
	process->deletion.done = NULL;
	process->freezing.done = NULL;
	cgroup_forget(process);
	while ((waiter = process->waiters) != NULL)
		engine_unwait(waiter);
	process->requests = 0;
}

void
engine_free(struct engine *engine)
{
	struct process *container, *exec;

	/* With it go the requests that refer to processes. */
	priv_free(engine->priv);
	while ((container = engine->containers) != NULL) {
		forget_calls(container);
		for (exec = container->execs; exec != NULL; exec = exec->next)
			forget_calls(exec);
		process_remove(container);
	}
	drain_close(engine);
	free(engine);
}

/* Without the helper: on_lost says what comes of it. */
static int
is_lost(const struct msg_reply *reply)
{
	return (reply->error == PRIV_LOST && reply->step == MSG_STEP_NONE);
}

/*
 * Deleting.
 */

void
process_deleted(struct process *process)
{
	struct engine_result result;

	if (process->failure != NULL)
		process_fail(&process->setup, process->failure);
	process_result(process, &result);
	process_answer(&process->deletion, &result);
	process_remove(process);
}

static void
delete_done(void *arg, const struct msg_reply *reply, int fds[MSG_FDS_MAX])
{
	struct process *process = arg;
	struct status status = { .code = STATUS_OK };

	(void)fds;
	if (!process_answered(process))
		return;
	if (reply->error != 0)
		status_from_reply(&status, reply);
	if (is_lost(reply)) {
		process->state = PROCESS_STOPPED;
		return;
	}
	if (reply->step == MSG_STEP_REQUEST &&
	    (reply->error == -EBUSY || reply->error == -ESRCH)) {
		/* Its process is known to have failed, but not yet reaped. */
		if (process->reap_due) {
			process->delete_due = 1;
			return;
		}
		process->state = PROCESS_STOPPED;
		process_fail(&process->deletion, &status);
		return;
	}
	/* Whatever else went wrong, the helper has forgotten it. */
	process_log(process, "deleted", &status);
	if (process->draining)
		process->answer_due = 1;
	else
		process_deleted(process);
}

void
process_discard(struct process *process)
{
	int error;

	error = priv_delete(process->engine->priv, &process->ref, delete_done,
	    process);
	if (error == 0) {
		process->state = PROCESS_DELETING;
		process->requests++;
		return;
	}
	priv_break(process->engine->priv, "a request was lost");
	process_refuse_unasked(&process->deletion, error);
}

static void
doom_done(void *arg, const struct msg_reply *reply, int fds[MSG_FDS_MAX])
{
	/* If it failed, the process has just ended. */
	(void)reply;
	(void)fds;
	(void)process_answered(arg);
}

void
process_doom(struct process *process)
{
	int error;

	process->doomed = 1;
	if (process->container != NULL || process->state == PROCESS_STOPPED) {
		process_discard(process);
		return;
	}
	error = priv_signal(process->engine->priv, &process->ref, 9, 1,
	    doom_done, process);
	if (error == 0)
		process->requests++;
	else
		priv_break(process->engine->priv, "a request was lost");
}

void
engine_delete(struct engine *engine, const char *id, const char *exec,
    engine_done *done, void *arg)
{
	struct process_call call = { done, arg };
	struct process *process = process_find(engine, id, exec);
	struct status status;

	if (process == NULL) {
		(void)process_lookup(engine, id, exec, &status);
		process_fail(&call, &status);
		return;
	}
	if (process->doomed || process->state == PROCESS_DELETING) {
		process_refuse(&call, STATUS_NOT_FOUND, "it is being deleted");
		return;
	}
	if (process->state == PROCESS_STARTING ||
	    process->state == PROCESS_RUNNING) {
		process_refuse(&call, STATUS_FAILED_PRECONDITION,
		    "cannot delete a running process");
		return;
	}
	process->deletion = call;
	if (process->state == PROCESS_CREATING)
		process->doomed = 1;
	else if (process->state == PROCESS_CREATED)
		process_doom(process);
	else {
		drain_again(process);
		process_discard(process);
	}
}

/*
 * Starting.
 */

static void
start_failed(struct process *process, const struct msg_reply *reply)
{
	struct timespec now;
	struct status status;

	status_from_reply(&status, reply);
	/* Its end had been told already when the helper got to the start. */
	if (process->state >= PROCESS_STOPPED) {
		process_fail(&process->setup, &status);
		return;
	}
	/* What the table refuses has changed nothing; else MSG_EXITED comes. */
	process->reap_due = reply->step != MSG_STEP_REQUEST;
	clock_gettime(CLOCK_REALTIME, &now);
	process_stop(process, status_exit(reply), &now);
	process_fail(&process->setup, &status);
}

/* It was started, but cannot be left so. */
static void
start_undo(struct process *process, const struct status *status)
{
	struct timespec now;
	int error;

	process->reap_due = 1;
	clock_gettime(CLOCK_REALTIME, &now);
	process_stop(process, KILLED, &now);
	process_fail(&process->setup, status);
	error = priv_signal(process->engine->priv, &process->ref, 9,
	    process->container == NULL, doom_done, process);
	if (error == 0)
		process->requests++;
	else
		priv_break(process->engine->priv, "a request was lost");
}

/* Connects and begins a terminal.  Returns 0, or fills status. */
static int
start_terminal(struct process *process, int master, struct status *status)
{
	int error;

	if (process->terminal == NULL && master == -1)
		return (0);
	/* That of a container came with its creation. */
	if (process->container != NULL &&
	    (process->terminal == NULL || master == -1)) {
		process_disagrees(process, status);
		if (master != -1)
			close(master);
		return (-1);
	}
	if (process->container != NULL)
		terminal_connect(process->terminal, TERMINAL_MASTER, master);
	if ((error = terminal_begin(process->terminal)) == 0)
		return (0);
	status_set(status, STATUS_INTERNAL, "connecting the terminal: %s",
	    strerrordesc_np(-error));
	return (-1);
}

static void
start_done(void *arg, const struct msg_reply *reply, int fds[MSG_FDS_MAX])
{
	struct process *process = arg;
	struct engine_result result;
	struct status status;
	int i, master = -1;

	if (!process_answered(process)) {
		fdpass_close(fds, 2);
		return;
	}
	if (reply->fds == MSG_FDS_TERMINAL) {
		master = fds[0];
		fds[0] = -1;
	}
	for (i = 0; i < 2; i++) {
		if (fds[i] == -1)
			continue;
		if (process->terminal == NULL &&
		    process->stdio[MSG_STDOUT + i][0] != '\0' &&
		    process->fds[MSG_STDOUT + i] == -1)
			process->fds[MSG_STDOUT + i] = fds[i];
		else
			close(fds[i]);
	}
	if (is_lost(reply))
		return;
	if (reply->error != 0) {
		start_failed(process, reply);
		return;
	}
	/* Of a start that succeeds the helper tells before it tells the end. */
	if (process->state != PROCESS_STARTING ||
	    (process->container == NULL && process->pid != reply->pid)) {
		fdpass_close(&master, 1);
		priv_break(process->engine->priv,
		    "the helper started another process");
		return;
	}
	process->pid = reply->pid;
	if (start_terminal(process, master, &status) != 0) {
		start_undo(process, &status);
		return;
	}
	process->state = PROCESS_RUNNING;
	process_log(process,
	    process->container != NULL ? "exec started" : "started", NULL);
	process_result(process, &result);
	process_answer(&process->setup, &result);
}

static void
start_submit(struct process *process)
{
	int error;

	error = priv_start(process->engine->priv, &process->ref, start_done,
	    process);
	if (error != 0) {
		process_refuse_unasked(&process->setup, error);
		return;
	}
	process->requests++;
	process->state = PROCESS_STARTING;
}

/* The keeper of the FIFO has come, and the reader is at the helper. */
static void
start_stdin_done(void *arg, const struct msg_reply *reply, int fds[MSG_FDS_MAX])
{
	struct process *process = arg;
	struct status status;

	if (!process_answered(process)) {
		fdpass_close(fds, 2);
		return;
	}
	process->start_due = 0;
	if (!process->stdin_closed) {
		process->fds[MSG_STDIN] = fds[0];
		fds[0] = -1;
	}
	fdpass_close(fds, 2);
	if (is_lost(reply))
		return;
	if (process->state != PROCESS_CREATED || process->doomed) {
		process_refuse(&process->setup, STATUS_FAILED_PRECONDITION,
		    "it has ended");
	} else if (reply->error != 0) {
		process_stream_failed(process, MSG_STDIN, reply, &status);
		process_log(process, "not started", &status);
		process_fail(&process->setup, &status);
	} else {
		start_submit(process);
	}
}

void
engine_start(struct engine *engine, const char *id, const char *exec,
    engine_done *done, void *arg)
{
	struct process_call call = { done, arg };
	struct process *process;
	struct status status;
	int error;

	if ((process = process_lookup(engine, id, exec, &status)) == NULL) {
		process_fail(&call, &status);
		return;
	}
	if (process->state != PROCESS_CREATED || process->doomed ||
	    process->start_due) {
		process_refuse(&call, STATUS_FAILED_PRECONDITION,
		    "it was already started, or has ended");
		return;
	}
	if (process->container != NULL &&
	    (process->container->state != PROCESS_RUNNING ||
		process->container->freeze != PROCESS_THAWED)) {
		process_refuse(&call, STATUS_FAILED_PRECONDITION,
		    "the container is not running, or is paused");
		return;
	}
	process->setup = call;
	/*
	 * Not earlier: a client that has written all of its input while the
	 * container was being created may forget to call CloseIO, as ctr does.
	 * It cannot write before there is a reader.
	 */
	if (process->terminal != NULL || process->stdio[MSG_STDIN][0] == '\0' ||
	    process->fds[MSG_STDIN] != -1) {
		start_submit(process);
		return;
	}
	if ((error = process_stdin(process, start_stdin_done)) == 0)
		process->start_due = 1;
	else
		process_refuse_unasked(&process->setup, error);
}

/*
 * Signals.
 */

static void
kill_log(const struct kill *kill)
{
	char signo[LOG_NUMBER_SIZE];

	log_event(LOG_LEVEL_INFO, "signalled", "id", kill->ref.id, "exec",
	    kill->ref.exec[0] != '\0' ? kill->ref.exec : NULL, "signal",
	    log_number(signo, kill->signo), "all", kill->all ? "true" : NULL,
	    NULL);
}

static void
kill_done(void *arg, const struct msg_reply *reply, int fds[MSG_FDS_MAX])
{
	struct engine_result result = { .status.code = STATUS_OK };
	struct kill *kill = arg;
	struct process_call call = kill->call;

	(void)fds;
	if (reply->error == 0) {
		kill_log(kill);
		freeze_killed(kill->engine, &kill->ref, kill->signo);
	}
	kill->engine->nkills--;
	free(kill);
	/* Whatever the kernel found: it is no more. */
	if (reply->error == -ESRCH)
		status_set(&result.status, STATUS_NOT_FOUND,
		    "process already finished");
	else if (reply->error != 0)
		status_from_reply(&result.status, reply);
	process_answer(&call, &result);
}

static void
kill_submit(struct engine *engine, const struct process *process,
    uint32_t signo, int all, struct process_call *call)
{
	struct kill *kill = NULL;
	int error;

	if (engine->nkills >= ENGINE_KILLS_MAX ||
	    (kill = malloc(sizeof(*kill))) == NULL) {
		process_refuse(call, STATUS_RESOURCE_EXHAUSTED,
		    "too many signals are on their way");
		return;
	}
	kill->engine = engine;
	kill->call = *call;
	kill->ref = process->ref;
	kill->signo = signo;
	kill->all = all;
	error = priv_signal(engine->priv, &process->ref, signo, all, kill_done,
	    kill);
	if (error != 0) {
		free(kill);
		process_refuse_unasked(call, error);
		return;
	}
	engine->nkills++;
}

void
engine_kill(struct engine *engine, const char *id, const char *exec,
    uint32_t signo, int all, engine_done *done, void *arg)
{
	const struct engine_result there = { .status.code = STATUS_OK };
	struct process_call call = { done, arg };
	struct process *process;
	struct status status;

	if ((process = process_lookup(engine, id, exec, &status)) == NULL)
		process_fail(&call, &status);
	else if (signo > 64)
		process_refuse(&call, STATUS_INVALID_ARGUMENT,
		    "a signal is a number from 1 to 64, or 0");
	else if (process->state == PROCESS_STOPPED ||
	    process->state == PROCESS_DELETING)
		process_refuse(&call, STATUS_NOT_FOUND,
		    "process already finished");
	else if (process->state == PROCESS_CREATED &&
	    process->container != NULL)
		process_refuse(&call, STATUS_FAILED_PRECONDITION,
		    "the exec was not started");
	else if (signo == 0)
		/* As kill(2): is it there? */
		process_answer(&call, &there);
	else
		kill_submit(engine, process, signo,
		    all && process->container == NULL, &call);
}

/*
 * What the helper says.
 */

/* Whether an end can be, by all that is known.  0 or -EBADMSG. */
static int
exited_check(const struct process *process, const struct msg_exited *exited)
{
	const struct process *exec;

	if (process == NULL)
		return (-EBADMSG);
	if (process->reap_due)
		return (0);
	if (process->pid != exited->pid || process->ended)
		return (-EBADMSG);
	for (exec = process->execs; exec != NULL; exec = exec->next) {
		if (exec->state == PROCESS_RUNNING)
			return (-EBADMSG);
	}
	/*
	 * Only a container has a process, and so an end, before its start, also
	 * while the request for that is on its way.
	 */
	if (process->state == PROCESS_RUNNING ||
	    (process->container == NULL && process->state <= PROCESS_STARTING))
		return (0);
	return (-EBADMSG);
}

static int
on_exited(void *arg, const struct msg_exited *exited)
{
	struct timespec at = { exited->seconds, exited->nanoseconds };
	struct engine *engine = arg;
	struct process *process;

	process = process_find(engine, exited->ref.id, exited->ref.exec);
	if (exited_check(process, exited) != 0)
		return (-EBADMSG);
	if (process->reap_due) {
		/* Its state and its waiters have moved on already. */
		process->reap_due = 0;
		process->exit_status = exited->status;
		process->exited_at = at;
	} else if (process->streams_due > 0) {
		/* Nobody knows it yet; setup_end will see this. */
		process->ended = 1;
		process->exit_status = exited->status;
		process->exited_at = at;
		return (0);
	} else {
		process_stop(process, exited->status, &at);
	}
	process_log(process, "exited", NULL);
	if (process->delete_due || process->doomed) {
		process->delete_due = 0;
		process_discard(process);
	}
	return (0);
}

/* All that lived has died with the helper, by its parent death signal. */
static void
lose(struct process *process, const struct timespec *now)
{
	struct status status;

	if (process->state < PROCESS_STOPPED) {
		process_stop(process, KILLED, now);
		if (process->pid != 0)
			process_log(process, "exited", NULL);
	}
	process->doomed = 0;
	process->answer_due = 0;
	drain_end(process);
	status_set(&status, STATUS_UNAVAILABLE,
	    "the privileged helper is gone");
	process_fail(&process->setup, &status);
	process_fail(&process->deletion, &status);
}

static void
on_lost(void *arg, const char *why)
{
	struct engine *engine = arg;
	struct process *container, *exec;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	container = engine->containers;
	for (; container != NULL; container = container->next) {
		for (exec = container->execs; exec != NULL; exec = exec->next)
			lose(exec, &now);
		lose(container, &now);
	}
	engine->handlers.lost(engine->arg, why);
}
