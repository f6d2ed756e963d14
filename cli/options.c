#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"

enum kind { SWITCH, TEXT, LIST };

static const struct option {
	const char *name;
	char letter; /* or 0 */
	enum kind kind;
	size_t offset;
	uint32_t mask;
	const char *value; /* how the help calls it; NULL is a switch's */
	const char *help;  /* NULL: accepted for the sake of others */
} table[] = {
#define FIELD(name) offsetof(struct options, name)
	{ "help", 'h', SWITCH, FIELD(help), OPTIONS_GLOBAL, NULL, "show this" },
	{ "version", 'v', SWITCH, FIELD(version), OPTIONS_GLOBAL, NULL,
	    "show the version" },
	{ "root", 0, TEXT, FIELD(root), OPTIONS_GLOBAL, "DIR",
	    "must be the configured REAPER_RUNTIME_ROOT" },
	{ "log", 0, TEXT, FIELD(log), OPTIONS_GLOBAL, "FILE",
	    "write errors to this file too" },
	{ "log-format", 0, TEXT, FIELD(log_format), OPTIONS_GLOBAL, "FORMAT",
	    "of that: text or json" },
	{ "debug", 0, SWITCH, FIELD(ignored), OPTIONS_GLOBAL, NULL, NULL },
	{ "systemd-cgroup", 0, SWITCH, FIELD(ignored), OPTIONS_GLOBAL, NULL,
	    NULL },
	{ "no-pivot", 0, SWITCH, FIELD(ignored), OPTIONS_CREATE, NULL, NULL },
	{ "no-new-keyring", 0, SWITCH, FIELD(ignored), OPTIONS_CREATE, NULL,
	    NULL },
	{ "check", 0, TEXT, FIELD(check), OPTIONS_CONFIG, "FILE",
	    "check this file instead" },
	{ "bundle", 'b', TEXT, FIELD(bundle), OPTIONS_CREATE, "DIR",
	    "where config.json is; the working directory" },
	{ "namespace", 0, TEXT, FIELD(namespace), OPTIONS_CREATE, "NAME",
	    "share the overlay of this Kubernetes namespace" },
	{ "annotation", 0, LIST, FIELD(annotations), OPTIONS_CREATE, "K=V",
	    "add one to config.json's; may be given again" },
	{ "keep", 0, SWITCH, FIELD(keep), OPTIONS_RUN, NULL,
	    "do not delete the container afterwards" },
	{ "detach", 'd', SWITCH, FIELD(detach), OPTIONS_DETACH, NULL,
	    "do not wait for its end" },
	{ "pid-file", 0, TEXT, FIELD(pid_file), OPTIONS_PROCESS, "FILE",
	    "write the process's pid to this file" },
	{ "console-socket", 0, TEXT, FIELD(console_socket), OPTIONS_PROCESS,
	    "PATH", "send the terminal's master to this socket" },
	{ "terminal", 0, SWITCH, FIELD(terminal), OPTIONS_CREATE, NULL,
	    "the process has a terminal, as config.json must say" },
	{ "tty", 't', SWITCH, FIELD(terminal), OPTIONS_EXEC, NULL,
	    "with a terminal" },
	{ "stdin", 0, TEXT, FIELD(streams[0]), OPTIONS_PROCESS, "PATH",
	    "a FIFO of root's named ID-stdin" },
	{ "stdout", 0, TEXT, FIELD(streams[1]), OPTIONS_PROCESS, "PATH",
	    "likewise, or file:// and a file below REAPER_LOG_DIR" },
	{ "stderr", 0, TEXT, FIELD(streams[2]), OPTIONS_PROCESS, "PATH",
	    "likewise" },
	{ "process", 'p', TEXT, FIELD(process), OPTIONS_EXEC, "FILE",
	    "what to run, as the process of a config.json" },
	{ "cwd", 0, TEXT, FIELD(cwd), OPTIONS_EXEC, "DIR",
	    "the working directory; the container's" },
	{ "env", 'e', LIST, FIELD(environment), OPTIONS_EXEC, "K=V",
	    "add a variable; may be given again" },
	{ "user", 'u', TEXT, FIELD(user), OPTIONS_EXEC, "UID[:GID]",
	    "as this user, in a container of root's" },
	{ "exec-id", 0, TEXT, FIELD(exec_id), OPTIONS_EXEC, "ID", "its name" },
	{ "all", 'a', SWITCH, FIELD(all), OPTIONS_KILL, NULL,
	    "every process of the container" },
	{ "force", 'f', SWITCH, FIELD(force), OPTIONS_DELETE, NULL,
	    "kill it first; it need not exist" },
	{ "format", 'f', TEXT, FIELD(format), OPTIONS_LIST | OPTIONS_PS,
	    "FORMAT", "table or json" },
	{ "quiet", 'q', SWITCH, FIELD(quiet), OPTIONS_LIST, NULL,
	    "show identifiers only" },
	{ "resources", 'r', TEXT, FIELD(resources), OPTIONS_UPDATE, "FILE",
	    "limits as config.json has them; - is standard input" },
	{ "memory", 0, TEXT, FIELD(memory), OPTIONS_UPDATE, "BYTES", "" },
	{ "memory-reservation", 0, TEXT, FIELD(memory_reservation),
	    OPTIONS_UPDATE, "BYTES", "" },
	{ "memory-swap", 0, TEXT, FIELD(memory_swap), OPTIONS_UPDATE, "BYTES",
	    "of memory and swap; -1 is no limit" },
	{ "cpu-period", 0, TEXT, FIELD(cpu_period), OPTIONS_UPDATE,
	    "MICROSECONDS", "" },
	{ "cpu-quota", 0, TEXT, FIELD(cpu_quota), OPTIONS_UPDATE,
	    "MICROSECONDS", "-1 is no limit" },
	{ "cpu-burst", 0, TEXT, FIELD(cpu_burst), OPTIONS_UPDATE,
	    "MICROSECONDS", "" },
	{ "cpu-share", 0, TEXT, FIELD(cpu_share), OPTIONS_UPDATE, "SHARES",
	    "from 2 to 262144" },
	{ "cpuset-cpus", 0, TEXT, FIELD(cpuset_cpus), OPTIONS_UPDATE, "LIST",
	    "" },
	{ "cpuset-mems", 0, TEXT, FIELD(cpuset_mems), OPTIONS_UPDATE, "LIST",
	    "" },
	{ "pids-limit", 0, TEXT, FIELD(pids_limit), OPTIONS_UPDATE, "NUMBER",
	    "-1 is no limit" },
};
#define OPTIONS (sizeof(table) / sizeof(table[0]))

static const struct option *
option_find(const char *name, size_t length, uint32_t mask)
{
	const struct option *option;
	size_t i;

	for (i = 0; i < OPTIONS; i++) {
		option = &table[i];
		if ((option->mask & mask) == 0)
			continue;
		if ((length == 1 && name[0] == option->letter) ||
		    (strlen(option->name) == length &&
			memcmp(option->name, name, length) == 0))
			return (option);
	}
	return (NULL);
}

static int
list_add(struct options_list *list, const char *value)
{
	const char **values;

	values = reallocarray(list->values, list->count + 1, sizeof(*values));
	if (values == NULL) {
		cli_error("memory is short");
		return (-EINVAL);
	}
	values[list->count++] = value;
	list->values = values;
	return (0);
}

static int
option_set(struct options *options, const struct option *option,
    const char *value)
{
	void *field = (char *)options + option->offset;

	switch (option->kind) {
	case SWITCH:
		if (value != NULL && strcmp(value, "true") != 0 &&
		    strcmp(value, "false") != 0) {
			cli_error("option --%s: \"%.80s\": expected true or "
				  "false",
			    option->name, value);
			return (-EINVAL);
		}
		*(int *)field = value == NULL || strcmp(value, "true") == 0;
		return (0);
	case TEXT:
		memcpy(field, &value, sizeof(value));
		return (0);
	case LIST:
		return (list_add(field, value));
	}
	return (-EINVAL);
}

/* Parses the option argv[*i], and moves to what is behind it. */
static int
option_parse(struct options *options, uint32_t mask, int argc, char *argv[],
    int *i)
{
	const char *name = argv[*i] + 1, *value;
	const struct option *option;
	size_t length;

	if (name[0] == '-')
		name++;
	length = strcspn(name, "=");
	value = name[length] == '=' ? name + length + 1 : NULL;
	if ((option = option_find(name, length, mask)) == NULL) {
		cli_error("option \"%.80s\" is unknown", argv[*i]);
		return (-EINVAL);
	}
	++*i;
	if (value == NULL && option->kind != SWITCH) {
		if (*i == argc) {
			cli_error("option --%s needs a value", option->name);
			return (-EINVAL);
		}
		value = argv[(*i)++];
	}
	return (option_set(options, option, value));
}

int
options_parse(struct options *options, uint32_t mask, int argc, char *argv[],
    int *i, int mixed)
{
	int operands = *i, n = 0;

	while (*i < argc) {
		if (strcmp(argv[*i], "--") == 0) {
			++*i;
			break;
		}
		if (argv[*i][0] != '-' || argv[*i][1] == '\0') {
			if (!mixed)
				break;
			/* What was there has been parsed. */
			argv[operands + n++] = argv[(*i)++];
			continue;
		}
		if (option_parse(options, mask, argc, argv, i) != 0)
			return (-EINVAL);
	}
	if (n == 0)
		return (0);
	while (*i < argc)
		argv[operands + n++] = argv[(*i)++];
	argv[operands + n] = NULL;
	*i = operands;
	return (0);
}

void
options_help(FILE *to, uint32_t mask)
{
	const struct option *option;
	size_t i;

	for (i = 0; i < OPTIONS; i++) {
		option = &table[i];
		if ((option->mask & mask) == 0 || option->help == NULL)
			continue;
		fputs("  ", to);
		if (option->letter != 0)
			fprintf(to, "-%c, ", option->letter);
		fprintf(to, "--%s%s%s", option->name,
		    option->value != NULL ? " " : "",
		    option->value != NULL ? option->value : "");
		fprintf(to, option->help[0] != '\0' ? "\n\t%s\n" : "%s\n",
		    option->help);
	}
}
