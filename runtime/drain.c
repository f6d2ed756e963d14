/*
 * Holding the news of an end back until its output has been read.
 *
 * No descriptor tells that a pipe has become empty, so it is looked at again
 * every few milliseconds; but only while something is in it after the end,
 * which is rare and bounded.
 */
#include <sys/epoll.h>

#include <errno.h>

#include "runtime/process.h"

#define TURN 2 /* milliseconds */

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
	int i;

	for (i = MSG_STDOUT; i <= MSG_STDERR; i++) {
		if (process->fds[i] != -1 &&
		    readable(process->engine->probe_fd, process->fds[i]))
			return (1);
	}
	return (0);
}

void
drain_end(struct process *process)
{
	if (!process->draining)
		return;
	process->draining = 0;
	loop_timer_cancel(process->engine->loop, &process->drain_timer);
	process_tell(process);
	if (process->answer_due)
		process_deleted(process);
}

static void
look_again(void *arg)
{
	struct process *process = arg;

	if (process->drain_turns-- > 0 && unread(process))
		loop_timer_set(process->engine->loop, &process->drain_timer,
		    TURN, look_again, process);
	else
		drain_end(process);
}

void
drain_begin(struct process *process)
{
	process->draining = 1;
	process->drain_turns = DRAIN_LIMIT / TURN;
	look_again(process);
}
