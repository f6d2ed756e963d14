#include <sys/ioctl.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/terminal.h"

#define FLOW_SIZE  8192	 /* bytes; about what a pty holds */
#define PTY_SIZE   65536 /* bytes; more than a pty holds */
#define TURN_STEPS 16	 /* before others get their turn */

/* One direction: what was read and is not yet written. */
struct flow {
	size_t at, end;
	char bytes[FLOW_SIZE];
};

struct side {
	struct loop_watch watch;
	int watched;
	int fd; /* owned, or -1 */
};

struct terminal {
	struct loop *loop;
	struct loop_timer turn;
	struct side sides[TERMINAL_SIDES];
	struct flow input, output;
	struct winsize size;
	int sized; /* a size was asked for */
	int begun;
	int full;      /* the master takes nothing */
	int finishing; /* its process has ended */
	int finished;  /* and all of its output was written */
	size_t left;   /* of the pty, at most, while finishing */
};

struct terminal *
terminal_new(struct loop *loop)
{
	struct terminal *terminal;
	int i;

	if ((terminal = calloc(1, sizeof(*terminal))) == NULL)
		return (NULL);
	terminal->loop = loop;
	for (i = 0; i < TERMINAL_SIDES; i++)
		terminal->sides[i].fd = -1;
	return (terminal);
}

static void
side_unwatch(struct terminal *terminal, struct side *side)
{
	if (side->watched)
		loop_remove(terminal->loop, &side->watch);
	side->watched = 0;
}

static void
side_close(struct terminal *terminal, struct side *side)
{
	side_unwatch(terminal, side);
	if (side->fd != -1)
		close(side->fd);
	side->fd = -1;
}

void
terminal_free(struct terminal *terminal)
{
	int i;

	if (terminal == NULL)
		return;
	loop_timer_cancel(terminal->loop, &terminal->turn);
	for (i = 0; i < TERMINAL_SIDES; i++)
		side_close(terminal, &terminal->sides[i]);
	free(terminal);
}

void
terminal_connect(struct terminal *terminal, enum terminal_side side, int fd)
{
	terminal->sides[side].fd = fd;
	/* If it cannot be set, it has another size, as it had before. */
	if (side == TERMINAL_MASTER && terminal->sized)
		(void)ioctl(fd, TIOCSWINSZ, &terminal->size);
}

/* Reads into an empty flow, at most limit bytes; returns what read(2) does. */
static ssize_t
flow_fill(struct flow *flow, int from, size_t limit)
{
	ssize_t n;

	if (limit > sizeof(flow->bytes))
		limit = sizeof(flow->bytes);
	if ((n = read(from, flow->bytes, limit)) <= 0)
		return (n);
	flow->at = 0;
	flow->end = (size_t)n;
	return (n);
}

/* Writes what it can, or throws it away if to is -1.  0 if it must wait. */
static int
flow_drain(struct flow *flow, int to)
{
	size_t left = flow->end - flow->at;
	ssize_t n = (ssize_t)left;

	if (to != -1)
		n = write(to, flow->bytes + flow->at, left);
	if (n <= 0)
		return (0);
	flow->at += (size_t)n;
	return (1);
}

/* Returns 0 if only an event can bring it on. */
static int
input_step(struct terminal *terminal)
{
	struct side *from = &terminal->sides[TERMINAL_INPUT];
	struct flow *flow = &terminal->input;
	ssize_t n;

	/* Even to try would be an event of it, and so on. */
	if (terminal->full || terminal->finishing)
		return (0);
	if (flow->at == flow->end) {
		if (from->fd == -1)
			return (0);
		n = flow_fill(flow, from->fd, FLOW_SIZE);
		if (n == 0)
			side_close(terminal, from);
		if (n <= 0)
			return (0);
	}
	terminal->full = !flow_drain(flow, terminal->sides[TERMINAL_MASTER].fd);
	return (!terminal->full);
}

/* The same of the output. */
static int
output_step(struct terminal *terminal)
{
	struct flow *flow = &terminal->output;
	ssize_t n;

	if (terminal->finished)
		return (0);
	if (flow->at == flow->end) {
		n = terminal->left == 0 ?
		    0 :
		    flow_fill(flow, terminal->sides[TERMINAL_MASTER].fd,
			terminal->left);
		/*
		 * EIO means that all slaves were closed; while the process
		 * lives, it can open one again.
		 */
		if (n <= 0) {
			terminal->finished = terminal->finishing;
			return (0);
		}
		if (terminal->finishing)
			terminal->left -= (size_t)n;
	}
	return (flow_drain(flow, terminal->sides[TERMINAL_OUTPUT].fd));
}

static void
take_turn(void *arg)
{
	struct terminal *terminal = arg;
	int flows = 1, steps;

	for (steps = 0; flows && steps < TURN_STEPS; steps++) {
		flows = input_step(terminal);
		flows |= output_step(terminal);
	}
	if (flows)
		loop_timer_set(terminal->loop, &terminal->turn, 0, take_turn,
		    terminal);
}

static void
on_event(void *arg, uint32_t events)
{
	(void)events;
	take_turn(arg);
}

static void
on_master(void *arg, uint32_t events)
{
	struct terminal *terminal = arg;

	if ((events & EPOLLOUT) != 0)
		terminal->full = 0;
	take_turn(terminal);
}

int
terminal_begin(struct terminal *terminal)
{
	static const struct {
		uint32_t events;
		loop_callback *callback;
	} watches[TERMINAL_SIDES] = {
		[TERMINAL_MASTER] = { EPOLLIN | EPOLLOUT, on_master },
		[TERMINAL_INPUT] = { EPOLLIN, on_event },
		[TERMINAL_OUTPUT] = { EPOLLOUT, on_event },
	};
	struct side *side;
	int error = 0, i;

	terminal->left = PTY_SIZE;
	for (i = 0; i < TERMINAL_SIDES; i++) {
		side = &terminal->sides[i];
		if (side->fd == -1)
			continue;
		/*
		 * By edges, as each turn goes on until it must wait: a pty
		 * that was hung up reports that as long as it is there.
		 */
		error = loop_add(terminal->loop, &side->watch, side->fd,
		    watches[i].events | EPOLLET, watches[i].callback, terminal);
		if (error != 0)
			break;
		side->watched = 1;
	}
	terminal->begun = error == 0;
	for (i = 0; error != 0 && i < TERMINAL_SIDES; i++)
		side_unwatch(terminal, &terminal->sides[i]);
	return (error);
}

void
terminal_finish(struct terminal *terminal)
{
	if (!terminal->begun)
		return;
	terminal->finishing = 1;
	side_unwatch(terminal, &terminal->sides[TERMINAL_INPUT]);
	terminal->input.at = terminal->input.end;
	/* Not for ever, even if somebody goes on writing: it has a limit. */
	while (output_step(terminal))
		continue;
}

int
terminal_unwritten(const struct terminal *terminal)
{
	return (terminal->finishing && !terminal->finished);
}

int
terminal_fd(const struct terminal *terminal, enum terminal_side side)
{
	return (terminal->sides[side].fd);
}

void
terminal_close_output(struct terminal *terminal)
{
	side_close(terminal, &terminal->sides[TERMINAL_OUTPUT]);
	side_close(terminal, &terminal->sides[TERMINAL_INPUT]);
}

int
terminal_resize(struct terminal *terminal, uint16_t width, uint16_t height)
{
	int fd = terminal->sides[TERMINAL_MASTER].fd;

	terminal->sized = 1;
	terminal->size.ws_col = width;
	terminal->size.ws_row = height;
	if (fd != -1 && ioctl(fd, TIOCSWINSZ, &terminal->size) == -1)
		return (-errno);
	return (0);
}
