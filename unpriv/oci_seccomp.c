/*
 * A bundle's profile of system calls, made into a program by libseccomp.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

#include "unpriv/oci.h"
#include "unpriv/oci_reader.h"

#define NUMBER(table) (sizeof(table) / sizeof((table)[0]))
#define CONDITIONS    6 /* a system call has so many arguments */

static const struct {
	const char *name;
	uint32_t action;
	int has_errno;
} actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, 0 },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), 1 },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, 0 },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, 0 },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, 0 },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP, 0 },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), 1 },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG, 0 },
};

static const struct {
	const char *name;
	enum scmp_compare compare;
} comparisons[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
};

/* The profile being read; the rule in it. */
static scmp_filter_ctx context;
static uint32_t default_action, action;
static int action_has_errno;
static struct scmp_arg_cmp conditions[CONDITIONS];
static unsigned int nconditions;

/*
 * libseccomp writes its programs to a descriptor alone; one fits in a pipe,
 * which does not wait.
 */
static int pipe_fds[2] = { -1, -1 };

static int
read_action(struct oci_reader *reader, int value, uint32_t arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < NUMBER(actions); i++) {
		if (!json_equals(value, actions[i].name))
			continue;
		action = actions[i].action;
		action_has_errno = actions[i].has_errno;
		/* Unless another number is given. */
		if (action_has_errno)
			action |= EPERM;
		return (0);
	}
	return (oci_refuse(reader, value, "expected a supported SCMP_ACT_..."));
}

static int
read_errno(struct oci_reader *reader, int value, uint32_t arg)
{
	uint64_t number;

	(void)arg;
	/* The kernel's bound. */
	if (json_unsigned(value, 4095, &number) != 0)
		return (oci_refuse(reader, value,
		    "expected an integer from 0 to 4095"));
	if (action_has_errno)
		action = (action & ~0xffffu) | (uint32_t)number;
	return (0);
}

/* As they stand in the profile, or as libseccomp names them: no prefix. */
static int
read_architecture(struct oci_reader *reader, int value, uint32_t arg)
{
	static const char prefix[] = "SCMP_ARCH_";
	char name[32], *p;
	uint32_t token = 0;
	int error;

	(void)arg;
	if (json_string(value, name, sizeof(name)) > 0 &&
	    strncmp(name, prefix, sizeof(prefix) - 1) == 0) {
		for (p = name; *p != '\0'; p++) {
			if (*p >= 'A' && *p <= 'Z')
				*p += 'a' - 'A';
		}
		token = seccomp_arch_resolve_name(name + sizeof(prefix) - 1);
	}
	if (token == 0)
		return (oci_refuse(reader, value,
		    "expected the name of an architecture (SCMP_ARCH_...)"));
	error = seccomp_arch_add(context, token);
	if (error != 0 && error != -EEXIST)
		return (oci_refuse(reader, value,
		    "cannot be filtered beside this machine's architecture"));
	return (0);
}

static int
read_architectures(struct oci_reader *reader, int value, uint32_t arg)
{
	return (oci_read_array(reader, value, 32, JSON_STRING,
	    read_architecture, arg));
}

static struct scmp_arg_cmp *
last_condition(void)
{
	return (&conditions[nconditions]);
}

static int
read_index(struct oci_reader *reader, int value, uint32_t arg)
{
	uint64_t number;

	(void)arg;
	if (json_unsigned(value, CONDITIONS - 1, &number) != 0)
		return (oci_refuse(reader, value,
		    "expected an integer from 0 to 5"));
	last_condition()->arg = (unsigned int)number;
	return (0);
}

static int
read_comparison(struct oci_reader *reader, int value, uint32_t arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < NUMBER(comparisons); i++) {
		if (!json_equals(value, comparisons[i].name))
			continue;
		last_condition()->op = comparisons[i].compare;
		return (0);
	}
	return (oci_refuse(reader, value, "expected SCMP_CMP_..."));
}

static int
read_datum(struct oci_reader *reader, int value, uint32_t is_second)
{
	uint64_t number;

	if (json_unsigned(value, UINT64_MAX, &number) != 0)
		return (oci_refuse(reader, value,
		    "expected an integer from 0 to 18446744073709551615"));
	if (is_second)
		last_condition()->datum_b = number;
	else
		last_condition()->datum_a = number;
	return (0);
}

static int
read_condition(struct oci_reader *reader, int value, uint32_t arg)
{
	static const struct oci_field fields[] = {
		{ "index", JSON_NUMBER, 1, read_index, 0 },
		{ "op", JSON_STRING, 1, read_comparison, 0 },
		{ "value", JSON_NUMBER, 1, read_datum, 0 },
		{ "valueTwo", JSON_NUMBER, 0, read_datum, 1 },
	};
	int error;

	(void)arg;
	memset(last_condition(), 0, sizeof(*last_condition()));
	error = oci_read_object(reader, value, fields, OCI_FIELDS(fields));
	nconditions++;
	return (error);
}

static int
read_conditions(struct oci_reader *reader, int value, uint32_t arg)
{
	return (oci_read_array(reader, value, CONDITIONS, JSON_OBJECT,
	    read_condition, arg));
}

/* As runc has it: of conditions on one and the same argument, any suffices. */
static int
conditions_are_alternatives(void)
{
	unsigned int seen = 0, i;

	for (i = 0; i < nconditions; i++) {
		if ((seen & 1u << conditions[i].arg) != 0)
			return (1);
		seen |= 1u << conditions[i].arg;
	}
	return (0);
}

/* A name that is not known is that of a call that cannot be made. */
static int
read_name(struct oci_reader *reader, int value, uint32_t arg)
{
	char name[64];
	unsigned int i;
	int error = 0, number;

	(void)arg;
	if (json_string(value, name, sizeof(name)) < 0)
		return (oci_refuse(reader, value,
		    "expected the name of a system call"));
	number = seccomp_syscall_resolve_name(name);
	if (number == __NR_SCMP_ERROR || action == default_action)
		return (0);
	if (!conditions_are_alternatives())
		error = seccomp_rule_add_array(context, action, number,
		    nconditions, conditions);
	for (i = 0; conditions_are_alternatives() && i < nconditions; i++) {
		if (error == 0 || error == -EEXIST)
			error = seccomp_rule_add_array(context, action, number,
			    1, &conditions[i]);
	}
	if (error != 0 && error != -EEXIST)
		return (oci_refuse(reader, value,
		    "libseccomp does not take this rule"));
	return (0);
}

static int
read_names(struct oci_reader *reader, int value, uint32_t arg)
{
	return (
	    oci_read_array(reader, value, 4096, JSON_STRING, read_name, arg));
}

/* In this order: the names make the rules. */
static int
read_rule(struct oci_reader *reader, int value, uint32_t arg)
{
	static const struct oci_field fields[] = {
		{ "action", JSON_STRING, 1, read_action, 0 },
		{ "errnoRet", JSON_NUMBER, 0, read_errno, 0 },
		{ "args", JSON_ARRAY, 0, read_conditions, 0 },
		{ "names", JSON_ARRAY, 1, read_names, 0 },
	};

	(void)arg;
	nconditions = 0;
	return (oci_read_object(reader, value, fields, OCI_FIELDS(fields)));
}

static int
read_rules(struct oci_reader *reader, int value, uint32_t arg)
{
	return (
	    oci_read_array(reader, value, 4096, JSON_OBJECT, read_rule, arg));
}

/* Takes the finished program to the reader. */
static int
program_take(struct oci_reader *reader)
{
	const size_t size = sizeof(reader->filter[0]);
	ssize_t n;

	if (oci_prepare() != 0 ||
	    seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0 ||
	    seccomp_export_bpf(context, pipe_fds[1]) != 0)
		n = -1;
	else
		n = read(pipe_fds[0], reader->filter, sizeof(reader->filter));
	if (n <= 0 || (size_t)n % size != 0 ||
	    (size_t)n == sizeof(reader->filter)) {
		while (read(pipe_fds[0], reader->filter, size) > 0)
			continue;
		return (oci_refuse(reader, JSON_NONE,
		    "expected a profile that fits in 4095 instructions"));
	}
	reader->plan->nfilter = (uint32_t)((size_t)n / size);
	return (0);
}

int
oci_read_seccomp(struct oci_reader *reader, int value, uint32_t arg)
{
	static const struct oci_field first[] = {
		{ "defaultAction", JSON_STRING, 1, read_action, 0 },
		{ "defaultErrnoRet", JSON_NUMBER, 0, read_errno, 0 },
		{ "listenerPath", JSON_STRING, 0, oci_read_empty, 0 },
	};
	static const struct oci_field then[] = {
		{ "architectures", JSON_ARRAY, 0, read_architectures, 0 },
		{ "syscalls", JSON_ARRAY, 0, read_rules, 0 },
	};
	int error;

	(void)arg;
	/* Docker says so that there is none. */
	if (json_count(value) == 0)
		return (0);
	if ((error = oci_read_object(reader, value, first,
		 OCI_FIELDS(first))) != 0)
		return (error);
	default_action = action;
	if ((context = seccomp_init(default_action)) == NULL)
		return (oci_refuse(reader, JSON_NONE,
		    "libseccomp does not take its defaultAction"));
	error = oci_read_object(reader, value, then, OCI_FIELDS(then));
	if (error == 0)
		error = program_take(reader);
	seccomp_release(context);
	context = NULL;
	return (error);
}

int
oci_prepare(void)
{
	if (pipe_fds[0] != -1)
		return (0);
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return (-errno);
	/* It asks the kernel once what that can do; and libc's heap is made. */
	seccomp_api_get();
	seccomp_release(seccomp_init(SCMP_ACT_ALLOW));
	return (0);
}
