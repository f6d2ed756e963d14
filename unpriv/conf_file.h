/*
 * The file that the node's configuration comes from.
 */
#ifndef UNPRIV_CONF_FILE_H
#define UNPRIV_CONF_FILE_H

#include "unpriv/files.h"

struct conf_file {
	int fd;			/* owned, at its beginning; -1: there is none */
	const char *path;	/* of it; of the environment, or constant */
	/* What an error is about: path, or the directory that holds it. */
	char blamed[FILES_PATH_SIZE];
};

/*
 * Opens the file that CONF_FILE_VARIABLE names, or CONF_FILE, which need not
 * exist.  Both it and its directory must be root's, with nobody else to write
 * to them: who can replace the file decides what root does.  Returns 0, or a
 * negative errno like those of unpriv/files.h; -EINVAL for a relative path.
 */
int	 conf_file_open(struct conf_file *file);

#endif
