#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/report.h"
#include "unpriv/files.h"
#include "unpriv/log.h"

#define MESSAGE_SIZE 512 /* bytes */
#define PREFIX	     "reaper: "

static int output = STDERR_FILENO;

void
report_to(int fd)
{
	output = fd;
}

int
report_fd(void)
{
	return (output);
}

/* message has room for one more byte. */
static void
message_write(char *message)
{
	size_t i, length = strlen(message);
	ssize_t n;

	for (i = 0; i < length; i++) {
		if (message[i] < 0x20 || message[i] > 0x7e)
			message[i] = '?';
	}
	/* Before the log is open, this goes nowhere. */
	log_event(LOG_LEVEL_ERROR, "failed", "error", message + strlen(PREFIX),
	    NULL);
	message[length] = '\n';
	n = write(output, message, length + 1);
	(void)n; /* there is nobody else to tell */
}

void
report(const char *format, ...)
{
	char message[MESSAGE_SIZE + 1] = PREFIX;
	va_list values;

	va_start(values, format);
	vsnprintf(message + strlen(PREFIX), MESSAGE_SIZE - strlen(PREFIX),
	    format, values);
	va_end(values);
	message_write(message);
}

int
report_error(int error, const char *format, ...)
{
	char message[MESSAGE_SIZE + 1] = PREFIX;
	size_t length;
	va_list values;

	va_start(values, format);
	vsnprintf(message + strlen(PREFIX), MESSAGE_SIZE - strlen(PREFIX),
	    format, values);
	va_end(values);
	length = strlen(message);
	snprintf(message + length, MESSAGE_SIZE - length, ": %s",
	    strerror(-error));
	message_write(message);
	return (error);
}

int
report_file(int error, const char *path)
{
	const char *reason = files_reason(error);

	if (reason == NULL)
		return (report_error(error, "%.256s", path));
	report("%.256s: %s", path, reason);
	return (error);
}
