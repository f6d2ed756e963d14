/*
 * The node's configuration: reaper.conf, and REAPER_* variables over it.
 * Read once, by the decode step of `start`.
 */
#ifndef UNPRIV_CONF_H
#define UNPRIV_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "privsep/node.h"

#define CONF_FILE		"/etc/reaper/reaper.conf"
#define CONF_FILE_VARIABLE	"REAPER_CONFIG"	/* names another file */
#define CONF_FILE_MAX		(64u << 10)	/* bytes */
#define CONF_PATH_SIZE		NODE_PATH_SIZE	/* bytes, with the NUL */
#define CONF_ERROR_SIZE		256

/* Fixed layout, no pointers: it crosses a pipe. */
struct conf {
	uint32_t uid;			/* REAPER_UID: 1 to 2^31-2 */
	struct node node;		/* what the helper acts on */
	char shim_log[CONF_PATH_SIZE];	/* REAPER_SHIM_LOG, or empty */
	char runtime_log[CONF_PATH_SIZE]; /* REAPER_RUNTIME_LOG, or empty */
	char error[CONF_ERROR_SIZE];	/* printable ASCII, or empty */
};

/* Fills conf with the defaults. */
void	 conf_init(struct conf *conf);

/*
 * Applies the text of a file: lines of KEY=VALUE, blank lines, comments after
 * '#' at the start of a line; spaces around keys and values do not count.
 * Returns 0, or -EINVAL for an unknown or repeated key or a bad value, with
 * conf->error naming the line.  Pure.
 */
int	 conf_parse_text(struct conf *conf, const char *text, size_t length);

/*
 * Applies the variables of envp that begin with REAPER_, except
 * CONF_FILE_VARIABLE.  Returns and fails like conf_parse_text.  Pure.
 */
int	 conf_parse_environment(struct conf *conf, char *const envp[]);

/*
 * Checks a conf that came over a pipe as untrusted input.  Pure.  Returns
 * NULL, or a constant text that names the first field that is malformed.
 */
const char *conf_check(const struct conf *conf);

/*
 * Copies text (length bytes of anything) to buffer as a string of printable
 * ASCII, other bytes as '?', cut to size - 1 bytes.
 */
void	 conf_printable(char *buffer, size_t size, const char *text,
	    size_t length);

#endif
