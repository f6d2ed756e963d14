#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/metrics.h"
#include "shim/proto/runc.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "shim/task.h"
#include "shim/wire.h"
#include "unpriv/log.h"

#define SERVICE	     "containerd.task.v2.Task"
#define DETAILS_TYPE "containerd.runc.v1.ProcessDetails"

/* The generated types have long names. */
#define REQUEST(name)	 const Containerd__Task__V2__##name##Request
#define RESPONSE(name)	 Containerd__Task__V2__##name##Response
#define DESCRIPTOR(name) &containerd__task__v2__##name##_request__descriptor

/* A call while it is served; freed with its answer. */
struct request {
	const struct method *method;
	struct task_service *service;
	struct ttrpc_call *call;
	struct engine_waiter *waiter;
	char id[MSG_ID_SIZE], exec[MSG_ID_SIZE]; /* for the log, cut */
};

/* Serves a call; request is to be answered, message is the caller's. */
typedef void
method_handler(struct request *request, const ProtobufCMessage *message);

/*
 * One method; without a handler it is known, but not supported.  failed is
 * what the log says of a failure, if that matters to a container's life.
 */
struct method {
	const char *name;
	const ProtobufCMessageDescriptor *type;
	method_handler *handle;
	const char *failed;
};

/*
 * Answers.
 */

static void
request_reply(struct request *request, const ProtobufCMessage *message)
{
	ttrpc_reply(request->call, message);
	free(request);
}

static void
request_fail(struct request *request, const struct status *status)
{
	const char *failed = request->method->failed;
	/* There is nothing left to do it to, or to ask of it: often so. */
	enum log_level level = failed == NULL ? LOG_LEVEL_DEBUG :
	    status->code == STATUS_NOT_FOUND  ? LOG_LEVEL_INFO :
						LOG_LEVEL_WARNING;
	char code[LOG_NUMBER_SIZE];

	log_event(level, failed != NULL ? failed : "refused", "method",
	    request->method->name, "id", request->id, "exec",
	    request->exec[0] != '\0' ? request->exec : NULL, "code",
	    log_number(code, status->code), "error", status_log(status), NULL);
	ttrpc_fail(request->call, status);
	free(request);
}

/* The message or, if there is one, the failure. */
static void
request_end(struct request *request, const struct status *status,
    const ProtobufCMessage *message)
{
	if (status->code != STATUS_OK)
		request_fail(request, status);
	else
		request_reply(request, message);
}

static void
answer_empty(void *arg, const struct engine_result *result)
{
	request_end(arg, &result->status, NULL);
}

/* Points to timestamp, filled, or to nothing where there was no end. */
static Google__Protobuf__Timestamp *
timestamp_of(const struct timespec *at, Google__Protobuf__Timestamp *timestamp)
{
	if (at->tv_sec == 0)
		return (NULL);
	google__protobuf__timestamp__init(timestamp);
	timestamp->seconds = at->tv_sec;
	timestamp->nanos = (int32_t)at->tv_nsec;
	return (timestamp);
}

/* The NUL-terminated strings of messages are never written to. */
static char *
string(const char *s)
{
	return ((char *)(uintptr_t)s);
}

/*
 * Methods.
 */

static void
create_done(void *arg, const struct engine_result *result)
{
	RESPONSE(CreateTask) response;

	containerd__task__v2__create_task_response__init(&response);
	response.pid = result->pid;
	request_end(arg, &result->status, &response.base);
}

static void
task_create(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(CreateTask) *m = (const void *)message;
	const struct engine_spec spec = {
		.id = m->id,
		.exec = "",
		.bundle = m->bundle,
		.stdio = { m->stdin, m->stdout, m->stderr },
		.terminal = m->terminal,
		.checkpoint = m->checkpoint[0] != '\0' ||
		    m->parent_checkpoint[0] != '\0',
	};

	gone_forget(&request->service->gone, m->id);
	request->service->create(request->service->arg, m->id);
	engine_create(request->service->engine, &spec, create_done, request);
}

static void
start_done(void *arg, const struct engine_result *result)
{
	RESPONSE(Start) response;

	containerd__task__v2__start_response__init(&response);
	response.pid = result->pid;
	request_end(arg, &result->status, &response.base);
}

static void
task_start(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(Start) *m = (const void *)message;

	engine_start(request->service->engine, m->id, m->exec_id, start_done,
	    request);
}

static void
task_exec(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(ExecProcess) *m = (const void *)message;
	const struct engine_spec spec = {
		.id = m->id,
		.exec = m->exec_id,
		.bundle = "",
		.stdio = { m->stdin, m->stdout, m->stderr },
		.terminal = m->terminal,
		.process = m->spec != NULL ? m->spec->value.data : NULL,
		.process_size = m->spec != NULL ? m->spec->value.len : 0,
	};

	engine_exec(request->service->engine, &spec, answer_empty, request);
}

static void
task_kill(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(Kill) *m = (const void *)message;

	engine_kill(request->service->engine, m->id, m->exec_id, m->signal,
	    m->all, answer_empty, request);
}

static void
delete_done(void *arg, const struct engine_result *result)
{
	const struct request *request = arg;
	Google__Protobuf__Timestamp timestamp;
	RESPONSE(Delete) response;

	if (result->status.code == STATUS_OK && request->exec[0] == '\0')
		gone_note(&request->service->gone, request->id);

	containerd__task__v2__delete_response__init(&response);
	response.pid = result->pid;
	response.exit_status = result->exit_status;
	response.exited_at = timestamp_of(&result->exited_at, &timestamp);
	request_end(arg, &result->status, &response.base);
}

static void
task_delete(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(Delete) *m = (const void *)message;

	engine_delete(request->service->engine, m->id, m->exec_id, delete_done,
	    request);
}

static void
wait_done(void *arg, const struct engine_result *result)
{
	Google__Protobuf__Timestamp timestamp;
	RESPONSE(Wait) response;

	containerd__task__v2__wait_response__init(&response);
	response.exit_status = result->exit_status;
	response.exited_at = timestamp_of(&result->exited_at, &timestamp);
	request_end(arg, &result->status, &response.base);
}

/* The client has gone and waits no more. */
static void
wait_cancel(void *arg)
{
	struct request *request = arg;

	engine_unwait(request->waiter);
	free(request);
}

static void
task_wait(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(Wait) *m = (const void *)message;
	struct engine_waiter *waiter;

	waiter = engine_wait(request->service->engine, m->id, m->exec_id,
	    wait_done, request);
	/* Without a waiter the request was answered, and is no more. */
	if (waiter == NULL)
		return;
	request->waiter = waiter;
	ttrpc_on_cancel(request->call, wait_cancel, request);
}

static void
task_state(struct request *request, const ProtobufCMessage *message)
{
	static const Containerd__V1__Types__Status states[] = {
		[ENGINE_CREATED] = CONTAINERD__V1__TYPES__STATUS__CREATED,
		[ENGINE_RUNNING] = CONTAINERD__V1__TYPES__STATUS__RUNNING,
		[ENGINE_STOPPED] = CONTAINERD__V1__TYPES__STATUS__STOPPED,
		[ENGINE_PAUSING] = CONTAINERD__V1__TYPES__STATUS__PAUSING,
		[ENGINE_PAUSED] = CONTAINERD__V1__TYPES__STATUS__PAUSED,
	};
	REQUEST(State) *m = (const void *)message;
	Google__Protobuf__Timestamp timestamp;
	struct engine_view view;
	struct status status;
	RESPONSE(State) response;

	if (engine_state(request->service->engine, m->id, m->exec_id, &view,
		&status) != 0) {
		request_fail(request, &status);
		return;
	}
	containerd__task__v2__state_response__init(&response);
	response.id = m->exec_id[0] != '\0' ? m->exec_id : m->id;
	response.exec_id = m->exec_id;
	response.bundle = string(view.bundle);
	response.pid = view.pid;
	response.status = states[view.state];
	response.stdin = string(view.stdio[MSG_STDIN]);
	response.stdout = string(view.stdio[MSG_STDOUT]);
	response.stderr = string(view.stdio[MSG_STDERR]);
	response.terminal = view.terminal;
	response.exit_status = view.exit_status;
	response.exited_at = timestamp_of(&view.exited_at, &timestamp);
	request_reply(request, &response.base);
}

/* Fills in an exec's process with the name of the exec. */
static void
pid_details(Containerd__V1__Types__ProcessInfo *info,
    Google__Protobuf__Any *any, uint8_t bytes[MSG_ID_SIZE + 2],
    const char *exec)
{
	Containerd__Runc__V1__ProcessDetails details;

	containerd__runc__v1__process_details__init(&details);
	details.exec_id = string(exec);
	google__protobuf__any__init(any);
	any->type_url = string(DETAILS_TYPE);
	any->value.data = bytes;
	any->value.len =
	    containerd__runc__v1__process_details__pack(&details, bytes);
	info->info = any;
}

/* What a PidsResponse is made of; mostly never touched. */
struct pids {
	struct engine_pid list[ENGINE_PIDS_MAX];
	Containerd__V1__Types__ProcessInfo infos[ENGINE_PIDS_MAX];
	Containerd__V1__Types__ProcessInfo *pointers[ENGINE_PIDS_MAX];
	Google__Protobuf__Any details[ENGINE_PROCESSES_MAX];
	uint8_t bytes[ENGINE_PROCESSES_MAX][MSG_ID_SIZE + 2];
};

/* The file of the cgroup is here, or there is none. */
static void
pids_done(void *arg, const struct engine_result *result)
{
	struct request *request = arg;
	RESPONSE(Pids) response;
	struct status status;
	struct pids *pids;
	size_t execs = 0, i, n = 0;

	(void)result;
	status_set(&status, STATUS_RESOURCE_EXHAUSTED, "memory is short");
	pids = malloc(sizeof(*pids));
	if (pids != NULL)
		n = engine_pids(request->service->engine, request->id,
		    pids->list, &status);
	if (n == 0) {
		free(pids);
		request_fail(request, &status);
		return;
	}
	for (i = 0; i < n; i++) {
		containerd__v1__types__process_info__init(&pids->infos[i]);
		pids->infos[i].pid = pids->list[i].pid;
		if (pids->list[i].exec[0] != '\0' &&
		    execs < ENGINE_PROCESSES_MAX) {
			pid_details(&pids->infos[i], &pids->details[execs],
			    pids->bytes[execs], pids->list[i].exec);
			execs++;
		}
		pids->pointers[i] = &pids->infos[i];
	}
	containerd__task__v2__pids_response__init(&response);
	response.n_processes = n;
	response.processes = pids->pointers;
	request_reply(request, &response.base);
	free(pids);
}

static void
task_pids(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(Pids) *m = (const void *)message;

	engine_procs(request->service->engine, m->id, pids_done, request);
}

static void
task_pause(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(Pause) *m = (const void *)message;

	engine_freeze(request->service->engine, m->id, 1, answer_empty,
	    request);
}

static void
task_resume(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(Resume) *m = (const void *)message;

	engine_freeze(request->service->engine, m->id, 0, answer_empty,
	    request);
}

static void
task_update(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(UpdateTask) *m = (const void *)message;

	engine_update(request->service->engine, m->id,
	    m->resources != NULL ? m->resources->value.data : NULL,
	    m->resources != NULL ? m->resources->value.len : 0, answer_empty,
	    request);
}

/* A metrics_read; arg is a struct engine_stats. */
static size_t
stats_read(void *arg, enum msg_cgroup file, char *buffer, size_t size)
{
	const struct engine_stats *stats = arg;
	size_t length = 0;
	ssize_t n;

	while (stats->fds[file] != -1 && length < size) {
		n = pread(stats->fds[file], buffer + length, size - length,
		    (off_t)length);
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	return (length);
}

static void
stats_done(void *arg, const struct engine_result *result)
{
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	struct engine_stats stats;
	uint8_t bytes[METRICS_SIZE];
	RESPONSE(Stats) response;

	containerd__task__v2__stats_response__init(&response);
	if (result->status.code == STATUS_OK) {
		stats = *result->stats;
		any.type_url = string(metrics_type(stats.v2));
		any.value.data = bytes;
		any.value.len =
		    metrics_encode(stats.v2, stats_read, &stats, bytes);
		response.stats = &any;
	}
	request_end(arg, &result->status, &response.base);
}

static void
task_stats(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(Stats) *m = (const void *)message;

	engine_stats(request->service->engine, m->id, stats_done, request);
}

static void
task_close_io(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(CloseIO) *m = (const void *)message;
	struct engine_view view;
	struct status status;
	int error;

	if (m->stdin)
		error = engine_close_stdin(request->service->engine, m->id,
		    m->exec_id, &status);
	else
		error = engine_state(request->service->engine, m->id,
		    m->exec_id, &view, &status);
	if (error != 0)
		request_fail(request, &status);
	else
		request_reply(request, NULL);
}

static void
task_resize(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(ResizePty) *m = (const void *)message;
	struct status status = { .code = STATUS_OK };

	(void)engine_resize(request->service->engine, m->id, m->exec_id,
	    m->width, m->height, &status);
	request_end(request, &status, NULL);
}

static void
task_connect(struct request *request, const ProtobufCMessage *message)
{
	REQUEST(Connect) *m = (const void *)message;
	RESPONSE(Connect) response;
	struct engine_view view;
	struct status status;

	containerd__task__v2__connect_response__init(&response);
	response.shim_pid = request->service->shim_pid;
	/*
	 * Also an unknown id is answered: it is asked whether we are there.  Of
	 * one that was deleted containerd would keep what it has for as long.
	 */
	view.pid = 0;
	if (engine_state(request->service->engine, m->id, "", &view, &status) ==
		0 ||
	    !gone_has(&request->service->gone, m->id))
		status.code = STATUS_OK;
	response.task_pid = view.pid;
	request_end(request, &status, &response.base);
}

static void
task_shutdown(struct request *request, const ProtobufCMessage *message)
{
	struct task_service *service = request->service;
	REQUEST(Shutdown) *m = (const void *)message;

	/*
	 * The answer makes containerd run `delete`, which removes the socket
	 * if nobody listens: the listener must be closed by then.
	 */
	service->shutdown(service->arg, m->id);
	request_reply(request, NULL);
}

static const struct method methods[] = {
	{ "Create", DESCRIPTOR(create_task), task_create, "not created" },
	{ "Start", DESCRIPTOR(start), task_start, "not started" },
	{ "State", DESCRIPTOR(state), task_state, NULL },
	{ "Wait", DESCRIPTOR(wait), task_wait, NULL },
	{ "Kill", DESCRIPTOR(kill), task_kill, "not signalled" },
	{ "Delete", DESCRIPTOR(delete), task_delete, "not deleted" },
	{ "Exec", DESCRIPTOR(exec_process), task_exec, "exec not added" },
	{ "Pids", DESCRIPTOR(pids), task_pids, NULL },
	{ "CloseIO", &containerd__task__v2__close_iorequest__descriptor,
	    task_close_io, NULL },
	{ "ResizePty", DESCRIPTOR(resize_pty), task_resize, NULL },
	{ "Connect", DESCRIPTOR(connect), task_connect, NULL },
	{ "Shutdown", DESCRIPTOR(shutdown), task_shutdown, NULL },
	{ "Pause", DESCRIPTOR(pause), task_pause, "not paused" },
	{ "Resume", DESCRIPTOR(resume), task_resume, "not resumed" },
	{ "Update", DESCRIPTOR(update_task), task_update, "not updated" },
	{ "Stats", DESCRIPTOR(stats), task_stats, NULL },
	{ "Checkpoint", NULL, NULL, NULL },
};

/*
 * Dispatch.
 */

static void
call_fail(struct ttrpc_call *call, enum status_code code, const char *before,
    const char *name, const char *after)
{
	struct status status;

	status_set(&status, code, "%s%s%s", before, name, after);
	log_event(LOG_LEVEL_INFO, "refused", "error", status.text, NULL);
	ttrpc_fail(call, &status);
}

static const struct method *
method_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, name) == 0)
			return (&methods[i]);
	}
	return (NULL);
}

/* Copies a string field of this name, if the message has one. */
static void
field_copy(char copy[MSG_ID_SIZE], const ProtobufCMessage *message,
    const char *name)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	const ProtobufCFieldDescriptor *field;
	const char *value;

	field = protobuf_c_message_descriptor_get_field_by_name(type, name);
	if (field == NULL)
		return;
	memcpy(&value, (const char *)message + field->offset, sizeof(value));
	strncpy(copy, value, MSG_ID_SIZE - 1);
}

static void
serve(struct task_service *service, struct ttrpc_call *call,
    const struct method *method, const ProtobufCBinaryData *payload)
{
	struct request *request = NULL;
	ProtobufCMessage *message = NULL;

	if (wire_check(method->type, payload->data, payload->len) == 0)
		message = protobuf_c_message_unpack(method->type, NULL,
		    payload->len, payload->data);
	if (message == NULL) {
		call_fail(call, STATUS_INVALID_ARGUMENT, "the request of ",
		    method->name, " is malformed");
		return;
	}
	if ((request = calloc(1, sizeof(*request))) == NULL) {
		call_fail(call, STATUS_RESOURCE_EXHAUSTED, "", method->name,
		    ": memory is short");
	} else {
		request->method = method;
		request->service = service;
		request->call = call;
		field_copy(request->id, message, "id");
		field_copy(request->exec, message, "exec_id");
		method->handle(request, message);
	}
	protobuf_c_message_free_unpacked(message, NULL);
}

void
task_dispatch(void *arg, struct ttrpc_call *call, const char *service,
    const char *method, const ProtobufCBinaryData *payload)
{
	const struct method *found;

	if (strcmp(service, SERVICE) != 0)
		call_fail(call, STATUS_UNIMPLEMENTED, "service ", service, "");
	else if ((found = method_find(method)) == NULL)
		call_fail(call, STATUS_UNIMPLEMENTED, "method ", method, "");
	else if (found->handle == NULL)
		call_fail(call, STATUS_UNIMPLEMENTED, "", method,
		    " is not supported");
	else
		serve(arg, call, found, payload);
}
