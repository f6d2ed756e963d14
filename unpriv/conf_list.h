/*
 * Lists of strings as struct node has them (privsep/node.h): each terminated,
 * back to back, the last of them empty.  Pure.
 */
#ifndef UNPRIV_CONF_LIST_H
#define UNPRIV_CONF_LIST_H

#include "privsep/node.h"
#include "unpriv/slice.h"

/* The strings of a well-formed list, one after the other. */
#define CONF_LIST_FOREACH(s, list) \
	for ((s) = (list); *(s) != '\0'; (s) += strlen(s) + 1)

/*
 * Appends an entry, which is not empty and has no NUL, unless it is there
 * already.  Returns 0, or -E2BIG if there is no room.
 */
int	 conf_list_add(char list[NODE_LIST_SIZE], struct slice entry);

/* The entry of the list that is this one, or NULL. */
char	*conf_list_find(char list[NODE_LIST_SIZE], struct slice entry);

/* Takes an entry that conf_list_find has found off the list. */
void	 conf_list_remove(char list[NODE_LIST_SIZE], char *entry);

/* True if what came in this array is a list: its end lies inside. */
int	 conf_list_well_formed(const char list[NODE_LIST_SIZE]);

#endif
