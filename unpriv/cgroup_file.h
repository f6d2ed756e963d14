/*
 * What the kernel says in the files of a cgroup.  Pure: no system call, no
 * allocation.
 */
#ifndef UNPRIV_CGROUP_FILE_H
#define UNPRIV_CGROUP_FILE_H

#include <stddef.h>
#include <stdint.h>

/* A text, and what of it is left. */
struct cgroup_file {
	const char *text;	/* not NUL-terminated */
	size_t length;
};

/* One line "KEY NUMBER"; key is in the text, and not NUL-terminated. */
struct cgroup_line {
	const char *key;
	size_t length;		/* of key, at least 1 */
	uint64_t number;
};

/*
 * Reads a text that is one number, or the word max, which gives max; either
 * may end with a newline.  Returns 0, or -EBADMSG for anything else, also for
 * more than 64 bits; *number is then as it was.
 */
int	 cgroup_file_number(const struct cgroup_file *file, uint64_t max,
	    uint64_t *number);

/*
 * Takes the next line "KEY NUMBER" from the text; lines of another form, and
 * a last one without its newline, which may have been cut, are passed over.
 * Returns 1, or 0 at the end.
 */
int	 cgroup_file_line(struct cgroup_file *file, struct cgroup_line *line);

/*
 * Takes the next line that is a process id, 1 to INT32_MAX.  As
 * cgroup_file_line, but what has no newline yet is left in the text.
 */
int	 cgroup_file_pid(struct cgroup_file *file, uint32_t *pid);

#endif
