/*
 * The engine and its client of the channel, against a helper that the test
 * plays at the other end of a real channel.
 */

#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/channel.h"
#include "regress/unit/descriptors.h"
#include "unpriv/endpoint.h"
#include "regress/unit/cgroup_node.h"
#include "regress/unit/settle.h"
#include "regress/unit/window.h"
#include "runtime/engine.h"
#include "unpriv/priv.h"

#define BUNDLE	     "/run/bundles/c1"
#define FIFO(name)   "/run/fifo/c1-" name
#define SPEC	     "{\"args\":[\"true\"]}"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t key[CHANNEL_KEY_SIZE] = "not a secret";

static struct loop *loop;
static struct engine *engine;
static struct channel shim, helper;
static int ready, lost;
static size_t containers;
static const char *why;

/* What an operation has come to. */
struct outcome {
	int calls;
	struct engine_result result;
};

static void
on_ready(void *arg)
{
	(void)arg;
	ready++;
}

static void
on_changed(void *arg, size_t n)
{
	(void)arg;
	containers = n;
}

static void
on_lost(void *arg, const char *reason)
{
	(void)arg;
	lost++;
	why = reason;
}

static void
on_done(void *arg, const struct engine_result *result)
{
	struct outcome *outcome = arg;

	outcome->calls++;
	outcome->result = *result;
}

static void
helper_say(uint16_t op, const void *body, uint32_t length)
{
	ATF_REQUIRE_EQ(channel_send(&helper, op, body, length, NULL, 0), 0);
	settle(loop);
}

static void
helper_ready(pid_t pid)
{
	const struct msg_ready message = { .helper_pid = (uint32_t)pid };

	helper_say(MSG_READY, &message, sizeof(message));
}

static void
begin_unready(void)
{
	static const struct engine_handlers handlers = {
		.ready = on_ready,
		.changed = on_changed,
		.lost = on_lost,
	};
	int fds[2];

	ATF_REQUIRE((loop = loop_new()) != NULL);
	ATF_REQUIRE_EQ(endpoint_pair(fds), 0);
	ATF_REQUIRE_EQ(channel_open(&shim, fds[0], CHANNEL_SHIM, key, getpid(),
			   geteuid()),
	    0);
	ATF_REQUIRE_EQ(channel_open(&helper, fds[1], CHANNEL_HELPER, key,
			   getpid(), geteuid()),
	    0);
	engine = engine_new(loop, &shim, getpid(), &handlers, NULL);
	ATF_REQUIRE(engine != NULL);
}

static void
begin(void)
{
	begin_unready();
	helper_ready(getpid());
	ATF_REQUIRE_EQ(ready, 1);
}

static void
end(void)
{
	engine_free(engine);
	close(shim.fd);
	close(helper.fd);
	loop_free(loop);
}

/* The next request, which must be this one; returns its number. */
static uint64_t
expect(uint16_t op, const char *exec, struct msg *message)
{
	struct msg own;
	int fds[MSG_FDS_MAX];

	if (message == NULL)
		message = &own;
	settle(loop);
	ATF_REQUIRE_EQ(channel_receive(&helper, message, fds), 1);
	ATF_REQUIRE_EQ_MSG(message->header.op, op, "operation %d",
	    message->header.op);
	ATF_REQUIRE_STREQ(message->body.ref.id, "c1");
	ATF_REQUIRE_STREQ(message->body.ref.exec, exec);
	ATF_REQUIRE_EQ(message->header.nfds, op == MSG_EXEC);
	if (op == MSG_EXEC) {
		ATF_CHECK_EQ(fcntl(fds[0], F_GET_SEALS),
		    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
		close(fds[0]);
	}
	return (message->header.sequence);
}

static void
expect_nothing(void)
{
	struct msg message;
	int fds[MSG_FDS_MAX];

	settle(loop);
	ATF_REQUIRE_EQ(channel_receive(&helper, &message, fds), -EAGAIN);
}

/* Answers with these descriptors, which are closed here. */
static void
answer_fds(const struct msg_reply *reply, const int *fds, uint32_t nfds)
{
	uint32_t i;

	ATF_REQUIRE_EQ(channel_send(&helper, MSG_REPLY, reply, sizeof(*reply),
			   fds, nfds),
	    0);
	for (i = 0; i < nfds; i++)
		close(fds[i]);
	settle(loop);
}

static void
answer(uint64_t request, uint32_t pid)
{
	const struct msg_reply reply = { .request = request, .pid = pid };

	answer_fds(&reply, NULL, 0);
}

static void
answer_error(uint64_t request, int error, enum msg_step step, const char *text)
{
	struct msg_reply reply = { .request = request,
		.error = error,
		.step = step };

	strcpy(reply.text, text);
	answer_fds(&reply, NULL, 0);
}

static void
exited(const char *exec, uint32_t pid, uint32_t status)
{
	struct msg_exited message = { .ref.id = "c1",
		.pid = pid,
		.status = status,
		.seconds = 1700000000,
		.nanoseconds = 5 };

	strcpy(message.ref.exec, exec);
	helper_say(MSG_EXITED, &message, sizeof(message));
}

static struct engine_spec
spec_of(const char *exec)
{
	const struct engine_spec spec = { .id = "c1",
		.exec = exec,
		.bundle = exec[0] == '\0' ? BUNDLE : "",
		.stdio = { "", "", "" },
		.process = exec[0] == '\0' ? NULL : SPEC,
		.process_size = exec[0] == '\0' ? 0 : strlen(SPEC) };

	return (spec);
}

/* An operation has ended so, once. */
static void
check_outcome(const struct outcome *outcome, enum status_code code,
    const char *text)
{
	ATF_REQUIRE_EQ_MSG(outcome->calls, 1, "%d calls", outcome->calls);
	ATF_CHECK_EQ_MSG(outcome->result.status.code, code, "code %d: %s",
	    outcome->result.status.code, outcome->result.status.text);
	ATF_CHECK_MSG(strstr(outcome->result.status.text, text) != NULL,
	    "it says: %s", outcome->result.status.text);
}

static void
check_state(const char *exec, enum engine_state state)
{
	struct engine_view view;
	struct status status;

	ATF_REQUIRE_EQ(engine_state(engine, "c1", exec, &view, &status), 0);
	ATF_CHECK_EQ(view.state, state);
}

static void
check_unknown(const char *exec)
{
	struct engine_view view;
	struct status status;

	ATF_REQUIRE_EQ(engine_state(engine, "c1", exec, &view, &status), -1);
	ATF_CHECK_EQ(status.code, STATUS_NOT_FOUND);
}

/* A container c1 as process 100, or an exec e1 as process 200. */
static void
create(const char *exec)
{
	const struct engine_spec spec = spec_of(exec);
	struct outcome outcome = { 0 };

	if (exec[0] == '\0') {
		engine_create(engine, &spec, on_done, &outcome);
		answer(expect(MSG_CREATE, exec, NULL), 100);
	} else {
		engine_exec(engine, &spec, on_done, &outcome);
		answer(expect(MSG_EXEC, exec, NULL), 0);
	}
	check_outcome(&outcome, STATUS_OK, "");
}

static void
start(const char *exec)
{
	struct outcome outcome = { 0 };

	engine_start(engine, "c1", exec, on_done, &outcome);
	answer(expect(MSG_START, exec, NULL), exec[0] == '\0' ? 100 : 200);
	check_outcome(&outcome, STATUS_OK, "");
	ATF_CHECK_EQ(outcome.result.pid, exec[0] == '\0' ? 100 : 200);
}

/* What an operation answers that is refused at once. */
static void
check_delete(const char *exec, enum status_code code)
{
	struct outcome outcome = { 0 };

	engine_delete(engine, "c1", exec, on_done, &outcome);
	check_outcome(&outcome, code, "");
	expect_nothing();
}

static void
check_start(const char *exec, enum status_code code)
{
	struct outcome outcome = { 0 };

	engine_start(engine, "c1", exec, on_done, &outcome);
	check_outcome(&outcome, code, "");
	expect_nothing();
}

static void
check_kill(const char *exec, enum status_code code, const char *text)
{
	struct outcome outcome = { 0 };

	engine_kill(engine, "c1", exec, 9, 1, on_done, &outcome);
	check_outcome(&outcome, code, text);
	expect_nothing();
}

static void
check_create(const struct engine_spec *spec, enum status_code code,
    const char *text)
{
	struct outcome outcome = { 0 };

	if (spec->exec[0] == '\0')
		engine_create(engine, spec, on_done, &outcome);
	else
		engine_exec(engine, spec, on_done, &outcome);
	check_outcome(&outcome, code, text);
	expect_nothing();
}

static void
remove_it(const char *exec)
{
	struct outcome outcome = { 0 };

	engine_delete(engine, "c1", exec, on_done, &outcome);
	answer(expect(MSG_DELETE, exec, NULL), 0);
	check_outcome(&outcome, STATUS_OK, "");
	check_unknown(exec);
}

ATF_TC_WITHOUT_HEAD(engine_leads_a_container_from_create_to_delete);
ATF_TC_BODY(engine_leads_a_container_from_create_to_delete, tc)
{
	struct outcome before = { 0 }, after = { 0 }, deleted = { 0 };
	struct engine_view view;
	struct status status;
	uint64_t request;

	begin();
	create("");
	ATF_CHECK_EQ(containers, 1);
	check_state("", ENGINE_CREATED);
	ATF_CHECK(engine_wait(engine, "c1", "", on_done, &before) != NULL);
	start("");
	check_state("", ENGINE_RUNNING);
	check_start("", STATUS_FAILED_PRECONDITION);
	check_delete("", STATUS_FAILED_PRECONDITION);
	ATF_CHECK_EQ(before.calls, 0);
	exited("", 100, 42);
	check_outcome(&before, STATUS_OK, "");
	ATF_CHECK_EQ(before.result.exit_status, 42);
	ATF_CHECK_EQ(before.result.exited_at.tv_sec, 1700000000);
	ATF_CHECK_EQ(before.result.exited_at.tv_nsec, 5);
	ATF_CHECK(engine_wait(engine, "c1", "", on_done, &after) == NULL);
	check_outcome(&after, STATUS_OK, "");
	ATF_CHECK_EQ(after.result.exit_status, 42);
	check_kill("", STATUS_NOT_FOUND, "process already finished");
	engine_delete(engine, "c1", "", on_done, &deleted);
	request = expect(MSG_DELETE, "", NULL);
	check_delete("", STATUS_NOT_FOUND);
	ATF_REQUIRE_EQ(engine_state(engine, "c1", "", &view, &status), 0);
	ATF_CHECK_EQ(view.state, ENGINE_STOPPED);
	ATF_CHECK_EQ(view.exit_status, 42);
	answer(request, 0);
	check_outcome(&deleted, STATUS_OK, "");
	ATF_CHECK_EQ(deleted.result.pid, 100);
	ATF_CHECK_EQ(deleted.result.exit_status, 42);
	check_unknown("");
	ATF_CHECK_EQ(containers, 0);
	ATF_CHECK_EQ(lost, 0);
	end();
}

ATF_TC_WITHOUT_HEAD(what_is_to_come_is_prepared_and_not_known_yet);
ATF_TC_BODY(what_is_to_come_is_prepared_and_not_known_yet, tc)
{
	begin();
	engine_expect(engine, "c1");
	answer(expect(MSG_PREPARE, "", NULL), 0);
	check_unknown("");
	engine_forget(engine, "c1");
	answer(expect(MSG_DELETE, "", NULL), 0);
	engine_expect(engine, "c1");
	/* What is wrong is told when it is to be created. */
	answer_error(expect(MSG_PREPARE, "", NULL), -EINVAL, MSG_STEP_DECODE,
	    "why");
	create("");
	ATF_CHECK_EQ(containers, 1);
	engine_expect(engine, "c1");
	engine_forget(engine, "c1");
	engine_expect(engine, "not an id");
	engine_expect(engine, "");
	expect_nothing();
	end();
}

ATF_TC_WITHOUT_HEAD(engine_knows_nothing_of_other_ids);
ATF_TC_BODY(engine_knows_nothing_of_other_ids, tc)
{
	struct engine_spec exec = spec_of("e1");
	struct outcome waited = { 0 };
	static struct engine_pid pids[ENGINE_PIDS_MAX];
	struct status status;

	begin();
	check_unknown("");
	check_unknown("e1");
	check_start("", STATUS_NOT_FOUND);
	check_delete("", STATUS_NOT_FOUND);
	check_kill("", STATUS_NOT_FOUND, "c1");
	check_create(&exec, STATUS_NOT_FOUND, "c1");
	ATF_CHECK(engine_wait(engine, "c1", "", on_done, &waited) == NULL);
	check_outcome(&waited, STATUS_NOT_FOUND, "c1");
	ATF_CHECK_EQ(engine_pids(engine, "c1", pids, &status), 0);
	ATF_CHECK_EQ(status.code, STATUS_NOT_FOUND);
	ATF_CHECK_EQ(engine_close_stdin(engine, "c1", "", &status), -1);
	ATF_CHECK_EQ(status.code, STATUS_NOT_FOUND);
	create("");
	check_unknown("e1");
	check_delete("e1", STATUS_NOT_FOUND);
	end();
}

ATF_TC_WITHOUT_HEAD(engine_refuses_what_it_cannot_do_and_says_what);
ATF_TC_BODY(engine_refuses_what_it_cannot_do_and_says_what, tc)
{
	char long_path[MSG_PATH_SIZE + 2];
	struct engine_spec spec;

	begin();
	spec = spec_of("");
	spec.checkpoint = 1;
	check_create(&spec, STATUS_UNIMPLEMENTED, "checkpoint");
	spec = spec_of("");
	spec.stdio[1] = "binary:///bin/logger?a=b";
	check_create(&spec, STATUS_INVALID_ARGUMENT,
	    "stdout \"binary:///bin/logger?a=b\": expected");
	spec.stdio[1] = "relative";
	check_create(&spec, STATUS_INVALID_ARGUMENT, "\"relative\": expected");
	spec.stdio[1] = "file://relative";
	check_create(&spec, STATUS_INVALID_ARGUMENT, "\"file://relative\"");
	spec.stdio[1] = "file:///a%20b";
	check_create(&spec, STATUS_INVALID_ARGUMENT, "without '%'");
	spec.stdio[1] = "file:///log";
	spec.terminal = 1;
	check_create(&spec, STATUS_INVALID_ARGUMENT,
	    "stdout \"file:///log\": a terminal has no file");
	spec = spec_of("");
	spec.stdio[0] = "file:///log";
	check_create(&spec, STATUS_INVALID_ARGUMENT,
	    "stdin \"file:///log\": only output");
	spec = spec_of("");
	memset(long_path, '/', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	spec.stdio[1] = long_path;
	check_create(&spec, STATUS_INVALID_ARGUMENT,
	    "absolute path of a FIFO, of at most 255 bytes");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_refuses_ids_and_bundles_that_do_not_fit);
ATF_TC_BODY(engine_refuses_ids_and_bundles_that_do_not_fit, tc)
{
	static const char too_long[] =
	    "0123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789";
	static const char *const ids[] = { "", "..", "a/b", "a..b", "-a", "ns",
		"overlay", "\xff", too_long };
	static const char *const bundles[] = { "", "c1", "/", "/x/c2", "/x/c1/",
		"/x/xc1" };
	struct engine_spec spec = spec_of("");
	size_t i;

	begin();
	for (i = 0; i < COUNT(ids); i++) {
		spec.id = ids[i];
		check_create(&spec, STATUS_INVALID_ARGUMENT, "id");
	}
	spec = spec_of("");
	for (i = 0; i < COUNT(bundles); i++) {
		spec.bundle = bundles[i];
		check_create(&spec, STATUS_INVALID_ARGUMENT, "bundle");
	}
	ATF_CHECK_EQ(containers, 0);
	end();
}

ATF_TC_WITHOUT_HEAD(engine_takes_an_id_once_and_knows_it_when_it_is_made);
ATF_TC_BODY(engine_takes_an_id_once_and_knows_it_when_it_is_made, tc)
{
	const struct engine_spec spec = spec_of("");
	struct outcome first = { 0 };
	uint64_t request;

	begin();
	engine_create(engine, &spec, on_done, &first);
	request = expect(MSG_CREATE, "", NULL);
	check_create(&spec, STATUS_ALREADY_EXISTS, "c1");
	check_unknown("");
	check_kill("", STATUS_NOT_FOUND, "c1");
	check_start("", STATUS_NOT_FOUND);
	answer(request, 100);
	check_outcome(&first, STATUS_OK, "");
	check_create(&spec, STATUS_ALREADY_EXISTS, "c1");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_forgets_what_the_helper_could_not_create);
ATF_TC_BODY(engine_forgets_what_the_helper_could_not_create, tc)
{
	const struct engine_spec spec = spec_of("");
	struct outcome outcome = { 0 };

	begin();
	engine_create(engine, &spec, on_done, &outcome);
	answer_error(expect(MSG_CREATE, "", NULL), -EINVAL, MSG_STEP_DECODE,
	    "process.cwd is missing");
	check_outcome(&outcome, STATUS_INVALID_ARGUMENT,
	    "decoding the specification: process.cwd is missing");
	check_unknown("");
	ATF_CHECK_EQ(containers, 0);
	create("");
	end();
}

static int
fifo_open(const char *path, int flags)
{
	int fd;

	ATF_REQUIRE(mkfifo(path, 0600) == 0 || errno == EEXIST);
	ATF_REQUIRE((fd = open(path, flags | O_NONBLOCK)) != -1);
	return (fd);
}

/* Both ends of a FIFO of output, as the helper gives them. */
static int
keep(const char *path)
{
	int fd = fifo_open(path, O_RDWR);

	ATF_REQUIRE_EQ(fcntl(fd, F_SETOWN, getpid()), 0);
	return (fd);
}

/* How many bytes of a pipe's writer are still open somewhere. */
static int
at_end(int reader)
{
	char byte;

	return (read(reader, &byte, 1) == 0);
}

ATF_TC_WITHOUT_HEAD(engine_keeps_streams_open_until_they_are_to_end);
ATF_TC_BODY(engine_keeps_streams_open_until_they_are_to_end, tc)
{
	static const char *const paths[] = { FIFO("stdin"), FIFO("stdout"),
		FIFO("stderr") };
	struct engine_spec spec = spec_of("");
	struct outcome made = { 0 }, started = { 0 }, deleted = { 0 };
	struct msg_reply reply = { 0 };
	struct engine_view view;
	struct status status;
	struct msg message;
	uint64_t requests[3];
	int in[2], out, err, i;

	begin();
	ATF_REQUIRE_EQ(pipe2(in, O_NONBLOCK), 0);
	ATF_REQUIRE(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	spec.stdio[0] = paths[0];
	spec.stdio[1] = "fifo://" FIFO("stdout");
	spec.stdio[2] = paths[2];
	engine_create(engine, &spec, on_done, &made);
	answer(expect(MSG_CREATE, "", NULL), 100);
	for (i = 1; i < 3; i++) {
		requests[i] = expect(MSG_STDIO, "", &message);
		ATF_CHECK_EQ((int)message.body.stdio.stream, i);
		ATF_CHECK_STREQ(message.body.stdio.path, paths[i]);
	}
	answer(requests[1], 0);
	ATF_CHECK_EQ(made.calls, 0);
	answer(requests[2], 0);
	check_outcome(&made, STATUS_OK, "");
	ATF_REQUIRE_EQ(engine_state(engine, "c1", "", &view, &status), 0);
	ATF_CHECK_STREQ(view.stdio[1], "fifo://" FIFO("stdout"));
	ATF_CHECK_STREQ(view.bundle, BUNDLE);

	engine_start(engine, "c1", "", on_done, &started);
	reply.request = expect(MSG_STDIO, "", &message);
	ATF_CHECK_EQ(message.body.stdio.stream, MSG_STDIN);
	ATF_CHECK_STREQ(message.body.stdio.path, paths[0]);
	answer_fds(&reply, &in[1], 1);
	ATF_CHECK_EQ(started.calls, 0);
	reply.request = expect(MSG_START, "", NULL);
	reply.pid = 100;
	reply.fds = 3;
	answer_fds(&reply, (const int[]){ keep("out"), keep("err") }, 2);
	check_outcome(&started, STATUS_OK, "");
	out = fifo_open("out", O_WRONLY);
	err = fifo_open("err", O_WRONLY);
	ATF_CHECK_EQ(write(out, "x", 1), 1);
	ATF_CHECK_EQ(write(err, "x", 1), 1);
	ATF_CHECK(!at_end(in[0]));
	ATF_CHECK_EQ(engine_close_stdin(engine, "c1", "", &status), 0);
	ATF_CHECK(at_end(in[0]));
	ATF_CHECK_EQ(engine_close_stdin(engine, "c1", "", &status), 0);
	exited("", 100, 0);
	ATF_CHECK_EQ(write(out, "x", 1), 1);
	engine_delete(engine, "c1", "", on_done, &deleted);
	answer(expect(MSG_DELETE, "", NULL), 0);
	settle_until(loop, &deleted.calls);
	check_outcome(&deleted, STATUS_OK, "");
	ATF_CHECK_EQ(write(out, "x", 1), -1);
	ATF_CHECK_EQ(write(err, "x", 1), -1);
	ATF_CHECK_EQ(lost, 0);
	end();
}

/* A container with a standard input, whose start has asked for that. */
static uint64_t
start_with_input(struct outcome *started)
{
	struct engine_spec spec = spec_of("");
	struct outcome made = { 0 }, again = { 0 };
	uint64_t request;

	spec.stdio[0] = FIFO("stdin");
	engine_create(engine, &spec, on_done, &made);
	answer(expect(MSG_CREATE, "", NULL), 100);
	check_outcome(&made, STATUS_OK, "");
	engine_start(engine, "c1", "", on_done, started);
	request = expect(MSG_STDIO, "", NULL);
	engine_start(engine, "c1", "", on_done, &again);
	check_outcome(&again, STATUS_FAILED_PRECONDITION, "already started");
	ATF_CHECK_EQ(started->calls, 0);
	return (request);
}

ATF_TC_WITHOUT_HEAD(engine_closes_a_standard_input_that_was_to_end_before);
ATF_TC_BODY(engine_closes_a_standard_input_that_was_to_end_before, tc)
{
	struct msg_reply reply = { 0 };
	struct outcome started = { 0 };
	struct status status;
	int ends[2];

	begin();
	ATF_REQUIRE_EQ(pipe2(ends, O_NONBLOCK), 0);
	reply.request = start_with_input(&started);
	ATF_CHECK_EQ(engine_close_stdin(engine, "c1", "", &status), 0);
	answer_fds(&reply, &ends[1], 1);
	ATF_CHECK(at_end(ends[0]));
	answer(expect(MSG_START, "", NULL), 100);
	check_outcome(&started, STATUS_OK, "");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_does_not_start_without_the_standard_input);
ATF_TC_BODY(engine_does_not_start_without_the_standard_input, tc)
{
	struct outcome started = { 0 };

	begin();
	answer_error(start_with_input(&started), -ENOENT, MSG_STEP_STDIO, "");
	check_outcome(&started, STATUS_UNKNOWN,
	    "stdin \"" FIFO("stdin") "\": opening standard input and output");
	check_state("", ENGINE_CREATED);
	expect_nothing();
	end();
}

ATF_TC_WITHOUT_HEAD(engine_does_not_start_what_ends_before_its_input_is_open);
ATF_TC_BODY(engine_does_not_start_what_ends_before_its_input_is_open, tc)
{
	struct outcome deleted = { 0 }, started = { 0 };
	uint64_t request;

	begin();
	request = start_with_input(&started);
	exited("", 100, 137);
	check_state("", ENGINE_STOPPED);
	answer_error(request, -ESRCH, MSG_STEP_REQUEST, "");
	check_outcome(&started, STATUS_FAILED_PRECONDITION, "it has ended");
	remove_it("");

	started.calls = 0;
	request = start_with_input(&started);
	engine_delete(engine, "c1", "", on_done, &deleted);
	answer_error(request, -ESRCH, MSG_STEP_REQUEST, "");
	check_outcome(&started, STATUS_FAILED_PRECONDITION, "it has ended");
	answer(expect(MSG_SIGNAL, "", NULL), 0);
	exited("", 100, 137);
	answer(expect(MSG_DELETE, "", NULL), 0);
	check_outcome(&deleted, STATUS_OK, "");
	ATF_CHECK_EQ(lost, 0);
	end();
}

/* Process 100 has written a byte and closed its output, which is returned. */
static int
start_with_output(void)
{
	struct engine_spec spec = spec_of("");
	struct msg_reply reply = { .pid = 100, .fds = 1 };
	struct outcome outcome = { 0 };
	int kept = keep("stdout"), reader, writer;

	spec.stdio[1] = FIFO("stdout");
	engine_create(engine, &spec, on_done, &outcome);
	answer(expect(MSG_CREATE, "", NULL), 100);
	answer(expect(MSG_STDIO, "", NULL), 0);
	engine_start(engine, "c1", "", on_done, &outcome);
	reply.request = expect(MSG_START, "", NULL);
	answer_fds(&reply, &kept, 1);
	ATF_CHECK_EQ(outcome.calls, 2);
	reader = fifo_open("stdout", O_RDONLY);
	writer = fifo_open("stdout", O_WRONLY);
	ATF_REQUIRE_EQ(write(writer, "x", 1), 1);
	close(writer);
	return (reader);
}

ATF_TC_WITHOUT_HEAD(engine_tells_of_an_end_when_the_output_has_been_read);
ATF_TC_BODY(engine_tells_of_an_end_when_the_output_has_been_read, tc)
{
	struct outcome before = { 0 }, after = { 0 }, deleted = { 0 };
	int reader;
	char byte;

	begin();
	reader = start_with_output();
	engine_wait(engine, "c1", "", on_done, &before);
	exited("", 100, 0);
	check_state("", ENGINE_STOPPED);
	ATF_CHECK(engine_wait(engine, "c1", "", on_done, &after) != NULL);
	engine_delete(engine, "c1", "", on_done, &deleted);
	answer(expect(MSG_DELETE, "", NULL), 0);
	ATF_CHECK_EQ(before.calls + after.calls + deleted.calls, 0);
	ATF_REQUIRE_EQ(read(reader, &byte, 1), 1);
	/* At once: there is nothing else to wait for. */
	settle(loop);
	ATF_CHECK(at_end(reader));
	check_outcome(&before, STATUS_OK, "");
	check_outcome(&after, STATUS_OK, "");
	check_outcome(&deleted, STATUS_OK, "");
	check_unknown("");
	end();
}

/* The end of process 100 is told though nobody has read its output. */
static void
end_unread(void)
{
	struct outcome waited = { 0 };

	begin();
	close(start_with_output());
	engine_wait(engine, "c1", "", on_done, &waited);
	exited("", 100, 3);
	ATF_CHECK_EQ(waited.calls, 0);
	settle_until(loop, &waited.calls);
	check_outcome(&waited, STATUS_OK, "");
	ATF_CHECK_EQ(waited.result.exit_status, 3);
}

/* Only then somebody comes, and finds it all. */
static void
read_late(void)
{
	int reader = fifo_open("stdout", O_RDONLY);
	char byte;

	ATF_REQUIRE_EQ(read(reader, &byte, 1), 1);
	settle(loop);
	ATF_CHECK(at_end(reader));
}

ATF_TC_WITHOUT_HEAD(engine_tells_of_an_end_though_nobody_reads);
ATF_TC_BODY(engine_tells_of_an_end_though_nobody_reads, tc)
{
	end_unread();
	read_late();
	remove_it("");
	end();
}

/* containerd was away; its reader, if any, comes with its deletion. */
static void
check_late_deletion(int is_read)
{
	struct outcome deleted = { 0 };

	end_unread();
	engine_delete(engine, "c1", "", on_done, &deleted);
	answer(expect(MSG_DELETE, "", NULL), 0);
	ATF_CHECK_EQ(deleted.calls, 0);
	if (is_read) {
		read_late();
		ATF_CHECK_EQ(deleted.calls, 1);
	}
	settle_until(loop, &deleted.calls);
	check_outcome(&deleted, STATUS_OK, "");
	check_unknown("");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_deletes_when_the_output_has_been_read);
ATF_TC_BODY(engine_deletes_when_the_output_has_been_read, tc)
{
	check_late_deletion(1);
}

ATF_TC_WITHOUT_HEAD(engine_deletes_though_nobody_reads);
ATF_TC_BODY(engine_deletes_though_nobody_reads, tc)
{
	check_late_deletion(0);
}

ATF_TC_WITHOUT_HEAD(engine_tells_at_once_when_the_helper_dies);
ATF_TC_BODY(engine_tells_at_once_when_the_helper_dies, tc)
{
	struct outcome waited = { 0 };

	begin();
	start_with_output();
	engine_wait(engine, "c1", "", on_done, &waited);
	close(helper.fd);
	settle(loop);
	check_outcome(&waited, STATUS_OK, "");
	ATF_CHECK_EQ(waited.result.exit_status, 137);
	end();
}

/* A start that comes with stderr's reader alone. */
ATF_TC_WITHOUT_HEAD(engine_tells_the_reader_of_stderr_from_that_of_stdout);
ATF_TC_BODY(engine_tells_the_reader_of_stderr_from_that_of_stdout, tc)
{
	struct engine_spec spec = spec_of("");
	struct outcome outcome = { 0 };
	struct msg_reply reply = { .pid = 100, .fds = 2 };
	int err, kept = keep("stderr");

	begin();
	ATF_REQUIRE(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	spec.stdio[2] = FIFO("stderr");
	engine_create(engine, &spec, on_done, &outcome);
	answer(expect(MSG_CREATE, "", NULL), 100);
	answer(expect(MSG_STDIO, "", NULL), 0);
	engine_start(engine, "c1", "", on_done, &outcome);
	reply.request = expect(MSG_START, "", NULL);
	answer_fds(&reply, &kept, 1);
	err = fifo_open("stderr", O_WRONLY);
	ATF_CHECK_EQ(write(err, "x", 1), 1);
	end();
	ATF_CHECK_EQ(write(err, "x", 1), -1);
}

ATF_TC_WITHOUT_HEAD(engine_undoes_a_container_whose_streams_do_not_open);
ATF_TC_BODY(engine_undoes_a_container_whose_streams_do_not_open, tc)
{
	struct engine_spec spec = spec_of("");
	struct outcome outcome = { 0 };
	struct msg message;
	uint64_t first;

	begin();
	spec.stdio[1] = FIFO("stdout");
	spec.stdio[2] = FIFO("stderr");
	engine_create(engine, &spec, on_done, &outcome);
	answer(expect(MSG_CREATE, "", NULL), 100);
	first = expect(MSG_STDIO, "", NULL);
	answer_error(expect(MSG_STDIO, "", NULL), -ENOENT, MSG_STEP_STDIO, "");
	ATF_CHECK_EQ(outcome.calls, 0);
	answer(first, 0);
	answer(expect(MSG_SIGNAL, "", &message), 0);
	ATF_CHECK_EQ(message.body.signal.signo, 9);
	ATF_CHECK_EQ(message.body.signal.all, 1);
	check_unknown("");
	exited("", 100, 137);
	answer(expect(MSG_DELETE, "", NULL), 0);
	check_outcome(&outcome, STATUS_UNKNOWN,
	    "opening standard input and output: No such file or directory");
	check_unknown("");
	ATF_CHECK_EQ(containers, 0);
	end();
}

/* Answers a container whose stderr is a file for logs so. */
static void
check_file(int error, enum status_code code, const char *text)
{
	struct engine_spec spec = spec_of("");
	struct outcome outcome = { 0 };
	struct msg message;
	uint64_t request;

	spec.stdio[2] = "file:///log/a";
	engine_create(engine, &spec, on_done, &outcome);
	answer(expect(MSG_CREATE, "", NULL), 100);
	request = expect(MSG_STDIO, "", &message);
	ATF_CHECK_EQ(message.body.stdio.stream, MSG_STDERR);
	ATF_CHECK_EQ(message.body.stdio.file, 1);
	ATF_CHECK_STREQ(message.body.stdio.path, "/log/a");
	answer_error(request, error, MSG_STEP_STDIO, "");
	answer(expect(MSG_SIGNAL, "", NULL), 0);
	exited("", 100, 137);
	answer(expect(MSG_DELETE, "", NULL), 0);
	check_outcome(&outcome, code, text);
	check_outcome(&outcome, code, "stderr \"file:///log/a\": ");
}

ATF_TC_WITHOUT_HEAD(engine_says_why_a_file_for_logs_is_refused);
ATF_TC_BODY(engine_says_why_a_file_for_logs_is_refused, tc)
{
	begin();
	check_file(-EOPNOTSUPP, STATUS_FAILED_PRECONDITION,
	    "REAPER_LOG_DIR, which is not set");
	check_file(-EXDEV, STATUS_PERMISSION_DENIED,
	    "expected a file below this node's REAPER_LOG_DIR");
	check_file(-EPERM, STATUS_PERMISSION_DENIED, "others than root");
	check_file(-ELOOP, STATUS_INVALID_ARGUMENT, "symbolic link");
	check_file(-ENXIO, STATUS_INVALID_ARGUMENT, "no regular file");
	check_file(-ENOENT, STATUS_UNKNOWN, "No such file or directory");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_sees_an_end_that_comes_amid_the_creation);
ATF_TC_BODY(engine_sees_an_end_that_comes_amid_the_creation, tc)
{
	struct engine_spec spec = spec_of("");
	struct outcome outcome = { 0 };
	uint64_t request;

	begin();
	spec.stdio[1] = FIFO("stdout");
	engine_create(engine, &spec, on_done, &outcome);
	answer(expect(MSG_CREATE, "", NULL), 100);
	request = expect(MSG_STDIO, "", NULL);
	exited("", 100, 137);
	check_unknown("");
	answer(request, 0);
	check_outcome(&outcome, STATUS_OK, "");
	check_state("", ENGINE_STOPPED);
	remove_it("");
	engine_create(engine, &spec, on_done, &outcome);
	answer(expect(MSG_CREATE, "", NULL), 101);
	request = expect(MSG_STDIO, "", NULL);
	exited("", 101, 137);
	outcome.calls = 0;
	answer_error(request, -ESRCH, MSG_STEP_REQUEST, "");
	answer(expect(MSG_DELETE, "", NULL), 0);
	check_outcome(&outcome, STATUS_NOT_FOUND, "");
	check_unknown("");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_kills_what_is_deleted_before_its_start);
ATF_TC_BODY(engine_kills_what_is_deleted_before_its_start, tc)
{
	struct outcome deleted = { 0 }, waited = { 0 };

	begin();
	create("");
	engine_wait(engine, "c1", "", on_done, &waited);
	engine_delete(engine, "c1", "", on_done, &deleted);
	answer(expect(MSG_SIGNAL, "", NULL), 0);
	check_start("", STATUS_FAILED_PRECONDITION);
	check_delete("", STATUS_NOT_FOUND);
	ATF_CHECK_EQ(waited.calls, 0);
	exited("", 100, 137);
	check_outcome(&waited, STATUS_OK, "");
	ATF_CHECK_EQ(waited.result.exit_status, 137);
	ATF_CHECK_EQ(deleted.calls, 0);
	answer(expect(MSG_DELETE, "", NULL), 0);
	check_outcome(&deleted, STATUS_OK, "");
	ATF_CHECK_EQ(deleted.result.exit_status, 137);
	check_unknown("");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_finishes_a_creation_before_it_deletes);
ATF_TC_BODY(engine_finishes_a_creation_before_it_deletes, tc)
{
	const struct engine_spec spec = spec_of("");
	struct outcome made = { 0 }, deleted = { 0 };
	uint64_t request;

	begin();
	engine_create(engine, &spec, on_done, &made);
	request = expect(MSG_CREATE, "", NULL);
	engine_delete(engine, "c1", "", on_done, &deleted);
	expect_nothing();
	answer(request, 100);
	answer(expect(MSG_SIGNAL, "", NULL), 0);
	exited("", 100, 137);
	answer(expect(MSG_DELETE, "", NULL), 0);
	check_outcome(&made, STATUS_ABORTED, "deleted");
	check_outcome(&deleted, STATUS_OK, "");
	check_unknown("");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_hears_of_an_end_that_crosses_the_start);
ATF_TC_BODY(engine_hears_of_an_end_that_crosses_the_start, tc)
{
	struct outcome outcome = { 0 }, waited = { 0 };
	uint64_t request;

	begin();
	create("");
	engine_start(engine, "c1", "", on_done, &outcome);
	request = expect(MSG_START, "", NULL);
	exited("", 100, 137);
	ATF_CHECK_EQ(lost, 0);
	check_state("", ENGINE_STOPPED);
	engine_wait(engine, "c1", "", on_done, &waited);
	check_outcome(&waited, STATUS_OK, "");
	ATF_CHECK_EQ(waited.result.exit_status, 137);
	ATF_CHECK_EQ(outcome.calls, 0);
	answer_error(request, -ESRCH, MSG_STEP_REQUEST, "");
	check_outcome(&outcome, STATUS_NOT_FOUND, "already finished");
	remove_it("");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_releases_waiters_when_a_start_fails);
ATF_TC_BODY(engine_releases_waiters_when_a_start_fails, tc)
{
	struct outcome waited = { 0 }, started = { 0 }, deleted = { 0 };

	begin();
	create("");
	engine_wait(engine, "c1", "", on_done, &waited);
	engine_start(engine, "c1", "", on_done, &started);
	answer_error(expect(MSG_START, "", NULL), -ENOENT, MSG_STEP_EXEC,
	    "/no/such");
	check_outcome(&started, STATUS_INVALID_ARGUMENT,
	    "exec \"/no/such\": no such file or directory");
	check_outcome(&waited, STATUS_OK, "");
	ATF_CHECK_EQ(waited.result.exit_status, 127);
	check_state("", ENGINE_STOPPED);
	check_kill("", STATUS_NOT_FOUND, "process already finished");
	/* The helper has not reaped it yet. */
	engine_delete(engine, "c1", "", on_done, &deleted);
	answer_error(expect(MSG_DELETE, "", NULL), -EBUSY, MSG_STEP_REQUEST,
	    "");
	ATF_CHECK_EQ(deleted.calls, 0);
	exited("", 100, 127);
	answer(expect(MSG_DELETE, "", NULL), 0);
	check_outcome(&deleted, STATUS_OK, "");
	ATF_CHECK_EQ(deleted.result.exit_status, 127);
	ATF_CHECK_EQ(lost, 0);
	end();
}

ATF_TC_WITHOUT_HEAD(engine_says_what_failed_in_one_sentence);
ATF_TC_BODY(engine_says_what_failed_in_one_sentence, tc)
{
	static const struct {
		struct msg_reply reply;
		enum status_code code;
		const char *text;
		uint32_t exit;
	} cases[] = {
		{ { .error = -EACCES, .step = MSG_STEP_EXEC, .text = "/x" },
		    STATUS_INVALID_ARGUMENT, "exec \"/x\": permission denied",
		    126 },
		{ { .error = -ENOENT,
		      .step = MSG_STEP_CWD,
		      .text = "/nowhere" },
		    STATUS_INVALID_ARGUMENT,
		    "changing to working directory \"/nowhere\": "
		    "No such file or directory",
		    1 },
		{ { .error = -EPERM,
		      .step = MSG_STEP_POLICY,
		      .text = "another pod" },
		    STATUS_PERMISSION_DENIED, "refused by policy: another pod",
		    1 },
		{ { .error = -EPERM, .step = MSG_STEP_IDENTITY, .text = "gid" },
		    STATUS_UNKNOWN,
		    "taking the identity: gid: "
		    "Operation not permitted",
		    1 },
		{ { .error = -EMFILE, .step = MSG_STEP_REQUEST },
		    STATUS_RESOURCE_EXHAUSTED,
		    "the pod has too many "
		    "containers and execs",
		    1 },
		{ { .error = -4000, .step = MSG_STEP_MOUNT, .text = "/proc" },
		    STATUS_UNKNOWN, "mounting: /proc: unknown error", 1 },
		{ { .error = -ENOENT,
		      .step = MSG_STEP_EXEC,
		      .text = "a\xff\n\"\xc3\xa4" },
		    STATUS_INVALID_ARGUMENT,
		    "exec \"a??\"\xc3\xa4\": no such file or directory", 127 },
	};
	struct status status;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		status_from_reply(&status, &cases[i].reply);
		ATF_CHECK_EQ(status.code, cases[i].code);
		ATF_CHECK_STREQ(status.text, cases[i].text);
		ATF_CHECK_EQ(status_exit(&cases[i].reply), cases[i].exit);
	}
}

ATF_TC_WITHOUT_HEAD(engine_cuts_long_texts_between_characters);
ATF_TC_BODY(engine_cuts_long_texts_between_characters, tc)
{
	char text[2 * STATUS_TEXT_SIZE] = "x";
	struct status status;
	size_t i;

	for (i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	status_set(&status, STATUS_UNKNOWN, "%s", text);
	ATF_CHECK_EQ(strlen(status.text), STATUS_TEXT_SIZE - 1);
	status_set(&status, STATUS_UNKNOWN, "%s", text + 1);
	ATF_CHECK_EQ(strlen(status.text), STATUS_TEXT_SIZE - 1);
	ATF_CHECK_EQ(status.text[STATUS_TEXT_SIZE - 2], '?');
}

ATF_TC_WITHOUT_HEAD(engine_leads_an_exec_from_exec_to_delete);
ATF_TC_BODY(engine_leads_an_exec_from_exec_to_delete, tc)
{
	struct engine_spec spec = spec_of("e1");
	static struct engine_pid pids[ENGINE_PIDS_MAX];
	struct outcome waited = { 0 };
	struct status status;

	begin();
	create("");
	check_create(&spec, STATUS_FAILED_PRECONDITION, "not running");
	start("");
	create("e1");
	check_state("e1", ENGINE_CREATED);
	check_create(&spec, STATUS_ALREADY_EXISTS, "e1");
	check_kill("e1", STATUS_FAILED_PRECONDITION, "not started");
	engine_wait(engine, "c1", "e1", on_done, &waited);
	ATF_CHECK_EQ(engine_pids(engine, "c1", pids, &status), 1);
	start("e1");
	ATF_CHECK_EQ(engine_pids(engine, "c1", pids, &status), 2);
	ATF_CHECK_EQ(pids[0].pid, 100);
	ATF_CHECK_STREQ(pids[0].exec, "");
	ATF_CHECK_EQ(pids[1].pid, 200);
	ATF_CHECK_STREQ(pids[1].exec, "e1");
	check_delete("e1", STATUS_FAILED_PRECONDITION);
	exited("e1", 200, 7);
	check_outcome(&waited, STATUS_OK, "");
	ATF_CHECK_EQ(waited.result.exit_status, 7);
	check_state("", ENGINE_RUNNING);
	check_state("e1", ENGINE_STOPPED);
	remove_it("e1");
	create("e1");
	remove_it("e1");
	spec.process_size = 0;
	check_create(&spec, STATUS_INVALID_ARGUMENT, "document");
	exited("", 100, 0);
	ATF_CHECK_EQ(engine_pids(engine, "c1", pids, &status), 1);
	ATF_CHECK_EQ(pids[0].pid, 100);
	spec = spec_of("e1");
	check_create(&spec, STATUS_FAILED_PRECONDITION, "not running");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_hands_over_the_process_document_unchanged);
ATF_TC_BODY(engine_hands_over_the_process_document_unchanged, tc)
{
	const struct engine_spec spec = spec_of("e1");
	struct outcome outcome = { 0 };
	char buffer[64] = "";
	int fds[MSG_FDS_MAX];
	struct msg message;

	begin();
	create("");
	start("");
	engine_exec(engine, &spec, on_done, &outcome);
	ATF_REQUIRE_EQ(channel_receive(&helper, &message, fds), 1);
	ATF_REQUIRE_EQ(pread(fds[0], buffer, sizeof(buffer), 0),
	    (ssize_t)strlen(SPEC));
	ATF_CHECK_STREQ(buffer, SPEC);
	ATF_CHECK_EQ(pwrite(fds[0], "x", 1, 0), -1);
	end();
	ATF_CHECK_EQ(outcome.calls, 0);
}

ATF_TC_WITHOUT_HEAD(engine_takes_execs_along_when_a_container_goes);
ATF_TC_BODY(engine_takes_execs_along_when_a_container_goes, tc)
{
	struct outcome waited = { 0 }, deleted = { 0 }, exec = { 0 };
	uint64_t request, late;

	begin();
	create("");
	start("");
	create("e1");
	engine_wait(engine, "c1", "e1", on_done, &waited);
	exited("", 100, 0);
	check_start("e1", STATUS_FAILED_PRECONDITION);
	engine_delete(engine, "c1", "", on_done, &deleted);
	request = expect(MSG_DELETE, "", NULL);
	/* Crosses the deletion of its container. */
	engine_delete(engine, "c1", "e1", on_done, &exec);
	late = expect(MSG_DELETE, "e1", NULL);
	answer(request, 0);
	check_outcome(&deleted, STATUS_OK, "");
	check_outcome(&waited, STATUS_NOT_FOUND, "e1");
	check_outcome(&exec, STATUS_NOT_FOUND, "e1");
	answer_error(late, -ENOENT, MSG_STEP_REQUEST, "");
	ATF_CHECK_EQ(exec.calls, 1);
	ATF_CHECK_EQ(lost, 0);
	end();
}

/* The helper refuses what crossed the container's end; no exit follows. */
ATF_TC_WITHOUT_HEAD(engine_ends_an_exec_whose_start_came_too_late);
ATF_TC_BODY(engine_ends_an_exec_whose_start_came_too_late, tc)
{
	struct outcome started = { 0 }, waited = { 0 };
	uint64_t request;

	begin();
	create("");
	start("");
	create("e1");
	engine_wait(engine, "c1", "e1", on_done, &waited);
	engine_start(engine, "c1", "e1", on_done, &started);
	request = expect(MSG_START, "e1", NULL);
	exited("", 100, 0);
	answer_error(request, -ESRCH, MSG_STEP_REQUEST, "");
	check_outcome(&started, STATUS_NOT_FOUND, "finished");
	check_outcome(&waited, STATUS_OK, "");
	check_state("e1", ENGINE_STOPPED);
	remove_it("e1");
	ATF_CHECK_EQ(lost, 0);
	end();
}

ATF_TC_WITHOUT_HEAD(engine_passes_signals_on_and_answers_what_became_of_them);
ATF_TC_BODY(engine_passes_signals_on_and_answers_what_became_of_them, tc)
{
	struct outcome one = { 0 }, two = { 0 }, bad = { 0 };
	struct outcome zero = { 0 }, gone = { 0 };
	struct msg message;
	uint64_t request;

	begin();
	create("");
	start("");
	create("e1");
	start("e1");
	engine_kill(engine, "c1", "", 15, 1, on_done, &one);
	request = expect(MSG_SIGNAL, "", &message);
	ATF_CHECK_EQ(message.body.signal.signo, 15);
	ATF_CHECK_EQ(message.body.signal.all, 1);
	/* Of an exec, `all` says nothing. */
	engine_kill(engine, "c1", "e1", 9, 1, on_done, &two);
	answer_error(expect(MSG_SIGNAL, "e1", &message), -ESRCH,
	    MSG_STEP_REQUEST, "");
	ATF_CHECK_EQ(message.body.signal.all, 0);
	check_outcome(&two, STATUS_NOT_FOUND, "process already finished");
	ATF_CHECK_EQ(one.calls, 0);
	answer(request, 0);
	check_outcome(&one, STATUS_OK, "");
	engine_kill(engine, "c1", "", 65, 0, on_done, &bad);
	check_outcome(&bad, STATUS_INVALID_ARGUMENT, "1 to 64");
	/* Nobody is asked whether something is there. */
	engine_kill(engine, "c1", "", 0, 0, on_done, &zero);
	check_outcome(&zero, STATUS_OK, "");
	expect_nothing();
	exited("e1", 200, 137);
	exited("", 100, 143);
	engine_kill(engine, "c1", "", 0, 0, on_done, &gone);
	check_outcome(&gone, STATUS_NOT_FOUND, "process already finished");
	end();
}

/*
 * Cgroups.
 */

/* Of container c1. */
static struct cgroup_node node;

/* Answers the next request, which must be for this file. */
static void
serve_one(enum msg_cgroup file)
{
	struct msg message;

	(void)expect(MSG_CGROUP, "", &message);
	ATF_REQUIRE_EQ_MSG(message.body.choice.which, file, "file %u",
	    message.body.choice.which);
	node_answer(&node, &helper, &message);
	settle(loop);
}

/* Answers all requests for files.  Returns those that were asked for. */
static uint32_t
serve_files(void)
{
	struct msg message;
	uint32_t files = 0;
	int fds[MSG_FDS_MAX];

	settle(loop);
	while (channel_receive(&helper, &message, fds) == 1) {
		ATF_REQUIRE_EQ(message.header.op, MSG_CGROUP);
		ATF_CHECK_EQ(files & 1u << message.body.choice.which, 0);
		files |= 1u << message.body.choice.which;
		node_answer(&node, &helper, &message);
		settle(loop);
	}
	return (files);
}

static void
expect_event(enum event_kind kind)
{
	struct msg message;
	uint64_t request = expect(MSG_PUBLISH, "", &message);

	ATF_CHECK_EQ(message.body.choice.which, kind);
	answer(request, 0);
}

/* A container that runs, in a cgroup of this version. */
static void
run_in_cgroup(int v2)
{
	begin();
	create("");
	start("");
	node_init(&node, v2);
}

static void
end_with_cgroup(void)
{
	ATF_CHECK_EQ(lost, 0);
	node_free(&node);
	end();
	ready = 0;
}

static void
freeze(int frozen, struct outcome *outcome)
{
	memset(outcome, 0, sizeof(*outcome));
	engine_freeze(engine, "c1", frozen, on_done, outcome);
}

/* What it answers that is refused at once. */
static void
check_freeze(int frozen, enum status_code code, const char *text)
{
	struct outcome outcome;

	freeze(frozen, &outcome);
	check_outcome(&outcome, code, text);
	expect_nothing();
}

/* A freezer of version 1 that is busy until node_set says otherwise. */
static void
make_slow_freezer(const char *text)
{
	node_make(&node, MSG_CGROUP_FREEZE, text);
	ATF_REQUIRE_EQ(fcntl(node.fds[MSG_CGROUP_FREEZE], F_SETFL, O_APPEND),
	    0);
}

static void
set_freezer(const char *text)
{
	ATF_REQUIRE_EQ(ftruncate(node.fds[MSG_CGROUP_FREEZE], 0), 0);
	ATF_REQUIRE(
	    write(node.fds[MSG_CGROUP_FREEZE], text, strlen(text)) != -1);
}

ATF_TC_WITHOUT_HEAD(engine_freezes_a_container_and_thaws_it);
ATF_TC_BODY(engine_freezes_a_container_and_thaws_it, tc)
{
	const struct engine_spec spec = spec_of("e3");
	struct outcome paused, resumed, killed = { 0 };

	begin();
	node_init(&node, 0);
	make_slow_freezer("FREEZING\n");
	check_freeze(1, STATUS_NOT_FOUND, "c1");
	create("");
	check_freeze(1, STATUS_FAILED_PRECONDITION, "not running");
	start("");
	create("e1");
	start("e1");
	create("e2");
	freeze(0, &resumed);
	ATF_CHECK_EQ(serve_files(),
	    1u << MSG_CGROUP_FREEZE | 1u << MSG_CGROUP_EVENTS);
	check_outcome(&resumed, STATUS_FAILED_PRECONDITION, "not paused");

	freeze(1, &paused);
	ATF_CHECK_EQ(paused.calls, 0);
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_FREEZE),
	    "FREEZING\nFROZEN");
	check_state("", ENGINE_PAUSING);
	check_freeze(1, STATUS_FAILED_PRECONDITION, "paused");
	check_freeze(0, STATUS_FAILED_PRECONDITION, "not paused");
	check_create(&spec, STATUS_FAILED_PRECONDITION, "is paused");
	set_freezer("FROZEN\n");
	settle_until(loop, &paused.calls);
	check_outcome(&paused, STATUS_OK, "");
	expect_event(EVENT_PAUSED);

	check_state("", ENGINE_PAUSED);
	check_state("e1", ENGINE_PAUSED);
	check_state("e2", ENGINE_CREATED);
	check_freeze(1, STATUS_FAILED_PRECONDITION, "paused");
	check_create(&spec, STATUS_FAILED_PRECONDITION, "is paused");
	check_start("e2", STATUS_FAILED_PRECONDITION);
	check_delete("", STATUS_FAILED_PRECONDITION);
	engine_kill(engine, "c1", "", 9, 0, on_done, &killed);
	answer(expect(MSG_SIGNAL, "", NULL), 0);
	check_outcome(&killed, STATUS_OK, "");
	/* Else the signal would wait. */
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_FREEZE), "FROZEN\nTHAWED");

	freeze(0, &resumed);
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_FREEZE),
	    "FROZEN\nTHAWEDTHAWED");
	check_state("", ENGINE_PAUSED);
	check_create(&spec, STATUS_FAILED_PRECONDITION, "is paused");
	set_freezer("THAWED\n");
	settle_until(loop, &resumed.calls);
	check_outcome(&resumed, STATUS_OK, "");
	expect_event(EVENT_RESUMED);
	check_state("", ENGINE_RUNNING);
	check_state("e1", ENGINE_RUNNING);
	start("e2");
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_freezes_at_once_what_the_kernel_does_at_once);
ATF_TC_BODY(engine_freezes_at_once_what_the_kernel_does_at_once, tc)
{
	struct outcome outcome;

	run_in_cgroup(1);
	node_make(&node, MSG_CGROUP_FREEZE, "0\n");
	node_make(&node, MSG_CGROUP_EVENTS, "populated 1\nfrozen 1\n");
	freeze(1, &outcome);
	ATF_CHECK_EQ(outcome.calls, 0);
	serve_one(MSG_CGROUP_FREEZE);
	ATF_CHECK_EQ(outcome.calls, 0);
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_FREEZE), "0\n");
	serve_one(MSG_CGROUP_EVENTS);
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_FREEZE), "1\n");
	check_outcome(&outcome, STATUS_OK, "");
	ATF_CHECK_EQ(outcome.result.pid, 100);
	expect_event(EVENT_PAUSED);
	check_state("", ENGINE_PAUSED);
	node_set(&node, MSG_CGROUP_EVENTS, "populated 1\nfrozen 0\n");
	freeze(0, &outcome);
	check_outcome(&outcome, STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_FREEZE), "0\n");
	expect_event(EVENT_RESUMED);
	check_state("", ENGINE_RUNNING);
	end_with_cgroup();
}

static void
name_host(const char *name)
{
	ATF_REQUIRE_EQ(sethostname(name, strlen(name)), 0);
}

/*
 * The host name of a namespace of the test's own: a file of one line, of whose
 * change the kernel tells as of that of cgroup.events.
 */
ATF_TC(engine_hears_from_the_kernel_that_a_container_is_frozen);
ATF_TC_HEAD(engine_hears_from_the_kernel_that_a_container_is_frozen, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(engine_hears_from_the_kernel_that_a_container_is_frozen, tc)
{
	struct outcome outcome, again;

	ATF_REQUIRE_EQ(unshare(CLONE_NEWUTS), 0);
	name_host("frozen 0");
	run_in_cgroup(1);
	node_make(&node, MSG_CGROUP_FREEZE, "0\n");
	node_give(&node, MSG_CGROUP_EVENTS,
	    open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC));
	freeze(1, &outcome);
	freeze(1, &again);
	serve_files();
	ATF_CHECK_EQ(outcome.calls, 0);
	check_outcome(&again, STATUS_FAILED_PRECONDITION, "is paused");
	check_state("", ENGINE_PAUSING);
	/* Something else has happened. */
	name_host("populated 1");
	settle(loop);
	ATF_CHECK_EQ(outcome.calls, 0);
	name_host("frozen 1");
	settle(loop);
	check_outcome(&outcome, STATUS_OK, "");
	expect_event(EVENT_PAUSED);
	check_state("", ENGINE_PAUSED);
	freeze(0, &outcome);
	ATF_CHECK_EQ(outcome.calls, 0);
	name_host("frozen 0");
	settle(loop);
	check_outcome(&outcome, STATUS_OK, "");
	expect_event(EVENT_RESUMED);
	/* Nobody listens any more. */
	name_host("frozen 1");
	settle(loop);
	check_state("", ENGINE_RUNNING);
	/* And it may end while somebody does. */
	name_host("frozen 0");
	freeze(1, &outcome);
	ATF_CHECK_EQ(outcome.calls, 0);
	exited("", 100, 137);
	check_outcome(&outcome, STATUS_NOT_FOUND, "ended");
	check_state("", ENGINE_STOPPED);
	remove_it("");
	name_host("frozen 1");
	settle(loop);
	ATF_CHECK_EQ(outcome.calls, 1);
	end_with_cgroup();
}

/* Freezes a container that has a freezer of version 1. */
static void
pause_in_v1(void)
{
	struct outcome outcome;

	node_make(&node, MSG_CGROUP_FREEZE, "THAWED\n");
	freeze(1, &outcome);
	serve_one(MSG_CGROUP_FREEZE);
	serve_one(MSG_CGROUP_EVENTS);
	check_outcome(&outcome, STATUS_OK, "");
	expect_event(EVENT_PAUSED);
}

ATF_TC_WITHOUT_HEAD(engine_knows_what_is_frozen_after_a_failure);
ATF_TC_BODY(engine_knows_what_is_frozen_after_a_failure, tc)
{
	struct outcome outcome;

	run_in_cgroup(0);
	pause_in_v1();
	ATF_REQUIRE_EQ(fcntl(node.fds[MSG_CGROUP_FREEZE], F_ADD_SEALS,
			   F_SEAL_WRITE),
	    0);
	check_freeze(0, STATUS_INTERNAL, "not resumed: Operation not");
	check_state("", ENGINE_PAUSED);
	end_with_cgroup();

	run_in_cgroup(1);
	freeze(1, &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_INTERNAL, "not paused: No such file");
	check_state("", ENGINE_RUNNING);
	expect_nothing();
	end_with_cgroup();

	/* One that can be written to, but not waited for. */
	run_in_cgroup(1);
	node_make(&node, MSG_CGROUP_FREEZE, "0\n");
	node_make(&node, MSG_CGROUP_EVENTS, "frozen 0\n");
	freeze(1, &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_INTERNAL, "not paused: Operation not");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_FREEZE), "0\n");
	check_state("", ENGINE_RUNNING);
	node_set(&node, MSG_CGROUP_EVENTS, "frozen 1\n");
	freeze(1, &outcome);
	check_outcome(&outcome, STATUS_OK, "");
	check_state("", ENGINE_PAUSED);
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_lets_a_container_end_while_it_is_frozen);
ATF_TC_BODY(engine_lets_a_container_end_while_it_is_frozen, tc)
{
	struct outcome outcome;

	run_in_cgroup(0);
	make_slow_freezer("FREEZING\n");
	freeze(1, &outcome);
	serve_files();
	check_state("", ENGINE_PAUSING);
	exited("", 100, 137);
	check_state("", ENGINE_STOPPED);
	check_outcome(&outcome, STATUS_NOT_FOUND, "ended");
	check_freeze(0, STATUS_FAILED_PRECONDITION, "not running");
	remove_it("");

	create("");
	start("");
	pause_in_v1();
	exited("", 100, 137);
	check_state("", ENGINE_STOPPED);
	remove_it("");
	create("");
	check_state("", ENGINE_CREATED);
	end_with_cgroup();
}

static void
update(const char *json, struct outcome *outcome)
{
	memset(outcome, 0, sizeof(*outcome));
	engine_update(engine, "c1", json, strlen(json), on_done, outcome);
}

static void
check_update(const char *json, enum status_code code, const char *text)
{
	struct outcome outcome;

	update(json, &outcome);
	check_outcome(&outcome, code, text);
	expect_nothing();
}

/* Remembers the files that it was told. */
static struct engine_stats told;

static void
on_stats(void *arg, const struct engine_result *result)
{
	if (result->status.code == STATUS_OK)
		told = *result->stats;
	on_done(arg, result);
}

static void
stats(struct outcome *outcome)
{
	memset(outcome, 0, sizeof(*outcome));
	memset(&told, 0, sizeof(told));
	engine_stats(engine, "c1", on_stats, outcome);
}

/* The helper answers when the container has ended, or is gone. */
ATF_TC_WITHOUT_HEAD(engine_ends_what_concerns_a_cgroup_that_is_gone);
ATF_TC_BODY(engine_ends_what_concerns_a_cgroup_that_is_gone, tc)
{
	struct outcome frozen, measured, updated, listed = { 0 };
	struct msg messages[MSG_CGROUP_MAX];
	int before, fds[MSG_FDS_MAX], i, n = 0;

	run_in_cgroup(1);
	for (i = 0; i < MSG_CGROUP_MAX; i++)
		node_make(&node, (enum msg_cgroup)i, "1\n");
	before = descriptors();
	freeze(1, &frozen);
	stats(&measured);
	update("{\"pids\":{\"limit\":1},\"cpu\":{\"shares\":2}}", &updated);
	engine_procs(engine, "c1", on_done, &listed);
	settle(loop);
	while (channel_receive(&helper, &messages[n], fds) == 1)
		n++;
	ATF_REQUIRE(n > 4);
	exited("", 100, 0);
	check_outcome(&frozen, STATUS_NOT_FOUND, "ended");
	check_outcome(&measured, STATUS_NOT_FOUND, "ended");
	check_outcome(&updated, STATUS_NOT_FOUND, "ended");
	check_outcome(&listed, STATUS_NOT_FOUND, "ended");
	for (i = 0; i < 2; i++)
		node_answer(&node, &helper, &messages[i]);
	remove_it("");
	for (; i < n; i++)
		node_answer(&node, &helper, &messages[i]);
	settle(loop);
	ATF_CHECK_EQ(descriptors(), before);
	ATF_CHECK_EQ(frozen.calls + measured.calls + updated.calls, 3);
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_FREEZE), "1\n");
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_forgets_what_waits_for_files_when_it_goes);
ATF_TC_BODY(engine_forgets_what_waits_for_files_when_it_goes, tc)
{
	struct outcome frozen, measured, updated;
	int before = descriptors();

	run_in_cgroup(0);
	make_slow_freezer("FREEZING\n");
	freeze(1, &frozen);
	serve_files();
	stats(&measured);
	update("{\"pids\":{\"limit\":1}}", &updated);
	end_with_cgroup();
	ATF_CHECK_EQ(frozen.calls + measured.calls + updated.calls, 0);
	ATF_CHECK_EQ(descriptors(), before);
}

/* Makes the files that these limits have. */
static void
make_limits(uint32_t files)
{
	int i;

	for (i = 0; i < MSG_CGROUP_LIMITS; i++) {
		if ((files & 1u << i) != 0)
			node_make(&node, (enum msg_cgroup)i, "");
	}
}

/* What each limit's file says after an update; NULL: it was not written. */
static void
check_limits(const char *const texts[MSG_CGROUP_LIMITS])
{
	const char *text;
	int i;

	for (i = 0; i < MSG_CGROUP_LIMITS; i++) {
		if (node.fds[i] == -1)
			continue;
		text = node_text(&node, (enum msg_cgroup)i);
		ATF_CHECK_MSG(strcmp(text, texts[i] == NULL ? "" : texts[i]) ==
			0,
		    "file %d: \"%s\"", i, text);
	}
}

#define LIMITS_ALL ((1u << MSG_CGROUP_LIMITS) - 1)
/* What version 1 has, and version 2. */
#define LIMITS_V1                                                          \
	(LIMITS_ALL &                                                      \
	    ~(1u << MSG_CGROUP_MEMORY_HIGH | 1u << MSG_CGROUP_MEMORY_MIN | \
		1u << MSG_CGROUP_OOM_GROUP))
#define LIMITS_V2 (LIMITS_ALL & ~(1u << MSG_CGROUP_CPU_PERIOD))

static const char every_limit[] =
    "{\"cpu\":{\"shares\":1024,\"quota\":50000,\"period\":100000,"
    "\"burst\":7,\"cpus\":\"0-1\",\"mems\":\"0\"},"
    "\"memory\":{\"limit\":4096,\"swap\":12288,\"reservation\":-1},"
    "\"pids\":{\"limit\":-1},\"x\":[],"
    "\"unified\":{\"memory.high\":\"5\",\"memory.min\":\"6\","
    "\"memory.oom.group\":\"1\"}}";

ATF_TC_WITHOUT_HEAD(engine_writes_limits_as_version_1_has_them);
ATF_TC_BODY(engine_writes_limits_as_version_1_has_them, tc)
{
	static const char *const texts[MSG_CGROUP_LIMITS] = {
		[MSG_CGROUP_CPUS] = "0-1",
		[MSG_CGROUP_MEMS] = "0",
		[MSG_CGROUP_CPU_SHARES] = "1024",
		[MSG_CGROUP_CPU_PERIOD] = "100000",
		[MSG_CGROUP_CPU_QUOTA] = "50000",
		[MSG_CGROUP_CPU_BURST] = "7",
		[MSG_CGROUP_MEMORY_LIMIT] = "4096",
		[MSG_CGROUP_SWAP_LIMIT] = "12288",
		[MSG_CGROUP_MEMORY_RESERVATION] = "-1",
		[MSG_CGROUP_PIDS_LIMIT] = "max",
	};
	struct outcome outcome;

	begin();
	node_init(&node, 0);
	make_limits(LIMITS_V1);
	check_update("{}", STATUS_NOT_FOUND, "c1");
	create("");
	update(every_limit, &outcome);
	ATF_CHECK_EQ(outcome.calls, 0);
	ATF_CHECK_EQ(serve_files(), LIMITS_ALL);
	check_outcome(&outcome, STATUS_OK, "");
	check_limits(texts);
	/* From now on nobody is asked; also after the start. */
	start("");
	node_set(&node, MSG_CGROUP_CPU_QUOTA, "");
	check_update("{\"cpu\":{\"quota\":-1}}", STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_CPU_QUOTA), "-1");
	check_update("{\"cpu\":{\"shares\":\"2\"}}", STATUS_INVALID_ARGUMENT,
	    "resources.cpu.shares: \"2\": expected a number");
	check_update("", STATUS_INVALID_ARGUMENT, "resources: not valid JSON");
	check_update("{\"unified\":{}}", STATUS_OK, "");
	exited("", 100, 0);
	check_update(every_limit, STATUS_FAILED_PRECONDITION, "has ended");
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_writes_limits_as_version_2_has_them);
ATF_TC_BODY(engine_writes_limits_as_version_2_has_them, tc)
{
	static const char *const texts[MSG_CGROUP_LIMITS] = {
		[MSG_CGROUP_CPUS] = "0-1",
		[MSG_CGROUP_MEMS] = "0",
		[MSG_CGROUP_CPU_SHARES] = "39",
		[MSG_CGROUP_CPU_QUOTA] = "50000 100000",
		[MSG_CGROUP_CPU_BURST] = "7",
		[MSG_CGROUP_MEMORY_LIMIT] = "4096",
		[MSG_CGROUP_SWAP_LIMIT] = "8192",
		[MSG_CGROUP_MEMORY_RESERVATION] = "max",
		[MSG_CGROUP_MEMORY_HIGH] = "5",
		[MSG_CGROUP_MEMORY_MIN] = "6",
		[MSG_CGROUP_OOM_GROUP] = "1",
		[MSG_CGROUP_PIDS_LIMIT] = "max",
	};
	struct outcome outcome;

	run_in_cgroup(1);
	make_limits(LIMITS_V2);
	update(every_limit, &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_OK, "");
	check_limits(texts);
	end_with_cgroup();
}

/* The quota stays as it is, which version 2 has in the same file. */
ATF_TC_WITHOUT_HEAD(engine_changes_a_period_alone);
ATF_TC_BODY(engine_changes_a_period_alone, tc)
{
	static const char json[] = "{\"cpu\":{\"period\":20000}}";
	struct outcome outcome;

	run_in_cgroup(1);
	node_make(&node, MSG_CGROUP_CPU_SHARES, "");
	node_make(&node, MSG_CGROUP_CPU_QUOTA, "max 10000\n");
	update(json, &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_CPU_QUOTA), "max 20000\n");
	node_set(&node, MSG_CGROUP_CPU_QUOTA, "5000 10000\n");
	check_update(json, STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_CPU_QUOTA), "5000 20000\n");
	/* What the kernel never says. */
	node_set(&node, MSG_CGROUP_CPU_QUOTA, "");
	check_update(json, STATUS_INVALID_ARGUMENT, "cpu.period: \"20000\"");
	end_with_cgroup();

	run_in_cgroup(0);
	make_limits(LIMITS_V1);
	update(json, &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_CPU_PERIOD), "20000");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_CPU_QUOTA), "");
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_names_the_limit_that_is_refused);
ATF_TC_BODY(engine_names_the_limit_that_is_refused, tc)
{
	struct outcome outcome;

	run_in_cgroup(0);
	node_make(&node, MSG_CGROUP_MEMORY_LIMIT, "");
	node_make(&node, MSG_CGROUP_PIDS_LIMIT, "");
	ATF_REQUIRE_EQ(fcntl(node.fds[MSG_CGROUP_MEMORY_LIMIT], F_ADD_SEALS,
			   F_SEAL_WRITE),
	    0);
	update("{\"memory\":{\"limit\":4096},\"pids\":{\"limit\":3}}",
	    &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_INVALID_ARGUMENT,
	    "memory.limit: \"4096\": the kernel says: Operation not permitted");
	/* The others are set. */
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_PIDS_LIMIT), "3");
	update("{\"memory\":{\"limit\":4096,\"swap\":-1}}", &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_INVALID_ARGUMENT,
	    "memory.swap: \"-1\": the kernel says: No such file or directory");
	/* Version 1 has no such limit at all. */
	update("{\"unified\":{\"memory.high\":\"1\"}}", &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_OK, "");
	end_with_cgroup();

	run_in_cgroup(1);
	node_make(&node, MSG_CGROUP_MEMORY_LIMIT, "");
	node_make(&node, MSG_CGROUP_CPU_SHARES, "");
	update("{\"memory\":{\"limit\":4096,\"swap\":-1}}", &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_INVALID_ARGUMENT,
	    "memory.swap: \"max\": the kernel says: No such file or directory");
	update("{\"unified\":{\"memory.oom.group\":\"1\"}}", &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_INVALID_ARGUMENT,
	    "unified.memory.oom.group: \"1\": the kernel says: No such file");
	update("{\"cpu\":{\"quota\":-1}}", &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_INVALID_ARGUMENT,
	    "cpu.quota: \"max\": the kernel says: No such file");
	end_with_cgroup();

	/* Without a controller there is neither version. */
	run_in_cgroup(1);
	update("{\"unified\":{\"memory.min\":\"1\"}}", &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_INVALID_ARGUMENT,
	    "unified.memory.min: \"1\": the kernel says: No such file");
	end_with_cgroup();
}

static void
sysctl_set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

#define PORTS "/proc/sys/net/ipv4/ip_local_port_range"
#define FIRST "/proc/sys/net/ipv4/ip_unprivileged_port_start"

/*
 * Two files of the kernel, in a namespace of the test's own, of which the
 * first refuses a value until the second has a lower one.
 */
ATF_TC(engine_tries_again_what_depends_on_another_limit);
ATF_TC_HEAD(engine_tries_again_what_depends_on_another_limit, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(engine_tries_again_what_depends_on_another_limit, tc)
{
	struct outcome outcome;

	ATF_REQUIRE_EQ(unshare(CLONE_NEWNET), 0);
	sysctl_set(PORTS, "32768 60999");
	sysctl_set(FIRST, "5000");
	run_in_cgroup(1);
	node_make(&node, MSG_CGROUP_CPU_SHARES, "");
	node_give(&node, MSG_CGROUP_CPU_QUOTA, open(PORTS, O_RDWR | O_CLOEXEC));
	node_give(&node, MSG_CGROUP_MEMORY_LIMIT,
	    open(FIRST, O_RDWR | O_CLOEXEC));
	update("{\"cpu\":{\"quota\":2000,\"period\":60000},"
	       "\"memory\":{\"limit\":6000}}",
	    &outcome);
	serve_files();
	check_outcome(&outcome, STATUS_INVALID_ARGUMENT,
	    "cpu.quota: \"2000 60000\": the kernel says: Invalid argument");
	check_update("{\"cpu\":{\"quota\":2000,\"period\":60000},"
		     "\"memory\":{\"limit\":1500}}",
	    STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_CPU_QUOTA),
	    "2000\t60000\n");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_MEMORY_LIMIT), "1500\n");
	end_with_cgroup();
}

/* Also where the second needs nothing that the first waits for. */
ATF_TC_WITHOUT_HEAD(engine_keeps_the_order_of_what_concerns_the_same_file);
ATF_TC_BODY(engine_keeps_the_order_of_what_concerns_the_same_file, tc)
{
	struct outcome first, second, third, measured;

	run_in_cgroup(0);
	node_make(&node, MSG_CGROUP_PIDS_LIMIT, "");
	node_make(&node, MSG_CGROUP_CPU_SHARES, "");
	update("{\"pids\":{\"limit\":1}}", &first);
	update("{\"pids\":{\"limit\":2}}", &second);
	serve_one(MSG_CGROUP_PIDS_LIMIT);
	check_outcome(&first, STATUS_OK, "");
	check_outcome(&second, STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_PIDS_LIMIT), "2");

	update("{\"pids\":{\"limit\":3},\"cpu\":{\"shares\":9}}", &first);
	update("{\"pids\":{\"limit\":4}}", &second);
	ATF_CHECK_EQ(first.calls + second.calls, 0);
	update("{}", &third);
	check_outcome(&third, STATUS_OK, "");
	serve_one(MSG_CGROUP_CPU_SHARES);
	check_outcome(&first, STATUS_OK, "");
	check_outcome(&second, STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_PIDS_LIMIT), "4");
	/* And a failure of the first lets the second go on. */
	update("{\"pids\":{\"limit\":5},\"cpu\":{\"burst\":9}}", &first);
	update("{\"pids\":{\"limit\":6}}", &second);
	answer_error(expect(MSG_CGROUP, "", NULL), -EMFILE, MSG_STEP_REQUEST,
	    "");
	check_outcome(&first, STATUS_RESOURCE_EXHAUSTED, "");
	check_outcome(&second, STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_PIDS_LIMIT), "6");
	/* It may be there the next time. */
	node_make(&node, MSG_CGROUP_CPU_BURST, "");
	update("{\"cpu\":{\"burst\":9}}", &first);
	stats(&measured);
	serve_one(MSG_CGROUP_CPU_BURST);
	check_outcome(&first, STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_CPU_BURST), "9");
	ATF_CHECK_EQ(measured.calls, 0);
	end_with_cgroup();
}

/* All that are read for statistics. */
#define STATISTICS                                                            \
	((1u << MSG_CGROUP_MAX) - (1u << MSG_CGROUP_PROCS) +                  \
	    (1u << MSG_CGROUP_MEMORY_LIMIT) + (1u << MSG_CGROUP_SWAP_LIMIT) + \
	    (1u << MSG_CGROUP_PIDS_LIMIT))

ATF_TC_WITHOUT_HEAD(engine_asks_for_the_files_of_a_cgroup_once);
ATF_TC_BODY(engine_asks_for_the_files_of_a_cgroup_once, tc)
{
	struct outcome first, second = { 0 }, third, killed = { 0 };
	char text[8] = "";
	int before, i;

	run_in_cgroup(1);
	node_make(&node, MSG_CGROUP_PROCS, "100\n");
	node_make(&node, MSG_CGROUP_CPU, "cpu");
	node_make(&node, MSG_CGROUP_PIDS, "pids");
	node_make(&node, MSG_CGROUP_PIDS_LIMIT, "limit");
	before = descriptors();
	stats(&first);
	engine_stats(engine, "c1", on_stats, &second);
	/* Nobody else waits for the answer. */
	check_state("", ENGINE_RUNNING);
	engine_kill(engine, "c1", "", 0, 0, on_done, &killed);
	check_outcome(&killed, STATUS_OK, "");
	ATF_CHECK_EQ(first.calls + second.calls, 0);
	ATF_CHECK_EQ(serve_files(), STATISTICS);
	check_outcome(&first, STATUS_OK, "");
	check_outcome(&second, STATUS_OK, "");
	stats(&third);
	check_outcome(&third, STATUS_OK, "");
	expect_nothing();
	ATF_CHECK_EQ(told.v2, 1);
	for (i = 0; i < MSG_CGROUP_MAX; i++)
		ATF_CHECK_EQ(told.fds[i] != -1, node.fds[i] != -1);
	ATF_CHECK_EQ(pread(told.fds[MSG_CGROUP_PIDS], text, 8, 0), 4);
	ATF_CHECK_STREQ(text, "pids");
	ATF_CHECK_EQ(descriptors(), before + 4);
	/* What it knows serves others too. */
	check_update("{\"pids\":{\"limit\":7}}", STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_PIDS_LIMIT), "7imit");
	exited("", 100, 0);
	ATF_CHECK_EQ(descriptors(), before);
	stats(&third);
	check_outcome(&third, STATUS_NOT_FOUND, "ended");
	expect_nothing();
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_hands_over_every_file_in_its_place);
ATF_TC_BODY(engine_hands_over_every_file_in_its_place, tc)
{
	struct outcome outcome;
	char text[2] = "a", c;
	int i;

	run_in_cgroup(0);
	for (i = 0; i < MSG_CGROUP_MAX; i++) {
		text[0] = (char)('a' + i);
		node_make(&node, (enum msg_cgroup)i, text);
	}
	stats(&outcome);
	ATF_CHECK_EQ(serve_files(), STATISTICS);
	check_outcome(&outcome, STATUS_OK, "");
	ATF_CHECK_EQ(told.v2, 0);
	for (i = 0; i < MSG_CGROUP_MAX; i++) {
		if ((STATISTICS & 1u << i) == 0) {
			ATF_CHECK_EQ(told.fds[i], -1);
			continue;
		}
		ATF_CHECK_EQ(pread(told.fds[i], &c, 1, 0), 1);
		ATF_CHECK_EQ(c, 'a' + i);
	}
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_knows_when_there_is_no_cgroup);
ATF_TC_BODY(engine_knows_when_there_is_no_cgroup, tc)
{
	struct outcome outcome;

	begin();
	node_init(&node, 0);
	stats(&outcome);
	check_outcome(&outcome, STATUS_NOT_FOUND, "c1");
	create("");
	stats(&outcome);
	/* Not in this state: that may change. */
	answer_error(expect(MSG_CGROUP, "", NULL), -EBUSY, MSG_STEP_REQUEST,
	    "");
	check_outcome(&outcome, STATUS_FAILED_PRECONDITION, "present state");
	(void)serve_files();
	stats(&outcome);
	(void)serve_files();
	check_outcome(&outcome, STATUS_NOT_FOUND, "no cgroup");
	stats(&outcome);
	check_outcome(&outcome, STATUS_NOT_FOUND, "no cgroup");
	expect_nothing();
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_waits_for_files_no_longer_than_its_patience);
ATF_TC_BODY(engine_waits_for_files_no_longer_than_its_patience, tc)
{
	struct outcome first, second, third;

	run_in_cgroup(1);
	node_make(&node, MSG_CGROUP_PROCS, "");
	node_make(&node, MSG_CGROUP_PIDS_LIMIT, "");
	stats(&first);
	settle_until(loop, &first.calls);
	check_outcome(&first, STATUS_UNAVAILABLE, "has not answered within");
	/* Each has its own. */
	update("{\"pids\":{\"limit\":3}}", &second);
	settle(loop);
	ATF_CHECK_EQ(second.calls, 0);
	/* What comes late is not lost, and was asked for once. */
	ATF_CHECK_EQ(serve_files(), STATISTICS);
	check_outcome(&second, STATUS_OK, "");
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_PIDS_LIMIT), "3");
	stats(&third);
	check_outcome(&third, STATUS_OK, "");
	expect_nothing();
	ATF_CHECK_EQ(first.calls, 1);
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_fails_what_waits_for_files_with_the_helper);
ATF_TC_BODY(engine_fails_what_waits_for_files_with_the_helper, tc)
{
	struct outcome frozen, measured, after;

	run_in_cgroup(0);
	make_slow_freezer("FREEZING\n");
	freeze(1, &frozen);
	serve_files();
	stats(&measured);
	close(helper.fd);
	settle(loop);
	ATF_CHECK_EQ(lost, 1);
	check_outcome(&measured, STATUS_UNAVAILABLE, "helper");
	check_outcome(&frozen, STATUS_NOT_FOUND, "ended");
	check_state("", ENGINE_STOPPED);
	stats(&after);
	check_outcome(&after, STATUS_NOT_FOUND, "ended");
	lost = 0;
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_lists_all_processes_of_a_cgroup);
ATF_TC_BODY(engine_lists_all_processes_of_a_cgroup, tc)
{
	static struct engine_pid pids[ENGINE_PIDS_MAX];
	static char text[16384];
	struct outcome outcome = { 0 };
	struct status status;
	size_t length, i, n;

	run_in_cgroup(0);
	create("e1");
	start("e1");
	/* More than one piece of the reader's; one is out of our sight. */
	strcpy(text, "0\n100\n200\n");
	length = strlen(text);
	for (i = 0; i < 2000; i++)
		length += (size_t)sprintf(text + length, "%zu\n", 1000 + i);
	node_make(&node, MSG_CGROUP_PROCS, text);
	engine_procs(engine, "c1", on_done, &outcome);
	ATF_CHECK_EQ(serve_files(), 1u << MSG_CGROUP_PROCS);
	check_outcome(&outcome, STATUS_OK, "");
	n = engine_pids(engine, "c1", pids, &status);
	ATF_REQUIRE_EQ_MSG(n, 2002, "%zu processes", n);
	ATF_CHECK_EQ(pids[0].pid, 100);
	ATF_CHECK_STREQ(pids[0].exec, "");
	ATF_CHECK_EQ(pids[1].pid, 200);
	ATF_CHECK_STREQ(pids[1].exec, "e1");
	for (i = 0; i < 2000; i++) {
		ATF_CHECK_EQ(pids[2 + i].pid, 1000 + i);
		ATF_CHECK_STREQ(pids[2 + i].exec, "");
	}
	exited("e1", 200, 0);
	exited("", 100, 0);
	ATF_CHECK_EQ(engine_pids(engine, "c1", pids, &status), 1);
	ATF_CHECK_EQ(pids[0].pid, 100);
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_never_says_that_a_container_has_no_process);
ATF_TC_BODY(engine_never_says_that_a_container_has_no_process, tc)
{
	static struct engine_pid pids[ENGINE_PIDS_MAX];
	struct outcome outcome = { 0 };
	struct status status;

	run_in_cgroup(0);
	node_make(&node, MSG_CGROUP_PROCS, "");
	engine_procs(engine, "c1", on_done, &outcome);
	serve_one(MSG_CGROUP_PROCS);
	check_outcome(&outcome, STATUS_OK, "");
	ATF_CHECK_EQ(engine_pids(engine, "c1", pids, &status), 1);
	ATF_CHECK_EQ(pids[0].pid, 100);
	end_with_cgroup();
}

ATF_TC_WITHOUT_HEAD(engine_serves_any_number_of_waiters_and_forgets_some);
ATF_TC_BODY(engine_serves_any_number_of_waiters_and_forgets_some, tc)
{
	static struct outcome outcomes[1000];
	struct engine_waiter *waiters[1000];
	size_t i;

	begin();
	create("");
	for (i = 0; i < COUNT(outcomes); i++)
		waiters[i] =
		    engine_wait(engine, "c1", "", on_done, &outcomes[i]);
	for (i = 0; i < COUNT(outcomes); i += 3)
		engine_unwait(waiters[i]);
	start("");
	exited("", 100, 3);
	for (i = 0; i < COUNT(outcomes); i++)
		ATF_CHECK_EQ(outcomes[i].calls, i % 3 != 0);
	end();
}

ATF_TC_WITHOUT_HEAD(engine_has_a_bounded_number_of_requests_at_the_helper);
ATF_TC_BODY(engine_has_a_bounded_number_of_requests_at_the_helper, tc)
{
	static struct outcome outcomes[ENGINE_KILLS_MAX + 1];
	size_t i, seen;
	uint64_t first;

	begin();
	create("");
	for (i = 0; i < COUNT(outcomes); i++)
		engine_kill(engine, "c1", "", 1, 0, on_done, &outcomes[i]);
	check_outcome(&outcomes[ENGINE_KILLS_MAX], STATUS_RESOURCE_EXHAUSTED,
	    "signals");
	first = expect(MSG_SIGNAL, "", NULL);
	for (seen = 1; seen < PRIV_FLIGHT_MAX; seen++)
		expect(MSG_SIGNAL, "", NULL);
	expect_nothing();
	for (i = 0; i < ENGINE_KILLS_MAX; i++) {
		answer(first + i, 0);
		if (seen++ < ENGINE_KILLS_MAX)
			expect(MSG_SIGNAL, "", NULL);
		check_outcome(&outcomes[i], STATUS_OK, "");
	}
	expect_nothing();
	end();
}

ATF_TC_WITHOUT_HEAD(engine_has_a_bounded_number_of_processes);
ATF_TC_BODY(engine_has_a_bounded_number_of_processes, tc)
{
	static struct outcome outcomes[ENGINE_PROCESSES_MAX];
	struct engine_spec spec = spec_of("");
	char id[16], bundle[32];
	int i;

	begin();
	for (i = 0; i < ENGINE_PROCESSES_MAX; i++) {
		snprintf(id, sizeof(id), "n%d", i);
		snprintf(bundle, sizeof(bundle), "/b/n%d", i);
		spec.id = id;
		spec.bundle = bundle;
		engine_create(engine, &spec, on_done, &outcomes[i]);
		ATF_REQUIRE_EQ(outcomes[i].calls, 0);
	}
	spec = spec_of("");
	engine_create(engine, &spec, on_done, &outcomes[0]);
	check_outcome(&outcomes[0], STATUS_RESOURCE_EXHAUSTED, "256");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_reports_all_as_killed_when_the_helper_dies);
ATF_TC_BODY(engine_reports_all_as_killed_when_the_helper_dies, tc)
{
	const struct engine_spec spec = { .id = "c2",
		.exec = "",
		.bundle = "/b/c2",
		.stdio = { "", "", "" } };
	struct outcome waited = { 0 }, exec = { 0 }, made = { 0 };
	struct outcome killed = { 0 }, started = { 0 }, after = { 0 };

	begin();
	create("");
	start("");
	create("e1");
	engine_wait(engine, "c1", "", on_done, &waited);
	engine_wait(engine, "c1", "e1", on_done, &exec);
	engine_create(engine, &spec, on_done, &made);
	engine_kill(engine, "c1", "", 15, 0, on_done, &killed);
	engine_start(engine, "c1", "e1", on_done, &started);
	close(helper.fd);
	settle(loop);
	ATF_CHECK_EQ(lost, 1);
	check_outcome(&waited, STATUS_OK, "");
	ATF_CHECK_EQ(waited.result.exit_status, 137);
	ATF_CHECK(waited.result.exited_at.tv_sec > 1700000000);
	check_outcome(&exec, STATUS_OK, "");
	ATF_CHECK_EQ(exec.result.exit_status, 137);
	check_outcome(&made, STATUS_UNAVAILABLE, "helper");
	check_outcome(&killed, STATUS_UNAVAILABLE, "helper");
	check_outcome(&started, STATUS_UNAVAILABLE, "helper");
	check_state("", ENGINE_STOPPED);
	engine_create(engine, &spec, on_done, &after);
	check_outcome(&after, STATUS_UNAVAILABLE, "helper");
	after.calls = 0;
	engine_delete(engine, "c1", "", on_done, &after);
	check_outcome(&after, STATUS_UNAVAILABLE, "helper");
	settle(loop);
	ATF_CHECK_EQ(lost, 1);
	end();
}

/* What it has said before its death counts, even if we say something. */
ATF_TC_WITHOUT_HEAD(engine_hears_the_last_words_of_a_helper);
ATF_TC_BODY(engine_hears_the_last_words_of_a_helper, tc)
{
	const struct msg_exited message = { .ref.id = "c1",
		.pid = 100,
		.status = 3,
		.seconds = 1700000000 };
	struct outcome waited = { 0 }, killed = { 0 };

	begin();
	create("");
	start("");
	engine_wait(engine, "c1", "", on_done, &waited);
	engine_kill(engine, "c1", "", 1, 0, on_done, &killed);
	ATF_REQUIRE_EQ(channel_send(&helper, MSG_EXITED, &message,
			   sizeof(message), NULL, 0),
	    0);
	close(helper.fd);
	engine_kill(engine, "c1", "", 1, 0, on_done, &killed);
	settle(loop);
	check_outcome(&waited, STATUS_OK, "");
	ATF_CHECK_EQ(waited.result.exit_status, 3);
	ATF_CHECK_EQ(killed.calls, 2);
	ATF_CHECK_EQ(lost, 1);
	end();
}

/*
 * Terminals.  The other ends are the test's: of the process the slave, of
 * containerd the typist and the screen.
 */

static int slave, typist, screen;

static void
answer_with(uint64_t request, uint32_t pid, uint32_t bits, int first,
    int second)
{
	const struct msg_reply reply = { .request = request,
		.pid = pid,
		.fds = bits };

	answer_fds(&reply, (const int[]){ first, second },
	    (uint32_t)(first != -1) + (second != -1));
}

/* A new pty: returns its master, opened with these flags. */
static int
pty_open(int flags)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | flags);

	ATF_REQUIRE(fd != -1 && grantpt(fd) == 0 && unlockpt(fd) == 0);
	slave = open(ptsname(fd), O_RDWR | O_NOCTTY | O_NONBLOCK);
	ATF_REQUIRE(slave != -1);
	return (fd);
}

static struct engine_spec
terminal_spec(const char *exec)
{
	struct engine_spec spec = spec_of(exec);

	spec.terminal = 1;
	spec.stdio[0] = FIFO("stdin");
	spec.stdio[1] = FIFO("stdout");
	spec.stdio[2] = FIFO("stderr");
	return (spec);
}

/* Answers what is asked for the streams of a process with a terminal. */
static void
answer_streams(const char *exec)
{
	struct msg message;
	uint64_t request;
	int reader;

	request = expect(MSG_STDIO, exec, &message);
	ATF_CHECK_EQ(message.body.stdio.stream, MSG_STDIN);
	reader = fifo_open("stdin", O_RDONLY);
	typist = fifo_open("stdin", O_WRONLY);
	answer_with(request, 0, 0, fifo_open("stdin", O_WRONLY), reader);
	request = expect(MSG_STDIO, exec, &message);
	ATF_CHECK_EQ(message.body.stdio.stream, MSG_STDOUT);
	answer_with(request, 0, 0, keep("stdout"), -1);
	screen = fifo_open("stdout", O_RDONLY);
	expect_nothing();
}

/* Container c1 or exec e1, as create() and start() do. */
static void
create_terminal(const char *exec)
{
	const struct engine_spec spec = terminal_spec(exec);
	struct outcome outcome = { 0 };

	if (exec[0] == '\0') {
		engine_create(engine, &spec, on_done, &outcome);
		answer_with(expect(MSG_CREATE, "", NULL), 100, MSG_FDS_TERMINAL,
		    pty_open(O_NONBLOCK), -1);
	} else {
		engine_exec(engine, &spec, on_done, &outcome);
		answer(expect(MSG_EXEC, exec, NULL), 0);
	}
	ATF_CHECK_EQ(outcome.calls, 0);
	answer_streams(exec);
	check_outcome(&outcome, STATUS_OK, "");
}

static void
start_terminal(const char *exec)
{
	struct outcome outcome = { 0 };
	uint64_t request;

	if (exec[0] == '\0') {
		start("");
		return;
	}
	engine_start(engine, "c1", exec, on_done, &outcome);
	request = expect(MSG_START, exec, NULL);
	answer_with(request, 200, MSG_FDS_TERMINAL, pty_open(O_NONBLOCK), -1);
	check_outcome(&outcome, STATUS_OK, "");
}

/* This, and no more, comes in the end. */
static void
check_arrives(int to, const char *text)
{
	struct loop_timer timer = { 0 };
	char buffer[64] = "";
	size_t n = 0;
	ssize_t got;

	while (n < strlen(text)) {
		loop_timer_set(loop, &timer, 1, settle_stop, loop);
		ATF_REQUIRE_EQ(loop_run(loop), 0);
		got = read(to, buffer + n, sizeof(buffer) - 1 - n);
		ATF_REQUIRE(got > 0 || errno == EAGAIN);
		n += got > 0 ? (size_t)got : 0;
	}
	ATF_CHECK_STREQ(buffer, text);
}

static void
check_resize(const char *exec, uint32_t width, uint32_t height,
    enum status_code code)
{
	struct status status = { .code = STATUS_OK };
	int error;

	error = engine_resize(engine, "c1", exec, width, height, &status);
	ATF_CHECK_EQ(error, code == STATUS_OK ? 0 : -1);
	ATF_CHECK_EQ(status.code, code);
}

/* All processes that have the slave were hung up. */
static void
check_hung_up(void)
{
	ATF_CHECK_EQ(write(slave, "x", 1), -1);
	ATF_CHECK_EQ(errno, EIO);
}

/* From create() to the end of e1 or c1, and its deletion. */
static void
check_terminal(const char *exec, uint32_t pid)
{
	struct outcome waited = { 0 };
	struct engine_view view;
	struct status status;

	create_terminal(exec);
	ATF_REQUIRE_EQ(engine_state(engine, "c1", exec, &view, &status), 0);
	ATF_CHECK_EQ(view.terminal, 1);
	check_resize(exec, 80, 25, STATUS_OK);
	start_terminal(exec);
	window_check(slave, 80, 25);
	ATF_REQUIRE_EQ(write(slave, "said", 4), 4);
	check_arrives(screen, "said");
	ATF_REQUIRE_EQ(write(typist, "typed\n", 6), 6);
	check_arrives(slave, "typed\n");
	/* Its echo. */
	check_arrives(screen, "typed\r\n");
	check_resize(exec, 65535, 1, STATUS_OK);
	window_check(slave, 65535, 1);
	ATF_CHECK_EQ(engine_close_stdin(engine, "c1", exec, &status), 0);
	engine_wait(engine, "c1", exec, on_done, &waited);
	ATF_REQUIRE_EQ(write(slave, "x", 1), 1);
	exited(exec, pid, 3);
	ATF_CHECK_EQ(waited.calls, 0);
	check_state(exec, ENGINE_STOPPED);
	check_resize(exec, 80, 25, STATUS_FAILED_PRECONDITION);
	ATF_CHECK(!at_end(screen));
	settle_until(loop, &waited.calls);
	ATF_CHECK(at_end(screen));
	remove_it(exec);
	check_hung_up();
	ATF_CHECK_EQ(lost, 0);
}

ATF_TC_WITHOUT_HEAD(engine_leads_a_terminal_from_create_to_delete);
ATF_TC_BODY(engine_leads_a_terminal_from_create_to_delete, tc)
{
	begin();
	check_terminal("", 100);
	end();
}

ATF_TC_WITHOUT_HEAD(engine_leads_the_terminal_of_an_exec_like_a_container_s);
ATF_TC_BODY(engine_leads_the_terminal_of_an_exec_like_a_container_s, tc)
{
	begin();
	create("");
	start("");
	check_terminal("e1", 200);
	end();
}

ATF_TC_WITHOUT_HEAD(engine_resizes_what_is_a_terminal_and_runs);
ATF_TC_BODY(engine_resizes_what_is_a_terminal_and_runs, tc)
{
	begin();
	check_resize("", 80, 25, STATUS_NOT_FOUND);
	create("");
	check_resize("", 80, 25, STATUS_OK);
	start("");
	check_resize("", 80, 25, STATUS_OK);
	check_resize("", 65536, 25, STATUS_INVALID_ARGUMENT);
	check_resize("e1", 80, 25, STATUS_NOT_FOUND);
	create_terminal("e1");
	check_resize("e1", 80, 65536, STATUS_INVALID_ARGUMENT);
	check_resize("e1", 80, UINT32_MAX, STATUS_INVALID_ARGUMENT);
	check_resize("e1", 0, 0, STATUS_OK);
	exited("", 100, 0);
	check_resize("", 80, 25, STATUS_FAILED_PRECONDITION);
	end();
}

/* Of a terminal we hold a writer: if it went late, nobody would read an end. */
ATF_TC_WITHOUT_HEAD(engine_ends_the_output_of_a_terminal_that_never_ran);
ATF_TC_BODY(engine_ends_the_output_of_a_terminal_that_never_ran, tc)
{
	const struct engine_spec spec = terminal_spec("");
	struct outcome started = { 0 }, made = { 0 };
	uint64_t request;

	begin();
	create_terminal("");
	ATF_CHECK(!at_end(screen));
	engine_start(engine, "c1", "", on_done, &started);
	answer_error(expect(MSG_START, "", NULL), -ENOENT, MSG_STEP_EXEC, "x");
	ATF_CHECK(at_end(screen));
	exited("", 100, 127);
	remove_it("");

	engine_create(engine, &spec, on_done, &made);
	request = expect(MSG_CREATE, "", NULL);
	answer_with(request, 100, MSG_FDS_TERMINAL, pty_open(O_NONBLOCK), -1);
	exited("", 100, 137);
	answer_streams("");
	check_outcome(&made, STATUS_OK, "");
	ATF_CHECK(at_end(screen));
	remove_it("");
	ATF_CHECK_EQ(lost, 0);
	end();
}

/* Fills the FIFO and the pty; returns how much that was. */
static size_t
overfill(void)
{
	struct loop_timer timer = { 0 };
	char bytes[1000];
	size_t done = 0;
	ssize_t n;
	int failures = 0;

	memset(bytes, 'x', sizeof(bytes));
	while (failures < 20) {
		if ((n = write(slave, bytes, sizeof(bytes))) > 0)
			done += (size_t)n;
		failures = n > 0 ? 0 : failures + 1;
		loop_timer_set(loop, &timer, 1, settle_stop, loop);
		ATF_REQUIRE_EQ(loop_run(loop), 0);
	}
	return (done);
}

ATF_TC_WITHOUT_HEAD(engine_keeps_the_output_of_a_terminal_till_it_is_read);
ATF_TC_BODY(engine_keeps_the_output_of_a_terminal_till_it_is_read, tc)
{
	static char bytes[65536];
	struct loop_timer timer = { 0 };
	struct outcome waited = { 0 };
	size_t said, shown = 0;
	ssize_t n;

	begin();
	create_terminal("");
	start("");
	said = overfill();
	close(screen);
	close(slave);
	engine_wait(engine, "c1", "", on_done, &waited);
	exited("", 100, 3);
	ATF_CHECK_EQ(waited.calls, 0);
	settle_until(loop, &waited.calls);
	ATF_CHECK_EQ(waited.result.exit_status, 3);
	/* Only then somebody comes to read. */
	screen = fifo_open("stdout", O_RDONLY);
	while ((n = read(screen, bytes, sizeof(bytes))) != 0) {
		ATF_REQUIRE(n > 0 || errno == EAGAIN);
		shown += n > 0 ? (size_t)n : 0;
		loop_timer_set(loop, &timer, 1, settle_stop, loop);
		ATF_REQUIRE_EQ(loop_run(loop), 0);
	}
	ATF_CHECK_EQ(shown, said);
	remove_it("");
	end();
}

ATF_TC_WITHOUT_HEAD(engine_deletes_a_terminal_though_nobody_reads);
ATF_TC_BODY(engine_deletes_a_terminal_though_nobody_reads, tc)
{
	struct outcome deleted = { 0 };

	begin();
	create_terminal("");
	start("");
	overfill();
	exited("", 100, 3);
	engine_delete(engine, "c1", "", on_done, &deleted);
	answer(expect(MSG_DELETE, "", NULL), 0);
	ATF_CHECK_EQ(deleted.calls, 0);
	settle_until(loop, &deleted.calls);
	check_outcome(&deleted, STATUS_OK, "");
	check_unknown("");
	check_hung_up();
	end();
}

/* The request and the bundle of c1 disagree. */
static void
check_create_disagrees(int asked, const char *text)
{
	struct engine_spec spec = spec_of("");
	struct outcome made = { 0 };
	uint64_t request;

	spec.terminal = asked;
	spec.stdio[1] = FIFO("stdout");
	engine_create(engine, &spec, on_done, &made);
	request = expect(MSG_CREATE, "", NULL);
	if (asked)
		answer(request, 100);
	else
		answer_with(request, 100, MSG_FDS_TERMINAL,
		    pty_open(O_NONBLOCK), -1);
	answer(expect(MSG_SIGNAL, "", NULL), 0);
	check_unknown("");
	exited("", 100, 137);
	answer(expect(MSG_DELETE, "", NULL), 0);
	check_outcome(&made, STATUS_INVALID_ARGUMENT, text);
	check_unknown("");
	ATF_CHECK_EQ(containers, 0);
}

ATF_TC_WITHOUT_HEAD(engine_undoes_a_container_that_disagrees_on_its_terminal);
ATF_TC_BODY(engine_undoes_a_container_that_disagrees_on_its_terminal, tc)
{
	begin();
	check_create_disagrees(1, "the specification has none");
	check_create_disagrees(0, "none was asked for");
	check_hung_up();
	ATF_CHECK_EQ(lost, 0);
	end();
}

/* The same of exec e1, shown by what comes for a stream. */
static void
check_exec_disagrees(int asked, enum msg_stream stream, int first, int second,
    const char *text)
{
	struct engine_spec spec = spec_of("e1");
	struct outcome made = { 0 };

	spec.terminal = asked;
	spec.stdio[stream] = FIFO("x");
	engine_exec(engine, &spec, on_done, &made);
	answer(expect(MSG_EXEC, "e1", NULL), 0);
	answer_with(expect(MSG_STDIO, "e1", NULL), 0, 0, first, second);
	answer(expect(MSG_DELETE, "e1", NULL), 0);
	check_outcome(&made, STATUS_INVALID_ARGUMENT, text);
	check_unknown("e1");
}

/* And of one without streams, shown by its start. */
static void
check_start_disagrees(int asked, const char *text)
{
	struct engine_spec spec = spec_of("e1");
	struct outcome made = { 0 }, started = { 0 }, waited = { 0 };
	struct msg message;
	uint64_t request;

	spec.terminal = asked;
	engine_exec(engine, &spec, on_done, &made);
	answer(expect(MSG_EXEC, "e1", NULL), 0);
	check_outcome(&made, STATUS_OK, "");
	engine_wait(engine, "c1", "e1", on_done, &waited);
	engine_start(engine, "c1", "e1", on_done, &started);
	request = expect(MSG_START, "e1", NULL);
	if (asked)
		answer(request, 200);
	else
		answer_with(request, 200, MSG_FDS_TERMINAL,
		    pty_open(O_NONBLOCK), -1);
	check_outcome(&started, STATUS_INVALID_ARGUMENT, text);
	check_outcome(&waited, STATUS_OK, "");
	check_state("e1", ENGINE_STOPPED);
	answer(expect(MSG_SIGNAL, "e1", &message), 0);
	ATF_CHECK_EQ(message.body.signal.signo, 9);
	exited("e1", 200, 137);
	remove_it("e1");
}

ATF_TC_WITHOUT_HEAD(engine_undoes_an_exec_that_disagrees_on_its_terminal);
ATF_TC_BODY(engine_undoes_an_exec_that_disagrees_on_its_terminal, tc)
{
	int ends[2], before;

	begin();
	create("");
	start("");
	before = descriptors();
	check_exec_disagrees(0, MSG_STDOUT, fifo_open("x", O_RDWR), -1,
	    "none was asked");
	ATF_REQUIRE_EQ(pipe2(ends, O_NONBLOCK), 0);
	check_exec_disagrees(1, MSG_STDIN, ends[1], -1, "has none");
	close(ends[0]);
	check_exec_disagrees(1, MSG_STDOUT, -1, -1, "has none");
	check_start_disagrees(1, "has none");
	check_start_disagrees(0, "none was asked");
	check_hung_up();
	close(slave);
	ATF_CHECK_EQ(descriptors(), before);
	ATF_CHECK_EQ(lost, 0);
	end();
}

/* Nothing that it was given is left open when all is freed. */
ATF_TC_WITHOUT_HEAD(engine_leaves_no_terminal_behind);
ATF_TC_BODY(engine_leaves_no_terminal_behind, tc)
{
	int before = descriptors();

	begin();
	create_terminal("");
	start("");
	overfill();
	close(typist);
	close(screen);
	end();
	check_hung_up();
	close(slave);
	ATF_CHECK_EQ(descriptors(), before);
}

/*
 * Lies.  Each is told to an engine with a running container, an exec of it
 * that runs, and a MSG_SIGNAL that was not answered: request.
 */

static void
lie_answer_unasked(uint64_t request)
{
	answer(request + 1000, 0);
}

static void
lie_answer_twice(uint64_t request)
{
	answer(request, 0);
	answer(request, 0);
}

static void
lie_answer_past(uint64_t request)
{
	answer(request - 1, 0);
}

static void
lie_descriptor(uint64_t request)
{
	const struct msg_reply reply = { .request = request };
	int fd = open("/dev/null", O_WRONLY);

	answer_fds(&reply, &fd, 1);
}

static void
lie_descriptor_bits(uint64_t request)
{
	const struct msg_reply reply = { .request = request, .fds = 1 };

	answer_fds(&reply, NULL, 0);
}

static void
lie_error_range(uint64_t request)
{
	answer_error(request, 1, MSG_STEP_EXEC, "");
}

static void
lie_step_range(uint64_t request)
{
	answer_error(request, -1, MSG_STEP_MAX, "");
}

static void
lie_text_unended(uint64_t request)
{
	struct msg_reply reply = { .request = request,
		.error = -1,
		.step = MSG_STEP_EXEC };

	memset(reply.text, 'x', sizeof(reply.text));
	answer_fds(&reply, NULL, 0);
}

static void
lie_length(uint64_t request)
{
	const struct msg_reply reply = { .request = request };

	helper_say(MSG_REPLY, &reply, sizeof(reply) - 8);
}

static void
lie_operation(uint64_t request)
{
	const struct msg_ref ref = { .id = "c1" };

	(void)request;
	helper_say(MSG_CREATE, &ref, sizeof(ref));
}

static void
lie_unknown_operation(uint64_t request)
{
	(void)request;
	helper_say(99, "", 0);
}

static void
lie_ready_again(uint64_t request)
{
	(void)request;
	helper_ready(getpid());
}

static void
lie_exit_of_nobody(uint64_t request)
{
	(void)request;
	exited("e9", 300, 0);
}

static void
lie_exit_twice(uint64_t request)
{
	(void)request;
	exited("e1", 200, 0);
	exited("e1", 200, 0);
}

static void
lie_exit_of_another_pid(uint64_t request)
{
	(void)request;
	exited("e1", 201, 0);
}

static void
lie_exit_before_its_exec(uint64_t request)
{
	(void)request;
	exited("", 100, 0);
}

static void
lie_exit_status(uint64_t request)
{
	(void)request;
	exited("e1", 200, 256);
}

static void
lie_exit_before_start(uint64_t request)
{
	(void)request;
	create("e2");
	exited("e2", 300, 0);
}

static void
lie_start_of_another_pid(uint64_t request)
{
	struct outcome outcome = { 0 };

	(void)request;
	exited("e1", 200, 0);
	exited("", 100, 0);
	remove_it("");
	create("");
	engine_start(engine, "c1", "", on_done, &outcome);
	answer(expect(MSG_START, "", NULL), 101);
	check_outcome(&outcome, STATUS_UNAVAILABLE, "");
}

static void
lie_start_after_the_end(uint64_t request)
{
	struct outcome outcome = { 0 };

	(void)request;
	exited("e1", 200, 0);
	exited("", 100, 0);
	remove_it("");
	create("");
	engine_start(engine, "c1", "", on_done, &outcome);
	exited("", 100, 0);
	answer(expect(MSG_START, "", NULL), 100);
	check_outcome(&outcome, STATUS_UNAVAILABLE, "");
}

static void
lie_start_of_pid_1(uint64_t request)
{
	struct outcome outcome = { 0 };

	(void)request;
	create("e2");
	engine_start(engine, "c1", "e2", on_done, &outcome);
	answer(expect(MSG_START, "e2", NULL), 1);
	check_outcome(&outcome, STATUS_UNAVAILABLE, "");
}

/* A writer where a reader was announced. */
static void
lie_start_with_a_writer(uint64_t request)
{
	struct msg_reply reply = { .pid = 300, .fds = 1 };
	struct outcome outcome = { 0 };
	int fd = open("/dev/null", O_WRONLY);

	(void)request;
	create("e2");
	engine_start(engine, "c1", "e2", on_done, &outcome);
	reply.request = expect(MSG_START, "e2", NULL);
	answer_fds(&reply, &fd, 1);
	check_outcome(&outcome, STATUS_UNAVAILABLE, "");
}

/* Answers the start of exec e2, or of container c1, with this descriptor. */
static void
lie_of_start(const char *exec, uint32_t bits, int fd)
{
	struct outcome outcome = { 0 };
	uint64_t request;

	if (exec[0] == '\0') {
		exited("e1", 200, 0);
		exited("", 100, 0);
		remove_it("");
	}
	create(exec);
	engine_start(engine, "c1", exec, on_done, &outcome);
	request = expect(MSG_START, exec, NULL);
	answer_with(request, 100, bits, fd, -1);
	check_outcome(&outcome, STATUS_UNAVAILABLE, "");
}

static void
lie_start_with_a_second_master(uint64_t request)
{
	(void)request;
	lie_of_start("", MSG_FDS_TERMINAL, pty_open(O_NONBLOCK));
	close(slave);
}

static void
lie_start_with_a_waiting_master(uint64_t request)
{
	(void)request;
	lie_of_start("e2", MSG_FDS_TERMINAL, pty_open(0));
	close(slave);
}

static void
lie_start_with_no_master(uint64_t request)
{
	(void)request;
	lie_of_start("e2", MSG_FDS_TERMINAL, open("/dev/null", O_RDONLY));
}

static void
lie_start_with_master_and_reader(uint64_t request)
{
	(void)request;
	lie_of_start("e2", MSG_FDS_TERMINAL | 1, pty_open(O_NONBLOCK));
	close(slave);
}

static void
lie_start_with_a_bit_alone(uint64_t request)
{
	(void)request;
	lie_of_start("e2", MSG_FDS_TERMINAL, -1);
}

static void
lie_create_with_a_reader(uint64_t request)
{
	const struct engine_spec spec = spec_of("");
	struct outcome outcome = { 0 };

	exited("e1", 200, 0);
	exited("", 100, 0);
	remove_it("");
	engine_create(engine, &spec, on_done, &outcome);
	request = expect(MSG_CREATE, "", NULL);
	answer_with(request, 100, 1, open("/dev/null", O_RDONLY), -1);
	check_outcome(&outcome, STATUS_UNAVAILABLE, "");
}

/* Answers a stream of an exec e2 with a terminal so. */
static void
lie_of_stream(enum msg_stream stream, int first, int second)
{
	struct engine_spec spec = spec_of("e2");
	struct outcome outcome = { 0 };

	spec.terminal = stream != MSG_STDERR;
	spec.stdio[stream] = FIFO("x");
	engine_exec(engine, &spec, on_done, &outcome);
	answer(expect(MSG_EXEC, "e2", NULL), 0);
	answer_with(expect(MSG_STDIO, "e2", NULL), 0, 0, first, second);
	check_outcome(&outcome, STATUS_UNAVAILABLE, "");
}

static void
lie_stdin_that_waits(uint64_t request)
{
	(void)request;
	lie_of_stream(MSG_STDIN, open("/dev/null", O_WRONLY),
	    open("/dev/null", O_RDONLY));
}

static void
lie_stdin_the_wrong_way(uint64_t request)
{
	(void)request;
	lie_of_stream(MSG_STDIN, open("/dev/null", O_RDONLY | O_NONBLOCK),
	    open("/dev/null", O_WRONLY));
}

static void
lie_stdin_without_a_keeper(uint64_t request)
{
	(void)request;
	lie_of_stream(MSG_STDIN, -1, -1);
}

static void
lie_stdout_that_waits(uint64_t request)
{
	(void)request;
	lie_of_stream(MSG_STDOUT, open("/dev/null", O_RDWR), -1);
}

static void
lie_stdout_that_is_read_only(uint64_t request)
{
	(void)request;
	lie_of_stream(MSG_STDOUT, open("/dev/null", O_RDONLY | O_NONBLOCK), -1);
}

static void
lie_stdout_twice(uint64_t request)
{
	(void)request;
	lie_of_stream(MSG_STDOUT, open("/dev/null", O_RDWR | O_NONBLOCK),
	    open("/dev/null", O_RDWR | O_NONBLOCK));
}

static void
lie_stderr(uint64_t request)
{
	(void)request;
	lie_of_stream(MSG_STDERR, open("/dev/null", O_RDWR | O_NONBLOCK), -1);
}

/* Answers the request for a file of the cgroup so. */
static void
lie_of_cgroup(enum msg_cgroup file, uint32_t bits, int error, int first,
    int second)
{
	struct msg_reply reply = { .fds = bits,
		.error = error,
		.step = error != 0 ? MSG_STEP_REQUEST : MSG_STEP_NONE };
	struct outcome outcome = { 0 };
	struct msg message;

	if (file == MSG_CGROUP_PROCS)
		engine_procs(engine, "c1", on_done, &outcome);
	else
		engine_freeze(engine, "c1", 1, on_done, &outcome);
	reply.request = expect(MSG_CGROUP, "", &message);
	ATF_REQUIRE_EQ(message.body.choice.which, file);
	answer_fds(&reply, (const int[]){ first, second },
	    (uint32_t)(first != -1) + (second != -1));
	check_outcome(&outcome, STATUS_UNAVAILABLE, "helper");
}

static void
lie_cgroup_that_is_read_only(uint64_t request)
{
	(void)request;
	lie_of_cgroup(MSG_CGROUP_FREEZE, 0, 0, open("/dev/null", O_RDONLY), -1);
}

static void
lie_cgroup_that_can_be_written(uint64_t request)
{
	(void)request;
	lie_of_cgroup(MSG_CGROUP_PROCS, MSG_FDS_CGROUP2, 0,
	    open("/dev/null", O_RDWR), -1);
}

static void
lie_cgroup_without_a_file(uint64_t request)
{
	(void)request;
	lie_of_cgroup(MSG_CGROUP_PROCS, 0, 0, -1, -1);
}

static void
lie_cgroup_with_a_bit_alone(uint64_t request)
{
	(void)request;
	lie_of_cgroup(MSG_CGROUP_PROCS, MSG_FDS_CGROUP2, 0, -1, -1);
}

static void
lie_cgroup_of_other_bits(uint64_t request)
{
	(void)request;
	lie_of_cgroup(MSG_CGROUP_PROCS, 1, 0, open("/dev/null", O_RDONLY), -1);
}

static void
lie_cgroup_twice(uint64_t request)
{
	(void)request;
	lie_of_cgroup(MSG_CGROUP_PROCS, 0, 0, open("/dev/null", O_RDONLY),
	    open("/dev/null", O_RDONLY));
}

static void
lie_cgroup_with_a_failure(uint64_t request)
{
	(void)request;
	lie_of_cgroup(MSG_CGROUP_PROCS, 0, -ENOENT, open("/dev/null", O_RDONLY),
	    -1);
}

static void
lie_cgroup_with_the_bit_of_a_failure(uint64_t request)
{
	(void)request;
	lie_of_cgroup(MSG_CGROUP_PROCS, MSG_FDS_CGROUP2, -ENOENT, -1, -1);
}

static void
lie_publish_with_a_file(uint64_t request)
{
	struct outcome outcome;

	(void)request;
	node_init(&node, 0);
	pause_in_v1();
	node_set(&node, MSG_CGROUP_FREEZE, "THAWED\n");
	freeze(0, &outcome);
	node_free(&node);
	answer_with(expect(MSG_PUBLISH, "", NULL), 0, 0,
	    open("/dev/null", O_RDONLY), -1);
}

/* A file comes with the answer to another request. */
static void
lie_answer_of_a_cgroup(uint64_t request)
{
	struct outcome outcome = { 0 };

	engine_procs(engine, "c1", on_done, &outcome);
	(void)expect(MSG_CGROUP, "", NULL);
	answer_with(request, 0, MSG_FDS_CGROUP2, open("/dev/null", O_RDONLY),
	    -1);
	check_outcome(&outcome, STATUS_UNAVAILABLE, "helper");
}

static void
check_lie(size_t i, void (*lie)(uint64_t))
{
	struct outcome killed = { 0 }, waited = { 0 };
	int before = descriptors();
	uint64_t request;

	ready = lost = 0;
	begin();
	create("");
	start("");
	create("e1");
	start("e1");
	engine_wait(engine, "c1", "", on_done, &waited);
	engine_kill(engine, "c1", "", 1, 0, on_done, &killed);
	request = expect(MSG_SIGNAL, "", NULL);
	ATF_CHECK_EQ(lost, 0);
	lie(request);
	settle(loop);
	ATF_CHECK_EQ_MSG(lost, 1, "lie %zu was believed", i);
	ATF_CHECK_EQ(killed.calls, 1);
	ATF_CHECK_EQ(waited.calls, 1);
	end();
	ATF_CHECK_EQ_MSG(descriptors(), before, "lie %zu left descriptors", i);
}

ATF_TC_WITHOUT_HEAD(engine_believes_no_helper_that_contradicts_itself);
ATF_TC_BODY(engine_believes_no_helper_that_contradicts_itself, tc)
{
	static void (*const lies[])(uint64_t) = { lie_answer_unasked,
		lie_answer_twice, lie_answer_past, lie_descriptor,
		lie_descriptor_bits, lie_error_range, lie_step_range,
		lie_text_unended, lie_length, lie_operation,
		lie_unknown_operation, lie_ready_again, lie_exit_of_nobody,
		lie_exit_twice, lie_exit_of_another_pid,
		lie_exit_before_its_exec, lie_exit_status,
		lie_exit_before_start, lie_start_of_another_pid,
		lie_start_after_the_end, lie_start_of_pid_1,
		lie_start_with_a_writer, lie_start_with_a_second_master,
		lie_start_with_a_waiting_master, lie_start_with_no_master,
		lie_start_with_master_and_reader, lie_start_with_a_bit_alone,
		lie_create_with_a_reader, lie_stdin_that_waits,
		lie_stdin_the_wrong_way, lie_stdin_without_a_keeper,
		lie_stdout_that_waits, lie_stdout_that_is_read_only,
		lie_stdout_twice, lie_stderr, lie_cgroup_that_is_read_only,
		lie_cgroup_that_can_be_written, lie_cgroup_without_a_file,
		lie_cgroup_with_a_bit_alone, lie_cgroup_of_other_bits,
		lie_cgroup_twice, lie_cgroup_with_a_failure,
		lie_cgroup_with_the_bit_of_a_failure, lie_publish_with_a_file,
		lie_answer_of_a_cgroup };
	size_t i;

	for (i = 0; i < COUNT(lies); i++)
		check_lie(i, lies[i]);
}

ATF_TC_WITHOUT_HEAD(engine_wants_the_helper_that_was_started);
ATF_TC_BODY(engine_wants_the_helper_that_was_started, tc)
{
	begin_unready();
	helper_ready(getpid() + 1);
	ATF_CHECK_EQ(ready, 0);
	ATF_CHECK_EQ(lost, 1);
	ATF_CHECK(strstr(why, "not the one") != NULL);
	end();
}

ATF_TC_WITHOUT_HEAD(engine_wants_readiness_to_come_first);
ATF_TC_BODY(engine_wants_readiness_to_come_first, tc)
{
	const struct engine_spec spec = spec_of("");
	struct outcome outcome = { 0 };

	begin_unready();
	engine_create(engine, &spec, on_done, &outcome);
	answer(expect(MSG_CREATE, "", NULL), 100);
	ATF_CHECK_EQ(lost, 1);
	check_outcome(&outcome, STATUS_UNAVAILABLE, "helper");
	end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, engine_leads_a_container_from_create_to_delete);
	ATF_TP_ADD_TC(tp, what_is_to_come_is_prepared_and_not_known_yet);
	ATF_TP_ADD_TC(tp, engine_knows_nothing_of_other_ids);
	ATF_TP_ADD_TC(tp, engine_refuses_what_it_cannot_do_and_says_what);
	ATF_TP_ADD_TC(tp, engine_refuses_ids_and_bundles_that_do_not_fit);
	ATF_TP_ADD_TC(tp, engine_takes_an_id_once_and_knows_it_when_it_is_made);
	ATF_TP_ADD_TC(tp, engine_forgets_what_the_helper_could_not_create);
	ATF_TP_ADD_TC(tp, engine_keeps_streams_open_until_they_are_to_end);
	ATF_TP_ADD_TC(tp, engine_tells_of_an_end_when_the_output_has_been_read);
	ATF_TP_ADD_TC(tp, engine_tells_of_an_end_though_nobody_reads);
	ATF_TP_ADD_TC(tp, engine_deletes_when_the_output_has_been_read);
	ATF_TP_ADD_TC(tp, engine_deletes_though_nobody_reads);
	ATF_TP_ADD_TC(tp, engine_tells_at_once_when_the_helper_dies);
	ATF_TP_ADD_TC(tp,
	    engine_tells_the_reader_of_stderr_from_that_of_stdout);
	ATF_TP_ADD_TC(tp, engine_undoes_a_container_whose_streams_do_not_open);
	ATF_TP_ADD_TC(tp,
	    engine_closes_a_standard_input_that_was_to_end_before);
	ATF_TP_ADD_TC(tp, engine_does_not_start_without_the_standard_input);
	ATF_TP_ADD_TC(tp,
	    engine_does_not_start_what_ends_before_its_input_is_open);
	ATF_TP_ADD_TC(tp, engine_says_why_a_file_for_logs_is_refused);
	ATF_TP_ADD_TC(tp, engine_sees_an_end_that_comes_amid_the_creation);
	ATF_TP_ADD_TC(tp, engine_kills_what_is_deleted_before_its_start);
	ATF_TP_ADD_TC(tp, engine_finishes_a_creation_before_it_deletes);
	ATF_TP_ADD_TC(tp, engine_hears_of_an_end_that_crosses_the_start);
	ATF_TP_ADD_TC(tp, engine_releases_waiters_when_a_start_fails);
	ATF_TP_ADD_TC(tp, engine_says_what_failed_in_one_sentence);
	ATF_TP_ADD_TC(tp, engine_cuts_long_texts_between_characters);
	ATF_TP_ADD_TC(tp, engine_leads_an_exec_from_exec_to_delete);
	ATF_TP_ADD_TC(tp, engine_hands_over_the_process_document_unchanged);
	ATF_TP_ADD_TC(tp, engine_takes_execs_along_when_a_container_goes);
	ATF_TP_ADD_TC(tp, engine_ends_an_exec_whose_start_came_too_late);
	ATF_TP_ADD_TC(tp,
	    engine_passes_signals_on_and_answers_what_became_of_them);
	ATF_TP_ADD_TC(tp, engine_freezes_a_container_and_thaws_it);
	ATF_TP_ADD_TC(tp, engine_freezes_at_once_what_the_kernel_does_at_once);
	ATF_TP_ADD_TC(tp,
	    engine_hears_from_the_kernel_that_a_container_is_frozen);
	ATF_TP_ADD_TC(tp, engine_knows_what_is_frozen_after_a_failure);
	ATF_TP_ADD_TC(tp, engine_lets_a_container_end_while_it_is_frozen);
	ATF_TP_ADD_TC(tp, engine_ends_what_concerns_a_cgroup_that_is_gone);
	ATF_TP_ADD_TC(tp, engine_forgets_what_waits_for_files_when_it_goes);
	ATF_TP_ADD_TC(tp, engine_writes_limits_as_version_1_has_them);
	ATF_TP_ADD_TC(tp, engine_writes_limits_as_version_2_has_them);
	ATF_TP_ADD_TC(tp, engine_changes_a_period_alone);
	ATF_TP_ADD_TC(tp, engine_names_the_limit_that_is_refused);
	ATF_TP_ADD_TC(tp, engine_tries_again_what_depends_on_another_limit);
	ATF_TP_ADD_TC(tp,
	    engine_keeps_the_order_of_what_concerns_the_same_file);
	ATF_TP_ADD_TC(tp, engine_asks_for_the_files_of_a_cgroup_once);
	ATF_TP_ADD_TC(tp, engine_hands_over_every_file_in_its_place);
	ATF_TP_ADD_TC(tp, engine_knows_when_there_is_no_cgroup);
	ATF_TP_ADD_TC(tp, engine_waits_for_files_no_longer_than_its_patience);
	ATF_TP_ADD_TC(tp, engine_fails_what_waits_for_files_with_the_helper);
	ATF_TP_ADD_TC(tp, engine_lists_all_processes_of_a_cgroup);
	ATF_TP_ADD_TC(tp, engine_never_says_that_a_container_has_no_process);
	ATF_TP_ADD_TC(tp, engine_serves_any_number_of_waiters_and_forgets_some);
	ATF_TP_ADD_TC(tp,
	    engine_has_a_bounded_number_of_requests_at_the_helper);
	ATF_TP_ADD_TC(tp, engine_has_a_bounded_number_of_processes);
	ATF_TP_ADD_TC(tp, engine_reports_all_as_killed_when_the_helper_dies);
	ATF_TP_ADD_TC(tp, engine_hears_the_last_words_of_a_helper);
	ATF_TP_ADD_TC(tp, engine_leads_a_terminal_from_create_to_delete);
	ATF_TP_ADD_TC(tp,
	    engine_leads_the_terminal_of_an_exec_like_a_container_s);
	ATF_TP_ADD_TC(tp, engine_resizes_what_is_a_terminal_and_runs);
	ATF_TP_ADD_TC(tp, engine_ends_the_output_of_a_terminal_that_never_ran);
	ATF_TP_ADD_TC(tp,
	    engine_keeps_the_output_of_a_terminal_till_it_is_read);
	ATF_TP_ADD_TC(tp, engine_deletes_a_terminal_though_nobody_reads);
	ATF_TP_ADD_TC(tp,
	    engine_undoes_a_container_that_disagrees_on_its_terminal);
	ATF_TP_ADD_TC(tp, engine_undoes_an_exec_that_disagrees_on_its_terminal);
	ATF_TP_ADD_TC(tp, engine_leaves_no_terminal_behind);
	ATF_TP_ADD_TC(tp, engine_believes_no_helper_that_contradicts_itself);
	ATF_TP_ADD_TC(tp, engine_wants_the_helper_that_was_started);
	ATF_TP_ADD_TC(tp, engine_wants_readiness_to_come_first);
	return (atf_no_error());
}
