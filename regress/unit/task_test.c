/*
 * The Task service as a client sees it, over an engine whose helper the test
 * plays: what concerns a container's cgroup.
 */
#include <sys/socket.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/channel.h"
#include "regress/unit/cgroup_node.h"
#include "regress/unit/settle.h"
#include "shim/frame.h"
#include "shim/metrics.h"
#include "shim/proto/metrics_v1.pb-c.h"
#include "shim/proto/metrics_v2.pb-c.h"
#include "shim/proto/runc.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "shim/task.h"
#include "unpriv/endpoint.h"

#define PID	 100
#define EXEC_PID 200

/* The generated types have long names. */
#define REQUEST(name)	     Containerd__Task__V2__##name##Request
#define INIT(name)	     containerd__task__v2__##name##_request__init
#define UNPACK(type, answer) type##__unpack(NULL, (answer)->len, (answer)->data)

static const uint8_t key[CHANNEL_KEY_SIZE] = "not a secret";

static struct loop *loop;
static struct engine *engine;
static struct channel shim, helper;
static struct ttrpc_server *server;
static void
on_create(void *arg, const char *id)
{
	(void)arg;
	(void)id;
}

static struct task_service service = { .create = on_create };
static int client;
static uint32_t stream;

static char *
text(const char *s)
{
	return ((char *)(uintptr_t)s);
}

static void
ignore(void *arg)
{
	(void)arg;
}

static void
ignore_count(void *arg, size_t n)
{
	(void)arg;
	(void)n;
}

static void
fail_lost(void *arg, const char *why)
{
	(void)arg;
	atf_tc_fail_nonfatal("lost: %s", why);
}

static void
begin(void)
{
	static const struct engine_handlers handlers = {
		.ready = ignore,
		.changed = ignore_count,
		.lost = fail_lost,
	};
	const struct msg_ready ready = { .helper_pid = (uint32_t)getpid() };
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
	ATF_REQUIRE_EQ(channel_send(&helper, MSG_READY, &ready, sizeof(ready),
			   NULL, 0),
	    0);
	service.engine = engine;
	service.shim_pid = 1;
	server = ttrpc_new(loop, -1, geteuid(), task_dispatch, &service);
	ATF_REQUIRE(server != NULL);
	ATF_REQUIRE_EQ(socketpair(AF_UNIX,
			   SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
	    0);
	ATF_REQUIRE_EQ(ttrpc_add(server, fds[1]), 0);
	client = fds[0];
	stream = 1;
}

static void
end(void)
{
	close(client);
	ttrpc_free(server);
	engine_free(engine);
	close(shim.fd);
	close(helper.fd);
	loop_free(loop);
}

/* Sends a request, and lets the service do what it can. */
static void
ask(const char *method, const ProtobufCMessage *message)
{
	Ttrpc__Request request = TTRPC__REQUEST__INIT;
	struct frame_header header = { .stream = stream,
		.type = FRAME_REQUEST };
	uint8_t payload[1024], bytes[2048];

	ATF_REQUIRE(
	    protobuf_c_message_get_packed_size(message) < sizeof(payload));
	request.service = text("containerd.task.v2.Task");
	request.method = text(method);
	request.payload.data = payload;
	request.payload.len = protobuf_c_message_pack(message, payload);
	header.length =
	    (uint32_t)ttrpc__request__pack(&request, bytes + FRAME_HEADER_SIZE);
	frame_encode(&header, bytes);
	ATF_REQUIRE_EQ(write(client, bytes, FRAME_HEADER_SIZE + header.length),
	    (ssize_t)(FRAME_HEADER_SIZE + header.length));
	stream += 2;
	settle(loop);
}

/* The answer; freed by the caller. */
static Ttrpc__Response *
answer(void)
{
	static uint8_t bytes[8192];
	Ttrpc__Response *response;
	ssize_t n;

	settle(loop);
	n = read(client, bytes, sizeof(bytes));
	ATF_REQUIRE_MSG(n > FRAME_HEADER_SIZE, "there is no answer");
	response = ttrpc__response__unpack(NULL, (size_t)n - FRAME_HEADER_SIZE,
	    bytes + FRAME_HEADER_SIZE);
	ATF_REQUIRE(response != NULL);
	return (response);
}

static void
check_silent(void)
{
	char byte;

	settle(loop);
	ATF_CHECK_EQ(read(client, &byte, 1), -1);
	ATF_CHECK_EQ(errno, EAGAIN);
}

/* It was answered with success and nothing else. */
static void
check_empty(void)
{
	char bytes[64];

	settle(loop);
	ATF_CHECK_EQ(read(client, bytes, sizeof(bytes)), FRAME_HEADER_SIZE);
}

static void
check_failure(enum status_code code, const char *words)
{
	Ttrpc__Response *response = answer();

	ATF_REQUIRE(response->status != NULL);
	ATF_CHECK_EQ_MSG(response->status->code, (int)code, "code %d: %s",
	    response->status->code, response->status->message);
	ATF_CHECK_MSG(strstr(response->status->message, words) != NULL,
	    "it says: %s", response->status->message);
	ttrpc__response__free_unpacked(response, NULL);
}

/* The helper's part: the next request, which must be this one. */
static struct msg_reply
expect(uint16_t op, struct msg *message)
{
	struct msg_reply reply = { .pid = PID };
	struct msg own;
	int fds[MSG_FDS_MAX];

	if (message == NULL)
		message = &own;
	ATF_REQUIRE_EQ(channel_receive(&helper, message, fds), 1);
	ATF_REQUIRE_EQ(message->header.op, op);
	if (fds[0] != -1)
		close(fds[0]);
	reply.request = message->header.sequence;
	return (reply);
}

static void
say(const struct msg_reply *reply, const int *fds, uint32_t nfds)
{
	ATF_REQUIRE_EQ(channel_send(&helper, MSG_REPLY, reply, sizeof(*reply),
			   fds, nfds),
	    0);
	settle(loop);
}

static void
serve(uint16_t op)
{
	const struct msg_reply reply = expect(op, NULL);

	say(&reply, NULL, 0);
}

static void
ask_of(const char *method)
{
	REQUEST(Pause) request;

	/* The requests of all methods begin with an id. */
	INIT(pause)(&request);
	request.id = text("c1");
	ask(method, &request.base);
}

static void
run(void)
{
	REQUEST(CreateTask) create;

	INIT(create_task)(&create);
	create.id = text("c1");
	create.bundle = text("/b/c1");
	ask("Create", &create.base);
	serve(MSG_CREATE);
	ttrpc__response__free_unpacked(answer(), NULL);
	ask_of("Start");
	serve(MSG_START);
	ttrpc__response__free_unpacked(answer(), NULL);
}

static void
run_exec(void)
{
	Google__Protobuf__Any spec = GOOGLE__PROTOBUF__ANY__INIT;
	REQUEST(ExecProcess) exec;
	REQUEST(Start) start;
	struct msg_reply reply;

	INIT(exec_process)(&exec);
	exec.id = text("c1");
	exec.exec_id = text("e1");
	exec.spec = &spec;
	spec.value.data = (uint8_t *)text("{}");
	spec.value.len = 2;
	ask("Exec", &exec.base);
	serve(MSG_EXEC);
	check_empty();
	INIT(start)(&start);
	start.id = text("c1");
	start.exec_id = text("e1");
	ask("Start", &start.base);
	reply = expect(MSG_START, NULL);
	reply.pid = EXEC_PID;
	say(&reply, NULL, 0);
	ttrpc__response__free_unpacked(answer(), NULL);
}

static void
check_status(Containerd__V1__Types__Status status)
{
	Containerd__Task__V2__StateResponse *state;
	Ttrpc__Response *response;

	ask_of("State");
	response = answer();
	state =
	    UNPACK(containerd__task__v2__state_response, &response->payload);
	ATF_REQUIRE(state != NULL);
	ATF_CHECK_EQ(state->status, status);
	containerd__task__v2__state_response__free_unpacked(state, NULL);
	ttrpc__response__free_unpacked(response, NULL);
}

/* Of container c1. */
static struct cgroup_node node;

/* Answers all requests for files of the cgroup.  Returns how many these are. */
static int
serve_files(void)
{
	struct msg message;
	int fds[MSG_FDS_MAX], n = 0;

	while (channel_receive(&helper, &message, fds) == 1) {
		ATF_REQUIRE_EQ(message.header.op, MSG_CGROUP);
		node_answer(&node, &helper, &message);
		settle(loop);
		n++;
	}
	return (n);
}

static void
serve_event(enum event_kind kind)
{
	struct msg message;
	const struct msg_reply reply = expect(MSG_PUBLISH, &message);

	ATF_CHECK_EQ(message.body.choice.which, kind);
	say(&reply, NULL, 0);
}

ATF_TC_WITHOUT_HEAD(task_pauses_and_resumes);
ATF_TC_BODY(task_pauses_and_resumes, tc)
{
	struct msg message;
	int fds[MSG_FDS_MAX];

	begin();
	run();
	node_init(&node, 1);
	node_make(&node, MSG_CGROUP_FREEZE, "0");
	node_make(&node, MSG_CGROUP_EVENTS, "populated 1\nfrozen 1\n");
	ask_of("Resume");
	ATF_CHECK_EQ(serve_files(), 2);
	check_failure(STATUS_FAILED_PRECONDITION, "not paused");
	ask_of("Pause");
	check_empty();
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_FREEZE), "1");
	serve_event(EVENT_PAUSED);
	check_status(CONTAINERD__V1__TYPES__STATUS__PAUSED);
	ask_of("Pause");
	check_failure(STATUS_FAILED_PRECONDITION, "is paused");
	node_set(&node, MSG_CGROUP_EVENTS, "populated 1\nfrozen 0\n");
	ask_of("Resume");
	check_empty();
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_FREEZE), "0");
	serve_event(EVENT_RESUMED);
	check_status(CONTAINERD__V1__TYPES__STATUS__RUNNING);
	ATF_CHECK_EQ(channel_receive(&helper, &message, fds), -EAGAIN);
	node_free(&node);
	end();
}

ATF_TC_WITHOUT_HEAD(task_says_that_it_is_pausing);
ATF_TC_BODY(task_says_that_it_is_pausing, tc)
{
	const struct msg_exited exited = { .ref.id = "c1",
		.pid = PID,
		.status = 137 };

	begin();
	run();
	node_init(&node, 0);
	/* One that never comes to rest. */
	node_give(&node, MSG_CGROUP_FREEZE,
	    open("/dev/null", O_RDWR | O_CLOEXEC));
	ask_of("Pause");
	check_silent();
	check_status(CONTAINERD__V1__TYPES__STATUS__RUNNING);
	ATF_CHECK_EQ(serve_files(), 2);
	check_silent();
	check_status(CONTAINERD__V1__TYPES__STATUS__PAUSING);
	ATF_REQUIRE_EQ(channel_send(&helper, MSG_EXITED, &exited,
			   sizeof(exited), NULL, 0),
	    0);
	check_failure(STATUS_NOT_FOUND, "ended");
	node_free(&node);
	end();
}

static void
ask_update(const char *json)
{
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	REQUEST(UpdateTask) request;

	INIT(update_task)(&request);
	request.id = text("c1");
	if (json != NULL)
		request.resources = &any;
	any.type_url = text("types.containerd.io/opencontainers/"
			    "runtime-spec/1/LinuxResources");
	any.value.data = (uint8_t *)text(json);
	any.value.len = json != NULL ? strlen(json) : 0;
	ask("Update", &request.base);
}

ATF_TC_WITHOUT_HEAD(task_updates_from_a_document);
ATF_TC_BODY(task_updates_from_a_document, tc)
{
	begin();
	run();
	node_init(&node, 1);
	node_make(&node, MSG_CGROUP_MEMORY_LIMIT, "max\n");
	ask_update("{\"memory\":{\"limit\":4096}}");
	check_silent();
	ATF_CHECK_EQ(serve_files(), 1);
	check_empty();
	ATF_CHECK_STREQ(node_text(&node, MSG_CGROUP_MEMORY_LIMIT), "4096");
	ask_update("{\"memory\":{\"limit\":[]}}");
	check_failure(STATUS_INVALID_ARGUMENT,
	    "resources.memory.limit: an array: expected a number");
	ask_update(NULL);
	check_failure(STATUS_INVALID_ARGUMENT, "resources");
	node_free(&node);
	end();
}

/* The statistics of type, packed; freed by the caller with the response. */
static Containerd__Task__V2__StatsResponse *
stats_of(Ttrpc__Response *response, const char *type)
{
	Containerd__Task__V2__StatsResponse *stats;

	ATF_REQUIRE(response->status == NULL);
	stats =
	    UNPACK(containerd__task__v2__stats_response, &response->payload);
	ATF_REQUIRE(stats != NULL && stats->stats != NULL);
	ATF_CHECK_STREQ(stats->stats->type_url, type);
	ttrpc__response__free_unpacked(response, NULL);
	return (stats);
}

ATF_TC_WITHOUT_HEAD(task_measures_again_and_again_but_asks_once);
ATF_TC_BODY(task_measures_again_and_again_but_asks_once, tc)
{
	Containerd__Task__V2__StatsResponse *stats;
	Io__Containerd__Cgroups__V2__Metrics *metrics;
	int i;

	begin();
	ask_of("Stats");
	check_failure(STATUS_NOT_FOUND, "c1");
	run();
	node_init(&node, 1);
	node_make(&node, MSG_CGROUP_PROCS, "");
	node_make(&node, MSG_CGROUP_CPU, "usage_usec 7\n");
	node_make(&node, MSG_CGROUP_MEMORY, "8192\n");
	node_make(&node, MSG_CGROUP_MEMORY_LIMIT, "max\n");
	ask_of("Stats");
	check_silent();
	/* Others are answered meanwhile. */
	check_status(CONTAINERD__V1__TYPES__STATUS__RUNNING);
	ATF_CHECK(serve_files() > 4);
	for (i = 0; i < 3; i++) {
		if (i > 0)
			ask_of("Stats");
		stats = stats_of(answer(), "io.containerd.cgroups.v2.Metrics");
		metrics = UNPACK(io__containerd__cgroups__v2__metrics,
		    &stats->stats->value);
		ATF_REQUIRE(metrics != NULL);
		ATF_CHECK_EQ(metrics->cpu->usage_usec, 7);
		ATF_CHECK_EQ(metrics->memory->usage, 8192);
		ATF_CHECK_EQ(metrics->memory->usage_limit, UINT64_MAX);
		io__containerd__cgroups__v2__metrics__free_unpacked(metrics,
		    NULL);
		containerd__task__v2__stats_response__free_unpacked(stats,
		    NULL);
	}
	ATF_CHECK_EQ(serve_files(), 0);
	node_free(&node);
	end();
}

ATF_TC_WITHOUT_HEAD(task_says_what_version_1_has_measured);
ATF_TC_BODY(task_says_what_version_1_has_measured, tc)
{
	Containerd__Task__V2__StatsResponse *stats;
	Io__Containerd__Cgroups__V1__Metrics *metrics;

	begin();
	run();
	node_init(&node, 0);
	node_make(&node, MSG_CGROUP_CPU_USAGE, "7000\n");
	ask_of("Stats");
	serve_files();
	stats = stats_of(answer(), "io.containerd.cgroups.v1.Metrics");
	metrics =
	    UNPACK(io__containerd__cgroups__v1__metrics, &stats->stats->value);
	ATF_REQUIRE(metrics != NULL);
	ATF_CHECK_EQ(metrics->cpu->usage->total, 7000);
	io__containerd__cgroups__v1__metrics__free_unpacked(metrics, NULL);
	containerd__task__v2__stats_response__free_unpacked(stats, NULL);
	node_free(&node);
	end();
}

ATF_TC_WITHOUT_HEAD(task_finds_no_statistics_without_a_cgroup);
ATF_TC_BODY(task_finds_no_statistics_without_a_cgroup, tc)
{
	begin();
	run();
	node_init(&node, 0);
	ask_of("Stats");
	serve_files();
	check_failure(STATUS_NOT_FOUND, "no cgroup");
	end();
}

/* Processes as "PID" or "PID EXEC", with a comma between two. */
static void
check_pids(const char *expected)
{
	Containerd__Task__V2__PidsResponse *pids;
	Containerd__Runc__V1__ProcessDetails *details;
	Ttrpc__Response *response = answer();
	const Containerd__V1__Types__ProcessInfo *info;
	char list[256] = "";
	size_t i, n = 0;

	ATF_REQUIRE(response->status == NULL);
	pids = UNPACK(containerd__task__v2__pids_response, &response->payload);
	ATF_REQUIRE(pids != NULL);
	for (i = 0; i < pids->n_processes; i++) {
		info = pids->processes[i];
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%u",
		    i > 0 ? "," : "", info->pid);
		if (info->info == NULL)
			continue;
		ATF_CHECK_STREQ(info->info->type_url,
		    "containerd.runc.v1.ProcessDetails");
		details = UNPACK(containerd__runc__v1__process_details,
		    &info->info->value);
		ATF_REQUIRE(details != NULL);
		n += (size_t)snprintf(list + n, sizeof(list) - n, " %s",
		    details->exec_id);
		containerd__runc__v1__process_details__free_unpacked(details,
		    NULL);
	}
	ATF_CHECK_STREQ(list, expected);
	containerd__task__v2__pids_response__free_unpacked(pids, NULL);
	ttrpc__response__free_unpacked(response, NULL);
}

ATF_TC_WITHOUT_HEAD(task_lists_every_process_and_names_those_of_execs);
ATF_TC_BODY(task_lists_every_process_and_names_those_of_execs, tc)
{
	const struct msg_exited exited = { .ref = { "c1", "e1" },
		.pid = EXEC_PID };

	begin();
	run();
	run_exec();
	node_init(&node, 1);
	node_make(&node, MSG_CGROUP_PROCS, "99\n100\n200\n201\n");
	ask_of("Pids");
	check_silent();
	ATF_CHECK_EQ(serve_files(), 1);
	check_pids("99,100,200 e1,201");
	ATF_REQUIRE_EQ(channel_send(&helper, MSG_EXITED, &exited,
			   sizeof(exited), NULL, 0),
	    0);
	settle(loop);
	ask_of("Pids");
	check_pids("99,100,200,201");
	node_free(&node);
	end();
}

ATF_TC_WITHOUT_HEAD(task_lists_what_it_knows_without_a_cgroup);
ATF_TC_BODY(task_lists_what_it_knows_without_a_cgroup, tc)
{
	struct msg_reply reply;

	begin();
	ask_of("Pids");
	check_failure(STATUS_NOT_FOUND, "c1");
	run();
	run_exec();
	ask_of("Pids");
	reply = expect(MSG_CGROUP, NULL);
	reply.error = -EMFILE;
	reply.step = MSG_STEP_REQUEST;
	say(&reply, NULL, 0);
	check_pids("100,200 e1");
	node_init(&node, 0);
	ask_of("Pids");
	ATF_CHECK_EQ(serve_files(), 1);
	check_pids("100,200 e1");
	ask_of("Pids");
	check_pids("100,200 e1");
	end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, task_pauses_and_resumes);
	ATF_TP_ADD_TC(tp, task_says_that_it_is_pausing);
	ATF_TP_ADD_TC(tp, task_updates_from_a_document);
	ATF_TP_ADD_TC(tp, task_measures_again_and_again_but_asks_once);
	ATF_TP_ADD_TC(tp, task_says_what_version_1_has_measured);
	ATF_TP_ADD_TC(tp, task_finds_no_statistics_without_a_cgroup);
	ATF_TP_ADD_TC(tp, task_lists_every_process_and_names_those_of_execs);
	ATF_TP_ADD_TC(tp, task_lists_what_it_knows_without_a_cgroup);
	return (atf_no_error());
}
