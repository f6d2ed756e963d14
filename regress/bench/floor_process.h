/*
 * The processes of the floor shim: containers' first ones and execs.
 */
#ifndef REGRESS_BENCH_FLOOR_PROCESS_H
#define REGRESS_BENCH_FLOOR_PROCESS_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "regress/bench/floor_cgroup.h"
#include "regress/lib/wire.h"

#define ARGS_MAX    64
#define WAITERS_MAX 32 /* pending Wait calls of one process */

enum status { CREATED = 1, RUNNING = 2, STOPPED = 3 };

struct waiter {
	int fd;
	uint32_t stream;
};

struct process {
	struct process *next;
	char *id;
	char *exec_id;		/* empty: the container's first */
	char *text;		/* JSON, which args point into */
	char *output;		/* FIFO for standard output, or empty */
	char *args[ARGS_MAX];	/* ends with a NULL */
	struct cgroup cgroup;	/* of the container; removed with its first */
	pid_t pid;
	enum status status;
	unsigned exit_status;
	struct timespec exited_at;
	struct waiter waiters[WAITERS_MAX];
	size_t nwaiters;
};

/* All of them, newest first. */
extern struct process *processes;

/* The file's text, from malloc, with a NUL; or NULL. */
char	*text_read(const char *path);

/* The bytes as a string from malloc; ends the program when memory is short. */
char	*text_copy(struct slice bytes);

/* The process that a request names in its fields id and exec_id, or NULL. */
struct process *process_find(struct slice id, struct slice exec_id);

/*
 * Adds a process that executes the "args" that come first in the text from at
 * on.  Takes the text over.  Returns it, or NULL if there is no such command.
 */
struct process *process_add(struct slice id, struct slice exec_id, char *text,
    char *at);

/* Runs its command in its cgroup.  Returns 0 or -1. */
int	 process_start(struct process *process);

/*
 * Takes the end of one child note of.  Returns its process, or NULL if no
 * child has ended.
 */
struct process *process_reap(void);

/* Removes it, and with a container's first process its cgroup.  0 or -1. */
int	 process_remove(struct process *process);

#endif
