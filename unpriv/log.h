/*
 * The log of the unprivileged programs: one line of logfmt per event, as
 * containerd's own, on containerd's `log` FIFO and in a file.  It is bounded
 * in rate and, the file, in size: whoever causes the events cannot fill a disk.
 */
#ifndef UNPRIV_LOG_H
#define UNPRIV_LOG_H

#include <stdint.h>

#define LOG_LINE_MAX	1024	/* bytes, with the newline; below PIPE_BUF */
#define LOG_FILE_MAX	(16 << 20) /* bytes; the policies have 17 MiB */
#define LOG_BURST	100	/* lines of one process at once; */
#define LOG_INTERVAL	20	/* ms from one to the next beyond that */

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR,
};

/*
 * From now on events go to fd, which stays the caller's and should be in
 * non-blocking mode.  Events below level are dropped.  Before this, or after
 * log_open(-1, ...), all are.
 */
void	 log_open(int fd, enum log_level level);

/*
 * They also go to the regular file fd (the caller's, opened for appending)
 * until it has LOG_FILE_MAX bytes, of which a last line then tells, and again
 * when it has been truncated.  -1: to no file.  Whoever may not write so large
 * files must ignore SIGXFSZ.
 */
void	 log_file(int fd, enum log_level level);

/*
 * Every line from now on says for which namespace of containerd's and which
 * pod; NULL leaves its pair out.  The strings must stay as they are.
 */
void	 log_context(const char *containerd_namespace, const char *pod);

/*
 * Writes one event: a constant message, then pairs of const char * key and
 * value, then NULL.
 *
 *	log_event(LOG_LEVEL_INFO, "created", "id", id, NULL);
 *
 * Keys are constants too; values may hold anything: they are quoted, control
 * characters and invalid UTF-8 escaped as \xNN.  A NULL value leaves its pair
 * out.  A line that would be too long ends in "...".  Arguments and variables
 * of workloads hold secrets: they are no values.
 *
 * Never waits for a reader and never fails: a full FIFO loses the event, and
 * so does one that comes too fast: the next line says, dropped="N", how many
 * did.  Makes no system call but write, lseek and clock_gettime, and keeps
 * errno.
 */
void	 log_event(enum log_level level, const char *message, ...)
	    __attribute__((sentinel));

/*
 * Writes an event that another program has put into pairs, KEY=VALUE and so
 * on, after the time, the level and the context.  What is not printable ASCII
 * becomes '?'.
 */
void	 log_relay(enum log_level level, const char *pairs);

/* The decimal digits of n, in buffer: a value for log_event. */
#define LOG_NUMBER_SIZE	24
const char *log_number(char buffer[LOG_NUMBER_SIZE], long long n);

/* A token bucket; zero is a full one. */
struct log_rate {
	int64_t empty_until;	/* ms; LOG_INTERVAL for each token taken */
	unsigned long dropped;	/* since the last that passed; its reader's */
};

/*
 * Takes a token at a time in ms that never goes back.  Returns 1, or 0 if
 * there is none, and then counts.  Pure.
 */
int	 log_rate_take(struct log_rate *rate, int64_t now);

#endif
