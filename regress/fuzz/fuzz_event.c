/*
 * The publisher: each event of the helper becomes a message that containerd
 * can read, and says the same; what containerd answers is counted right,
 * whatever that is; and no descriptor that came with an event is left.
 */
#include "regress/fuzz/fuzz.h"

/* What it consists of is static there. */
#include "shim/publish.c"
#include "shim/proto/events.pb-c.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "shim/wire.h"

int __wrap_fdpass_receive(int fd, void *data, size_t size, int fds[MSG_FDS_MAX],
    struct ucred *credentials);

static struct input in;
static int null_fd, notices;

static const ProtobufCMessageDescriptor *const types[] = {
	[EVENT_CREATE] = &containerd__events__task_create__descriptor,
	[EVENT_START] = &containerd__events__task_start__descriptor,
	[EVENT_EXEC_ADDED] = &containerd__events__task_exec_added__descriptor,
	[EVENT_EXEC_STARTED] =
	    &containerd__events__task_exec_started__descriptor,
	[EVENT_EXIT] = &containerd__events__task_exit__descriptor,
	[EVENT_DELETE] = &containerd__events__task_delete__descriptor,
	[EVENT_PAUSED] = &containerd__events__task_paused__descriptor,
	[EVENT_RESUMED] = &containerd__events__task_resumed__descriptor,
	[EVENT_OOM] = &containerd__events__task_oom__descriptor,
};

/* The next notice of the helper: its ids are valid. */
int
__wrap_fdpass_receive(int fd, void *data, size_t size, int fds[MSG_FDS_MAX],
    struct ucred *credentials)
{
	static const char ids[][8] = { "a", "b", "pod", "c" };
	struct event_notice *notice = data;
	struct msg_exited *exited = &notice->event.exited;
	const uint8_t how = input_byte(&in);
	int i;

	(void)credentials;
	must(fd == EVENTS_FD && size == sizeof(*notice));
	memset(fds, -1, sizeof(*fds) * MSG_FDS_MAX);
	if (notices-- == 0 || in.size == 0)
		return (-EAGAIN);
	memset(notice, 0, sizeof(*notice));
	notice->event.kind = input_byte(&in) % (EVENT_OOM + 2);
	notice->event.pid = input_word(&in);
	strcpy(exited->ref.id, ids[how % 4]);
	if ((how & 4) != 0)
		strcpy(exited->ref.exec, "exec");
	exited->pid = input_word(&in);
	exited->status = input_byte(&in);
	exited->seconds = (int64_t)input_word(&in) << 20;
	exited->nanoseconds = input_word(&in);
	strcpy(notice->memory, "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
	input_flip(&in, notice->memory, sizeof(notice->memory) - 1);
	for (i = 0; i < (how >> 3) % 4; i++)
		fds[i] = fcntl(null_fd, F_DUPFD_CLOEXEC, 3);
	return (how >= 224 ? how : (int)sizeof(*notice));
}

static void *
unpack(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size)
{
	ProtobufCMessage *message;

	must(wire_check(type, data, size) == 0);
	message = protobuf_c_message_unpack(type, NULL, size, data);
	must(message != NULL && message->n_unknown_fields == 0);
	return (message);
}

/* The first field of each is the container's id. */
static void
check_event(const struct event *event)
{
	const size_t offset =
	    offsetof(Containerd__Events__TaskStart, container_id);
	uint8_t bytes[EVENT_FRAME_MAX];
	const size_t length = event_encode(event, 7, bytes);
	Containerd__Events__ForwardRequest *forward;
	Ttrpc__Request *request;
	ProtobufCMessage *task;
	char *id;

	must(event->kind >= EVENT_CREATE && event->kind <= EVENT_OOM);
	must(length > EVENT_HEADER && length <= sizeof(bytes));
	must((size_t)(bytes[2] << 8 | bytes[3]) == length - EVENT_HEADER);
	request = unpack(&ttrpc__request__descriptor, bytes + EVENT_HEADER,
	    length - EVENT_HEADER);
	forward = unpack(&containerd__events__forward_request__descriptor,
	    request->payload.data, request->payload.len);
	task = unpack(types[event->kind], forward->envelope->event->value.data,
	    forward->envelope->event->value.len);
	memcpy(&id, (const char *)task + offset, sizeof(id));
	must(strcmp(id, event->exited.ref.id) == 0);
	must(strcmp(forward->envelope->namespace_, "k8s.io") == 0);
	protobuf_c_message_free_unpacked(task, NULL);
	protobuf_c_message_free_unpacked(&forward->base, NULL);
	protobuf_c_message_free_unpacked(&request->base, NULL);
}

/* Frames of any length, the last perhaps cut off, as answer_byte sees them. */
static void
check_answers(const uint8_t *data, size_t size)
{
	size_t answers = 0, at = 0, i, length, whole = 0;

	header_length = body_left = 0;
	for (i = 0; i < size; i++)
		answers += answer_byte(data[i]) != 0;
	while (size - at >= EVENT_HEADER) {
		length = (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 |
		    (size_t)data[at + 2] << 8 | data[at + 3];
		if (length > size - at - EVENT_HEADER)
			break;
		at += EVENT_HEADER + length;
		whole++;
	}
	must(answers == whole);
	header_length = body_left = 0;
}

/* All that is watched still. */
static void
watches_end(void)
{
	static const char ids[][8] = { "a", "b", "pod", "c" };
	static struct pollfd pollfds[OOM_MAX];
	struct msg_ref ref = { 0 };
	size_t i = 0;

	while (oom_poll(pollfds) > 0) {
		strcpy(ref.id, ids[i++ % 4]);
		(void)oom_end(&ref, "", 0);
	}
}

/* Input: how many notices, these, then what containerd answers. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int before;
	size_t i;

	if (null_fd == 0) {
		null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		must(null_fd != -1);
		event_encode_init("k8s.io", "/run/bundles");
		strcpy(containerd.sun_path, "/s");
	}
	before = fds_count();
	in = (struct input){ data, size };
	notices = input_byte(&in);
	(void)events_take();
	must(waiting <= QUEUE_MAX);
	/* Some of many. */
	for (i = 0; i < waiting; i += 1 + waiting / 16)
		check_event(&queue[(first + i) % QUEUE_MAX]);
	check_answers(in.data, in.size);
	first = waiting = 0;
	watches_end();
	must(fds_count() == before);
	return (0);
}
