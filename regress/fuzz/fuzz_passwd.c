/*
 * A user database that says anything: a process gets at most four variables
 * of it, one line each, only those that it has not, and paths are absolute.
 */
#include "regress/fuzz/fuzz.h"
#include "unpriv/oci_reader.h"

#define STRINGS_SIZE 1024

static const char *const keys[] = { "HOME=", "USER=", "LOGNAME=", "SHELL=" };
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static int
key_of(const char *variable)
{
	size_t i;

	for (i = 0; i < KEYS; i++) {
		if (strncmp(variable, keys[i], strlen(keys[i])) == 0)
			return ((int)i);
	}
	return (-1);
}

static void
check_variable(const char *variable, unsigned int *given)
{
	const int key = key_of(variable);
	const char *s;

	must(key != -1 && (*given & 1u << key) == 0);
	*given |= 1u << key;
	variable += strlen(keys[key]);
	must(variable[0] != '\0');
	must((key != 0 && key != 3) || variable[0] == '/');
	for (s = variable; *s != '\0'; s++)
		must((unsigned char)*s >= ' ' && *s != 0x7f);
}

/* Input: a user, how much room there is, the environment, the database. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct oci_reader reader;
	static struct plan plan;
	struct input in = { data, size };
	struct oci_node on = { 0 };
	unsigned int given = 0;
	char *environment, *passwd;
	size_t at, before, length;
	uint32_t n;

	memset(&plan, 0, sizeof(plan));
	plan.argc = 1;
	plan.uid = input_word(&in);
	reader = (struct oci_reader){ .on = &on, .plan = &plan };
	reader.size = STRINGS_SIZE - input_word(&in) % STRINGS_SIZE;
	reader.strings = malloc(reader.size);
	environment = input_string(&in);
	passwd = input_part(&in, &length);
	on.passwd = passwd;
	on.passwd_length = length;
	must(reader.strings != NULL);
	if (strlen(environment) < reader.size) {
		strcpy(reader.strings, environment);
		reader.used = strlen(environment) + 1;
		plan.envc = 1;
		if (key_of(environment) != -1)
			given = 1u << key_of(environment);
		before = reader.used;
		oci_add_variables(&reader, 0);
		must(reader.used >= before && reader.used <= reader.size);
		must(plan.envc >= 1 && plan.envc <= 1 + KEYS);
		for (at = before, n = 1; n < plan.envc; n++) {
			check_variable(reader.strings + at, &given);
			at += strlen(reader.strings + at) + 1;
		}
		must(at == reader.used);
	}
	free(reader.strings);
	free(environment);
	free(passwd);
	return (0);
}
