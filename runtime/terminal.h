/*
 * The terminal of a process: copies the FIFO of standard input to the master
 * of a pty, and what comes from there to the FIFO of standard output.
 *
 * Nothing here waits, and memory is bounded: where the one side does not take
 * what the other gave, the other is not read.  Descriptors are non-blocking.
 */
#ifndef RUNTIME_TERMINAL_H
#define RUNTIME_TERMINAL_H

#include <stdint.h>

#include "unpriv/loop.h"

struct terminal;

/* What a terminal is connected with. */
enum terminal_side {
	TERMINAL_MASTER,	/* reads and writes */
	TERMINAL_INPUT,		/* reads; without it nothing is typed */
	/*
	 * Reads and writes, so that there is always a reader; without it the
	 * output is thrown away.
	 */
	TERMINAL_OUTPUT,
	TERMINAL_SIDES
};

/* Returns a terminal without any side, or NULL if memory is short. */
struct terminal *terminal_new(struct loop *loop);

/* Closes all sides: processes that still use it are hung up.  NULL is none. */
void	 terminal_free(struct terminal *terminal);

/*
 * Takes a descriptor, once for each side, before terminal_begin.  -1 is none.
 */
void	 terminal_connect(struct terminal *terminal, enum terminal_side side,
	    int fd);

/* Starts to copy, from and to a connected master.  Returns 0 or -errno. */
int	 terminal_begin(struct terminal *terminal);

/*
 * Its process has ended: takes no more input, and of the output what is in the
 * pty now, of which as much as possible is written before this returns.  Called
 * again, it writes more of it if it can.  The input stays open: a client of
 * containerd whose typing fails lets the output go, read or not.
 */
void	 terminal_finish(struct terminal *terminal);

/* Whether output is left that has not been written. */
int	 terminal_unwritten(const struct terminal *terminal);

/* The descriptor of a side, which stays the terminal's; -1: none. */
int	 terminal_fd(const struct terminal *terminal, enum terminal_side side);

/* Closes the output, which is then at its end, and after it the input. */
void	 terminal_close_output(struct terminal *terminal);

/*
 * Sets the size, in characters, or remembers it for when the master comes.
 * Returns 0 or -errno.
 */
int	 terminal_resize(struct terminal *terminal, uint16_t width,
	    uint16_t height);

#endif
