/*
 * A helper that was taken over, against the shim's engine: in every state of a
 * session, everything that it can say, against a table of what it may.  All
 * else ends the session, once; every operation is then told, once; processes
 * count as killed; and no descriptor that came is left.
 */
#include <atf-c.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "privsep/channel.h"
#include "regress/unit/descriptors.h"
#include "regress/unit/settle.h"
#include "runtime/engine.h"
#include "unpriv/endpoint.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SPEC	     "{\"args\":[\"true\"]}"
#define PID	     100 /* of the container */
#define EXEC_PID     200

/* How far the session is; ...ING: it was asked for, and not answered. */
enum state {
	BEGUN,
	READY,
	CREATING,
	CREATED,
	STARTING,
	RUNNING,
	EXEC_ADDING,
	EXEC_ADDED,
	EXEC_STARTING,
	EXEC_RUNNING,
	KILLING, /* with an exec that runs */
	STOPPED,
	DELETING,
	STATES
};

/* What the helper says, and with how many descriptors. */
struct lie {
	uint16_t op;
	uint32_t length, nfds;
	union msg_body body;
};

/* Of struct msg_reply, which request it is for: that which waits, or: */
enum { OTHER_NEXT = 1, OTHER_LAST, OTHER_NONE };

static const uint8_t key[CHANNEL_KEY_SIZE] = "not a secret";

static struct loop *loop;
static struct engine *engine;
static struct channel shim, helper;
static int lost;
static uint64_t asked; /* the request that waits, or 0 */

static struct outcome {
	int calls;
	struct engine_result result;
} pending, waiting;

static void
on_nothing(void *arg)
{
	(void)arg;
}

static void
on_changed(void *arg, size_t n)
{
	(void)arg;
	(void)n;
}

static void
on_lost(void *arg, const char *why)
{
	(void)arg;
	ATF_CHECK(why != NULL && why[0] != '\0');
	lost++;
}

static void
on_done(void *arg, const struct engine_result *result)
{
	struct outcome *outcome = arg;

	outcome->calls++;
	outcome->result = *result;
}

/*
 * The way to a state, with a helper that is what it should be.
 */

static void
take_request(uint16_t op)
{
	struct msg m;
	int fds[MSG_FDS_MAX];

	settle(loop);
	ATF_REQUIRE_EQ(channel_receive(&helper, &m, fds), 1);
	ATF_REQUIRE_EQ(m.header.op, op);
	fdpass_close(fds, MSG_FDS_MAX);
	asked = m.header.sequence;
}

static void
give_answer(uint32_t pid)
{
	const struct msg_reply reply = { .request = asked, .pid = pid };

	ATF_REQUIRE_EQ(channel_send(&helper, MSG_REPLY, &reply, sizeof(reply),
			   NULL, 0),
	    0);
	settle(loop);
	asked = 0;
	ATF_REQUIRE_EQ(pending.calls, 1);
	ATF_REQUIRE_EQ(pending.result.status.code, STATUS_OK);
	memset(&pending, 0, sizeof(pending));
}

static void
session_begin(void)
{
	static const struct engine_handlers handlers = {
		.ready = on_nothing,
		.changed = on_changed,
		.lost = on_lost,
	};
	int fds[2];

	memset(&pending, 0, sizeof(pending));
	memset(&waiting, 0, sizeof(waiting));
	asked = 0;
	lost = 0;
	ATF_REQUIRE((loop = loop_new()) != NULL);
	ATF_REQUIRE_EQ(endpoint_pair(fds), 0);
	shim.fd = fds[0];
	helper.fd = fds[1];
	shim.sent = shim.received = helper.sent = helper.received = 0;
	engine = engine_new(loop, &shim, getpid(), &handlers, NULL);
	ATF_REQUIRE(engine != NULL);
}

static void
session_end(void)
{
	/* What still waits is told, and freed. */
	close(helper.fd);
	settle(loop);
	ATF_REQUIRE_EQ(lost, 1);
	engine_free(engine);
	close(shim.fd);
	loop_free(loop);
}

static void
session_ready(void)
{
	const struct msg_ready ready = { (uint32_t)getpid() };

	ATF_REQUIRE_EQ(channel_send(&helper, MSG_READY, &ready, sizeof(ready),
			   NULL, 0),
	    0);
	settle(loop);
}

/* One that was told to end, so that the next states have it. */
static void
session_exit(void)
{
	const struct msg_exited exited = { .ref.id = "c1", .pid = PID };

	ATF_REQUIRE_EQ(channel_send(&helper, MSG_EXITED, &exited,
			   sizeof(exited), NULL, 0),
	    0);
	settle(loop);
	ATF_REQUIRE_EQ(lost, 0);
}

static void
session_reach(enum state state)
{
	const struct engine_spec container = { .id = "c1",
		.exec = "",
		.bundle = "/run/bundles/c1",
		.stdio = { "", "", "" } };
	const struct engine_spec exec = { .id = "c1",
		.exec = "e1",
		.bundle = "",
		.stdio = { "", "", "" },
		.process = SPEC,
		.process_size = strlen(SPEC) };

	session_begin();
	if (state == BEGUN)
		return;
	session_ready();
	if (state == READY)
		return;
	engine_create(engine, &container, on_done, &pending);
	take_request(MSG_CREATE);
	if (state == CREATING)
		return;
	give_answer(PID);
	if (state == CREATED)
		return;
	engine_start(engine, "c1", "", on_done, &pending);
	take_request(MSG_START);
	if (state == STARTING)
		return;
	give_answer(PID);
	if (state < STOPPED)
		(void)engine_wait(engine, "c1", "", on_done, &waiting);
	else
		session_exit();
	if (state == DELETING) {
		engine_delete(engine, "c1", "", on_done, &pending);
		take_request(MSG_DELETE);
	}
	if (state == RUNNING || state >= STOPPED)
		return;
	engine_exec(engine, &exec, on_done, &pending);
	take_request(MSG_EXEC);
	if (state == EXEC_ADDING)
		return;
	give_answer(0);
	if (state == EXEC_ADDED)
		return;
	engine_start(engine, "c1", "e1", on_done, &pending);
	take_request(MSG_START);
	if (state == EXEC_STARTING)
		return;
	give_answer(EXEC_PID);
	if (state == EXEC_RUNNING)
		return;
	engine_kill(engine, "c1", "", 15, 0, on_done, &pending);
	take_request(MSG_SIGNAL);
}

/*
 * What the helper may say.
 */

static int
text_ends(const char *text, size_t size)
{
	size_t i = strnlen(text, size), k;

	for (k = i; k < size; k++) {
		if (text[k] != '\0')
			return (0);
	}
	return (i < size);
}

static int
reply_allowed(enum state state, const struct msg_reply *reply)
{
	if (asked == 0 || reply->request != asked || reply->fds != 0 ||
	    !text_ends(reply->text, sizeof(reply->text)))
		return (0);
	if (reply->error != 0)
		return (reply->error < 0 && reply->error >= -4095 &&
		    reply->step > 0 && reply->step < MSG_STEP_MAX);
	if (reply->step != 0)
		return (0);
	switch (state) {
	case STARTING:
		return (reply->pid == PID);
	case CREATING:
	case EXEC_STARTING:
		return (reply->pid > 1 && reply->pid <= 0x3fffffff);
	default:
		return (1);
	}
}

static int
exited_allowed(enum state state, const struct msg_exited *exited)
{
	const struct msg_ref *ref = &exited->ref;

	if (strcmp(ref->id, "c1") != 0 || exited->status > 255 ||
	    exited->nanoseconds >= 1000000000 || exited->reserved != 0)
		return (0);
	/*
	 * Processes of execs end before that of their container, whose end may
	 * cross the start of one.
	 */
	if (ref->exec[0] == '\0')
		return (exited->pid == PID && state >= CREATED &&
		    state <= EXEC_STARTING);
	return (strcmp(ref->exec, "e1") == 0 && exited->pid == EXEC_PID &&
	    (state == EXEC_RUNNING || state == KILLING));
}

static int
allowed(enum state state, const struct lie *lie)
{
	static const uint32_t lengths
	    [] = { [MSG_READY] = 4, [MSG_REPLY] = 280, [MSG_EXITED] = 184 };

	if (lie->op < MSG_READY || lie->op > MSG_EXITED || lie->nfds != 0 ||
	    lie->length != lengths[lie->op])
		return (0);
	if (lie->op == MSG_READY)
		return (state == BEGUN &&
		    lie->body.ready.helper_pid == (uint32_t)getpid());
	if (state == BEGUN)
		return (0);
	return (lie->op == MSG_REPLY ?
		reply_allowed(state, &lie->body.reply) :
		exited_allowed(state, &lie->body.exited));
}

/*
 * The lies.
 */

static void
say(const struct lie *lie)
{
	const int fds[MSG_FDS_MAX] = { STDIN_FILENO, STDIN_FILENO,
		STDIN_FILENO };

	ATF_REQUIRE_EQ(channel_send(&helper, lie->op, &lie->body, lie->length,
			   fds, lie->nfds),
	    0);
	settle(loop);
}

static void
check_stopped(enum state state, int nth)
{
	struct engine_view view;
	struct status status;

	if (state < CREATED || state == DELETING ||
	    engine_state(engine, "c1", "", &view, &status) != 0)
		return;
	ATF_CHECK_EQ_MSG(view.state, ENGINE_STOPPED, "lie %d, state %d", nth,
	    state);
	ATF_CHECK_EQ_MSG(view.exit_status, state == STOPPED ? 0 : 137,
	    "lie %d, state %d: status %u", nth, state, view.exit_status);
}

/* One lie, in one state. */
static void
check_lie(enum state state, void (*make)(struct lie *, int), int nth)
{
	const int before = descriptors();
	struct lie lie = { 0 };
	int may;

	session_reach(state);
	make(&lie, nth);
	may = allowed(state, &lie);
	say(&lie);
	ATF_REQUIRE_EQ_MSG(lost, !may, "lie %d (%u, %u bytes) in state %d", nth,
	    lie.op, lie.length, state);
	if (lost) {
		ATF_REQUIRE_EQ_MSG(pending.calls, asked != 0,
		    "lie %d, state %d", nth, state);
		ATF_REQUIRE_EQ_MSG(waiting.calls,
		    state >= RUNNING && state < STOPPED, "lie %d, state %d",
		    nth, state);
		if (asked != 0)
			ATF_CHECK(pending.result.status.code != STATUS_OK);
		check_stopped(state, nth);
		/* Nothing is asked any more. */
		memset(&pending, 0, sizeof(pending));
		engine_kill(engine, "c1", "", 9, 0, on_done, &pending);
		settle(loop);
		ATF_REQUIRE_EQ(pending.calls, 1);
		ATF_REQUIRE_EQ(lost, 1);
	}
	session_end();
	ATF_REQUIRE_EQ_MSG(descriptors(), before, "lie %d, state %d", nth,
	    state);
}

static void
check_lies(void (*make)(struct lie *, int), int n)
{
	int nth, state;

	ATF_REQUIRE_EQ(channel_open(&shim, -1, CHANNEL_SHIM, key, getpid(),
			   geteuid()),
	    0);
	ATF_REQUIRE_EQ(channel_open(&helper, -1, CHANNEL_HELPER, key, getpid(),
			   geteuid()),
	    0);
	for (state = 0; state < STATES; state++) {
		for (nth = 0; nth < n; nth++)
			check_lie((enum state)state, make, nth);
	}
}

/* The next of several values, by what is left of a number. */
#define PICK(nth, values) (values)[pick(&(nth), COUNT(values))]

static size_t
pick(int *nth, size_t n)
{
	const size_t i = (size_t)*nth % n;

	*nth /= (int)n;
	return (i);
}

static void
make_shape(struct lie *lie, int nth)
{
	static const uint16_t ops[] = { MSG_READY, MSG_REPLY, MSG_EXITED, 0,
		MSG_PREPARE, MSG_CREATE, MSG_START, MSG_EXEC, MSG_SIGNAL,
		MSG_STDIO, MSG_DELETE, MSG_CGROUP, MSG_PUBLISH, 15, 19, 0x0111,
		0xffff };
	static const uint32_t lengths[] = { 0, 4, 160, 164, 168, 183, 184, 185,
		279, 280, 281, 424, MSG_BODY_MAX };

	lie->op = PICK(nth, ops);
	lie->length = PICK(nth, lengths);
	lie->nfds = (uint32_t)nth % (MSG_FDS_MAX + 1);
	switch (lie->op) {
	case MSG_READY:
		lie->body.ready.helper_pid = (uint32_t)getpid();
		break;
	case MSG_REPLY:
		lie->body.reply.request = asked;
		lie->body.reply.pid = PID;
		break;
	default:
		strcpy(lie->body.ref.id, "c1");
		if (lie->op == MSG_EXITED)
			lie->body.exited.pid = PID;
		break;
	}
}

ATF_TC(a_helper_has_three_things_to_say);
ATF_TC_HEAD(a_helper_has_three_things_to_say, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(a_helper_has_three_things_to_say, tc)
{
	check_lies(make_shape, 17 * 13 * (MSG_FDS_MAX + 1));
}

static void
make_reply(struct lie *lie, int nth)
{
	static const int others[] = { 0, OTHER_NEXT, OTHER_LAST, OTHER_NONE };
	static const int errors[] = { 0, -1, -4095, -4096, 1, INT32_MIN };
	static const uint32_t steps[] = { 0, 1, MSG_STEP_MAX - 1, MSG_STEP_MAX,
		UINT32_MAX };
	static const uint32_t pids[] = { PID, 0, 1, 300, 0x3fffffff, 0x40000000,
		UINT32_MAX };
	struct msg_reply *reply = &lie->body.reply;
	const int other = PICK(nth, others);

	lie->op = MSG_REPLY;
	lie->length = sizeof(*reply);
	reply->request = other == OTHER_NEXT ? asked + 1 :
	    other == OTHER_LAST		     ? asked - 1 :
	    other == OTHER_NONE		     ? 0 :
					       asked;
	reply->error = PICK(nth, errors);
	reply->step = PICK(nth, steps);
	reply->pid = PICK(nth, pids);
}

ATF_TC(an_answer_is_to_what_was_asked_and_possible);
ATF_TC_HEAD(an_answer_is_to_what_was_asked_and_possible, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(an_answer_is_to_what_was_asked_and_possible, tc)
{
	check_lies(make_reply, 4 * 6 * 5 * 7);
}

static void
make_promise(struct lie *lie, int nth)
{
	static const uint32_t bits[] = { 0, 1, 2, 3, MSG_FDS_TERMINAL, 5,
		MSG_FDS_CGROUP2, 9, 15, 16, UINT32_MAX };
	struct msg_reply *reply = &lie->body.reply;

	lie->op = MSG_REPLY;
	lie->length = sizeof(*reply);
	reply->request = asked;
	reply->pid = PID;
	reply->fds = PICK(nth, bits);
	lie->nfds = (uint32_t)nth % (MSG_FDS_MAX + 1);
	nth /= MSG_FDS_MAX + 1;
	/* A text without an end, and with something after that. */
	if (nth == 1)
		memset(reply->text, 'x', sizeof(reply->text));
	if (nth == 2)
		reply->text[sizeof(reply->text) - 1] = 'x';
}

ATF_TC(an_answer_brings_what_it_says);
ATF_TC_HEAD(an_answer_brings_what_it_says, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(an_answer_brings_what_it_says, tc)
{
	check_lies(make_promise, 11 * (MSG_FDS_MAX + 1) * 3);
}

static void
make_end(struct lie *lie, int nth)
{
	static const char *const ids[] = { "c1", "c2", "", "../c1", "c1/",
		"overlay" };
	static const char *const execs[] = { "", "e1", "e2", "../e1" };
	static const uint32_t pids[] = { PID, EXEC_PID, 0, 1, 300, UINT32_MAX };
	struct msg_exited *exited = &lie->body.exited;

	lie->op = MSG_EXITED;
	lie->length = sizeof(*exited);
	strcpy(exited->ref.id, PICK(nth, ids));
	strcpy(exited->ref.exec, PICK(nth, execs));
	exited->pid = PICK(nth, pids);
	exited->seconds = 1700000000;
	switch (nth) {
	case 1:
		exited->status = 255;
		break;
	case 2:
		exited->status = 256;
		break;
	case 3:
		exited->nanoseconds = 1000000000;
		break;
	case 4:
		exited->reserved = 1;
		break;
	default:
		break;
	}
}

ATF_TC(an_end_is_of_a_process_that_was_told_to_be_there);
ATF_TC_HEAD(an_end_is_of_a_process_that_was_told_to_be_there, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(an_end_is_of_a_process_that_was_told_to_be_there, tc)
{
	check_lies(make_end, 6 * 4 * 6 * 5);
}

static void
make_beginning(struct lie *lie, int nth)
{
	static const int pids[] = { 0, 1, -1 };

	lie->op = MSG_READY;
	lie->length = sizeof(struct msg_ready);
	lie->body.ready.helper_pid = nth < 3 ? (uint32_t)pids[nth] :
					       (uint32_t)(getpid() + nth - 3);
}

ATF_TC_WITHOUT_HEAD(a_helper_is_ready_once_and_itself);
ATF_TC_BODY(a_helper_is_ready_once_and_itself, tc)
{
	check_lies(make_beginning, 6);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_helper_has_three_things_to_say);
	ATF_TP_ADD_TC(tp, an_answer_is_to_what_was_asked_and_possible);
	ATF_TP_ADD_TC(tp, an_answer_brings_what_it_says);
	ATF_TP_ADD_TC(tp, an_end_is_of_a_process_that_was_told_to_be_there);
	ATF_TP_ADD_TC(tp, a_helper_is_ready_once_and_itself);
	return (atf_no_error());
}
