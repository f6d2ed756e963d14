/*
 * The command line, reaper-runtime: what its commands share.  A command is one
 * line of the table in main.c and one function.
 *
 * As root a command reads nothing but its own arguments, opens what it will
 * use, and has all else read by a confined child (confine.h): documents of
 * users, and what a shim says, which may be taken over.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/options.h"

/* Exit codes; of `run` and `exec` also the workload's. */
enum { CLI_DONE, CLI_FAILED, CLI_USAGE };

struct cli_command {
	const char *name;
	const char *operands;	/* as the usage shows them, or "" */
	const char *summary;	/* one line */
	uint32_t options;	/* OPTIONS_*: which it takes */
	size_t min, max;	/* number of operands */
	int rootless;		/* any user may run it */
	/*
	 * Runs it.  Output goes to stdout, which has a buffer of its own and is
	 * flushed afterwards, errors to cli_error.  Returns an exit code;
	 * CLI_USAGE has the usage shown.
	 */
	int (*run)(const struct options *options);
};

/*
 * Writes "reaper-runtime: ", the message and a newline on standard error, as
 * printable ASCII, at most 767 bytes; and a line of the log, if there is one.
 */
void	 cli_error(const char *format, ...)
	    __attribute__((format(printf, 1, 2)));

/*
 * From now on errors go to the file at path too, which is made if need be, as
 * lines of the format "text" (the default, for NULL) or "json", like runc's.
 * Returns an exit code, after a message.
 */
int	 cli_log(const char *path, const char *format);

/* From now on errors go nowhere but to the log: nobody is there to read. */
void	 cli_silence(void);

/*
 * An error for each line that the shim's code has reported, without its
 * "reaper: ".  Returns how many.
 */
int	 cli_reported(const char *text);

/* config [--check FILE]: shows the configuration, or checks a file of one. */
int	 cli_config(const struct options *options);

/* audit: holds the node that runs against what is promised of it. */
int	 cli_audit(const struct options *options);

/*
 * explain: shows the helper's operations and steps and the policies of this
 * build: explain_text, which tools/confdoc.c makes of the code.
 */
extern const char explain_text[];
int	 cli_explain(const struct options *options);

/* create.c: containers from bundles. */
int	 cli_create(const struct options *options);
int	 cli_run(const struct options *options);

/* exec.c: more processes in them. */
int	 cli_exec(const struct options *options);

/* control.c: what is done to containers. */
int	 cli_start(const struct options *options);
int	 cli_kill(const struct options *options);
int	 cli_delete(const struct options *options);
int	 cli_pause(const struct options *options);
int	 cli_resume(const struct options *options);
int	 cli_update(const struct options *options);

/* show.c: what is asked of them; features.c: of the runtime. */
int	 cli_state(const struct options *options);
int	 cli_list(const struct options *options);
int	 cli_ps(const struct options *options);
int	 cli_features(const struct options *options);

#endif
