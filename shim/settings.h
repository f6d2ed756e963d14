/*
 * What `start` and `delete` must know before they act: the node's
 * configuration, and what a bundle's config.json says.
 */
#ifndef SHIM_SETTINGS_H
#define SHIM_SETTINGS_H

#include <sys/types.h>

#include "privsep/plan.h"
#include "unpriv/conf.h"

struct settings {
	struct conf conf;	/* checked */
	/* Of the plan; the rest is for the helper to check. */
	char sandbox_id[MSG_ID_SIZE];
	char error[MSG_TEXT_SIZE]; /* why there is none, or empty */
	int plan_fd;		/* memfd: it, with its strings; owned, or -1 */
};

/* Settings that are being read; settings_end ends it. */
struct settings_reading {
	int answer;		/* of the child, owned */
	int plan_fd;		/* see struct settings */
	pid_t child;
	int joins;		/* a guess: the bundle is not its pod's first */
};

/*
 * Reads the configuration file, the environment and, below bundle_fd unless
 * that is -1, config.json.  All of it is parsed by a child without any
 * capability that can only read and write, which settings_begin starts; its
 * answer is checked by settings_end.  The container's id is what to guess by.
 * Each returns 0, or a negative errno after a message on standard error.
 */
int	 settings_begin(struct settings_reading *reading, int bundle_fd,
	    const char *id);
int	 settings_end(struct settings_reading *reading,
	    struct settings *settings);

#endif
