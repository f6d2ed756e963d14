/*
 * The command line that containerd gives a shim (runtime v2): flags as Go's
 * package flag reads them, then one action.
 */
#ifndef SHIM_ARGS_H
#define SHIM_ARGS_H

#include "privsep/msg.h"

enum shim_action {
	SHIM_NONE,
	SHIM_START,
	SHIM_DELETE,
};

struct shim_args {
	enum shim_action action;
	int debug;
	int version;			/* -v */
	int info;			/* -info */
	char namespace[MSG_ID_SIZE];	/* zero beyond the string */
	char id[MSG_ID_SIZE];		/* likewise */
	const char *address;		/* containerd's socket, or "" */
	const char *bundle;		/* only with delete, or "" */
};

/*
 * Reads the command line; the strings are argv's.  Unless -v or -info is
 * given, namespace and id are checked and there is an action.  Returns 0, or
 * -EINVAL after a message on standard error.
 */
int	 args_parse(struct shim_args *args, int argc, char *const argv[]);

#endif
