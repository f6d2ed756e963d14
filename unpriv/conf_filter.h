/*
 * What is hidden from pods: the lists of struct node.
 */
#ifndef UNPRIV_CONF_FILTER_H
#define UNPRIV_CONF_FILTER_H

#include "unpriv/conf.h"

#define CONF_FILTER_OWN_MAX	5

/*
 * Reaper's own paths, which are hidden from all pods whatever is configured:
 * the runtime root and, where they are given, the base of overlays, the
 * directory for files of output, and both logs.  Fills own with pointers into
 * conf, and returns how many there are.
 */
size_t	 conf_filter_own(const struct conf *conf,
	    const char *own[CONF_FILTER_OWN_MAX]);

/*
 * Makes conf.node.filters of all that was given.  Returns 0, or -EINVAL with
 * conf.error, for an entry of the allowlist that is on neither list, and for
 * lists that are too long.
 */
int	 conf_filter_make(struct conf_given *given);

/*
 * What is hidden by default, without the first slash: the entries of all pods
 * and, for confined ones, those besides.  Each ends with NULL.
 */
extern const char *const conf_filter_defaults[], *const conf_filter_confined[];

#endif
