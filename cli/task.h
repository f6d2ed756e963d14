/*
 * Steps of which commands are made.  Each returns an exit code, after a
 * message.
 */
#ifndef CLI_TASK_H
#define CLI_TASK_H

#include <protobuf-c/protobuf-c.h>

#include "cli/place.h"
#include "cli/streams.h"
#include "cli/text.h"

/* Has the shim do one thing, whose answer is empty or not looked at. */
int	 task_call(const struct place *place, const char *method,
	    const ProtobufCMessage *request);

/* Starts what was created, and tells who copies its streams. */
int	 task_start(const struct place *place);

/* What the shim says of a container; checked. */
struct task_view {
	uint32_t status;	/* Containerd__V1__Types__Status */
	uint32_t pid;		/* 0 where it has ended */
	const char *name;	/* of the status, as the specification has it */
};

/* Asks; of one whose shim has gone it is known that it has stopped. */
int	 task_view(const struct place *place, struct task_view *view);

/*
 * Deletes a container, with force also while it runs, and the shim and the
 * bundle with it.  The place is closed.
 */
int	 task_delete(struct place *place, int force);

/* Writes a pid to a file that was not there half written before. */
int	 task_pid_file(const char *path, uint32_t pid);

/*
 * Attends a process (attend.h): with detach by a child that nobody waits for,
 * else until its end, and returns the workload's exit code.  Streams are
 * closed.  start, remove: as there.
 */
struct task_attendance {
	const char *exec;	/* "" is the container's own process */
	struct streams *streams;
	int detach, start, remove;
};
int	 task_attend(const struct place *place,
	    const struct task_attendance *attendance);

/* Reads all of a descriptor, at most 4 MiB; for confined children. */
int	 task_read(int fd, const char *name, struct text *text);

/*
 * Opens a regular file to be read, of anybody; "-" is standard input.  A
 * descriptor, or -1 after a message.
 */
int	 task_open(const char *path);

#endif
