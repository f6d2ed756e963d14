/*
 * The kinds of values of a configuration.  Each reads a text into a field, of
 * the type named, and leaves the field alone if it is refused.  They return 0,
 * -EINVAL, or -E2BIG for a list longer than struct node takes.  Pure.
 */
#ifndef UNPRIV_CONF_VALUE_H
#define UNPRIV_CONF_VALUE_H

#include <stdint.h>

#include "unpriv/slice.h"

#define CONF_UID_MAX	2147483646u	/* 2^31-2 */

/* A word that a key takes, and what it stands for. */
struct conf_word {
	const char *word;	/* NULL: the end */
	uint32_t number;
};

/* uint32_t: one of the words. */
int	 value_word(const struct conf_word *words, void *field,
	    struct slice text);

/* uint32_t: 1 or 0; a word for yes or no, in any case. */
int	 value_switch(void *field, struct slice text);

/* struct conf_uids: a user id, or the first and the last, joined by a minus. */
int	 value_uids(void *field, struct slice text);

/* char[NODE_PATH_SIZE]: see conf_path_valid. */
int	 value_path(void *field, struct slice text);

/* char[NODE_SIZE_SIZE]: see conf_size_valid; or "none": empty. */
int	 value_size(void *field, struct slice text);

/*
 * char[NODE_LIST_SIZE]: paths separated by colons, each with or without a
 * slash at its end, which is left out.  An empty text is an empty list.  The
 * first two: valid paths below /run or /dev.  The last: absolute patterns, of
 * which the first slash is left out, too.
 */
int	 value_run(void *field, struct slice text);
int	 value_devices(void *field, struct slice text);
int	 value_patterns(void *field, struct slice text);

/*
 * True for an absolute path that struct node has room for: printable, without
 * spaces, characters of patterns, components that are empty, "." or "..".
 */
int	 conf_path_valid(struct slice path);

/* The same without a first slash, and '*' and '?' are allowed. */
int	 conf_pattern_valid(struct slice pattern);

/*
 * True for a size as tmpfs(5) takes it, that struct node has room for: from
 * 1% to 100%, or from 1 MiB to 1 EiB in bytes or with k, m or g.
 */
int	 conf_size_valid(struct slice text);

/* True if one of two valid paths is, or lies in, the other. */
int	 conf_paths_touch(const char *a, const char *b);

#endif
