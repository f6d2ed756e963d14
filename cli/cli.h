/*
 * The command line, reaper-runtime: what its commands share.  A command is one
 * line of the table in main.c and one function, in a file of its own.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/* Exit codes. */
enum { CLI_DONE, CLI_FAILED, CLI_USAGE };

struct cli_command {
	const char *name;
	const char *arguments;	/* as the usage shows them, or "" */
	const char *summary;	/* one line */
	/*
	 * Runs it; argv[0] is its name.  Output goes to stdout, which has a
	 * buffer of its own and is flushed afterwards, errors to cli_error.
	 * Returns an exit code; CLI_USAGE has the usage shown.
	 */
	int (*run)(int argc, char *argv[]);
};

/*
 * Writes "reaper-runtime: ", the message and a newline on standard error, as
 * printable ASCII; at most 767 bytes.
 */
void	 cli_error(const char *format, ...)
	    __attribute__((format(printf, 1, 2)));

/* config [--check FILE]: shows the configuration, or checks a file of one. */
int	 cli_config(int argc, char *argv[]);

#endif
