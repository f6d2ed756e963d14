#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/text.h"
#include "unpriv/clock.h"
#include "unpriv/conf.h"

#define MESSAGE_SIZE 768	/* bytes, with the NUL */
#define PREFIX	     "reaper: " /* of the shim's reports */

static int log_fd = -1, log_json, silent;

static void
log_write(const char *message)
{
	char at[CLOCK_TEXT_SIZE];
	struct text line = { 0 };
	struct timespec now;
	ssize_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_text(at, &now);
	text_string(&line,
	    log_json ? "{\"level\":\"error\",\"msg\":" : "level=error msg=");
	text_json(&line, message);
	text_string(&line, log_json ? ",\"time\":\"" : " time=\"");
	text_string(&line, at);
	text_string(&line, log_json ? "\"}\n" : "\"\n");
	n = write(log_fd, line.data, line.length);
	(void)n; /* standard error has it too */
	text_free(&line);
}

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
	if (!silent)
		fprintf(stderr, "reaper-runtime: %s\n", shown);
	if (log_fd != -1)
		log_write(shown);
}

int
cli_log(const char *path, const char *format)
{
	int fd;

	if (format != NULL && strcmp(format, "text") != 0 &&
	    strcmp(format, "json") != 0) {
		cli_error("--log-format: \"%.80s\": expected text or json",
		    format);
		return (CLI_FAILED);
	}
	if (path == NULL || path[0] == '\0')
		return (CLI_DONE);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC,
	    0644);
	if (fd == -1) {
		cli_error("--log: %.256s: %s", path, strerror(errno));
		return (CLI_FAILED);
	}
	log_fd = fd;
	log_json = format != NULL && strcmp(format, "json") == 0;
	return (CLI_DONE);
}

void
cli_silence(void)
{
	silent = 1;
}

int
cli_reported(const char *text)
{
	size_t length;
	int lines = 0;

	for (; *text != '\0'; text += length + (text[length] == '\n')) {
		if (strncmp(text, PREFIX, strlen(PREFIX)) == 0)
			text += strlen(PREFIX);
		length = strcspn(text, "\n");
		if (length > 0) {
			cli_error("%.*s", (int)length, text);
			lines++;
		}
	}
	return (lines);
}
