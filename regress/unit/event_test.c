/*
 * The events that containerd is told, decoded again.
 */
#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "shim/event_encode.h"
#include "shim/frame.h"
#include "shim/proto/events.pb-c.h"
#include "shim/proto/ttrpc.pb-c.h"

#define STREAM	    7
#define EVENT(name) Containerd__Events__##name
#define UNPACK(type, packed) \
	containerd__events__##type##__unpack(NULL, (packed).len, (packed).data)

/* One event as it arrives; freed by the caller. */
static EVENT(ForwardRequest) * arrive(const struct event *event)
{
	uint8_t bytes[EVENT_FRAME_MAX];
	struct frame_header header;
	Ttrpc__Request *request;
	EVENT(ForwardRequest) * forward;
	size_t length;

	event_encode_init("k8s.io", "/run/bundles");
	length = event_encode(event, STREAM, bytes);
	ATF_REQUIRE(length > EVENT_HEADER);
	frame_decode(bytes, &header);
	ATF_CHECK_EQ(header.length, length - EVENT_HEADER);
	ATF_CHECK_EQ(header.stream, STREAM);
	ATF_CHECK_EQ(header.type, FRAME_REQUEST);
	request =
	    ttrpc__request__unpack(NULL, header.length, bytes + EVENT_HEADER);
	ATF_REQUIRE(request != NULL);
	ATF_CHECK_STREQ(request->service,
	    "containerd.services.events.ttrpc.v1.Events");
	ATF_CHECK_STREQ(request->method, "Forward");
	forward = UNPACK(forward_request, request->payload);
	ATF_REQUIRE(forward != NULL && forward->envelope != NULL &&
	    forward->envelope->event != NULL);
	ATF_CHECK_STREQ(forward->envelope->namespace_, "k8s.io");
	ATF_CHECK(forward->envelope->timestamp->seconds > 1700000000);
	ttrpc__request__free_unpacked(request, NULL);
	return (forward);
}

static const struct {
	enum event_kind kind;
	const char *topic, *type;
} kinds[] = {
	{ EVENT_CREATE, "/tasks/create", "containerd.events.TaskCreate" },
	{ EVENT_START, "/tasks/start", "containerd.events.TaskStart" },
	{ EVENT_EXEC_ADDED, "/tasks/exec-added",
	    "containerd.events.TaskExecAdded" },
	{ EVENT_EXEC_STARTED, "/tasks/exec-started",
	    "containerd.events.TaskExecStarted" },
	{ EVENT_EXIT, "/tasks/exit", "containerd.events.TaskExit" },
	{ EVENT_DELETE, "/tasks/delete", "containerd.events.TaskDelete" },
	{ EVENT_PAUSED, "/tasks/paused", "containerd.events.TaskPaused" },
	{ EVENT_RESUMED, "/tasks/resumed", "containerd.events.TaskResumed" },
	{ EVENT_OOM, "/tasks/oom", "containerd.events.TaskOOM" },
};

ATF_TC_WITHOUT_HEAD(each_event_has_its_topic_and_its_type);
ATF_TC_BODY(each_event_has_its_topic_and_its_type, tc)
{
	struct event event = { .exited.ref = { "c1", "" } };
	EVENT(ForwardRequest) * forward;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		event.kind = kinds[i].kind;
		forward = arrive(&event);
		ATF_CHECK_STREQ(forward->envelope->topic, kinds[i].topic);
		ATF_CHECK_STREQ(forward->envelope->event->type_url,
		    kinds[i].type);
		/* Of all of them the container is the first field. */
		ATF_REQUIRE(forward->envelope->event->value.len >= 4);
		ATF_CHECK(memcmp(forward->envelope->event->value.data,
			      "\x0a\x02"
			      "c1",
			      4) == 0);
		containerd__events__forward_request__free_unpacked(forward,
		    NULL);
	}
}

ATF_TC_WITHOUT_HEAD(pauses_and_kills_name_the_container_and_no_more);
ATF_TC_BODY(pauses_and_kills_name_the_container_and_no_more, tc)
{
	struct event event = { .kind = EVENT_PAUSED,
		.pid = 100,
		.exited = { .ref = { "c1", "" }, .pid = 100, .status = 1 } };
	EVENT(ForwardRequest) * forward;
	EVENT(TaskPaused) * paused;
	EVENT(TaskResumed) * resumed;
	EVENT(TaskOOM) * oom;

	forward = arrive(&event);
	paused = UNPACK(task_paused, forward->envelope->event->value);
	ATF_REQUIRE(paused != NULL && paused->base.n_unknown_fields == 0);
	ATF_CHECK_STREQ(paused->container_id, "c1");
	containerd__events__task_paused__free_unpacked(paused, NULL);
	containerd__events__forward_request__free_unpacked(forward, NULL);

	event.kind = EVENT_RESUMED;
	forward = arrive(&event);
	resumed = UNPACK(task_resumed, forward->envelope->event->value);
	ATF_REQUIRE(resumed != NULL && resumed->base.n_unknown_fields == 0);
	ATF_CHECK_STREQ(resumed->container_id, "c1");
	containerd__events__task_resumed__free_unpacked(resumed, NULL);
	containerd__events__forward_request__free_unpacked(forward, NULL);

	event.kind = EVENT_OOM;
	forward = arrive(&event);
	oom = UNPACK(task_oom, forward->envelope->event->value);
	ATF_REQUIRE(oom != NULL && oom->base.n_unknown_fields == 0);
	ATF_CHECK_STREQ(oom->container_id, "c1");
	containerd__events__task_oom__free_unpacked(oom, NULL);
	containerd__events__forward_request__free_unpacked(forward, NULL);
}

ATF_TC_WITHOUT_HEAD(an_end_says_how_and_when_it_was);
ATF_TC_BODY(an_end_says_how_and_when_it_was, tc)
{
	const struct event event = { .kind = EVENT_EXIT,
		.exited = { .ref = { "c1", "e1" },
		    .pid = 200,
		    .status = 137,
		    .seconds = 1700000000,
		    .nanoseconds = 5 } };
	EVENT(ForwardRequest) *forward = arrive(&event);
	EVENT(TaskExit) *end =
	    UNPACK(task_exit, forward->envelope->event->value);

	ATF_REQUIRE(end != NULL && end->exited_at != NULL);
	ATF_CHECK_STREQ(end->container_id, "c1");
	ATF_CHECK_STREQ(end->id, "e1");
	ATF_CHECK_EQ(end->pid, 200);
	ATF_CHECK_EQ(end->exit_status, 137);
	ATF_CHECK_EQ(end->exited_at->seconds, 1700000000);
	ATF_CHECK_EQ(end->exited_at->nanos, 5);
	containerd__events__task_exit__free_unpacked(end, NULL);
	containerd__events__forward_request__free_unpacked(forward, NULL);
}

ATF_TC_WITHOUT_HEAD(the_longest_names_fit_into_a_frame);
ATF_TC_BODY(the_longest_names_fit_into_a_frame, tc)
{
	char name[MSG_ID_SIZE] = "", directory[MSG_PATH_SIZE] = "/";
	struct event event = { .pid = INT32_MAX };
	uint8_t bytes[EVENT_FRAME_MAX];
	size_t i;

	memset(name, 'n', MSG_ID_MAX);
	memset(directory + 1, 'd', sizeof(directory) - 2);
	event_encode_init(name, directory);
	strcpy(event.exited.ref.id, name);
	strcpy(event.exited.ref.exec, name);
	event.exited.pid = INT32_MAX;
	event.exited.status = 255;
	event.exited.seconds = INT64_MAX;
	event.exited.nanoseconds = 999999999;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		event.kind = kinds[i].kind;
		ATF_CHECK(event_encode(&event, UINT32_MAX, bytes) > 0);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, each_event_has_its_topic_and_its_type);
	ATF_TP_ADD_TC(tp, pauses_and_kills_name_the_container_and_no_more);
	ATF_TP_ADD_TC(tp, an_end_says_how_and_when_it_was);
	ATF_TP_ADD_TC(tp, the_longest_names_fit_into_a_frame);
	return (atf_no_error());
}
