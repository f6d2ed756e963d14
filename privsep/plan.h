/*
 * The plan: what a decode step read from a bundle's config.json or from an
 * exec's process document, in a fixed layout.  The step writes it to a memfd
 * as one struct plan followed by strings_length bytes of strings, nmounts
 * records of struct plan_mount and a seccomp filter of nfilter instructions, of
 * which the kernel checks the content; the helper checks every field of it as
 * untrusted input (plan_check) before use.
 */
#ifndef PRIVSEP_PLAN_H
#define PRIVSEP_PLAN_H

#include "privsep/msg.h"

#define PLAN_MAGIC		0x506c616eu	/* "Plan" */
#define PLAN_DOCUMENT_MAX	(4u << 20)	/* bytes of JSON accepted */
#define PLAN_STRINGS_MAX	(2u << 20)	/* the kernel's ARG_MAX */
#define PLAN_VECTOR_MAX		16384		/* args and env together */
#define PLAN_GROUPS_MAX		256
#define PLAN_RLIMITS_MAX	16
#define PLAN_NAMESPACE_SIZE	64	/* a DNS label, with its NUL */
#define PLAN_CGROUP_SIZE	256	/* a path, with its NUL */
#define PLAN_LIMIT_SIZE		128	/* "0-3,8", with its NUL */
#define PLAN_MOUNTS_MAX		512
#define PLAN_FILTER_MAX		4095	/* instructions */
/* What may follow a plan, bytes. */
#define PLAN_TAIL_MAX \
	(PLAN_STRINGS_MAX + PLAN_MOUNTS_MAX * sizeof(struct plan_mount) + \
	    PLAN_FILTER_MAX * sizeof(uint64_t))
#define PLAN_HOSTNAME_SIZE	72	/* the kernel takes 64 */
#define PLAN_NETNS_SIZE		64	/* a file name, with its NUL */
#define PLAN_APPARMOR_SIZE	128	/* a profile's name, with its NUL */
#define PLAN_SYSCTLS_MAX	16
#define PLAN_SYSCTL_SIZE	96	/* a name or a value, with its NUL */

/* A whole config.json; an exec's process document. */
enum plan_kind { PLAN_BUNDLE = 1, PLAN_PROCESS };

/* What the document asks for. */
enum plan_flag {
	/* Refused, error says why; process.terminal. */
	PLAN_HAS_ERROR = 1 << 0, PLAN_TERMINAL = 1 << 1,
	/* process.noNewPrivileges; user.umask was given. */
	PLAN_NO_NEW_PRIVS = 1 << 2, PLAN_HAS_UMASK = 1 << 3,
	/* oomScoreAdj was given; a pid namespace without a path. */
	PLAN_HAS_OOM = 1 << 4, PLAN_NEW_PIDNS = 1 << 5,
	/* root.readonly; the annotations of CRI. */
	PLAN_ROOT_READONLY = 1 << 6, PLAN_CRI = 1 << 7,
	/* The type that they name is sandbox; the profile is host. */
	PLAN_CRI_SANDBOX = 1 << 8, PLAN_HOST = 1 << 9,
	/* An annotation forbids execs in it. */
	PLAN_NO_EXEC = 1 << 10, PLAN_FLAGS_ALL = (1 << 11) - 1,
};

struct plan_rlimit {
	/* RLIMIT_*, 0 to 15; hard >= soft; UINT64_MAX is RLIM_INFINITY. */
	uint64_t resource, soft, hard;
};

/* Indices of plan.capabilities, one bit mask (1 << CAP_*) each. */
enum plan_capset {
	PLAN_BOUNDING, PLAN_EFFECTIVE, PLAN_INHERITABLE, PLAN_PERMITTED,
	PLAN_AMBIENT, PLAN_CAPSETS,
};

/*
 * What is to be written to the files of a cgroup that limit it, by enum
 * msg_cgroup, where they are version 1's and version 2's: digits and the
 * characters ",- max", NUL-terminated; empty: nothing.
 */
struct plan_limits {
	char v1[MSG_CGROUP_LIMITS][PLAN_LIMIT_SIZE];
	char v2[MSG_CGROUP_LIMITS][PLAN_LIMIT_SIZE];
};

/* Kinds of plan_mount, and what their source is; else it is empty. */
enum plan_mount_kind {
	/* The node's file or directory; with all that is mounted below it. */
	PLAN_BIND = 1, PLAN_BIND_TREE,
	/* The node's device file; what a symbolic link says. */
	PLAN_DEVICE, PLAN_LINK,
	/* New filesystems; a directory where there is none. */
	PLAN_TMPFS, PLAN_DEVPTS, PLAN_DIRECTORY,
	/* What is there, if anything: shows nothing; cannot be written to. */
	PLAN_MASK, PLAN_READONLY,
	/*
	 * A filesystem of the node that is mounted at the destination: part of
	 * the overlay, not of the container.  These come first, the outer
	 * before the inner.
	 */
	PLAN_NODE,
	/*
	 * Nothing: its source is another name of what the next mounts have, and
	 * is refused like a source.
	 */
	PLAN_ORIGIN, PLAN_KINDS,
};

/* Something to be placed in a container's tree, in the order of the records. */
struct plan_mount {
	/*
	 * enum plan_mount_kind; of a PLAN_TMPFS, or 1: passed over where its
	 * source is missing.
	 */
	uint32_t kind, mode;
	/* MOUNT_ATTR_ RDONLY, NOSUID, NOEXEC; MS_PRIVATE, _SLAVE or _SHARED. */
	uint64_t attributes, propagation;
	/* PLAN_TMPFS: bytes, PLAN_DEVICE: its device number; or 0. */
	uint64_t number;
};

/* Namespaces that may be those of another process: indices of plan.ns_pids. */
enum plan_ns {
	PLAN_NS_NET, PLAN_NS_IPC, PLAN_NS_UTS, PLAN_NS_PID, PLAN_NS_MAX,
};

/*
 * A setting of a namespace: its path below /proc/sys, with a prefix of
 * plan_sysctl_ns; what is written there, printable.
 */
struct plan_sysctl {
	char name[PLAN_SYSCTL_SIZE], value[PLAN_SYSCTL_SIZE];
};

/* Of plan.unshare. */
#define PLAN_UNSHARE_ALL (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

struct plan {
	/* PLAN_MAGIC, enum plan_kind, enum plan_flag; umask: 0 to 0777. */
	uint32_t magic, kind, flags, uid, gid, umask;
	int32_t oom_score_adj;	/* -1000 to 1000 */
	/*
	 * The strings that follow: cwd, then argc >= 1 arguments, then envc
	 * KEY=VALUE, argc + envc <= PLAN_VECTOR_MAX, then of each mount its
	 * destination and its source, each NUL-terminated, back to back,
	 * filling exactly strings_length bytes.
	 */
	uint32_t argc, envc, strings_length, ngroups, nrlimits;
	uint32_t rows, columns; /* of the terminal; at most 65535 */
	/* A bundle's only; CLONE_NEW* that are the container's own. */
	uint32_t nmounts, nfilter, unshare, nsysctls;
	/*
	 * Whose namespaces are joined, or 0; for PLAN_NS_NET perhaps netns
	 * instead.  What is neither is the node's.
	 */
	uint32_t ns_pids[PLAN_NS_MAX];
	uint32_t groups[PLAN_GROUPS_MAX];
	struct plan_rlimit rlimits[PLAN_RLIMITS_MAX];
	uint64_t capabilities[PLAN_CAPSETS];
	struct plan_limits limits;
	struct plan_sysctl sysctls[PLAN_SYSCTLS_MAX];
	/* Printable ASCII: see PLAN_HAS_ERROR; else a warning, or empty. */
	char error[MSG_TEXT_SIZE];
	/*
	 * Annotations of CRI: sandbox-id and sandbox-namespace; empty where
	 * the bundle has none.  Without CRI the first is the container whose
	 * shim is to be shared, or empty: io.containerd.runc.v2.group.
	 */
	char sandbox_id[MSG_ID_SIZE], sandbox_namespace[PLAN_NAMESPACE_SIZE];
	/* DNS labels, or empty: of another annotation; CRI's sandbox-uid. */
	char overlay_name[PLAN_NAMESPACE_SIZE], pod_uid[PLAN_NAMESPACE_SIZE];
	/*
	 * Of the container, below the root of the cgroups: components of
	 * [A-Za-z0-9._:@\-], none beginning with '.', with one '/' between
	 * two; empty where the bundle names none.
	 */
	char cgroup[PLAN_CGROUP_SIZE];
	/* Or empty; a file in /run/netns, or empty; a profile, or empty. */
	char hostname[PLAN_HOSTNAME_SIZE], netns[PLAN_NETNS_SIZE];
	char apparmor[PLAN_APPARMOR_SIZE];
};

_Static_assert(offsetof(struct plan, rlimits) % 8 == 0 &&
    sizeof(struct plan) % 8 == 0 && sizeof(struct plan_mount) == 32,
    "plan has padding");

/* Whose namespace a setting is of; PLAN_NS_MAX: the node's. */
enum plan_ns plan_sysctl_ns(const char *name);

/* Whether a name of at most PLAN_SYSCTL_SIZE bytes is one of a namespace. */
int	 plan_sysctl_valid(const char name[PLAN_SYSCTL_SIZE]);

/* Printable ASCII, without quotes and backslashes. */
int	 plan_text_printable(const char *s);

/*
 * Checks a plan of the given kind and the length bytes that follow it.  Pure.
 * Returns NULL if it is well formed, or a constant text that names the first
 * field that is not.
 */
const char *plan_check(const struct plan *plan, uint32_t kind,
	    const char *strings, size_t length);

#endif
