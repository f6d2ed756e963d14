#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"
#include "unpriv/conf.h"

#define MESSAGE_SIZE 768 /* bytes, with the NUL */

void
cli_error(const char *format, ...)
{
	char message[MESSAGE_SIZE], shown[MESSAGE_SIZE];
	va_list values;
	int length;

	va_start(values, format);
	length = vsnprintf(message, sizeof(message), format, values);
	va_end(values);
	if (length < 0)
		length = 0;
	if ((size_t)length >= sizeof(message))
		length = sizeof(message) - 1;
	conf_printable(shown, sizeof(shown), message, (size_t)length);
	fprintf(stderr, "reaper-runtime: %s\n", shown);
}
