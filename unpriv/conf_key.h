/*
 * Every key of the node's configuration, in one table: what reads it, what
 * error messages expect, and what the documentation says are made from it.
 */
#ifndef UNPRIV_CONF_KEY_H
#define UNPRIV_CONF_KEY_H

#include "unpriv/conf_value.h"

/* In the order in which they are shown. */
enum conf_key_id {
	CONF_WORKLOAD_PROFILE,
	CONF_NETWORK,
	CONF_HOST_NETWORK_CAPS,
	CONF_DNS_MODE,
	CONF_ANNOTATIONS_ENABLED,
	CONF_RUN_ALLOW,
	CONF_DEVICE_ALLOW,
	CONF_OVERLAY_ISOLATION,
	CONF_OVERLAY_BASE,
	CONF_OVERLAY_SIZE,
	CONF_FILTER_ENABLED,
	CONF_FILTER_PATHS,
	CONF_FILTER_MODE,
	CONF_FILTER_ALLOWLIST,
	CONF_FILTER_DIR,
	CONF_LOG_DIR,
	CONF_SHIM_LOG,
	CONF_RUNTIME_LOG,
	CONF_AUDIT,
	CONF_UID,
	CONF_RUNTIME_ROOT,
	CONF_KEYS,
};

struct conf_key {
	const char *name;
	/* How its value is read: by set, or for words with value_word. */
	int (*set)(void *field, struct slice text);
	const struct conf_word *words;
	size_t field;		/* offset of what it sets in struct conf_given */
	/* The default, as text, or NULL; without one: what is said of it. */
	const char *initial, *absent;
	const char *expected;	/* follows "expected" */
	const char *effect;	/* a sentence or two, plain text */
};

/* The key with this id, below CONF_KEYS. */
const struct conf_key *conf_key(enum conf_key_id id);

#endif
