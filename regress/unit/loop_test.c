#include <sys/socket.h>

#include <atf-c.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "regress/unit/settle.h"
#include "unpriv/loop.h"

/* A watched end of a socketpair; its peer is the test's. */
struct pair {
	struct loop *loop;
	struct loop_watch watch;
	int fds[2];
	uint32_t events;
	int calls;
	struct pair *victim; /* removed by the callback */
	int goes_on;	     /* the callback does not stop the loop */
};

/* What was called, in order, by one character each. */
static char order[16];

static void
on_event(void *arg, uint32_t events)
{
	struct pair *pair = arg;

	pair->calls++;
	pair->events = events;
	if (strlen(order) + 1 < sizeof(order))
		order[strlen(order)] = '.';
	if (pair->victim != NULL)
		loop_remove(pair->loop, &pair->victim->watch);
	if (!pair->goes_on)
		loop_stop(pair->loop);
}

static void
pair_open(struct pair *pair, struct loop *loop, uint32_t events)
{
	memset(pair, 0, sizeof(*pair));
	pair->loop = loop;
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			   pair->fds),
	    0);
	ATF_REQUIRE_EQ(loop_add(loop, &pair->watch, pair->fds[0], events,
			   on_event, pair),
	    0);
}

static void
pair_poke(const struct pair *pair)
{
	ATF_REQUIRE_EQ(write(pair->fds[1], "x", 1), 1);
}

static struct loop *
new_loop(void)
{
	struct loop *loop = loop_new();

	ATF_REQUIRE(loop != NULL);
	return (loop);
}

ATF_TC_WITHOUT_HEAD(loop_calls_back_while_a_descriptor_is_readable);
ATF_TC_BODY(loop_calls_back_while_a_descriptor_is_readable, tc)
{
	struct loop *loop = new_loop();
	struct pair pair;
	char byte;

	pair_open(&pair, loop, EPOLLIN);
	settle(loop);
	ATF_CHECK_EQ(pair.calls, 0);
	pair_poke(&pair);
	ATF_REQUIRE_EQ(loop_run(loop), 0);
	ATF_REQUIRE_EQ(loop_run(loop), 0);
	ATF_CHECK_EQ(pair.calls, 2);
	ATF_CHECK_EQ(pair.events, EPOLLIN);
	ATF_REQUIRE_EQ(read(pair.fds[0], &byte, 1), 1);
	settle(loop);
	ATF_CHECK_EQ(pair.calls, 2);
}

ATF_TC_WITHOUT_HEAD(loop_waits_for_what_was_modified_last);
ATF_TC_BODY(loop_waits_for_what_was_modified_last, tc)
{
	struct loop *loop = new_loop();
	struct pair pair;

	pair_open(&pair, loop, 0);
	pair_poke(&pair);
	settle(loop);
	ATF_CHECK_EQ(pair.calls, 0);
	ATF_REQUIRE_EQ(loop_modify(loop, &pair.watch, EPOLLOUT), 0);
	ATF_REQUIRE_EQ(loop_run(loop), 0);
	ATF_CHECK_EQ(pair.events, EPOLLOUT);
	ATF_REQUIRE_EQ(loop_modify(loop, &pair.watch, EPOLLIN), 0);
	ATF_REQUIRE_EQ(loop_run(loop), 0);
	ATF_CHECK_EQ(pair.events, EPOLLIN);
}

ATF_TC_WITHOUT_HEAD(loop_reports_a_hangup_that_nobody_asked_for);
ATF_TC_BODY(loop_reports_a_hangup_that_nobody_asked_for, tc)
{
	struct loop *loop = new_loop();
	struct pair pair;

	pair_open(&pair, loop, 0);
	close(pair.fds[1]);
	ATF_REQUIRE_EQ(loop_run(loop), 0);
	ATF_CHECK_EQ(pair.events, EPOLLHUP);
}

ATF_TC_WITHOUT_HEAD(loop_lets_a_callback_remove_itself);
ATF_TC_BODY(loop_lets_a_callback_remove_itself, tc)
{
	struct loop *loop = new_loop();
	struct pair pair;

	pair_open(&pair, loop, EPOLLIN);
	pair.victim = &pair;
	pair_poke(&pair);
	ATF_REQUIRE_EQ(loop_run(loop), 0);
	settle(loop);
	ATF_CHECK_EQ(pair.calls, 1);
}

/* Both are ready at once, and each removes the other. */
ATF_TC_WITHOUT_HEAD(loop_never_calls_what_was_removed_in_the_same_round);
ATF_TC_BODY(loop_never_calls_what_was_removed_in_the_same_round, tc)
{
	struct loop *loop = new_loop();
	struct pair a, b;

	pair_open(&a, loop, EPOLLIN);
	pair_open(&b, loop, EPOLLIN);
	a.victim = &b;
	b.victim = &a;
	a.goes_on = b.goes_on = 1;
	pair_poke(&a);
	pair_poke(&b);
	settle(loop);
	ATF_CHECK(a.calls == 0 || b.calls == 0);
	ATF_CHECK(a.calls + b.calls > 0);
}

ATF_TC_WITHOUT_HEAD(loop_refuses_a_descriptor_that_is_not_open);
ATF_TC_BODY(loop_refuses_a_descriptor_that_is_not_open, tc)
{
	struct loop *loop = new_loop();
	struct loop_watch watch;

	ATF_CHECK_EQ(loop_add(loop, &watch, 999, EPOLLIN, on_event, NULL),
	    -EBADF);
}

struct named {
	struct loop *loop;
	struct loop_timer timer;
	char name;
	struct named *victim; /* cancelled by the callback */
	int again;	      /* sets itself again so many times */
	struct pair *poked;   /* by the callback */
};

static void
on_time(void *arg)
{
	struct named *named = arg;

	if (strlen(order) + 1 < sizeof(order))
		order[strlen(order)] = named->name;
	if (named->victim != NULL)
		loop_timer_cancel(named->loop, &named->victim->timer);
	if (named->poked != NULL)
		pair_poke(named->poked);
	if (named->again-- > 0)
		loop_timer_set(named->loop, &named->timer, 0, on_time, named);
}

static void
named_set(struct named *named, struct loop *loop, char name, uint32_t ms)
{
	memset(named, 0, sizeof(*named));
	named->loop = loop;
	named->name = name;
	loop_timer_set(loop, &named->timer, ms, on_time, named);
}

/* Runs the loop for so long. */
static void
run_for(struct loop *loop, uint32_t ms)
{
	struct loop_timer timer = { 0 };

	loop_timer_set(loop, &timer, ms, settle_stop, loop);
	ATF_REQUIRE_EQ(loop_run(loop), 0);
}

ATF_TC_WITHOUT_HEAD(loop_calls_timers_in_the_order_of_their_deadlines);
ATF_TC_BODY(loop_calls_timers_in_the_order_of_their_deadlines, tc)
{
	struct loop *loop = new_loop();
	struct named a, b, c, d;

	named_set(&c, loop, 'c', 30);
	named_set(&a, loop, 'a', 10);
	named_set(&d, loop, 'd', 30);
	named_set(&b, loop, 'b', 20);
	run_for(loop, 40);
	ATF_CHECK_STREQ(order, "abcd");
}

ATF_TC_WITHOUT_HEAD(loop_never_calls_a_timer_early);
ATF_TC_BODY(loop_never_calls_a_timer_early, tc)
{
	struct loop *loop = new_loop();
	struct timespec from, to;
	struct named busy;
	int64_t elapsed;
	int i;

	/* Makes the loop look at the clock all the time. */
	named_set(&busy, loop, 'b', 0);
	busy.again = INT_MAX;
	for (i = 0; i < 20; i++) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		run_for(loop, 3);
		clock_gettime(CLOCK_MONOTONIC, &to);
		elapsed = (to.tv_sec - from.tv_sec) * 1000000000LL +
		    to.tv_nsec - from.tv_nsec;
		ATF_CHECK(elapsed >= 3000000);
	}
	loop_timer_cancel(loop, &busy.timer);
}

ATF_TC_WITHOUT_HEAD(loop_forgets_a_timer_that_was_cancelled);
ATF_TC_BODY(loop_forgets_a_timer_that_was_cancelled, tc)
{
	struct loop *loop = new_loop();
	struct named a, b, c;

	named_set(&a, loop, 'a', 0);
	named_set(&b, loop, 'b', 0);
	named_set(&c, loop, 'c', 0);
	a.victim = &b;
	loop_timer_cancel(loop, &c.timer);
	loop_timer_cancel(loop, &c.timer);
	run_for(loop, 5);
	ATF_CHECK_STREQ(order, "a");
}

ATF_TC_WITHOUT_HEAD(loop_replaces_a_timer_that_is_set_again);
ATF_TC_BODY(loop_replaces_a_timer_that_is_set_again, tc)
{
	struct loop *loop = new_loop();
	struct named a, b;

	named_set(&a, loop, 'a', 1);
	named_set(&b, loop, 'b', 10);
	loop_timer_set(loop, &a.timer, 20, on_time, &a);
	run_for(loop, 30);
	ATF_CHECK_STREQ(order, "ba");
}

/* Else a timer of 0 ms that sets itself again would be all that happens. */
ATF_TC_WITHOUT_HEAD(loop_gives_descriptors_their_turn_between_timers);
ATF_TC_BODY(loop_gives_descriptors_their_turn_between_timers, tc)
{
	struct loop *loop = new_loop();
	struct named a;
	struct pair pair;

	pair_open(&pair, loop, EPOLLIN);
	named_set(&a, loop, 'a', 0);
	a.again = 8;
	a.poked = &pair;
	ATF_REQUIRE_EQ(loop_run(loop), 0);
	ATF_CHECK_STREQ(order, "a.");
	loop_timer_cancel(loop, &a.timer);
}

ATF_TC_WITHOUT_HEAD(loop_heeds_a_stop_from_before_its_run);
ATF_TC_BODY(loop_heeds_a_stop_from_before_its_run, tc)
{
	struct loop *loop = new_loop();

	loop_stop(loop);
	ATF_CHECK_EQ(loop_run(loop), 0);
	loop_free(loop);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, loop_calls_back_while_a_descriptor_is_readable);
	ATF_TP_ADD_TC(tp, loop_waits_for_what_was_modified_last);
	ATF_TP_ADD_TC(tp, loop_reports_a_hangup_that_nobody_asked_for);
	ATF_TP_ADD_TC(tp, loop_lets_a_callback_remove_itself);
	ATF_TP_ADD_TC(tp, loop_never_calls_what_was_removed_in_the_same_round);
	ATF_TP_ADD_TC(tp, loop_refuses_a_descriptor_that_is_not_open);
	ATF_TP_ADD_TC(tp, loop_calls_timers_in_the_order_of_their_deadlines);
	ATF_TP_ADD_TC(tp, loop_never_calls_a_timer_early);
	ATF_TP_ADD_TC(tp, loop_forgets_a_timer_that_was_cancelled);
	ATF_TP_ADD_TC(tp, loop_replaces_a_timer_that_is_set_again);
	ATF_TP_ADD_TC(tp, loop_gives_descriptors_their_turn_between_timers);
	ATF_TP_ADD_TC(tp, loop_heeds_a_stop_from_before_its_run);
	return (atf_no_error());
}
