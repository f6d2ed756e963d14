/*
 * The process object of a bundle, or of an exec.
 */
#include <sys/resource.h>

#include <linux/capability.h>

#include <errno.h>
#include <string.h>

#include "unpriv/oci_reader.h"

#define NAMES(table) (sizeof(table) / sizeof((table)[0]))

static const char *const rlimit_names[] = {
	[RLIMIT_CPU] = "RLIMIT_CPU",
	[RLIMIT_FSIZE] = "RLIMIT_FSIZE",
	[RLIMIT_DATA] = "RLIMIT_DATA",
	[RLIMIT_STACK] = "RLIMIT_STACK",
	[RLIMIT_CORE] = "RLIMIT_CORE",
	[RLIMIT_RSS] = "RLIMIT_RSS",
	[RLIMIT_NPROC] = "RLIMIT_NPROC",
	[RLIMIT_NOFILE] = "RLIMIT_NOFILE",
	[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
	[RLIMIT_AS] = "RLIMIT_AS",
	[RLIMIT_LOCKS] = "RLIMIT_LOCKS",
	[RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
	[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
	[RLIMIT_NICE] = "RLIMIT_NICE",
	[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
	[RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};
_Static_assert(NAMES(rlimit_names) == PLAN_RLIMITS_MAX, "limits missing");

static const char *const capability_names[] = {
	[CAP_CHOWN] = "CAP_CHOWN",
	[CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
	[CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
	[CAP_FOWNER] = "CAP_FOWNER",
	[CAP_FSETID] = "CAP_FSETID",
	[CAP_KILL] = "CAP_KILL",
	[CAP_SETGID] = "CAP_SETGID",
	[CAP_SETUID] = "CAP_SETUID",
	[CAP_SETPCAP] = "CAP_SETPCAP",
	[CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
	[CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
	[CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
	[CAP_NET_ADMIN] = "CAP_NET_ADMIN",
	[CAP_NET_RAW] = "CAP_NET_RAW",
	[CAP_IPC_LOCK] = "CAP_IPC_LOCK",
	[CAP_IPC_OWNER] = "CAP_IPC_OWNER",
	[CAP_SYS_MODULE] = "CAP_SYS_MODULE",
	[CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
	[CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
	[CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
	[CAP_SYS_PACCT] = "CAP_SYS_PACCT",
	[CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
	[CAP_SYS_BOOT] = "CAP_SYS_BOOT",
	[CAP_SYS_NICE] = "CAP_SYS_NICE",
	[CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
	[CAP_SYS_TIME] = "CAP_SYS_TIME",
	[CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
	[CAP_MKNOD] = "CAP_MKNOD",
	[CAP_LEASE] = "CAP_LEASE",
	[CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
	[CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
	[CAP_SETFCAP] = "CAP_SETFCAP",
	[CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
	[CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
	[CAP_SYSLOG] = "CAP_SYSLOG",
	[CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
	[CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
	[CAP_AUDIT_READ] = "CAP_AUDIT_READ",
	[CAP_PERFMON] = "CAP_PERFMON",
	[CAP_BPF] = "CAP_BPF",
	[CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};

/* The index of the string value in a table of names, or -1. */
static int
name_index(int value, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (json_equals(value, names[i]))
			return ((int)i);
	}
	return (-1);
}

/* An integer from 0 to max; expected says so. */
static int
number_decode(struct oci_reader *reader, int value, uint64_t max,
    const char *expected, uint32_t *field)
{
	uint64_t number;

	if (json_unsigned(value, max, &number) != 0)
		return (oci_refuse(reader, value, expected));
	*field = (uint32_t)number;
	return (0);
}

/* A user or group id; (uint32_t)-1 means "no change" to setresuid(2). */
static int
id_decode(struct oci_reader *reader, int value, uint32_t *id)
{
	return (number_decode(reader, value, UINT32_MAX - 1,
	    "expected an integer from 0 to 4294967294", id));
}

static int
read_uid(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	return (id_decode(reader, value, &reader->plan->uid));
}

static int
read_gid(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	return (id_decode(reader, value, &reader->plan->gid));
}

static int
read_group(struct oci_reader *reader, int value, uint32_t arg)
{
	struct plan *plan = reader->plan;

	(void)arg;
	return (id_decode(reader, value, &plan->groups[plan->ngroups++]));
}

static int
read_groups(struct oci_reader *reader, int value, uint32_t arg)
{
	return (oci_read_array(reader, value, PLAN_GROUPS_MAX, JSON_NUMBER,
	    read_group, arg));
}

static int
read_umask(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	reader->plan->flags |= PLAN_HAS_UMASK;
	return (number_decode(reader, value, 0777,
	    "expected an integer from 0 to 511", &reader->plan->umask));
}

static const struct oci_field user_fields[] = {
	{ "uid", JSON_NUMBER, 1, read_uid, 0 },
	{ "gid", JSON_NUMBER, 1, read_gid, 0 },
	{ "umask", JSON_NUMBER, 0, read_umask, 0 },
	{ "additionalGids", JSON_ARRAY, 0, read_groups, 0 },
};

static int
read_user(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	return (oci_read_object(reader, value, user_fields,
	    OCI_FIELDS(user_fields)));
}

static int
read_cwd(struct oci_reader *reader, int value, uint32_t arg)
{
	const char *cwd;
	int error;

	(void)arg;
	if ((error = oci_append(reader, value, &cwd)) != 0)
		return (error);
	if (cwd[0] != '/')
		return (oci_refuse(reader, value, "expected an absolute path"));
	return (0);
}

static int
read_arg(struct oci_reader *reader, int value, uint32_t arg)
{
	const char *string;
	int error;

	(void)arg;
	if ((error = oci_append(reader, value, &string)) != 0)
		return (error);
	if (reader->plan->argc++ == 0 && string[0] == '\0')
		return (oci_refuse(reader, value,
		    "expected the name of a program"));
	return (0);
}

static int
read_args(struct oci_reader *reader, int value, uint32_t arg)
{
	if (json_count(value) == 0)
		return (oci_refuse(reader, JSON_NONE,
		    "expected at least one element"));
	return (oci_read_array(reader, value, PLAN_VECTOR_MAX, JSON_STRING,
	    read_arg, arg));
}

static int
read_variable(struct oci_reader *reader, int value, uint32_t arg)
{
	const char *string, *equals;
	int error;

	(void)arg;
	if ((error = oci_append(reader, value, &string)) != 0)
		return (error);
	equals = strchr(string, '=');
	/* Its text is not shown: variables hold secrets. */
	if (equals == NULL || equals == string)
		return (oci_refuse(reader, JSON_NONE, "expected KEY=VALUE"));
	reader->plan->envc++;
	return (0);
}

static int
read_env(struct oci_reader *reader, int value, uint32_t arg)
{
	if (json_count(value) > PLAN_VECTOR_MAX - reader->plan->argc)
		return (oci_refuse(reader, JSON_NONE,
		    "args and env together have too many elements"));
	return (oci_read_array(reader, value, PLAN_VECTOR_MAX, JSON_STRING,
	    read_variable, arg));
}

static int
read_capability(struct oci_reader *reader, int value, uint32_t arg)
{
	int i;

	i = name_index(value, capability_names, NAMES(capability_names));
	if (i == -1)
		return (oci_refuse(reader, value,
		    "expected the name of a capability (CAP_...)"));
	reader->plan->capabilities[arg] |= UINT64_C(1) << i;
	return (0);
}

static int
read_capset(struct oci_reader *reader, int value, uint32_t arg)
{
	return (oci_read_array(reader, value, JSON_TOKENS_MAX, JSON_STRING,
	    read_capability, arg));
}

static const struct oci_field capability_fields[] = {
	{ "bounding", JSON_ARRAY, 0, read_capset, PLAN_BOUNDING },
	{ "effective", JSON_ARRAY, 0, read_capset, PLAN_EFFECTIVE },
	{ "inheritable", JSON_ARRAY, 0, read_capset, PLAN_INHERITABLE },
	{ "permitted", JSON_ARRAY, 0, read_capset, PLAN_PERMITTED },
	{ "ambient", JSON_ARRAY, 0, read_capset, PLAN_AMBIENT },
};

static int
read_capabilities(struct oci_reader *reader, int value, uint32_t arg)
{
	const uint64_t *sets = reader->plan->capabilities;
	int error;

	(void)arg;
	error = oci_read_object(reader, value, capability_fields,
	    OCI_FIELDS(capability_fields));
	if (error != 0)
		return (error);
	/*
	 * capset(2) would refuse this.  Ambient capabilities that cannot be
	 * raised stand in real bundles (`runc spec`), and are not raised.
	 */
	if ((sets[PLAN_EFFECTIVE] & ~sets[PLAN_PERMITTED]) != 0)
		return (oci_refuse(reader, JSON_NONE,
		    "an effective capability is not permitted"));
	return (0);
}

static struct plan_rlimit *
last_rlimit(struct oci_reader *reader)
{
	return (&reader->plan->rlimits[reader->plan->nrlimits]);
}

static int
read_resource(struct oci_reader *reader, int value, uint32_t arg)
{
	const struct plan *plan = reader->plan;
	uint32_t i;
	int index;

	(void)arg;
	index = name_index(value, rlimit_names, NAMES(rlimit_names));
	if (index == -1)
		return (oci_refuse(reader, value,
		    "expected the name of a limit (RLIMIT_...)"));
	for (i = 0; i < plan->nrlimits; i++) {
		if (plan->rlimits[i].resource == (uint32_t)index)
			return (oci_refuse(reader, value, "given twice"));
	}
	last_rlimit(reader)->resource = (uint32_t)index;
	return (0);
}

static int
read_limit(struct oci_reader *reader, int value, uint32_t hard)
{
	struct plan_rlimit *limit = last_rlimit(reader);

	if (json_unsigned(value, UINT64_MAX,
		hard ? &limit->hard : &limit->soft) != 0)
		return (oci_refuse(reader, value,
		    "expected an integer from 0 to 18446744073709551615"));
	return (0);
}

static const struct oci_field rlimit_fields[] = {
	{ "type", JSON_STRING, 1, read_resource, 0 },
	{ "soft", JSON_NUMBER, 1, read_limit, 0 },
	{ "hard", JSON_NUMBER, 1, read_limit, 1 },
};

static int
read_rlimit(struct oci_reader *reader, int value, uint32_t arg)
{
	int error;

	(void)arg;
	error = oci_read_object(reader, value, rlimit_fields,
	    OCI_FIELDS(rlimit_fields));
	if (error != 0)
		return (error);
	if (last_rlimit(reader)->soft > last_rlimit(reader)->hard)
		return (oci_refuse(reader, JSON_NONE,
		    "the soft limit is above the hard limit"));
	reader->plan->nrlimits++;
	return (0);
}

static int
read_rlimits(struct oci_reader *reader, int value, uint32_t arg)
{
	return (oci_read_array(reader, value, PLAN_RLIMITS_MAX, JSON_OBJECT,
	    read_rlimit, arg));
}

static int
read_oom(struct oci_reader *reader, int value, uint32_t arg)
{
	int64_t number;

	(void)arg;
	if (json_signed(value, -1000, 1000, &number) != 0)
		return (oci_refuse(reader, value,
		    "expected an integer from -1000 to 1000"));
	reader->plan->oom_score_adj = (int32_t)number;
	reader->plan->flags |= PLAN_HAS_OOM;
	return (0);
}

static int
size_decode(struct oci_reader *reader, int value, uint32_t *size)
{
	return (number_decode(reader, value, UINT16_MAX,
	    "expected an integer from 0 to 65535", size));
}

static int
read_height(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	return (size_decode(reader, value, &reader->plan->rows));
}

static int
read_width(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	return (size_decode(reader, value, &reader->plan->columns));
}

static const struct oci_field size_fields[] = {
	{ "height", JSON_NUMBER, 1, read_height, 0 },
	{ "width", JSON_NUMBER, 1, read_width, 0 },
};

static int
read_size(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	return (oci_read_object(reader, value, size_fields,
	    OCI_FIELDS(size_fields)));
}

/* A profile that the node has loaded. */
static int
read_apparmor(struct oci_reader *reader, int value, uint32_t arg)
{
	char *profile = reader->plan->apparmor, *p;
	const size_t size = sizeof(reader->plan->apparmor);
	int fits = json_string(value, profile, size) >= 0;

	(void)arg;
	for (p = profile; fits && *p != '\0'; p++)
		fits = *p > ' ' && *p <= '~' && strchr("\"\\", *p) == NULL;
	if (!fits)
		return (oci_refuse(reader, value,
		    "expected a profile's name of at most 127 characters"));
	if (strcmp(profile, "unconfined") == 0)
		memset(profile, 0, size);
	return (0);
}

/* cwd, args in this order, and then env: so they lie in the strings. */
static const struct oci_field process_fields[] = {
	{ "cwd", JSON_STRING, 1, read_cwd, 0 },
	{ "args", JSON_ARRAY, 1, read_args, 0 },
	{ "user", JSON_OBJECT, 1, read_user, 0 },
	{ "terminal", JSON_BOOLEAN, 0, oci_read_flag, PLAN_TERMINAL },
	{ "consoleSize", JSON_OBJECT, 0, read_size, 0 },
	{ "noNewPrivileges", JSON_BOOLEAN, 0, oci_read_flag,
	    PLAN_NO_NEW_PRIVS },
	{ "capabilities", JSON_OBJECT, 0, read_capabilities, 0 },
	{ "rlimits", JSON_ARRAY, 0, read_rlimits, 0 },
	{ "oomScoreAdj", JSON_NUMBER, 0, read_oom, 0 },
	{ "apparmorProfile", JSON_STRING, 0, read_apparmor, 0 },
	{ "selinuxLabel", JSON_STRING, 0, oci_read_empty, 0 },
};

static const struct oci_field env_field[] = {
	{ "env", JSON_ARRAY, 0, read_env, 0 },
};

int
oci_read_process(struct oci_reader *reader, int value, uint32_t arg)
{
	size_t env;

	(void)arg;
	if (oci_read_object(reader, value, process_fields,
		OCI_FIELDS(process_fields)) != 0)
		return (-EINVAL);
	env = reader->used;
	if (oci_read_object(reader, value, env_field, OCI_FIELDS(env_field)) !=
	    0)
		return (-EINVAL);
	oci_add_variables(reader, env);
	return (0);
}
