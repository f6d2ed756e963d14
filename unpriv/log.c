#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unpriv/chars.h"
#include "unpriv/clock.h"
#include "unpriv/log.h"

#define CUT "...\"\n" /* what ends a line that is too long */

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

/* Where lines go: containerd's FIFO, a file. */
enum { SINK_FIFO, SINK_FILE, SINKS };

static struct sink {
	int fd; /* the caller's, or -1 */
	enum log_level level;
} sinks[SINKS] = { { -1, LOG_LEVEL_INFO }, { -1, LOG_LEVEL_INFO } };

static const char *log_namespace, *log_pod;
static struct log_rate log_rate;
static int file_full;

struct line {
	char text[LOG_LINE_MAX];
	size_t length;
	int cut;
};

void
log_open(int fd, enum log_level level)
{
	sinks[SINK_FIFO] = (struct sink){ fd, level };
}

void
log_file(int fd, enum log_level level)
{
	sinks[SINK_FILE] = (struct sink){ fd, level };
	file_full = 0;
}

void
log_context(const char *containerd_namespace, const char *pod)
{
	log_namespace = containerd_namespace;
	log_pod = pod;
}

int
log_rate_take(struct log_rate *rate, int64_t now)
{
	if (rate->empty_until < now)
		rate->empty_until = now;
	if (rate->empty_until - now > (LOG_BURST - 1) * (int64_t)LOG_INTERVAL) {
		rate->dropped++;
		return (0);
	}
	rate->empty_until += LOG_INTERVAL;
	return (1);
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

static void
line_time(struct line *line)
{
	struct timespec now = { 0, 0 };
	char time[CLOCK_TEXT_SIZE];

	clock_gettime(CLOCK_REALTIME, &now);
	clock_text(time, &now);
	line_string(line, "time=\"");
	line_string(line, time);
	line_string(line, "\"");
}

/* A NULL value leaves the pair out. */
static void
line_pair(struct line *line, const char *key, const char *value)
{
	if (value == NULL)
		return;
	line_string(line, " ");
	line_string(line, key);
	line_string(line, "=");
	line_quoted(line, value);
}

/* What each line begins with. */
static void
line_begin(struct line *line, enum log_level level)
{
	line->length = 0;
	line->cut = 0;
	line_time(line);
	line_string(line, " level=");
	line_string(line, level_names[level]);
	line_pair(line, "namespace", log_namespace);
	line_pair(line, "pod", log_pod);
}

static void
line_message(struct line *line, const char *message)
{
	line_string(line, " program=containerd-shim-reaper-v2");
	line_pair(line, "msg", message);
}

static void
line_end(struct line *line)
{
	if (line->cut) {
		memcpy(line->text + line->length, CUT, strlen(CUT));
		line->length += strlen(CUT);
	} else {
		line->text[line->length++] = '\n';
	}
}

static void
line_write(const struct line *line, int fd)
{
	ssize_t n;

	do {
		n = write(fd, line->text, line->length);
	} while (n == -1 && errno == EINTR);
}

/*
 * Others write to the file too, and each of them tells that it is full if it
 * is the first to see it, or nearly.
 */
static void
file_write(const struct line *line, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct line last;

	if (size < LOG_FILE_MAX) {
		file_full = 0;
		line_write(line, fd);
	} else if (!file_full) {
		file_full = 1;
		if (size >= LOG_FILE_MAX + LOG_LINE_MAX)
			return;
		line_begin(&last, LOG_LEVEL_WARNING);
		line_message(&last,
		    "the log is full: no more lines until it is truncated");
		line_end(&last);
		line_write(&last, fd);
	}
}

/* Begins a line, unless nobody wants its level or it comes too fast. */
static int
event_begin(struct line *line, enum log_level level)
{
	struct timespec now = { 0, 0 };
	char dropped[LOG_NUMBER_SIZE];
	int i;

	for (i = 0; i < SINKS; i++) {
		if (sinks[i].fd != -1 && level >= sinks[i].level)
			break;
	}
	if (i == SINKS)
		return (0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!log_rate_take(&log_rate,
		(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000))
		return (0);
	line_begin(line, level);
	if (log_rate.dropped > 0)
		line_pair(line, "dropped",
		    log_number(dropped, (long long)log_rate.dropped));
	log_rate.dropped = 0;
	return (1);
}

static void
event_end(struct line *line, enum log_level level)
{
	line_end(line);
	if (sinks[SINK_FIFO].fd != -1 && level >= sinks[SINK_FIFO].level)
		line_write(line, sinks[SINK_FIFO].fd);
	if (sinks[SINK_FILE].fd != -1 && level >= sinks[SINK_FILE].level)
		file_write(line, sinks[SINK_FILE].fd);
}

void
log_event(enum log_level level, const char *message, ...)
{
	const char *key, *value;
	int saved = errno;
	struct line line;
	va_list pairs;

	if (!event_begin(&line, level))
		return;
	line_message(&line, message);
	va_start(pairs, message);
	while ((key = va_arg(pairs, const char *)) != NULL) {
		value = va_arg(pairs, const char *);
		line_pair(&line, key, value);
	}
	va_end(pairs);
	event_end(&line, level);
	errno = saved;
}

void
log_relay(enum log_level level, const char *pairs)
{
	int saved = errno;
	struct line line;

	if (!event_begin(&line, level))
		return;
	line_string(&line, " ");
	for (; *pairs != '\0'; pairs++)
		line_add(&line, *pairs < ' ' || *pairs > '~' ? "?" : pairs, 1);
	event_end(&line, level);
	errno = saved;
}

const char *
log_number(char buffer[LOG_NUMBER_SIZE], long long n)
{
	snprintf(buffer, LOG_NUMBER_SIZE, "%lld", n);
	return (buffer);
}
