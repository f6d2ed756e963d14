/*
 * Errors of the commands (start, delete): lines on standard error, which
 * containerd returns to its caller.
 */
#ifndef SHIM_REPORT_H
#define SHIM_REPORT_H

/*
 * Writes "reaper: ", the message and a newline.  Control characters and bytes
 * outside ASCII become '?'; at most 511 bytes.  Where there is a log, it goes
 * there too.
 */
void	 report(const char *format, ...)
	    __attribute__((format(printf, 1, 2)));

/* The same followed by ": " and the text of the negative errno; returns it. */
int	 report_error(int error, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * Reports that path could not be used because of an error of unpriv/files.h,
 * in words that say what was expected.  Returns error.
 */
int	 report_file(int error, const char *path);

/* From now on reports go to fd instead of standard error (-1: nowhere). */
void	 report_to(int fd);

/* Where they go. */
int	 report_fd(void);

#endif
