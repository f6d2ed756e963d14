#include <errno.h>
#include <malloc.h>
#include <unistd.h>

#include "runtime/engine.h"
#include "shim/serve.h"
#include "shim/task.h"
#include "shim/ttrpc.h"
#include "unpriv/log.h"
#include "unpriv/loop.h"

#define FIRST_LIMIT 60000	/* ms from the start to the first Create */
#define NEXT_LIMIT  30000	/* ms from the last Delete to the next */
#define DRAIN_LIMIT 2000	/* ms to write the last answers */
#define MMAP_LIMIT  (64 * 1024) /* bytes; larger blocks are given back */

static struct {
	struct loop *loop;
	struct engine *engine;
	struct ttrpc_server *server;
	struct task_service service;
	struct loop_timer idle;
	size_t containers;
	int ready_fd;
	int lost;
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
	loop_timer_cancel(shim.loop, &shim.idle);
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
	if (shim.lost)
		return;
	if (containers > 0)
		loop_timer_cancel(shim.loop, &shim.idle);
	else
		loop_timer_set(shim.loop, &shim.idle, NEXT_LIMIT, idle_too_long,
		    NULL);
}

static void
on_shutdown(void *arg)
{
	(void)arg;
	/* While siblings live, containerd means only its own container. */
	if (shim.containers == 0 && !shim.lost)
		end(LOG_LEVEL_DEBUG, "shutdown");
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
	/* Nobody who waits for it means: nobody needs it. */
	if (shim.ready_fd != -1 && write(shim.ready_fd, "", 1) != 1)
		log_event(LOG_LEVEL_WARNING, "nobody waits for readiness",
		    NULL);
	ready_close();
}

static void
on_lost(void *arg, const char *why)
{
	(void)arg;
	ready_close();
	shim.lost = 1;
	log_event(LOG_LEVEL_ERROR, "the helper was lost", "reason", why, NULL);
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
	if ((shim.loop = loop_new()) == NULL ||
	    (shim.engine = engine_new(shim.loop, args->channel, args->helper,
		 &handlers, NULL)) == NULL ||
	    (shim.server = ttrpc_new(shim.loop, args->listener,
		 args->client_uid, task_dispatch, &shim.service)) == NULL)
		return (-errno);
	shim.service.engine = shim.engine;
	shim.service.shim_pid = (uint32_t)getpid();
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
