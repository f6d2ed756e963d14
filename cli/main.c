/*
 * reaper-runtime: the command line for administrators, and for what speaks to
 * an OCI runtime.
 */
#include <sys/syscall.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "version.h"

#define MANY SIZE_MAX

static const struct cli_command commands[] = {
	{ "config", "", "show the node's configuration, or check a file of one",
	    OPTIONS_CONFIG, 0, 0, 1, cli_config },
	{ "audit", "", "show of a node that runs whether its promises hold", 0,
	    0, 0, 0, cli_audit },
	{ "explain", "", "show what the helper and each role of it may do", 0,
	    0, 0, 1, cli_explain },
	{ "create", "ID", "create a container from a bundle",
	    OPTIONS_CREATE | OPTIONS_PROCESS, 1, 1, 0, cli_create },
	{ "start", "ID", "start the process of a container", 0, 1, 1, 0,
	    cli_start },
	{ "run", "ID", "create and start a container, and delete it at its end",
	    OPTIONS_CREATE | OPTIONS_PROCESS | OPTIONS_RUN | OPTIONS_DETACH, 1,
	    1, 0, cli_run },
	{ "exec", "ID [COMMAND [ARG...]]",
	    "run a command in a container that runs",
	    OPTIONS_PROCESS | OPTIONS_EXEC | OPTIONS_DETACH | OPTIONS_ARGUMENTS,
	    1, MANY, 0, cli_exec },
	{ "kill", "ID [SIGNAL]", "send a signal, by name or number: TERM",
	    OPTIONS_KILL, 1, 2, 0, cli_kill },
	{ "delete", "ID", "delete a container that does not run",
	    OPTIONS_DELETE, 1, 1, 0, cli_delete },
	{ "state", "ID", "show the state of a container as JSON", 0, 1, 1, 0,
	    cli_state },
	{ "list", "", "list the containers that this program has made",
	    OPTIONS_LIST, 0, 0, 0, cli_list },
	{ "ps", "ID", "list the processes of a container", OPTIONS_PS, 1, 1, 0,
	    cli_ps },
	{ "pause", "ID", "suspend every process of a container", 0, 1, 1, 0,
	    cli_pause },
	{ "resume", "ID", "let them go on", 0, 1, 1, 0, cli_resume },
	{ "update", "ID", "change limits of a container", OPTIONS_UPDATE, 1, 1,
	    0, cli_update },
	{ "features", "", "show as JSON what of the specification there is", 0,
	    0, 0, 1, cli_features },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
usage(FILE *to)
{
	size_t i;

	fprintf(to,
	    "usage: reaper-runtime COMMAND [OPTION...] [ARG...]\n"
	    "       reaper-runtime --version | --help\n\n"
	    "commands, of which each has --help:\n");
	for (i = 0; i < COMMANDS; i++)
		fprintf(to, "  %s%s%s%s\n\t%s\n", commands[i].name,
		    commands[i].options & ~OPTIONS_ARGUMENTS ? " [OPTION...]" :
							       "",
		    commands[i].operands[0] != '\0' ? " " : "",
		    commands[i].operands, commands[i].summary);
	fprintf(to, "options of all of them:\n");
	options_help(to, OPTIONS_GLOBAL);
}

static void
command_usage(FILE *to, const struct cli_command *command)
{
	fprintf(to, "usage: reaper-runtime %s%s%s%s\n", command->name,
	    command->options & ~OPTIONS_ARGUMENTS ? " [OPTION...]" : "",
	    command->operands[0] != '\0' ? " " : "", command->operands);
	options_help(to, command->options);
}

static int
command_run(const struct cli_command *command, struct options *options,
    int argc, char *argv[], int i)
{
	int mixed = (command->options & OPTIONS_ARGUMENTS) == 0;
	int code;

	if (options_parse(options, command->options | OPTIONS_GLOBAL, argc,
		argv, &i, mixed) != 0) {
		command_usage(stderr, command);
		return (CLI_USAGE);
	}
	if (options->help) {
		printf("%s: %s\n", command->name, command->summary);
		command_usage(stdout, command);
		return (CLI_DONE);
	}
	options->operands = argv + i;
	while (options->operands[options->noperands] != NULL)
		options->noperands++;
	if (options->noperands < command->min ||
	    options->noperands > command->max) {
		command_usage(stderr, command);
		return (CLI_USAGE);
	}
	if (!command->rootless && geteuid() != 0) {
		cli_error("%s: only root can do this", command->name);
		return (CLI_FAILED);
	}
	code = cli_log(options->log, options->log_format);
	if (code == CLI_DONE)
		code = command->run(options);
	/* Theirs may be the workload's, and they have said what is wrong. */
	if (code == CLI_USAGE && strcmp(command->name, "run") != 0 &&
	    strcmp(command->name, "exec") != 0)
		command_usage(stderr, command);
	return (code);
}

static int
run(int argc, char *argv[])
{
	static struct options options;
	const char *name;
	size_t i;
	int at = 1;

	if (options_parse(&options, OPTIONS_GLOBAL, argc, argv, &at, 0) != 0) {
		usage(stderr);
		return (CLI_USAGE);
	}
	if ((options.version || options.help) && at == argc) {
		if (options.version)
			printf("reaper-runtime %s\n", REAPER_VERSION);
		else
			usage(stdout);
		return (CLI_DONE);
	}
	if (at == argc || options.version) {
		usage(stderr);
		return (CLI_USAGE);
	}
	name = argv[at];
	for (i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) == 0)
			return (command_run(&commands[i], &options, argc, argv,
			    at + 1));
	}
	cli_error("\"%.80s\" is no command", name);
	usage(stderr);
	return (CLI_USAGE);
}

int
main(int argc, char *argv[])
{
	static char buffer[BUFSIZ];
	int code, fd;

	/* What is opened must not become a standard stream. */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", O_RDWR | O_CLOEXEC) == -1)
			return (CLI_FAILED);
	}
	/* A reader that is gone is found out by an error of write(2). */
	signal(SIGPIPE, SIG_IGN);
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
