/*
 * The node's configuration: reaper.conf, and REAPER_* variables over it.
 * Read once, by the decode step of `start`:
 *
 *	conf_init, conf_parse_text, conf_parse_environment, conf_finish
 *
 * of which each leaves the first error in conf.error and does nothing after
 * one.  The keys are in unpriv/conf_key.h.
 */
#ifndef UNPRIV_CONF_H
#define UNPRIV_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "privsep/node.h"
#include "unpriv/conf_key.h"

#define CONF_FILE		"/etc/reaper/reaper.conf"
#define CONF_FILE_VARIABLE	"REAPER_CONFIG"	/* names another file */
#define CONF_FILE_MAX		(64u << 10)	/* bytes */
#define CONF_PATH_SIZE		NODE_PATH_SIZE	/* bytes, with the NUL */
#define CONF_ERROR_SIZE		384
#define CONF_UIDS_MAX		65536	/* user ids in a range */

/* User ids, first <= last: 1 to 2^31-2, of at most CONF_UIDS_MAX. */
struct conf_uids {
	uint32_t first, last;
};

/* Whether an id is one of them. */
#define CONF_UIDS_HAVE(uids, id) ((id) >= (uids)->first && (id) <= (uids)->last)

/* Fixed layout, no pointers: it crosses a pipe. */
struct conf {
	struct conf_uids uids;		/* REAPER_UID */
	struct node node;		/* what the helper acts on */
	char shim_log[CONF_PATH_SIZE];	/* REAPER_SHIM_LOG, or empty */
	char runtime_log[CONF_PATH_SIZE]; /* REAPER_RUNTIME_LOG, or empty */
	char error[CONF_ERROR_SIZE];	/* printable ASCII, or empty */
};

/* Where a value comes from: one of these, or the number of a line. */
#define CONF_FROM_DEFAULT	0u
#define CONF_FROM_ENVIRONMENT	UINT32_MAX

/* The text is part of what was parsed, or constant; empty if there is none. */
struct conf_value {
	struct slice text;
	uint32_t from;
};

/* A configuration that is being read. */
struct conf_given {
	struct conf conf;	/* to be used after conf_finish */
	/* What makes conf.node.filters. */
	uint32_t filter_enabled, filter_replace;
	char filter_paths[NODE_LIST_SIZE], filter_allow[NODE_LIST_SIZE];
	char filter_dir[NODE_PATH_SIZE];	/* unused */
	/* That of REAPER_OVERLAY_BASE. */
	char overlay_default[NODE_PATH_SIZE + sizeof("/overlay")];
	struct conf_value values[CONF_KEYS];
};

/* Fills given with the defaults. */
void	 conf_init(struct conf_given *given);

/*
 * Applies the text of a file: lines of KEY=VALUE, blank lines, comments after
 * '#' at the start of a line; spaces around keys and values do not count.  The
 * text must stay for as long as given is used.  Returns 0, or -EINVAL for an
 * unknown or repeated key or a bad value, with the line in conf.error.  Pure.
 */
int	 conf_parse_text(struct conf_given *given, const char *text,
	    size_t length);

/*
 * Applies the variables of envp that begin with REAPER_, except
 * CONF_FILE_VARIABLE.  Requires, returns and fails like conf_parse_text.  Pure.
 */
int	 conf_parse_environment(struct conf_given *given, char *const envp[]);

/*
 * Does what can be done only with all values: the lists of filters are made,
 * values are held against each other.  Returns 0, or -EINVAL for values that
 * do not go together, or if something was refused before.  Pure.
 */
int	 conf_finish(struct conf_given *given);

/*
 * Checks a conf that came over a pipe as untrusted input.  Pure.  Returns
 * NULL, or a constant text that names the first field that is malformed.
 */
const char *conf_check(const struct conf *conf);

/*
 * Refuses text as the value of a key that was given: writes conf.error, with
 * where it was given and why (a constant text).  Returns -EINVAL.
 */
int	 conf_refuse(struct conf_given *given, enum conf_key_id id,
	    struct slice text, const char *reason);

/*
 * Copies text (length bytes of anything) to buffer as a string of printable
 * ASCII, other bytes as '?', cut to size - 1 bytes.
 */
void	 conf_printable(char *buffer, size_t size, const char *text,
	    size_t length);

#endif
