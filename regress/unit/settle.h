/*
 * Letting an event loop do what it can, without waiting for anything.
 */
#ifndef REGRESS_UNIT_SETTLE_H
#define REGRESS_UNIT_SETTLE_H

#include <atf-c.h>

#include "unpriv/loop.h"

static inline void
settle_stop(void *loop)
{
	loop_stop(loop);
}

/* Rounds of the loop: enough for what one thing leads to, and that. */
static inline void
settle(struct loop *loop)
{
	struct loop_timer timer = { 0 };
	int i;

	for (i = 0; i < 4; i++) {
		loop_timer_set(loop, &timer, 0, settle_stop, loop);
		ATF_REQUIRE_EQ(loop_run(loop), 0);
		loop_timer_cancel(loop, &timer);
	}
}

/* Lets it run until *done is not 0; the limit of the test case bounds it. */
static inline void
settle_until(struct loop *loop, const int *done)
{
	struct loop_timer timer = { 0 };

	while (!*done) {
		loop_timer_set(loop, &timer, 1, settle_stop, loop);
		ATF_REQUIRE_EQ(loop_run(loop), 0);
		loop_timer_cancel(loop, &timer);
	}
}

#endif
