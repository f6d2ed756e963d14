/*
 * Holding the output of a process open until it has been read, and the news of
 * its end back for as long.
 *
 * Of the FIFOs we are a writer too, and after the end the last one.  So what
 * was not read yet waits there for whoever comes, also after a restart of
 * containerd, and the reader sees an end when we close.  No descriptor tells
 * that a pipe has become empty, but since Linux 5.14 each read from it sends
 * SIGIO to the owner of a writer, us, if O_ASYNC is set; and for the signal a
 * descriptor waits.
 */
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/process.h"

/* The descriptors of a process's output: -1 where there is none. */
static int
output_fd(const struct process *process, int stream)
{
	if (process->terminal == NULL)
		return (process->fds[stream]);
	return (stream != MSG_STDOUT ?
		-1 :
		terminal_fd(process->terminal, TERMINAL_OUTPUT));
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

/* Whether something of the output of a process that has ended is unread. */
static int
unread(const struct process *process)
{
	int fd, i;

	if (process->terminal != NULL) {
		/* A read has made room for what was not written before. */
		terminal_finish(process->terminal);
		if (terminal_unwritten(process->terminal))
			return (1);
	}
	for (i = MSG_STDOUT; i <= MSG_STDERR; i++) {
		fd = output_fd(process, i);
		if (fd != -1 && readable(process->engine->probe_fd, fd))
			return (1);
	}
	return (0);
}

/* Perhaps removes the process. */
static void
tell(void *arg)
{
	struct process *process = arg;

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

/* All was read: the output ends.  Perhaps removes the process. */
static void
output_end(struct process *process)
{
	int i;

	process->held = 0;
	if (process->terminal != NULL)
		terminal_close_output(process->terminal);
	for (i = MSG_STDOUT; i <= MSG_STDERR; i++) {
		if (process->fds[i] != -1)
			close(process->fds[i]);
		process->fds[i] = -1;
	}
	drain_end(process);
}

static int
was_read(const struct process *process)
{
	return (process->held && !unread(process));
}

/* A process whose output is held though all was read, or NULL. */
static struct process *
find_read(const struct engine *engine)
{
	struct process *container, *exec;

	for (container = engine->containers; container != NULL;
	     container = container->next) {
		if (was_read(container))
			return (container);
		for (exec = container->execs; exec != NULL; exec = exec->next) {
			if (was_read(exec))
				return (exec);
		}
	}
	return (NULL);
}

/* Somebody reads; the signal does not say what. */
static void
on_signal(void *arg, uint32_t events)
{
	struct engine *engine = arg;
	struct signalfd_siginfo info;
	struct process *process;

	(void)events;
	if (read(engine->signal_fd, &info, sizeof(info)) == -1)
		return;
	while ((process = find_read(engine)) != NULL)
		output_end(process);
}

/* Lets reads of its output be signals.  0 or -errno. */
static int
reads_signal(const struct process *process)
{
	/* O_APPEND is nothing to them; the filter lets no log lose it. */
	const int flags = O_NONBLOCK | O_ASYNC | O_APPEND;
	int fd, i;

	for (i = MSG_STDOUT; i <= MSG_STDERR; i++) {
		fd = output_fd(process, i);
		if (fd != -1 && fcntl(fd, F_SETFL, flags) == -1)
			return (-errno);
	}
	return (0);
}

void
drain_begin(struct process *process)
{
	process->draining = 1;
	process->held = 1;
	/* In this order: what is read after the look is a signal. */
	if (reads_signal(process) != 0 || !unread(process))
		output_end(process);
	else
		loop_timer_set(process->engine->loop, &process->drain_timer,
		    DRAIN_LIMIT, tell, process);
}

void
drain_again(struct process *process)
{
	if (!process->held || process->draining)
		return;
	process->draining = 1;
	loop_timer_set(process->engine->loop, &process->drain_timer, DRAIN_LAST,
	    tell, process);
}

int
drain_open(struct engine *engine)
{
	sigset_t set;
	int error;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	engine->signal_fd = -1;
	engine->probe_fd = epoll_create1(EPOLL_CLOEXEC);
	if (engine->probe_fd != -1 && sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		engine->signal_fd =
		    signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	error = engine->signal_fd == -1 ?
	    -errno :
	    loop_add(engine->loop, &engine->signal_watch, engine->signal_fd,
		EPOLLIN, on_signal, engine);
	if (error != 0)
		fdpass_close((int[]){ engine->probe_fd, engine->signal_fd }, 2);
	return (error);
}

void
drain_close(struct engine *engine)
{
	loop_remove(engine->loop, &engine->signal_watch);
	close(engine->signal_fd);
	close(engine->probe_fd);
}
