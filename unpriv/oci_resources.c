/*
 * The resources object of a bundle, or of an update.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/chars.h"
#include "unpriv/oci_reader.h"
#include "unpriv/oci_resources.h"

/* Numbers that the object has; how they are written comes at its end. */
enum limit {
	CPU_SHARES,
	CPU_QUOTA,
	CPU_PERIOD,
	CPU_BURST,
	MEMORY_LIMIT,
	MEMORY_RESERVATION,
	MEMORY_SWAP,
	PIDS_LIMIT,
	LIMITS,
};

static struct {
	uint32_t given; /* 1 << enum limit */
	int64_t value[LIMITS];
} numbers;

#define GIVEN(limit) ((numbers.given & 1u << (limit)) != 0)

/*
 * What the limits may be: the kernel's own bounds, so that its refusal would
 * come too late and without the field's name.
 */
static const struct {
	int64_t min, max;
	int none;  /* -1 means that there is no limit */
	int unset; /* 0 means that it is not given */
	const char *expected;
} bounds[LIMITS] = {
	[CPU_SHARES] = { 2, 262144, 0, 1,
	    "expected an integer from 2 to 262144" },
	[CPU_QUOTA] = { 1000, INT64_MAX, 1, 1,
	    "expected -1 or an integer of at least 1000" },
	[CPU_PERIOD] = { 1000, 1000000, 0, 1,
	    "expected an integer from 1000 to 1000000" },
	[CPU_BURST] = { 0, INT64_MAX, 0, 0,
	    "expected an integer of at least 0" },
	[MEMORY_LIMIT] = { 1, INT64_MAX, 1, 1,
	    "expected -1 or an integer of at least 1" },
	[MEMORY_RESERVATION] = { 1, INT64_MAX, 1, 1,
	    "expected -1 or an integer of at least 1" },
	[MEMORY_SWAP] = { 1, INT64_MAX, 1, 1,
	    "expected -1 or an integer of at least 1" },
	[PIDS_LIMIT] = { 1, 4194304, 1, 1,
	    "expected -1 or an integer from 1 to 4194304" },
};

static int
read_limit(struct oci_reader *reader, int value, uint32_t limit)
{
	int64_t number;

	if (json_signed(value, -1, bounds[limit].max, &number) != 0 ||
	    (number == -1 && !bounds[limit].none) ||
	    (number == 0 && bounds[limit].min > 0 && !bounds[limit].unset) ||
	    (number > 0 && number < bounds[limit].min))
		return (oci_refuse(reader, value, bounds[limit].expected));
	if (number == 0 && bounds[limit].unset)
		return (0);
	numbers.given |= 1u << limit;
	numbers.value[limit] = number;
	return (0);
}

/* Steps over the digits of a number.  Returns their count. */
static size_t
digits(const char *s)
{
	size_t n = 0;

	while (chars_digit(s[n]))
		n++;
	return (n);
}

/* A list of numbers and ranges, as the kernel's cpulist_parse takes it. */
static int
is_list(const char *s)
{
	size_t n;

	for (;;) {
		if ((n = digits(s)) == 0)
			return (0);
		s += n;
		if (*s == '-') {
			if ((n = digits(s + 1)) == 0)
				return (0);
			s += 1 + n;
		}
		if (*s == '\0')
			return (1);
		if (*s++ != ',')
			return (0);
	}
}

static int
read_list(struct oci_reader *reader, int value, uint32_t file)
{
	struct plan_limits *limits = &reader->plan->limits;
	char list[PLAN_LIMIT_SIZE] = { 0 };
	int length;

	length = json_string(value, list, sizeof(list));
	if (length == 0)
		return (0);
	if (length < 0 || !is_list(list))
		return (oci_refuse(reader, value,
		    "expected at most 127 characters of numbers and ranges, "
		    "with a comma between two"));
	strcpy(limits->v1[file], list);
	strcpy(limits->v2[file], list);
	return (0);
}

/* What the kernel takes there is its own; only the alphabet is ours. */
static int
read_unified(struct oci_reader *reader, int value, uint32_t file)
{
	char text[PLAN_LIMIT_SIZE] = { 0 };
	int length = json_string(value, text, sizeof(text));

	if (length <= 0 || text[strspn(text, "0123456789max")] != '\0')
		return (oci_refuse(reader, value, "expected digits or max"));
	memcpy(reader->plan->limits.v2[file], text, sizeof(text));
	return (0);
}

static const struct oci_field cpu_fields[] = {
	{ "shares", JSON_NUMBER, 0, read_limit, CPU_SHARES },
	{ "quota", JSON_NUMBER, 0, read_limit, CPU_QUOTA },
	{ "period", JSON_NUMBER, 0, read_limit, CPU_PERIOD },
	{ "burst", JSON_NUMBER, 0, read_limit, CPU_BURST },
	{ "cpus", JSON_STRING, 0, read_list, MSG_CGROUP_CPUS },
	{ "mems", JSON_STRING, 0, read_list, MSG_CGROUP_MEMS },
};

static int
read_cpu(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	return (
	    oci_read_object(reader, value, cpu_fields, OCI_FIELDS(cpu_fields)));
}

static const struct oci_field memory_fields[] = {
	{ "limit", JSON_NUMBER, 0, read_limit, MEMORY_LIMIT },
	{ "reservation", JSON_NUMBER, 0, read_limit, MEMORY_RESERVATION },
	{ "swap", JSON_NUMBER, 0, read_limit, MEMORY_SWAP },
};

static int
read_memory(struct oci_reader *reader, int value, uint32_t arg)
{
	int64_t limit, swap;
	int error;

	(void)arg;
	error = oci_read_object(reader, value, memory_fields,
	    OCI_FIELDS(memory_fields));
	if (error != 0 || !GIVEN(MEMORY_SWAP))
		return (error);
	limit = GIVEN(MEMORY_LIMIT) ? numbers.value[MEMORY_LIMIT] : 0;
	swap = numbers.value[MEMORY_SWAP];
	if (swap == -1)
		return (0);
	if (limit == 0)
		return (oci_refuse(reader, JSON_NONE,
		    "swap, of memory and swap together, is given without "
		    "limit"));
	if (limit == -1 || swap < limit)
		return (oci_refuse(reader, JSON_NONE,
		    "swap, of memory and swap together, is below limit"));
	return (0);
}

static const struct oci_field pids_fields[] = {
	{ "limit", JSON_NUMBER, 0, read_limit, PIDS_LIMIT },
};

static int
read_pids(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	return (oci_read_object(reader, value, pids_fields,
	    OCI_FIELDS(pids_fields)));
}

/* Version 2's files by name, as the API of CRI passes them through. */
static const struct oci_field unified_fields[] = {
	{ "memory.high", JSON_STRING, 0, read_unified, MSG_CGROUP_MEMORY_HIGH },
	{ "memory.low", JSON_STRING, 0, read_unified,
	    MSG_CGROUP_MEMORY_RESERVATION },
	{ "memory.max", JSON_STRING, 0, read_unified, MSG_CGROUP_MEMORY_LIMIT },
	{ "memory.min", JSON_STRING, 0, read_unified, MSG_CGROUP_MEMORY_MIN },
	{ "memory.oom.group", JSON_STRING, 0, read_unified,
	    MSG_CGROUP_OOM_GROUP },
	{ "memory.swap.max", JSON_STRING, 0, read_unified,
	    MSG_CGROUP_SWAP_LIMIT },
	{ "pids.max", JSON_STRING, 0, read_unified, MSG_CGROUP_PIDS_LIMIT },
};

static int
read_unified_fields(struct oci_reader *reader, int value, uint32_t arg)
{
	size_t i;
	int key;

	(void)arg;
	for (key = json_first(value); key != JSON_NONE; key = json_next(key)) {
		for (i = 0; i < OCI_FIELDS(unified_fields); i++) {
			if (json_equals(key, unified_fields[i].name))
				break;
		}
		if (i == OCI_FIELDS(unified_fields))
			return (oci_refuse(reader, key,
			    "expected memory.high, .low, .max, .min, "
			    ".oom.group, .swap.max or pids.max"));
	}
	return (oci_read_object(reader, value, unified_fields,
	    OCI_FIELDS(unified_fields)));
}

/* Hugepages, block devices and networks are bounded by the pod's cgroup. */
static const struct oci_field resources_fields[] = {
	{ "cpu", JSON_OBJECT, 0, read_cpu, 0 },
	{ "memory", JSON_OBJECT, 0, read_memory, 0 },
	{ "pids", JSON_OBJECT, 0, read_pids, 0 },
};

static const struct oci_field unified_field[] = {
	{ "unified", JSON_OBJECT, 0, read_unified_fields, 0 },
};

/* -1 is no limit. */
static void
write_number(char text[PLAN_LIMIT_SIZE], int64_t number)
{
	if (number == -1)
		strcpy(text, "max");
	else
		snprintf(text, PLAN_LIMIT_SIZE, "%lld", (long long)number);
}

/* Where a number is written as it is: in version 1, and in version 2. */
static const struct {
	enum limit limit;
	uint32_t file;
	int in_v1, in_v2;
} copies[] = {
	{ CPU_SHARES, MSG_CGROUP_CPU_SHARES, 1, 0 },
	{ CPU_PERIOD, MSG_CGROUP_CPU_PERIOD, 1, 0 },
	{ CPU_QUOTA, MSG_CGROUP_CPU_QUOTA, 1, 0 },
	{ CPU_BURST, MSG_CGROUP_CPU_BURST, 1, 1 },
	{ MEMORY_LIMIT, MSG_CGROUP_MEMORY_LIMIT, 1, 1 },
	{ MEMORY_SWAP, MSG_CGROUP_SWAP_LIMIT, 1, 0 },
	{ MEMORY_RESERVATION, MSG_CGROUP_MEMORY_RESERVATION, 1, 1 },
	{ PIDS_LIMIT, MSG_CGROUP_PIDS_LIMIT, 1, 1 },
};

static void
write_limits(struct plan_limits *limits)
{
	const int64_t *value = numbers.value;
	int64_t number;
	size_t i, used;
	char *text;

	for (i = 0; i < OCI_FIELDS(copies); i++) {
		if (!GIVEN(copies[i].limit))
			continue;
		number = value[copies[i].limit];
		/* All but the number of processes is -1 in version 1. */
		text = limits->v1[copies[i].file];
		if (copies[i].in_v1 && number == -1 &&
		    copies[i].limit != PIDS_LIMIT)
			strcpy(text, "-1");
		else if (copies[i].in_v1)
			write_number(text, number);
		if (copies[i].in_v2)
			write_number(limits->v2[copies[i].file], number);
	}
	/* From 2 to 262144 to from 1 to 10000: KEP 2254. */
	if (GIVEN(CPU_SHARES))
		write_number(limits->v2[MSG_CGROUP_CPU_SHARES],
		    1 + (value[CPU_SHARES] - 2) * 9999 / 262142);
	if (GIVEN(CPU_QUOTA)) {
		text = limits->v2[MSG_CGROUP_CPU_QUOTA];
		write_number(text, value[CPU_QUOTA]);
		used = strlen(text);
		if (GIVEN(CPU_PERIOD))
			snprintf(text + used, PLAN_LIMIT_SIZE - used, " %lld",
			    (long long)value[CPU_PERIOD]);
	}
	if (GIVEN(MEMORY_SWAP))
		write_number(limits->v2[MSG_CGROUP_SWAP_LIMIT],
		    value[MEMORY_SWAP] == -1 ?
			-1 :
			value[MEMORY_SWAP] - value[MEMORY_LIMIT]);
}

int
oci_read_resources(struct oci_reader *reader, int value, uint32_t arg)
{
	int error;

	(void)arg;
	memset(&numbers, 0, sizeof(numbers));
	error = oci_read_object(reader, value, resources_fields,
	    OCI_FIELDS(resources_fields));
	if (error != 0)
		return (error);
	write_limits(&reader->plan->limits);
	/* Last, because it is nearer to the kernel. */
	return (oci_read_object(reader, value, unified_field,
	    OCI_FIELDS(unified_field)));
}

int
oci_resources_decode(const char *json, size_t length,
    struct plan_limits *limits, char error[MSG_TEXT_SIZE])
{
	static struct plan plan;
	struct oci_reader reader = { .plan = &plan, .path = "resources" };
	const char *wrong;
	size_t offset;

	memset(&plan, 0, sizeof(plan));
	memset(limits, 0, sizeof(*limits));
	if ((wrong = json_parse(json, length, &offset)) != NULL) {
		snprintf(error, MSG_TEXT_SIZE,
		    "resources: not valid JSON at byte %zu: %s", offset, wrong);
		return (-EINVAL);
	}
	if (oci_read_resources(&reader, JSON_ROOT, 0) != 0) {
		memcpy(error, plan.error, MSG_TEXT_SIZE);
		return (-EINVAL);
	}
	*limits = plan.limits;
	return (0);
}
