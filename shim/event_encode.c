#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "shim/event_encode.h"
#include "shim/proto/events.pb-c.h"
#include "shim/proto/ttrpc.pb-c.h"

#define TTRPC_REQUEST 1

static char namespace[MSG_ID_SIZE];
static char directory[MSG_PATH_SIZE];

/* By enum event_kind. */
static const struct {
	const char *topic;
	const char *type;
} kinds[] = {
	[EVENT_CREATE] = { "/tasks/create", "containerd.events.TaskCreate" },
	[EVENT_START] = { "/tasks/start", "containerd.events.TaskStart" },
	[EVENT_EXEC_ADDED] = { "/tasks/exec-added",
	    "containerd.events.TaskExecAdded" },
	[EVENT_EXEC_STARTED] = { "/tasks/exec-started",
	    "containerd.events.TaskExecStarted" },
	[EVENT_EXIT] = { "/tasks/exit", "containerd.events.TaskExit" },
	[EVENT_DELETE] = { "/tasks/delete", "containerd.events.TaskDelete" },
	[EVENT_PAUSED] = { "/tasks/paused", "containerd.events.TaskPaused" },
	[EVENT_RESUMED] = { "/tasks/resumed", "containerd.events.TaskResumed" },
	[EVENT_OOM] = { "/tasks/oom", "containerd.events.TaskOOM" },
};

void
event_encode_init(const char *containerd_namespace, const char *bundles)
{
	snprintf(namespace, sizeof(namespace), "%s", containerd_namespace);
	snprintf(directory, sizeof(directory), "%s", bundles);
}

/* All of containerd's messages, of which an event is one. */
union task_event {
	Containerd__Events__TaskCreate create;
	Containerd__Events__TaskStart start;
	Containerd__Events__TaskExecAdded exec_added;
	Containerd__Events__TaskExecStarted exec_started;
	Containerd__Events__TaskExit exit;
	Containerd__Events__TaskDelete delete;
	Containerd__Events__TaskPaused paused;
	Containerd__Events__TaskResumed resumed;
	Containerd__Events__TaskOOM oom;
	ProtobufCMessage base;
};

static void
message_fill(union task_event *message, struct event *event, char *bundle,
    Google__Protobuf__Timestamp *exited_at)
{
	struct msg_exited *exited = &event->exited;
	char *id = exited->ref.id, *exec = exited->ref.exec;

	google__protobuf__timestamp__init(exited_at);
	exited_at->seconds = exited->seconds;
	exited_at->nanos = (int32_t)exited->nanoseconds;
	switch ((enum event_kind)event->kind) {
	case EVENT_CREATE:
		containerd__events__task_create__init(&message->create);
		message->create.container_id = id;
		message->create.bundle = bundle;
		message->create.pid = event->pid;
		break;
	case EVENT_START:
		containerd__events__task_start__init(&message->start);
		message->start.container_id = id;
		message->start.pid = event->pid;
		break;
	case EVENT_EXEC_ADDED:
		containerd__events__task_exec_added__init(&message->exec_added);
		message->exec_added.container_id = id;
		message->exec_added.exec_id = exec;
		break;
	case EVENT_EXEC_STARTED:
		containerd__events__task_exec_started__init(
		    &message->exec_started);
		message->exec_started.container_id = id;
		message->exec_started.exec_id = exec;
		message->exec_started.pid = event->pid;
		break;
	case EVENT_EXIT:
		containerd__events__task_exit__init(&message->exit);
		message->exit.container_id = id;
		message->exit.id = exec[0] != '\0' ? exec : id;
		message->exit.pid = exited->pid;
		message->exit.exit_status = exited->status;
		message->exit.exited_at = exited_at;
		break;
	case EVENT_DELETE:
		containerd__events__task_delete__init(&message->delete);
		message->delete.container_id = id;
		message->delete.id = id;
		message->delete.pid = exited->pid;
		message->delete.exit_status = exited->status;
		message->delete.exited_at = exited_at;
		break;
	case EVENT_PAUSED:
		containerd__events__task_paused__init(&message->paused);
		message->paused.container_id = id;
		break;
	case EVENT_RESUMED:
		containerd__events__task_resumed__init(&message->resumed);
		message->resumed.container_id = id;
		break;
	case EVENT_OOM:
		containerd__events__task_oom__init(&message->oom);
		message->oom.container_id = id;
		break;
	}
}

/* Packs a message into data of size bytes.  Returns its length or 0. */
static size_t
pack(const ProtobufCMessage *message, uint8_t *data, size_t size)
{
	if (protobuf_c_message_get_packed_size(message) > size)
		return (0);
	return (protobuf_c_message_pack(message, data));
}

size_t
event_encode(const struct event *event, uint32_t stream,
    uint8_t frame[EVENT_FRAME_MAX])
{
	static char service[] = "containerd.services.events.ttrpc.v1.Events";
	static char method[] = "Forward";
	Containerd__Events__ForwardRequest forward =
	    CONTAINERD__EVENTS__FORWARD_REQUEST__INIT;
	Containerd__Events__Envelope envelope =
	    CONTAINERD__EVENTS__ENVELOPE__INIT;
	Google__Protobuf__Timestamp exited_at, now;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	Ttrpc__Request request = TTRPC__REQUEST__INIT;
	uint8_t inner[EVENT_FRAME_MAX], payload[EVENT_FRAME_MAX];
	char bundle[sizeof(directory) + MSG_ID_SIZE];
	struct event copy = *event;
	union task_event message;
	struct timespec time;
	size_t length;

	snprintf(bundle, sizeof(bundle), "%s/%s", directory,
	    copy.exited.ref.id);
	message_fill(&message, &copy, bundle, &exited_at);
	any.type_url = (char *)(uintptr_t)kinds[event->kind].type;
	any.value.data = inner;
	any.value.len = pack(&message.base, inner, sizeof(inner));
	clock_gettime(CLOCK_REALTIME, &time);
	google__protobuf__timestamp__init(&now);
	now.seconds = time.tv_sec;
	now.nanos = (int32_t)time.tv_nsec;
	envelope.timestamp = &now;
	envelope.namespace_ = namespace;
	envelope.topic = (char *)(uintptr_t)kinds[event->kind].topic;
	envelope.event = &any;
	forward.envelope = &envelope;
	request.service = service;
	request.method = method;
	request.payload.data = payload;
	request.payload.len = pack(&forward.base, payload, sizeof(payload));
	length = pack(&request.base, frame + EVENT_HEADER,
	    EVENT_FRAME_MAX - EVENT_HEADER);
	if (any.value.len == 0 || request.payload.len == 0 || length == 0)
		return (0);
	memcpy(frame, &(uint32_t){ htonl((uint32_t)length) }, 4);
	memcpy(frame + 4, &(uint32_t){ htonl(stream) }, 4);
	frame[8] = TTRPC_REQUEST;
	frame[9] = 0;
	return (EVENT_HEADER + length);
}
