/*
 * reaper-runtime: the command line for administrators, and for what speaks to
 * an OCI runtime.
 */
#include <sys/syscall.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "version.h"

static const struct cli_command commands[] = {
	{ "config", "[--check FILE]",
	    "show the node's configuration, or check a file of one",
	    cli_config },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
usage(FILE *to)
{
	size_t i;

	fprintf(to,
	    "usage: reaper-runtime COMMAND [ARG...]\n"
	    "       reaper-runtime --version | --help\n\n"
	    "commands:\n");
	for (i = 0; i < COMMANDS; i++)
		fprintf(to, "  %s %s\n\t%s\n", commands[i].name,
		    commands[i].arguments, commands[i].summary);
}

static int
command_run(int argc, char *argv[])
{
	size_t i;
	int code;

	for (i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name) == 0)
			break;
	}
	if (i == COMMANDS) {
		cli_error("\"%.80s\" is no command", argv[0]);
		usage(stderr);
		return (CLI_USAGE);
	}
	code = commands[i].run(argc, argv);
	if (code == CLI_USAGE)
		fprintf(stderr, "usage: reaper-runtime %s %s\n",
		    commands[i].name, commands[i].arguments);
	return (code);
}

static int
run(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		printf("reaper-runtime %s\n", REAPER_VERSION);
	else if (argc == 2 && strcmp(argv[1], "--help") == 0)
		usage(stdout);
	else if (argc < 2 || argv[1][0] == '-') {
		usage(stderr);
		return (CLI_USAGE);
	} else
		return (command_run(argc - 1, argv + 1));
	return (CLI_DONE);
}

int
main(int argc, char *argv[])
{
	static char buffer[BUFSIZ];
	int code;

	/* Given one, stdio asks the kernel nothing: a command may be sealed. */
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	code = run(argc, argv);
	if (fflush(stdout) != 0 && code == CLI_DONE) {
		cli_error("standard output: %m");
		code = CLI_FAILED;
	}
	/*
	 * Handlers at exit would make calls that a sealed process may not, and
	 * so does what a sanitizer puts before _exit(2).
	 */
	return ((int)syscall(SYS_exit_group, code));
}
