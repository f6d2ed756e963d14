/*
 * Holding the news of an end back until its output has been read.
 *
 * No descriptor tells that a pipe has become empty, so it is looked at again
 * every few milliseconds; but only while something is in it after the end,
 * which is rare and bounded.  Of a terminal we are the last writer: there it is
 * looked at from time to time for as long as nobody reads, to end it after
 * that and not before.
 */
#include <sys/epoll.h>

#include <errno.h>

#include "runtime/process.h"

#define TURN	   2   /* milliseconds */
#define LATER_TURN 100 /* the same, after DRAIN_LIMIT */

int
drain_open(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	return (fd == -1 ? -errno : fd);
}

/* Whether there is something to read, now. */
static int
readable(int probe_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int n;

	if (epoll_ctl(probe_fd, EPOLL_CTL_ADD, fd, &event) == -1)
		return (0);
	n = epoll_wait(probe_fd, &event, 1, 0);
	(void)epoll_ctl(probe_fd, EPOLL_CTL_DEL, fd, NULL);
	return (n == 1 && (event.events & EPOLLIN) != 0);
}

static int
unread(const struct process *process)
{
	const struct terminal *terminal = process->terminal;
	int fd, i;

	if (terminal != NULL) {
		fd = terminal_fd(terminal, TERMINAL_OUTPUT);
		return (terminal_unwritten(terminal) ||
		    (fd != -1 && readable(process->engine->probe_fd, fd)));
	}
	for (i = MSG_STDOUT; i <= MSG_STDERR; i++) {
		if (process->fds[i] != -1 &&
		    readable(process->engine->probe_fd, process->fds[i]))
			return (1);
	}
	return (0);
}

/* Perhaps removes the process. */
static void
tell(struct process *process)
{
	if (!process->draining)
		return;
	process->draining = 0;
	process_tell(process);
	if (process->answer_due)
		process_deleted(process);
}

void
drain_end(struct process *process)
{
	loop_timer_cancel(process->engine->loop, &process->drain_timer);
	tell(process);
}

static void look_again(void *arg);

static void
look_after(struct process *process, uint32_t milliseconds)
{
	loop_timer_set(process->engine->loop, &process->drain_timer,
	    milliseconds, look_again, process);
}

static void
look_again(void *arg)
{
	struct process *process = arg;
	int more = unread(process);

	if (more && process->drain_turns > 0) {
		process->drain_turns--;
		look_after(process, TURN);
		return;
	}
	if (process->terminal != NULL && more)
		look_after(process, LATER_TURN);
	else if (process->terminal != NULL)
		terminal_close_output(process->terminal);
	tell(process);
}

void
drain_begin(struct process *process)
{
	process->draining = 1;
	process->drain_turns = DRAIN_LIMIT / TURN;
	if (process->terminal != NULL)
		terminal_finish(process->terminal);
	look_again(process);
}
