#include <stdio.h>

#include "cli/cli.h"

int
cli_explain(const struct options *options)
{
	(void)options;
	fputs(explain_text, stdout);
	return (CLI_DONE);
}
