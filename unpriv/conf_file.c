#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unpriv/conf.h"
#include "unpriv/conf_file.h"

int
conf_file_open(struct conf_file *file)
{
	const char *chosen = getenv(CONF_FILE_VARIABLE), *name;
	int directory, fd;

	file->fd = -1;
	file->path = chosen != NULL ? chosen : CONF_FILE;
	snprintf(file->blamed, sizeof(file->blamed), "%s", file->path);
	if ((directory = files_parent(file->path, &name)) >= 0) {
		fd = files_open(directory, name);
		close(directory);
	} else {
		fd = directory;
		/* Of "/name", the slash. */
		if (fd != -EINVAL && fd != -ENAMETOOLONG)
			file->blamed[name - file->path > 1 ?
				name - 1 - file->path :
				1] = '\0';
	}
	if (fd >= 0)
		file->fd = fd;
	return (fd >= 0 || (fd == -ENOENT && chosen == NULL) ? 0 : fd);
}
