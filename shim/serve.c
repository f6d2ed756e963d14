#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "runtime/engine.h"
#include "shim/group.h"
#include "shim/serve.h"
#include "shim/task.h"
#include "shim/ttrpc.h"
#include "unpriv/log.h"
#include "unpriv/loop.h"

#define FIRST_LIMIT 60000	/* ms from the start to the first Create */
#define NEXT_LIMIT  30000	/* ms from the last Delete to the next */
#define DRAIN_LIMIT 2000	/* ms to write the last answers */
#define JOINING_MAX 16		/* the first is forgotten beyond, */
#define LATE_LIMIT  10000	/* and all, ms after the last of them */
#define MMAP_LIMIT  (64 * 1024) /* bytes; larger blocks are given back */

static struct {
	struct loop *loop;
	struct engine *engine;
	struct ttrpc_server *server;
	struct task_service service;
	struct loop_timer idle, late;
	size_t containers;
	/* `start` was run for them; or "". */
	char joining[JOINING_MAX][MSG_ID_SIZE];
	size_t joins;
	int ready_fd;
	int ending, lost, shutdown;
	const char *namespace;
} shim;

static void
ended(void *arg)
{
	(void)arg;
	loop_stop(shim.loop);
}

static void
end(enum log_level level, const char *why)
{
	shim.ending = 1;
	loop_timer_cancel(shim.loop, &shim.idle);
	loop_timer_cancel(shim.loop, &shim.late);
	log_event(level, "ending", "reason", why, NULL);
	ttrpc_drain(shim.server, DRAIN_LIMIT, ended, NULL);
}

static void
idle_too_long(void *arg)
{
	(void)arg;
	end(LOG_LEVEL_INFO,
	    "no container, and containerd has not asked for one");
}

static void
on_changed(void *arg, size_t containers)
{
	(void)arg;
	shim.containers = containers;
	if (shim.ending)
		return;
	if (containers > 0) {
		shim.shutdown = 0;
		loop_timer_cancel(shim.loop, &shim.idle);
	} else {
		loop_timer_set(shim.loop, &shim.idle, NEXT_LIMIT, idle_too_long,
		    NULL);
	}
}

/* Whether one is to come. */
static int
is_awaited(void)
{
	size_t i = 0;

	while (i < JOINING_MAX && shim.joining[i][0] == '\0')
		i++;
	return (i < JOINING_MAX);
}

/* Its Create has come, or will not come. */
static void
on_create(void *arg, const char *id)
{
	size_t i;

	(void)arg;
	for (i = 0; i < JOINING_MAX; i++) {
		if (strcmp(shim.joining[i], id) == 0)
			shim.joining[i][0] = '\0';
	}
	if (!is_awaited())
		loop_timer_cancel(shim.loop, &shim.late);
}

/*
 * While siblings live, or another one has been told to come here, containerd
 * means only its own container.
 */
static void
on_shutdown(void *arg, const char *id)
{
	on_create(arg, id);
	shim.shutdown = shim.containers == 0;
	if (shim.shutdown && !is_awaited() && !shim.ending)
		end(LOG_LEVEL_DEBUG, "shutdown");
}

/* No Create will come for what is in this place. */
static void
forget(size_t i)
{
	if (shim.joining[i][0] != '\0')
		engine_forget(shim.engine, shim.joining[i]);
	shim.joining[i][0] = '\0';
}

static void
leave(const char *id)
{
	size_t i;

	for (i = 0; i < JOINING_MAX; i++) {
		if (strcmp(shim.joining[i], id) == 0)
			forget(i);
	}
	on_shutdown(NULL, id);
}

static void
too_late(void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < JOINING_MAX; i++)
		forget(i);
	/* It was put off for one that has not come. */
	if (shim.shutdown && shim.containers == 0 && !shim.ending)
		end(LOG_LEVEL_INFO, "shutdown");
}

static void
join(const char *id)
{
	size_t place;

	on_create(NULL, id);
	place = shim.joins++ % JOINING_MAX;
	forget(place);
	strcpy(shim.joining[place], id);
	/* While `start` and containerd come to the Create. */
	engine_expect(shim.engine, id);
	loop_timer_set(shim.loop, &shim.late, LATE_LIMIT, too_late, NULL);
	if (shim.containers == 0)
		loop_timer_set(shim.loop, &shim.idle, FIRST_LIMIT,
		    idle_too_long, NULL);
}

/* What `start` and `delete` ask; of a shim that ends they see the end. */
static void
group_dispatch(struct ttrpc_call *call, const char *method,
    const ProtobufCBinaryData *payload)
{
	char id[MSG_ID_SIZE] = { 0 };

	/* Nothing more can begin here. */
	if (shim.lost && !shim.ending && strcmp(method, GROUP_JOIN) == 0)
		end(LOG_LEVEL_INFO, "another container needs a helper");
	if (shim.ending)
		return;
	if (payload->len < sizeof(id))
		memcpy(id, payload->data, payload->len);
	if (strcmp(method, GROUP_JOIN) == 0)
		join(id);
	else if (strcmp(method, GROUP_LEAVE) == 0)
		leave(id);
	ttrpc_reply(call, NULL);
}

static void
dispatch(void *arg, struct ttrpc_call *call, const char *service,
    const char *method, const ProtobufCBinaryData *payload)
{
	if (strcmp(service, GROUP_SERVICE) == 0)
		group_dispatch(call, method, payload);
	else
		task_dispatch(arg, call, service, method, payload);
}

static void
ready_close(void)
{
	if (shim.ready_fd != -1)
		close(shim.ready_fd);
	shim.ready_fd = -1;
}

static void
on_ready(void *arg)
{
	(void)arg;
	log_event(LOG_LEVEL_DEBUG, "serving", "namespace", shim.namespace,
	    NULL);
	/* No container will come where `start` has died. */
	if (shim.ready_fd != -1 && write(shim.ready_fd, "", 1) != 1)
		end(LOG_LEVEL_WARNING, "nobody waits for it to be ready");
	ready_close();
}

static void
on_lost(void *arg, const char *why)
{
	(void)arg;
	ready_close();
	shim.lost = 1;
	log_event(LOG_LEVEL_ERROR, "the helper was lost", "reason", why, NULL);
	/* A Create that is on its way is told that, not refused a connection. */
	if (shim.containers > 0 || !is_awaited())
		end(LOG_LEVEL_ERROR, "nothing can be done without the helper");
}

int
serve_init(const struct serve_args *args)
{
	static const struct engine_handlers handlers = {
		.ready = on_ready,
		.changed = on_changed,
		.lost = on_lost,
	};

	/* Also keeps malloc from raising the limit by itself. */
	mallopt(M_MMAP_THRESHOLD, MMAP_LIMIT);
	mallopt(M_TRIM_THRESHOLD, MMAP_LIMIT);
	if (args->log_fd != -1)
		log_open(args->log_fd, LOG_LEVEL_INFO);
	shim.ready_fd = args->ready_fd;
	shim.namespace = args->namespace;
	strcpy(shim.joining[shim.joins++], args->id);
	if ((shim.loop = loop_new()) == NULL ||
	    (shim.engine = engine_new(shim.loop, args->channel, args->helper,
		 &handlers, NULL)) == NULL ||
	    (shim.server = ttrpc_new(shim.loop, args->listener,
		 args->client_uid, dispatch, &shim.service)) == NULL)
		return (-errno);
	shim.service.engine = shim.engine;
	shim.service.shim_pid = (uint32_t)getpid();
	shim.service.create = on_create;
	shim.service.shutdown = on_shutdown;
	loop_timer_set(shim.loop, &shim.idle, FIRST_LIMIT, idle_too_long, NULL);
	return (0);
}

int
serve_loop(void)
{
	int error;

	error = loop_run(shim.loop);
	/* At once: the end of a process takes a while to close what is open. */
	ttrpc_free(shim.server);
	return (error == 0 && shim.lost ? -ECONNRESET : error);
}
