/*
 * Whatever an update says, its limits are within the bounds that the kernel
 * has for them, or there is an error text.
 */
#include <stdlib.h>
#include <string.h>

#include "unpriv/oci_resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int good)
{
	if (!good)
		abort();
}

static void
check_list(const char list[MSG_CPUSET_SIZE])
{
	must(msg_string_valid(list, MSG_CPUSET_SIZE) &&
	    strspn(list, "0123456789,-") == strlen(list));
}

static void
check_limits(const struct msg_limits *limits)
{
	const int64_t *value = limits->value;
	int i;

	must(limits->given < 1u << MSG_LIMITS && limits->reserved == 0);
	for (i = 0; i < MSG_LIMITS; i++) {
		if ((limits->given & 1u << i) == 0)
			must(value[i] == 0);
		else if (i == MSG_CPU_SHARES || i == MSG_CPU_PERIOD)
			must(value[i] > 0 && value[i] <= 1000000);
		else if (i == MSG_CPU_BURST)
			must(value[i] >= 0);
		else
			must(value[i] == -1 || value[i] > 0);
	}
	check_list(limits->cpus);
	check_list(limits->mems);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg_limits limits;
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
