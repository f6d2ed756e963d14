/*
 * What `start` and `delete` must know before they act: the node's
 * configuration, and what a bundle's config.json says.
 */
#ifndef SHIM_SETTINGS_H
#define SHIM_SETTINGS_H

#include <sys/types.h>

#include "privsep/plan.h"
#include "unpriv/conf.h"
#include "unpriv/files.h"

struct settings {
	struct conf conf;	/* checked */
	/* Of the plan; the rest is for the helper to check. */
	char sandbox_id[MSG_ID_SIZE];
	char error[MSG_TEXT_SIZE]; /* why there is none, or empty */
};

/* What is to be parsed; bundle.text is NULL if there is none. */
struct settings_documents {
	struct files_text conf, bundle;
};

/* Settings that are being read; settings_end ends it. */
struct settings_reading {
	struct settings_documents documents; /* until settings_begin */
	/* A guess: the id of the bundle's pod, valid, or empty. */
	char pod[MSG_ID_SIZE];
	int answer;		/* of the child, owned */
	int plan_fd; /* memfd: that plan, with its strings; owned, or -1 */
	pid_t child;
};

/*
 * settings_read reads the configuration file and, below bundle_fd unless that
 * is -1, config.json, and looks for the pod in that.  All of it and the
 * environment are parsed by a child without any capability that can only read
 * and write, which settings_begin starts; its answer is checked by
 * settings_end.  Each returns 0, or a negative errno after a message on
 * standard error.
 */
int	 settings_read(struct settings_reading *reading, int bundle_fd);
int	 settings_begin(struct settings_reading *reading);
int	 settings_end(struct settings_reading *reading,
	    struct settings *settings);

#endif
