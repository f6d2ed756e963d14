#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "unpriv/loop.h"

#define BATCH 16 /* events taken from the kernel at once */

struct loop {
	int epoll_fd;
	int stopped;
	struct loop_timer *timers; /* by deadline */
	uint64_t round;		   /* of calling timers */
	/* What epoll_wait gave and was not yet called: [at], [at + 1] ... */
	struct epoll_event batch[BATCH];
	int at, taken;
};

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000);
}

struct loop *
loop_new(void)
{
	struct loop *loop;

	if ((loop = calloc(1, sizeof(*loop))) == NULL)
		return (NULL);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd == -1) {
		free(loop);
		return (NULL);
	}
	return (loop);
}

void
loop_free(struct loop *loop)
{
	close(loop->epoll_fd);
	free(loop);
}

static int
control(struct loop *loop, int operation, struct loop_watch *watch,
    uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(loop->epoll_fd, operation, watch->fd, &event) == -1)
		return (-errno);
	watch->events = events;
	return (0);
}

int
loop_add(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
    loop_callback *callback, void *arg)
{
	watch->fd = fd;
	watch->callback = callback;
	watch->arg = arg;
	return (control(loop, EPOLL_CTL_ADD, watch, events));
}

int
loop_modify(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	if (watch->events == events)
		return (0);
	return (control(loop, EPOLL_CTL_MOD, watch, events));
}

void
loop_remove(struct loop *loop, struct loop_watch *watch)
{
	int i;

	(void)control(loop, EPOLL_CTL_DEL, watch, 0);
	for (i = loop->at; i < loop->taken; i++) {
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
	}
}

void
loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer **p = &loop->timers;

	if (!timer->armed)
		return;
	while (*p != timer)
		p = &(*p)->next;
	*p = timer->next;
	timer->armed = 0;
}

void
loop_timer_set(struct loop *loop, struct loop_timer *timer,
    uint32_t milliseconds, loop_timeout *callback, void *arg)
{
	struct loop_timer **p = &loop->timers;

	loop_timer_cancel(loop, timer);
	/* The clock is cut to milliseconds: one more, so as not to be early. */
	timer->deadline = now() + milliseconds + (milliseconds > 0);
	timer->callback = callback;
	timer->arg = arg;
	timer->round = loop->round;
	timer->armed = 1;
	while (*p != NULL && (*p)->deadline <= timer->deadline)
		p = &(*p)->next;
	timer->next = *p;
	*p = timer;
}

/* How long epoll_wait may wait, in milliseconds. */
static int
patience(const struct loop *loop)
{
	uint64_t left, t;

	if (loop->timers == NULL)
		return (-1);
	t = now();
	if (loop->timers->deadline <= t)
		return (0);
	left = loop->timers->deadline - t;
	return (left > INT_MAX ? INT_MAX : (int)left);
}

static void
run_timers(struct loop *loop)
{
	struct loop_timer *timer;
	uint64_t t;

	if (loop->timers == NULL)
		return;
	t = now();
	/* What a callback sets from here on comes last, in the next round. */
	loop->round++;
	while (!loop->stopped && (timer = loop->timers) != NULL &&
	    timer->deadline <= t && timer->round != loop->round) {
		loop_timer_cancel(loop, timer);
		timer->callback(timer->arg);
	}
}

int
loop_run(struct loop *loop)
{
	struct loop_watch *watch;
	struct epoll_event *event;

	while (!loop->stopped) {
		loop->at = 0;
		loop->taken = epoll_wait(loop->epoll_fd, loop->batch, BATCH,
		    patience(loop));
		if (loop->taken == -1) {
			loop->taken = 0;
			if (errno == EINTR)
				continue;
			return (-errno);
		}
		while (loop->at < loop->taken && !loop->stopped) {
			event = &loop->batch[loop->at++];
			if ((watch = event->data.ptr) != NULL)
				watch->callback(watch->arg, event->events);
		}
		run_timers(loop);
	}
	loop->stopped = 0;
	return (0);
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = 1;
}
