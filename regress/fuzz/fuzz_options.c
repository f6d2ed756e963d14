/*
 * The command line of administrators: options are the arguments', operands
 * keep their order and end with NULL; numbers, sizes and signals are in their
 * ranges.
 */
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/text.h"
#include "regress/fuzz/fuzz.h"

#define ARGS_MAX 32

static char *given[ARGS_MAX + 1], *argv[ARGS_MAX + 1];
static int argc;

/* NULL, or the end of an argument. */
static int
is_argument(const char *s)
{
	int i;

	for (i = 0; s != NULL && i < argc; i++) {
		if (s >= given[i] && s <= given[i] + strlen(given[i]))
			return (1);
	}
	return (s == NULL);
}

static void
check_list(const struct options_list *list)
{
	size_t i;

	must(list->count <= (size_t)argc);
	for (i = 0; i < list->count; i++)
		must(list->values[i] != NULL && is_argument(list->values[i]));
}

static void
check_words(const char *word)
{
	int64_t number;
	int signo = text_signal(word);

	must(signo < 0 || (signo >= 1 && signo <= 64));
	if (text_parse_size(word, -1, &number) == 0)
		must(number >= -1);
	if (text_parse(word, 5, 500, &number) == 0)
		must(number >= 5 && number <= 500);
}

static void
check_options(const struct options *options, int at)
{
	const char *const texts[] = { options->root, options->log,
		options->log_format, options->check, options->bundle,
		options->pid_file, options->console_socket, options->streams[0],
		options->streams[1], options->streams[2], options->namespace,
		options->process, options->cwd, options->user, options->exec_id,
		options->format, options->resources, options->memory,
		options->memory_reservation, options->memory_swap,
		options->cpu_period, options->cpu_quota, options->cpu_burst,
		options->cpu_share, options->cpuset_cpus, options->cpuset_mems,
		options->pids_limit };
	size_t i;
	int from = 0;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		must(is_argument(texts[i]));
	check_list(&options->annotations);
	check_list(&options->environment);
	must(at >= 0 && at <= argc);
	for (; argv[at] != NULL; at++) {
		must(at < argc);
		while (from < argc && given[from] != argv[at])
			from++;
		must(from++ < argc);
	}
}

/* Input: what is allowed, then arguments, with a NUL between two. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct options options = { 0 };
	const uint16_t how = input_word(&in);
	int at = 0, i;

	cli_silence();
	for (argc = 0; argc < ARGS_MAX && in.size > 0; argc++)
		given[argc] = argv[argc] = input_string(&in);
	given[argc] = argv[argc] = NULL;
	if (options_parse(&options, how & 0x1fffU, argc, argv, &at,
		how >> 15) == 0)
		check_options(&options, at);
	for (i = 0; i < argc; i++) {
		check_words(given[i]);
		free(given[i]);
	}
	free(options.annotations.values);
	free(options.environment.values);
	return (0);
}
