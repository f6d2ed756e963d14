/*
 * How the OCI decoder walks a document: tables of fields.  Internal to
 * unpriv/oci*.c.
 */
#ifndef UNPRIV_OCI_READER_H
#define UNPRIV_OCI_READER_H

#include "privsep/plan.h"
#include "unpriv/json.h"
#include "unpriv/mountinfo.h"
#include "unpriv/oci.h"

#define OCI_PATH_SIZE	96	/* bytes; the deepest field needs about 40 */
#define OCI_SHM		"/dev/shm"

/* What an annotation forbids, and the plan has no flag for. */
enum oci_restriction { OCI_NO_NETWORK = 1, OCI_NO_HOSTPATH = 2 };

/* One decoding. */
struct oci_reader {
	const struct oci_node *on;
	struct mountinfo mountinfo;	/* of on->mounts, by oci_node_mounts */
	struct plan *plan;
	char *strings;
	size_t size;			/* of strings, bytes */
	size_t used;
	uint32_t namespaces;		/* kinds seen, one bit each */
	uint32_t namespace;		/* the kind being read */
	struct plan_mount mounts[PLAN_MOUNTS_MAX]; /* plan->nmounts of them */
	struct plan_mount *mount;	/* the one being read */
	struct plan_mount *shm;		/* the base's on OCI_SHM, or NULL */
	uint32_t restricted;		/* enum oci_restriction */
	int dns_kubernetes, has_resolv;	/* CRI's resolv.conf is asked for, had */
	uint64_t filter[PLAN_FILTER_MAX + 1]; /* plan->nfilter instructions */
	char path[OCI_PATH_SIZE];	/* the value being read, for errors */
};

/*
 * A member of an object.  read is called with its value if there is one and
 * it is not null, after its type was checked.
 */
struct oci_field {
	const char *name;
	enum json_type type;
	int required;
	int (*read)(struct oci_reader *reader, int value, uint32_t arg);
	uint32_t arg;
};

/* The sizes of the tables. */
#define OCI_FIELDS(table)	(sizeof(table) / sizeof((table)[0]))

/*
 * Reads the members of an object that the table lists, in the table's order;
 * others are ignored.  A member given twice is refused.  This and all readers
 * return 0, or -EINVAL with plan->error set.
 */
int	 oci_read_object(struct oci_reader *reader, int object,
	    const struct oci_field *fields, size_t nfields);

/*
 * Calls read with each element of an array, after checking its type.  More
 * than max elements are refused.
 */
int	 oci_read_array(struct oci_reader *reader, int array, size_t max,
	    enum json_type type,
	    int (*read)(struct oci_reader *, int, uint32_t), uint32_t arg);

/* Refuses value (JSON_NONE: not shown), which is at reader->path. */
int	 oci_refuse(struct oci_reader *reader, int value,
	    const char *expected);

/* Refuses any value that is not empty, because it cannot be applied. */
int	 oci_read_empty(struct oci_reader *reader, int value, uint32_t arg);

/* Reads true or false to the flag arg of the plan. */
int	 oci_read_flag(struct oci_reader *reader, int value, uint32_t arg);

/*
 * Appends a string of the document to the plan's; *string is where it begins.
 */
int	 oci_append(struct oci_reader *reader, int value, const char **string);

/* oci_process.c: reads the members of a process object. */
int	 oci_read_process(struct oci_reader *reader, int value, uint32_t arg);

/*
 * oci_user.c: adds HOME, USER, LOGNAME and SHELL to the environment, which
 * begins at env in the strings and ends them, where they are not in it and
 * where there is room.  Without a line for the user only HOME, which is "/".
 */
void	 oci_add_variables(struct oci_reader *reader, size_t env);

/* oci_resources.c: reads the members of a resources object that are limits. */
int	 oci_read_resources(struct oci_reader *reader, int value, uint32_t arg);

/*
 * oci_sysctl.c: reads settings of namespaces.  Those of namespaces that turn
 * out to be the node's are dropped, with a warning, once all are known.
 */
int	 oci_read_sysctls(struct oci_reader *reader, int value, uint32_t arg);
void	 oci_drop_sysctls(struct oci_reader *reader);

/* oci_cgroup.c: reads the path of a cgroup, in either of its forms. */
int	 oci_read_cgroup(struct oci_reader *reader, int value, uint32_t arg);

/*
 * oci_mounts.c: read the mounts of a bundle, and the devices in its linux
 * object.  The mounts come after the process and the annotations.
 */
int	 oci_read_mounts(struct oci_reader *reader, int value, uint32_t arg);
int	 oci_read_devices(struct oci_reader *reader, int value, uint32_t arg);

/* oci_mounts.c: paths to be covered; kind: PLAN_MASK or PLAN_READONLY. */
int	 oci_read_covered(struct oci_reader *reader, int value, uint32_t kind);

/*
 * oci_seccomp.c: makes the program of a profile.  Allocates, by libseccomp.
 */
int	 oci_read_seccomp(struct oci_reader *reader, int value, uint32_t arg);

/*
 * oci_mounts.c: appends a mount of kind 0, private, and its strings.  Returns
 * it, to be filled; or NULL, with plan->error.
 */
struct plan_mount *oci_add_mount(struct oci_reader *reader,
	    const char *destination, const char *source);

/*
 * oci_profile.c: sets PLAN_HOST where the bundle, which is the document's
 * root, or the node asks for it, or refuses it.  It comes after the annotations
 * and before all mounts.  What is malformed asks for nothing.
 */
int	 oci_find_profile(struct oci_reader *reader, int bundle);

/*
 * oci_node_mounts.c: appends the node's filesystems, before all other mounts,
 * by the profile and the node's list of mounts, which it refuses if it is
 * malformed, or if there are more than 64 to be shown.
 */
int	 oci_node_mounts(struct oci_reader *reader);

/*
 * oci_base.c: what every container has by its profile, before its own mounts,
 * and what covers them all.  Sandboxes have nothing: no program runs in them.
 */
int	 oci_base_mounts(struct oci_reader *reader);

/* oci_base.c: whether that covers a path of a confined container so, or more. */
int	 oci_is_covered(const char *path, uint32_t kind);
int	 oci_last_mounts(struct oci_reader *reader);

/*
 * oci_annotations.c: reads the annotations of CRI and Reaper's own.  What of
 * the latter is not applied is said in plan->error, as a warning.
 */
int	 oci_read_annotations(struct oci_reader *reader, int value,
	    uint32_t arg);

/*
 * oci_source.c: refuses the bind mount that is being read if what is mounted in
 * the pod's directory, as source, is nothing that a confined pod may have, or
 * if the pod must not have what is the node's, and source is that or cannot be
 * told from it.
 */
int	 oci_check_source(struct oci_reader *reader, const char *destination,
	    const char *source);

/*
 * oci_source.c: where source, a normal path, is something below the directory
 * that kubelet has for this pod: its path from there on; else NULL.
 */
const char *oci_pod_file(const struct oci_reader *reader,
	    const char *source);

/* oci_source.c: whether source is what kubelet reads as a container's last. */
int	 oci_is_termination_log(const struct oci_reader *reader,
	    const char *source);

/* Whose a source is. */
enum oci_origin {
	/* The pod's: one of its volumes; what kubelet keeps for it. */
	OCI_ORIGIN_OWN, OCI_ORIGIN_KUBELET,
	/* The node's; so, and kept from workloads; seen nowhere else. */
	OCI_ORIGIN_NODE, OCI_ORIGIN_KEPT, OCI_ORIGIN_UNKNOWN,
};

/*
 * oci_origin.c: finds whose source is.  Fills path with where else it is to be
 * seen, for an error; empty where that does not matter or is not known.
 */
enum oci_origin oci_find_origin(const struct oci_reader *reader,
	    const char *source, char path[PATH_MAX]);

/* oci_mounts.c: refuses a pod that is to have Kubernetes' DNS and has none. */
int	 oci_check_dns(struct oci_reader *reader);

/*
 * oci_source.c: whether source is what CRI has made for this pod's sandbox and
 * calls name; NULL: anything of it.
 */
int	 oci_is_sandbox_file(const struct oci_reader *reader,
	    const char *source, const char *name);

#endif
