/*
 * The containers that were deleted last.  containerd that is killed while it
 * deletes one finds it again at its next start, and asks whether it is there.
 */
#ifndef SHIM_GONE_H
#define SHIM_GONE_H

#include <stddef.h>

#include "privsep/msg.h"

#define GONE_MAX 64	/* more are forgotten, the oldest first */

/* Zeroed: none. */
struct gone {
	char ids[GONE_MAX][MSG_ID_SIZE];
	size_t next;
};

/* Notes one; id has less than MSG_ID_SIZE bytes. */
void	 gone_note(struct gone *gone, const char *id);

/* There is one of that name again. */
void	 gone_forget(struct gone *gone, const char *id);

int	 gone_has(const struct gone *gone, const char *id);

#endif
