#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/process.h"
#include "unpriv/log.h"

void
process_answer(struct process_call *call, const struct engine_result *result)
{
	struct process_call taken = *call;

	call->done = NULL;
	if (taken.done != NULL)
		taken.done(taken.arg, result);
}

void
process_fail(struct process_call *call, const struct status *status)
{
	const struct engine_result result = { .status = *status };

	process_answer(call, &result);
}

void
process_result(const struct process *process, struct engine_result *result)
{
	memset(result, 0, sizeof(*result));
	result->pid = process->pid;
	result->exit_status = process->exit_status;
	result->exited_at = process->exited_at;
}

void
process_refuse(struct process_call *call, enum status_code code,
    const char *text)
{
	struct status status;

	status_set(&status, code, "%s", text);
	process_fail(call, &status);
}

void
process_refuse_unasked(struct process_call *call, int error)
{
	struct status status;

	if (error == PRIV_LOST)
		status_set(&status, STATUS_UNAVAILABLE,
		    "the privileged helper has ended; what it said is in the "
		    "log");
	else
		status_set(&status, STATUS_UNAVAILABLE,
		    "the privileged helper cannot be asked: %s",
		    strerrordesc_np(-error));
	process_fail(call, &status);
}

static void
process_free(struct process *process)
{
	int i;

	cgroup_forget(process);
	for (i = 0; i < ENGINE_STREAMS; i++) {
		if (process->fds[i] != -1)
			close(process->fds[i]);
		free(process->stdio[i]);
	}
	terminal_free(process->terminal);
	free(process->bundle);
	free(process->failure);
	free(process);
}

static struct process **
list_of(struct engine *engine, struct process *container)
{
	return (container != NULL ? &container->execs : &engine->containers);
}

struct process *
process_new(struct engine *engine, struct process *container,
    const struct engine_spec *spec)
{
	struct process *process, **list;
	int i, missing;

	if ((process = calloc(1, sizeof(*process))) == NULL)
		return (NULL);
	process->engine = engine;
	process->container = container;
	cgroup_init(process);
	strcpy(process->ref.id, spec->id);
	strcpy(process->ref.exec, spec->exec);
	process->bundle = strdup(spec->bundle);
	if (spec->terminal)
		process->terminal = terminal_new(engine->loop);
	missing = process->bundle == NULL ||
	    (spec->terminal && process->terminal == NULL);
	for (i = 0; i < ENGINE_STREAMS; i++) {
		process->fds[i] = -1;
		process->stdio[i] = strdup(spec->stdio[i]);
		missing |= process->stdio[i] == NULL;
	}
	if (missing) {
		process_free(process);
		return (NULL);
	}
	list = list_of(engine, container);
	process->next = *list;
	*list = process;
	engine->nprocesses++;
	if (container == NULL)
		engine->handlers.changed(engine->arg, ++engine->ncontainers);
	return (process);
}

/* Everybody who waits hears the same. */
static void
waiters_answer(struct process *process, const struct engine_result *result)
{
	struct engine_waiter *waiter;
	struct process_call call;

	while ((waiter = process->waiters) != NULL) {
		call = waiter->call;
		engine_unwait(waiter);
		process_answer(&call, result);
	}
}

void
process_tell(struct process *process)
{
	struct engine_result result;

	process_result(process, &result);
	waiters_answer(process, &result);
}

void
process_remove(struct process *process)
{
	struct engine *engine = process->engine;
	struct process **p = list_of(engine, process->container);
	struct engine_result result = { .status.code = STATUS_OK };

	while (process->execs != NULL)
		process_remove(process->execs);
	process->answer_due = 0;
	drain_end(process);
	terminal_free(process->terminal);
	process->terminal = NULL;
	while (*p != process)
		p = &(*p)->next;
	*p = process->next;
	engine->nprocesses--;
	status_set(&result.status, STATUS_NOT_FOUND, "%s \"%s\" was deleted",
	    process->container != NULL ? "exec" : "container",
	    process->container != NULL ? process->ref.exec : process->ref.id);
	waiters_answer(process, &result);
	freeze_end(process);
	cgroup_close(process);
	process_answer(&process->setup, &result);
	process_answer(&process->deletion, &result);
	process->removed = 1;
	process->container = NULL;
	if (process->ref.exec[0] == '\0')
		engine->handlers.changed(engine->arg, --engine->ncontainers);
	if (process->requests == 0)
		process_free(process);
}

int
process_answered(struct process *process)
{
	process->requests--;
	if (!process->removed)
		return (1);
	if (process->requests == 0)
		process_free(process);
	return (0);
}

struct process *
process_find(const struct engine *engine, const char *id, const char *exec)
{
	struct process *process = engine->containers;

	while (process != NULL && strcmp(process->ref.id, id) != 0)
		process = process->next;
	if (process == NULL || exec[0] == '\0')
		return (process);
	process = process->execs;
	while (process != NULL && strcmp(process->ref.exec, exec) != 0)
		process = process->next;
	return (process);
}

struct process *
process_lookup(const struct engine *engine, const char *id, const char *exec,
    struct status *status)
{
	struct process *process = process_find(engine, id, exec);

	if (process != NULL && process->state != PROCESS_CREATING)
		return (process);
	if (exec[0] == '\0')
		status_set(status, STATUS_NOT_FOUND, "no container \"%s\"", id);
	else
		status_set(status, STATUS_NOT_FOUND,
		    "no exec \"%s\" in container \"%s\"", exec, id);
	return (NULL);
}

void
process_stop(struct process *process, uint32_t exit_status,
    const struct timespec *at)
{
	process->state = PROCESS_STOPPED;
	process->exit_status = exit_status;
	process->exited_at = *at;
	freeze_end(process);
	cgroup_close(process);
	drain_begin(process);
}

void
process_disagrees(const struct process *process, struct status *status)
{
	status_set(status, STATUS_INVALID_ARGUMENT,
	    process->terminal != NULL ?
		"a terminal was asked for, but the specification has none" :
		"the specification has a terminal, but none was asked for");
}

void
process_log(const struct process *process, const char *message,
    const struct status *status)
{
	char pid_buffer[LOG_NUMBER_SIZE], exit_buffer[LOG_NUMBER_SIZE];
	const char *exec = NULL, *pid = NULL, *exit = NULL, *error = NULL;
	enum log_level level = LOG_LEVEL_INFO;

	if (process->ref.exec[0] != '\0')
		exec = process->ref.exec;
	if (process->pid != 0)
		pid = log_number(pid_buffer, process->pid);
	if (process->exited_at.tv_sec != 0)
		exit = log_number(exit_buffer, process->exit_status);
	if (status != NULL && status->code != STATUS_OK) {
		level = LOG_LEVEL_WARNING;
		error = status_log(status);
	}
	log_event(level, message, "id", process->ref.id, "exec", exec, "pid",
	    pid, "status", exit, "error", error, NULL);
}
