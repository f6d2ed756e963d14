/*
 * What `start` and `delete` must know before they act: the node's
 * configuration, and what a bundle's config.json says.
 */
#ifndef SHIM_SETTINGS_H
#define SHIM_SETTINGS_H

#include "privsep/plan.h"
#include "unpriv/conf.h"

struct settings {
	struct conf conf;	/* checked */
	struct plan plan;	/* only sandbox_id of it was checked */
};

/*
 * Reads the configuration file, the environment and, below bundle_fd unless
 * that is -1, config.json.  All of it is parsed by a child without any
 * capability that can only read and write; its answer is checked.  Returns 0,
 * or a negative errno after a message on standard error.
 */
int	 settings_read(struct settings *settings, int bundle_fd);

#endif
