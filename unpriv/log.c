#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unpriv/chars.h"
#include "unpriv/log.h"

#define CUT "...\"\n" /* what ends a line that is too long */

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

static int log_fd = -1;
static enum log_level log_level = LOG_LEVEL_INFO;

struct line {
	char text[LOG_LINE_MAX];
	size_t length;
	int cut;
};

void
log_open(int fd, enum log_level level)
{
	log_fd = fd;
	log_level = level;
}

/* Adds all of s or, with the line then cut, nothing. */
static void
line_add(struct line *line, const char *s, size_t length)
{
	if (line->cut ||
	    length > sizeof(line->text) - strlen(CUT) - line->length) {
		line->cut = 1;
		return;
	}
	memcpy(line->text + line->length, s, length);
	line->length += length;
}

static void
line_string(struct line *line, const char *s)
{
	line_add(line, s, strlen(s));
}

static void
line_quoted(struct line *line, const char *s)
{
	size_t n, left = strlen(s);
	char escape[8];

	line_string(line, "\"");
	for (; left > 0 && !line->cut; s += n, left -= n) {
		n = chars_utf8((const unsigned char *)s, left);
		if (n == 0 || (unsigned char)*s < 0x20 || *s == 0x7f) {
			snprintf(escape, sizeof(escape), "\\x%02x",
			    (unsigned char)*s);
			line_string(line, escape);
			n = 1;
			continue;
		}
		if (*s == '"' || *s == '\\')
			line_string(line, "\\");
		line_add(line, s, n);
	}
	line_string(line, "\"");
}

/*
 * gmtime_r(3) would open the time zone's file, which a sandbox kills for.
 * The rest is days to a date in the Gregorian calendar, with years that begin
 * in March, so that the leap day is the last.
 */
static void
line_time(struct line *line)
{
	struct timespec now = { 0, 0 };
	unsigned days, era, year, month, day, second;
	char buffer[64];

	clock_gettime(CLOCK_REALTIME, &now);
	second = (unsigned)(now.tv_sec % 86400);
	days = (unsigned)(now.tv_sec / 86400) + 719468; /* since 0000-03-01 */
	era = days / 146097;				/* of 400 years */
	days %= 146097;
	year = (days - days / 1460 + days / 36524 - days / 146096) / 365;
	days -= 365 * year + year / 4 - year / 100;
	month = (5 * days + 2) / 153; /* 0 is March */
	day = days - (153 * month + 2) / 5 + 1;
	year += era * 400 + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;
	snprintf(buffer, sizeof(buffer),
	    "time=\"%04u-%02u-%02uT%02u:%02u:%02u.%09ldZ\"", year, month, day,
	    second / 3600, second / 60 % 60, second % 60, now.tv_nsec);
	line_string(line, buffer);
}

void
log_event(enum log_level level, const char *message, ...)
{
	struct line line = { .length = 0, .cut = 0 };
	const char *key, *value;
	int saved = errno;
	va_list pairs;
	ssize_t n;

	if (log_fd == -1 || level < log_level)
		return;
	line_time(&line);
	line_string(&line, " level=");
	line_string(&line, level_names[level]);
	line_string(&line, " program=containerd-shim-reaper-v2 msg=");
	line_quoted(&line, message);
	va_start(pairs, message);
	while ((key = va_arg(pairs, const char *)) != NULL) {
		if ((value = va_arg(pairs, const char *)) == NULL)
			continue;
		line_string(&line, " ");
		line_string(&line, key);
		line_string(&line, "=");
		line_quoted(&line, value);
	}
	va_end(pairs);
	if (line.cut) {
		memcpy(line.text + line.length, CUT, strlen(CUT));
		line.length += strlen(CUT);
	} else {
		line.text[line.length++] = '\n';
	}
	do {
		n = write(log_fd, line.text, line.length);
	} while (n == -1 && errno == EINTR);
	errno = saved;
}

const char *
log_number(char buffer[LOG_NUMBER_SIZE], long long n)
{
	snprintf(buffer, LOG_NUMBER_SIZE, "%lld", n);
	return (buffer);
}
