/*
 * The service containerd.task.v2.Task on top of the engine.
 */
#ifndef SHIM_TASK_H
#define SHIM_TASK_H

#include "runtime/engine.h"
#include "shim/gone.h"
#include "shim/ttrpc.h"

/* What the calls work on; stays the caller's. */
struct task_service {
	struct engine *engine;
	uint32_t shim_pid;
	struct gone gone;
	/* A Create has come, whatever becomes of it. */
	void (*create)(void *arg, const char *id);
	/*
	 * containerd has said Shutdown because of this container; whether that
	 * is now is for others.
	 */
	void (*shutdown)(void *arg, const char *id);
	void *arg;
};

/* A ttrpc_dispatch; arg is a struct task_service. */
ttrpc_dispatch task_dispatch;

#endif
