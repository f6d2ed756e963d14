#include <stdio.h>
#include <string.h>

#include "shim/gone.h"

void
gone_note(struct gone *gone, const char *id)
{
	snprintf(gone->ids[gone->next], MSG_ID_SIZE, "%s", id);
	gone->next = (gone->next + 1) % GONE_MAX;
}

void
gone_forget(struct gone *gone, const char *id)
{
	size_t i;

	for (i = 0; i < GONE_MAX; i++) {
		if (strcmp(gone->ids[i], id) == 0)
			gone->ids[i][0] = '\0';
	}
}

int
gone_has(const struct gone *gone, const char *id)
{
	size_t i;

	for (i = 0; i < GONE_MAX && strcmp(gone->ids[i], id) != 0; i++)
		continue;
	return (id[0] != '\0' && i < GONE_MAX);
}
