/*
 * Options of the command line, as users of runc and crun know them: --name
 * VALUE, --name=VALUE, with one dash or two; some have a letter.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Which commands take an option. */
enum {
	OPTIONS_GLOBAL = 1 << 0,	/* before the command, or after it */
	OPTIONS_CONFIG = 1 << 1,
	OPTIONS_CREATE = 1 << 2,	/* create and run */
	OPTIONS_RUN = 1 << 3,
	OPTIONS_PROCESS = 1 << 4,	/* create, run and exec */
	OPTIONS_EXEC = 1 << 5,
	OPTIONS_KILL = 1 << 6,
	OPTIONS_DELETE = 1 << 7,
	OPTIONS_LIST = 1 << 8,
	OPTIONS_PS = 1 << 9,
	OPTIONS_UPDATE = 1 << 10,
	OPTIONS_DETACH = 1 << 11,	/* run and exec */
	OPTIONS_ARGUMENTS = 1 << 12,	/* none of its own: operands end them */
};

/* Values of an option that may be given again; the array is owned. */
struct options_list {
	const char **values;
	size_t count;
};

/* The strings are argv's; NULL is not given. */
struct options {
	const char *root, *log, *log_format;
	const char *check;
	const char *bundle, *pid_file, *console_socket;
	const char *streams[3];		/* stdin, stdout, stderr */
	const char *namespace;		/* of Kubernetes */
	struct options_list annotations;
	const char *process, *cwd, *user, *exec_id;
	struct options_list environment;
	const char *format;
	const char *resources;
	const char *memory, *memory_reservation, *memory_swap;
	const char *cpu_period, *cpu_quota, *cpu_burst, *cpu_share;
	const char *cpuset_cpus, *cpuset_mems, *pids_limit;
	int help, version, ignored;
	int terminal, detach, keep, force, all, quiet;
	char *const *operands;		/* argv's, ends with NULL */
	size_t noperands;
};

/*
 * Parses arguments from argv[*i] on that are options in mask, up to the first
 * that is none (or after "--"), which *i then is.  With mixed, operands may
 * stand between them: they are moved behind, in order.  Returns 0, or
 * -EINVAL after cli_error.
 */
int	 options_parse(struct options *options, uint32_t mask, int argc,
	    char *argv[], int *i, int mixed);

/* Writes a line or two for each option in mask. */
void	 options_help(FILE *to, uint32_t mask);

#endif
