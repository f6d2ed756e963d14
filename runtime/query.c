/*
 * What is answered from memory, and waiting.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/process.h"

/* How the states of a process look from outside. */
static const enum engine_state outside[] = {
	[PROCESS_CREATED] = ENGINE_CREATED,
	[PROCESS_STARTING] = ENGINE_CREATED,
	[PROCESS_RUNNING] = ENGINE_RUNNING,
	[PROCESS_STOPPED] = ENGINE_STOPPED,
	[PROCESS_DELETING] = ENGINE_STOPPED,
};

/* And of one that runs, after what may hold its container up. */
static const enum engine_state freezes[] = {
	[PROCESS_THAWED] = ENGINE_RUNNING,
	[PROCESS_FREEZING] = ENGINE_PAUSING,
	[PROCESS_FROZEN] = ENGINE_PAUSED,
	[PROCESS_THAWING] = ENGINE_PAUSED,
};

struct engine_waiter *
engine_wait(struct engine *engine, const char *id, const char *exec,
    engine_done *done, void *arg)
{
	struct process_call call = { done, arg };
	struct engine_waiter *waiter;
	struct engine_result result;
	struct process *process;

	memset(&result, 0, sizeof(result));
	process = process_lookup(engine, id, exec, &result.status);
	if (process != NULL && process->state >= PROCESS_STOPPED &&
	    !process->draining) {
		process_result(process, &result);
		process = NULL;
	}
	if (process == NULL) {
		process_answer(&call, &result);
		return (NULL);
	}
	if ((waiter = malloc(sizeof(*waiter))) == NULL) {
		process_refuse(&call, STATUS_RESOURCE_EXHAUSTED,
		    "memory is short");
		return (NULL);
	}
	waiter->call = call;
	waiter->link = &process->waiters;
	waiter->next = process->waiters;
	if (waiter->next != NULL)
		waiter->next->link = &waiter->next;
	process->waiters = waiter;
	return (waiter);
}

void
engine_unwait(struct engine_waiter *waiter)
{
	*waiter->link = waiter->next;
	if (waiter->next != NULL)
		waiter->next->link = waiter->link;
	free(waiter);
}

int
engine_state(const struct engine *engine, const char *id, const char *exec,
    struct engine_view *view, struct status *status)
{
	const struct process *process, *container;
	int i;

	if ((process = process_lookup(engine, id, exec, status)) == NULL)
		return (-1);
	container = process->container != NULL ? process->container : process;
	view->state = outside[process->state];
	if (view->state == ENGINE_RUNNING)
		view->state = freezes[container->freeze];
	view->pid = process->pid;
	view->exit_status = process->exit_status;
	view->exited_at = process->exited_at;
	view->bundle = container->bundle;
	for (i = 0; i < ENGINE_STREAMS; i++)
		view->stdio[i] = process->stdio[i];
	view->terminal = process->terminal != NULL;
	return (0);
}

int
engine_resize(struct engine *engine, const char *id, const char *exec,
    uint32_t width, uint32_t height, struct status *status)
{
	struct process *process;
	int error;

	if ((process = process_lookup(engine, id, exec, status)) == NULL)
		return (-1);
	if (width > UINT16_MAX || height > UINT16_MAX) {
		status_set(status, STATUS_INVALID_ARGUMENT,
		    "a terminal has at most %u columns and lines", UINT16_MAX);
		return (-1);
	}
	if (process->state >= PROCESS_STOPPED) {
		status_set(status, STATUS_FAILED_PRECONDITION,
		    "cannot resize the terminal of a process that has ended");
		return (-1);
	}
	if (process->terminal == NULL)
		return (0);
	error = terminal_resize(process->terminal, (uint16_t)width,
	    (uint16_t)height);
	if (error == 0)
		return (0);
	status_set(status, STATUS_INTERNAL, "resizing the terminal: %s",
	    strerrordesc_np(-error));
	return (-1);
}

int
engine_close_stdin(struct engine *engine, const char *id, const char *exec,
    struct status *status)
{
	struct process *process;

	if ((process = process_lookup(engine, id, exec, status)) == NULL)
		return (-1);
	if (process->fds[MSG_STDIN] != -1)
		close(process->fds[MSG_STDIN]);
	process->fds[MSG_STDIN] = -1;
	process->stdin_closed = 1;
	return (0);
}
