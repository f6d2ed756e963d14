/*
 * Freezing and thawing a container by a file of its cgroup.  Version 2 tells
 * when it is so; version 1 has to be asked again and again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/process.h"
#include "unpriv/cgroup_file.h"

#define LIMIT 10000 /* milliseconds that it may take */
#define TURN  2	    /* the same, between two looks at version 1 */
#define KILL  9	    /* SIGKILL, as the channel has it */

/*
 * The state before, on the way, and afterwards; what is said in any other;
 * what is written, and what version 1 reads then.
 */
static const struct {
	enum process_freeze before, during, after;
	const char *refusal;
	const char *done, *failed;
	const char *v1, *v2;
	enum event_kind event;
} turns[] = {
	{ PROCESS_FROZEN, PROCESS_THAWING, PROCESS_THAWED,
	    "the container is not paused", "resumed", "not resumed", "THAWED",
	    "0", EVENT_RESUMED },
	{ PROCESS_THAWED, PROCESS_FREEZING, PROCESS_FROZEN,
	    "the container is paused", "paused", "not paused", "FROZEN", "1",
	    EVENT_PAUSED },
};

static int
is_v2(const struct process *process)
{
	return ((process->files_v2 & 1u << MSG_CGROUP_FREEZE) != 0);
}

/* Waits for nothing any more. */
static void
unwatch(struct process *process)
{
	struct loop *loop = process->engine->loop;

	loop_timer_cancel(loop, &process->freeze_timer);
	if (process->freeze_watch.callback != NULL)
		loop_remove(loop, &process->freeze_watch);
	process->freeze_watch.callback = NULL;
}

static void
publish_done(void *arg, const struct msg_reply *reply, int fds[MSG_FDS_MAX])
{
	(void)process_answered(arg);
	(void)reply;
	(void)fds;
}

/* error: 0 or a negative errno. */
static void
settle(struct process *process, int error)
{
	int frozen = process->freeze == PROCESS_FREEZING;
	struct engine_result result;

	unwatch(process);
	process_result(process, &result);
	if (error != 0) {
		status_set(&result.status, STATUS_INTERNAL, "%s: %s",
		    turns[frozen].failed, strerrordesc_np(-error));
		/* Half of it would be neither. */
		(void)cgroup_write(process, MSG_CGROUP_FREEZE,
		    is_v2(process) ? turns[!frozen].v2 : turns[!frozen].v1);
		process->freeze = turns[frozen].before;
	} else {
		process->freeze = turns[frozen].after;
		if (priv_publish(process->engine->priv, &process->ref,
			turns[frozen].event, publish_done, process) == 0)
			process->requests++;
	}
	if (error == 0)
		process_log(process, turns[frozen].done, NULL);
	process_answer(&process->freezing, &result);
}

void
freeze_killed(struct engine *engine, const struct msg_ref *ref, uint32_t signo)
{
	struct process *process = process_find(engine, ref->id, "");

	if (signo == KILL && process != NULL && !is_v2(process) &&
	    process->freeze != PROCESS_THAWED)
		(void)cgroup_write(process, MSG_CGROUP_FREEZE, turns[0].v1);
}

void
freeze_end(struct process *process)
{
	struct status status;

	unwatch(process);
	process->freeze = PROCESS_THAWED;
	status_set(&status, STATUS_NOT_FOUND, "container \"%s\" has ended",
	    process->ref.id);
	process_fail(&process->freezing, &status);
}

/* Whether it is as it should be. */
static int
is_settled(const struct process *process)
{
	int frozen = process->freeze == PROCESS_FREEZING;
	struct cgroup_file file;
	struct cgroup_line line;
	char buffer[256];

	file.text = buffer;
	if (!is_v2(process)) {
		file.length = cgroup_read(process, MSG_CGROUP_FREEZE, buffer,
		    sizeof(buffer));
		return (file.length > strlen(turns[frozen].v1) &&
		    memcmp(buffer, turns[frozen].v1,
			strlen(turns[frozen].v1)) == 0);
	}
	file.length =
	    cgroup_read(process, MSG_CGROUP_EVENTS, buffer, sizeof(buffer));
	while (cgroup_file_line(&file, &line)) {
		if (line.length == strlen("frozen") &&
		    memcmp(line.key, "frozen", line.length) == 0)
			return (line.number == (uint64_t)frozen);
	}
	return (0);
}

static void
on_event(void *arg, uint32_t events)
{
	(void)events;
	if (is_settled(arg))
		settle(arg, 0);
}

static void
on_time(void *arg)
{
	struct process *process = arg;

	if (is_settled(process))
		settle(process, 0);
	else if (process->freeze_turns == 0)
		settle(process, -ETIMEDOUT);
	else {
		process->freeze_turns--;
		loop_timer_set(process->engine->loop, &process->freeze_timer,
		    TURN, on_time, process);
	}
}

/* Begins to wait.  Returns 0 or a negative errno. */
static int
watch(struct process *process)
{
	struct loop *loop = process->engine->loop;
	int error;

	process->freeze_turns = is_v2(process) ? 0 : LIMIT / TURN;
	loop_timer_set(loop, &process->freeze_timer,
	    is_v2(process) ? LIMIT : TURN, on_time, process);
	if (!is_v2(process))
		return (0);
	error = loop_add(loop, &process->freeze_watch,
	    process->files[MSG_CGROUP_EVENTS].fd, EPOLLPRI, on_event, process);
	if (error != 0)
		process->freeze_watch.callback = NULL;
	return (error);
}

static void
begin(struct process *process, struct process_call *call, int frozen)
{
	int error;

	if (process->freeze != turns[frozen].before) {
		process_refuse(call, STATUS_FAILED_PRECONDITION,
		    turns[frozen].refusal);
		return;
	}
	process->freeze = turns[frozen].during;
	process->freezing = *call;
	error = cgroup_write(process, MSG_CGROUP_FREEZE,
	    is_v2(process) ? turns[frozen].v2 : turns[frozen].v1);
	if (error == 0 && !is_settled(process)) {
		if ((error = watch(process)) == 0)
			return;
	}
	settle(process, error);
}

static void
pause_run(struct process *process, struct process_call *call,
    const struct plan_limits *limits)
{
	(void)limits;
	begin(process, call, 1);
}

static void
resume_run(struct process *process, struct process_call *call,
    const struct plan_limits *limits)
{
	(void)limits;
	begin(process, call, 0);
}

void
engine_freeze(struct engine *engine, const char *id, int frozen,
    engine_done *done, void *arg)
{
	struct process_call call = { done, arg };
	struct process *process;
	struct status status;

	if ((process = process_lookup(engine, id, "", &status)) == NULL)
		process_fail(&call, &status);
	else if (process->state != PROCESS_RUNNING)
		process_refuse(&call, STATUS_FAILED_PRECONDITION,
		    "the container is not running");
	else
		cgroup_want(process,
		    1u << MSG_CGROUP_FREEZE | 1u << MSG_CGROUP_EVENTS,
		    frozen ? pause_run : resume_run, &call, NULL);
}
