/*
 * Whatever an update says, its limits are texts that the kernel knows and, where
 * they are numbers of the document, within its bounds, or there is an error
 * text.
 */

#include "regress/fuzz/fuzz.h"
#include "unpriv/oci_resources.h"

/* What a number may be, and the word for no limit. */
struct bounds {
	uint64_t min, max;
	const char *none; /* or NULL */
};

static const struct bounds v1[MSG_CGROUP_LIMITS] = {
	[MSG_CGROUP_CPU_SHARES] = { 2, 262144, NULL },
	[MSG_CGROUP_CPU_PERIOD] = { 1000, 1000000, NULL },
	[MSG_CGROUP_CPU_QUOTA] = { 1000, INT64_MAX, "-1" },
	[MSG_CGROUP_CPU_BURST] = { 0, INT64_MAX, NULL },
	[MSG_CGROUP_MEMORY_LIMIT] = { 1, INT64_MAX, "-1" },
	[MSG_CGROUP_SWAP_LIMIT] = { 1, INT64_MAX, "-1" },
	[MSG_CGROUP_MEMORY_RESERVATION] = { 1, INT64_MAX, "-1" },
	[MSG_CGROUP_PIDS_LIMIT] = { 1, 4194304, "max" },
};
static const struct bounds weight = { 1, 10000, NULL };
static const struct bounds quota = { 1000, INT64_MAX, "max" };

static void
check_number(const char *text, const struct bounds *bounds)
{
	unsigned long long number;
	char *end;

	if (bounds->none != NULL && strcmp(text, bounds->none) == 0)
		return;
	must(text[0] >= '0' && text[0] <= '9');
	number = strtoull(text, &end, 10);
	must(*end == '\0' && number >= bounds->min && number <= bounds->max);
}

/* Of cpu.max: a quota, and perhaps a period. */
static void
check_quota(const char text[PLAN_LIMIT_SIZE])
{
	char copy[PLAN_LIMIT_SIZE], *period;

	strcpy(copy, text);
	if ((period = strchr(copy, ' ')) != NULL) {
		*period = '\0';
		check_number(period + 1, &v1[MSG_CGROUP_CPU_PERIOD]);
	}
	check_number(copy, &quota);
}

static void
check_v2(int file, const char text[PLAN_LIMIT_SIZE])
{
	must(file != MSG_CGROUP_CPU_PERIOD);
	if (file == MSG_CGROUP_CPU_SHARES)
		check_number(text, &weight);
	else if (file == MSG_CGROUP_CPU_QUOTA)
		check_quota(text);
	else
		/* Also as the document has it. */
		must(strspn(text, "0123456789max") == strlen(text));
}

static void
check_limit(int file, const char first[PLAN_LIMIT_SIZE],
    const char second[PLAN_LIMIT_SIZE])
{
	must(msg_string_valid(first, PLAN_LIMIT_SIZE) &&
	    msg_string_valid(second, PLAN_LIMIT_SIZE));
	if (file == MSG_CGROUP_CPUS || file == MSG_CGROUP_MEMS) {
		must(strspn(first, "0123456789,-") == strlen(first));
		must(strcmp(first, second) == 0);
		return;
	}
	/* Where there are no bounds, version 1 has no such file. */
	must(first[0] == '\0' || v1[file].max > 0);
	if (first[0] != '\0')
		check_number(first, &v1[file]);
	if (second[0] != '\0')
		check_v2(file, second);
}

static void
check_limits(const struct plan_limits *limits)
{
	int i;

	for (i = 0; i < MSG_CGROUP_LIMITS; i++)
		check_limit(i, limits->v1[i], limits->v2[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan_limits limits;
	char error[MSG_TEXT_SIZE];
	/* Of their own, and without a NUL: a step beyond them is noticed. */
	char *json = malloc(size > 0 ? size : 1);

	must(json != NULL);
	memcpy(json, data, size);
	if (oci_resources_decode(json, size, &limits, error) == 0) {
		check_limits(&limits);
	} else {
		must(memchr(error, '\0', sizeof(error)) != NULL &&
		    strncmp(error, "resources", strlen("resources")) == 0);
		for (const char *s = error; *s != '\0'; s++)
			must(*s >= ' ' && *s <= '~');
	}
	free(json);
	return (0);
}
