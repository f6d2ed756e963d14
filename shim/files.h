/*
 * Files and directories that `start` and `delete` use as root.
 */
#ifndef SHIM_FILES_H
#define SHIM_FILES_H

#include <sys/types.h>

#include <stddef.h>

/* The content of a file; freed by files_free. */
struct files_text {
	char *text;
	size_t length;
};

/*
 * 0 if fd refers to a file of this type (S_IF...) that only root can have
 * written: it owns it, and neither group nor others may write.  Otherwise
 * -EBADF for another type, -EPERM, or what fstat(2) says.
 */
int	 files_trusted(int fd, mode_t type);

/*
 * Opens path below dirfd, a directory that only root can have written, and
 * no symbolic link, with flags besides O_DIRECTORY.  Returns a close-on-exec
 * descriptor or a negative errno.
 */
int	 files_directory(int dirfd, const char *path, int flags);

/*
 * The same after creating it, if it is missing, with exactly this mode.  Its
 * parent must exist.
 */
int	 files_make_directory(int dirfd, const char *path, mode_t mode,
	    int flags);

/*
 * Reads a regular file that only root can have written, at most max bytes of
 * it: -EFBIG if it has more.  Waits for nothing, whatever path names.
 */
int	 files_read(int dirfd, const char *path, size_t max,
	    struct files_text *file);

/*
 * Reports that path could not be used because of one of the errors above, in
 * words that say what was expected.  Returns error.
 */
int	 files_report(int error, const char *path);

/* Frees the text. */
void	 files_free(struct files_text *file);

#endif
