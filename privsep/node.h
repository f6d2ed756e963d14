/*
 * The node's configuration, as far as the helper and its decode steps act on
 * it: made from reaper.conf and the environment by the decode step of `start`
 * (unpriv/conf.h), checked there, and handed over once, in struct boot.
 */
#ifndef PRIVSEP_NODE_H
#define PRIVSEP_NODE_H

#include <stdint.h>

#define NODE_PATH_SIZE	256	/* bytes, with the NUL */
#define NODE_SIZE_SIZE	24	/* "4096m", "25%"; the same */
#define NODE_LIST_SIZE	4096	/* bytes of a list of strings */

/* Which pods get the host profile (REAPER_WORKLOAD_PROFILE). */
enum node_profile {
	/* Privileged ones; none, they are refused; all. */
	NODE_AUTO, NODE_CONFINED, NODE_HOST,
};

/*
 * Fixed layout, no pointers.  A list is of strings, each NUL-terminated, back
 * to back, the last of them empty.
 */
struct node {
	uint32_t profile;	/* enum node_profile */
	/* 1, or 0: REAPER_NETWORK=host, REAPER_OVERLAY_ISOLATION=node. */
	uint32_t network_host, overlay_node;
	/* REAPER_DNS_MODE=kubernetes, REAPER_ANNOTATIONS_ENABLED. */
	uint32_t dns_kubernetes, annotations;
	/* REAPER_HOST_NETWORK_CAPS: NET_ADMIN and NET_RAW stay there. */
	uint32_t host_network_caps;
	/* REAPER_AUDIT: operations have lines in the logs. */
	uint32_t audit;
	/* REAPER_RUNTIME_ROOT; REAPER_LOG_DIR, or empty. */
	char runtime_root[NODE_PATH_SIZE], log_dir[NODE_PATH_SIZE];
	/* REAPER_OVERLAY_BASE, or empty: <runtime_root>/overlay. */
	char overlay_base[NODE_PATH_SIZE];
	/*
	 * REAPER_OVERLAY_SIZE, as tmpfs(5) takes it; or empty: the writable
	 * layers lie on the filesystem of overlay_base.
	 */
	char overlay_size[NODE_SIZE_SIZE];
	/*
	 * What is filtered, without the first slash; a component may be a
	 * pattern of fnmatch(3).  [0] for confined pods, [1] for the others.
	 */
	char filters[2][NODE_LIST_SIZE];
	/*
	 * Lists of absolute paths that confined pods have too: below /run
	 * (REAPER_RUN_ALLOW), devices below /dev (REAPER_DEVICE_ALLOW).
	 */
	char run_allow[NODE_LIST_SIZE], device_allow[NODE_LIST_SIZE];
};

#endif
