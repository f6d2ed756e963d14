/*
 * The log files of the configuration, which `start` and `delete` open while
 * they are root: the confined processes only append to what they are given.
 */
#ifndef SHIM_LOGS_H
#define SHIM_LOGS_H

/*
 * Opens the file that the setting key names, making it 0600 if it is missing:
 * a regular file that belongs to root and only root may write, and not by a
 * symbolic link, in a directory of which the same holds.  Waits for nothing,
 * whatever path names.  Returns a close-on-exec descriptor that appends, or a
 * negative errno after a message.
 */
int	 logs_open(const char *key, const char *path);

/* The same without a message: a negative errno. */
int	 logs_try(const char *path);

#endif
