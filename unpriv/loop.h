/*
 * The event loop of the unprivileged programs: descriptors by epoll(7), and
 * timers.  One thread; callbacks run one after the other and never nest.
 *
 * Watchers and timers belong to the caller, who embeds them in structures of
 * its own and must remove or cancel them before their memory goes away.  Any
 * callback may add, modify or remove any watcher or timer, its own included:
 * what was removed is not called again, even if its event had already been
 * taken from the kernel.
 *
 * After loop_new the loop makes no system call but epoll_ctl, epoll_wait and
 * clock_gettime.
 */
#ifndef UNPRIV_LOOP_H
#define UNPRIV_LOOP_H

#include <sys/epoll.h>

#include <stdint.h>

struct loop;

/* events: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR, as epoll reported them. */
typedef void loop_callback(void *arg, uint32_t events);
typedef void loop_timeout(void *arg);

/* One descriptor that is watched.  All fields are the loop's. */
struct loop_watch {
	int fd;
	uint32_t events;
	loop_callback *callback;
	void *arg;
};

/* One point in time.  All zero before its first use; then the loop's. */
struct loop_timer {
	struct loop_timer *next;
	uint64_t deadline;	/* CLOCK_MONOTONIC, milliseconds */
	uint64_t round;
	loop_timeout *callback;
	void *arg;
	int armed;
};

/* Returns a loop, or NULL with errno set. */
struct loop *loop_new(void);

/* Closes the loop's descriptor; the watched ones stay their owners'. */
void	 loop_free(struct loop *loop);

/*
 * Watches fd, level-triggered unless events has EPOLLET, until loop_remove,
 * which must come before close(2).  EPOLLHUP and EPOLLERR are reported
 * whatever events says.  Returns 0 or a negative errno; then the watcher is as
 * if never added.
 */
int	 loop_add(struct loop *loop, struct loop_watch *watch, int fd,
	    uint32_t events, loop_callback *callback, void *arg);

/* Changes what is waited for; free of cost if it is the same. */
int	 loop_modify(struct loop *loop, struct loop_watch *watch,
	    uint32_t events);
void	 loop_remove(struct loop *loop, struct loop_watch *watch);

/*
 * Calls back once, not before so many milliseconds from now have passed; 0
 * means after the callbacks of this round.  Replaces what was set before.
 */
void	 loop_timer_set(struct loop *loop, struct loop_timer *timer,
	    uint32_t milliseconds, loop_timeout *callback, void *arg);
void	 loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

/*
 * Runs until loop_stop; a stop that was asked for before counts.  Returns 0
 * or a negative errno of epoll_wait(2).  May be called again.
 */
int	 loop_run(struct loop *loop);
void	 loop_stop(struct loop *loop);

#endif
