/*
 * The command line of the shim: what is accepted has valid names, an action,
 * and strings that are the arguments'.
 */
#include "regress/fuzz/fuzz.h"
#include "shim/args.h"
#include "shim/report.h"

#define ARGS_MAX 32

static char *argv[ARGS_MAX + 1];
static int argc;

/* "", or the end of an argument. */
static int
is_argument(const char *s)
{
	int i;

	if (s[0] == '\0')
		return (1);
	for (i = 0; i < argc; i++) {
		if (s >= argv[i] && s <= argv[i] + strlen(argv[i]))
			return (1);
	}
	return (0);
}

/* Input: arguments, with a NUL between two. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct shim_args args;
	int i;

	report_to(-1);
	for (argc = 0; argc < ARGS_MAX && (argc == 0 || in.size > 0); argc++)
		argv[argc] = input_string(&in);
	argv[argc] = NULL;
	if (args_parse(&args, argc, argv) == 0) {
		must(is_argument(args.address) && is_argument(args.bundle));
		must(args.debug == 0 || args.debug == 1);
		must(args.namespace[0] == '\0' || msg_id_valid(args.namespace));
		must(args.id[0] == '\0' || msg_id_valid(args.id));
		must(args.version || args.info ||
		    (args.namespace[0] != '\0' && args.id[0] != '\0' &&
			(args.action == SHIM_START ||
			    args.action == SHIM_DELETE)));
	}
	for (i = 0; i < argc; i++)
		free(argv[i]);
	return (0);
}
