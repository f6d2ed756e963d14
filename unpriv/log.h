/*
 * The log of the unprivileged programs: one line of logfmt per event, as
 * containerd's own, on containerd's `log` FIFO.
 */
#ifndef UNPRIV_LOG_H
#define UNPRIV_LOG_H

#define LOG_LINE_MAX	1024	/* bytes, with the newline; below PIPE_BUF */

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
 * Writes one event: a constant message, then pairs of const char * key and
 * value, then NULL.
 *
 *	log_event(LOG_LEVEL_INFO, "created", "id", id, NULL);
 *
 * Keys are constants too; values may hold anything: they are quoted, control
 * characters and invalid UTF-8 escaped as \xNN.  A NULL value leaves its pair
 * out.  A line that would be too long ends in "...".
 *
 * Never blocks and never fails: a full FIFO loses the event.  Makes no system
 * call but write and clock_gettime, and keeps errno.
 */
void	 log_event(enum log_level level, const char *message, ...)
	    __attribute__((sentinel));

/* The decimal digits of n, in buffer: a value for log_event. */
#define LOG_NUMBER_SIZE	24
const char *log_number(char buffer[LOG_NUMBER_SIZE], long long n);

#endif
