/*
 * Files and directories that are used as root, or believed as root's.
 */
#ifndef UNPRIV_FILES_H
#define UNPRIV_FILES_H

#include <sys/types.h>

#include <stddef.h>

#define FILES_PATH_SIZE	256	/* bytes, with the NUL */

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
 * Opens for reading a regular file that only root can have written, and no
 * symbolic link.  Waits for nothing, whatever path names.  Returns a
 * close-on-exec descriptor or a negative errno.
 */
int	 files_open(int dirfd, const char *path);

/*
 * Opens, like files_directory, the directory that holds path, which is
 * absolute and shorter than FILES_PATH_SIZE; its links are followed, but for
 * the last.  *name points to what is left of path, its last component.
 */
int	 files_parent(const char *path, const char **name);

/* Reads what files_open opens, at most max bytes: -EFBIG if it has more. */
int	 files_read(int dirfd, const char *path, size_t max,
	    struct files_text *file);

/* The same of its descriptor, which stays open and is at its beginning. */
int	 files_read_fd(int fd, size_t max, struct files_text *file);

/*
 * What was expected of a file where one of the errors above was met, as a
 * constant text that follows its path; NULL where strerror(3) says it.
 */
const char *files_reason(int error);

/* Frees the text. */
void	 files_free(struct files_text *file);

#endif
