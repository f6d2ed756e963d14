/*
 * containerd-shim-reaper-v2: what containerd executes, as root, in a bundle.
 */
#include <sys/prctl.h>

#include <errno.h>
#include <signal.h>

#include "shim/args.h"
#include "shim/delete.h"
#include "shim/info.h"
#include "shim/report.h"
#include "shim/start.h"

int
main(int argc, char *argv[])
{
	struct shim_args args;

	if (args_parse(&args, argc, argv) != 0)
		return (1);
	if (args.version)
		return (info_version());
	if (args.info)
		return (info_runtime());
	/* What follows handles keys: nobody may look. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1) {
		report_error(-errno, "becoming non-dumpable");
		return (1);
	}
	/* A caller that is gone is found out by an error of write(2). */
	signal(SIGPIPE, SIG_IGN);
	/* Nor is a log that is full an accident. */
	signal(SIGXFSZ, SIG_IGN);
	if (args.action == SHIM_DELETE)
		return (delete_run(&args));
	return (start_run(&args));
}
