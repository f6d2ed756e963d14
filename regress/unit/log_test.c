#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unpriv/log.h"

#define FLOOD 100000 /* events; the bucket has 100 */

static char text[1 << 20];

/* An empty file for a log. */
static int
file_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);

	ATF_REQUIRE(fd != -1);
	return (fd);
}

/* What fd has from offset on, as text.  Returns the number of lines. */
static size_t
lines_read(int fd, off_t offset)
{
	ssize_t n = pread(fd, text, sizeof(text) - 1, offset);
	size_t lines = 0;
	char *p;

	ATF_REQUIRE(n >= 0);
	text[n] = '\0';
	for (p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	return (lines);
}

static off_t
size_of(int fd)
{
	struct stat st;

	ATF_REQUIRE_EQ(fstat(fd, &st), 0);
	return (st.st_size);
}

#define CHECK_HAS(part) \
	ATF_CHECK_MSG(strstr(text, (part)) != NULL, "no %s in %s", (part), text)

ATF_TC_WITHOUT_HEAD(a_bucket_lets_a_burst_pass_and_no_more);
ATF_TC_BODY(a_bucket_lets_a_burst_pass_and_no_more, tc)
{
	struct log_rate rate = { 0, 0 };
	int i;

	for (i = 0; i < LOG_BURST; i++)
		ATF_CHECK_EQ(log_rate_take(&rate, 5000), 1);
	ATF_CHECK_EQ(rate.dropped, 0);
	for (i = 1; i <= 1000; i++) {
		ATF_CHECK_EQ(log_rate_take(&rate, 5000), 0);
		ATF_CHECK_EQ(rate.dropped, (unsigned long)i);
	}
}

ATF_TC_WITHOUT_HEAD(a_bucket_fills_with_time);
ATF_TC_BODY(a_bucket_fills_with_time, tc)
{
	struct log_rate rate = { 0, 0 };
	int64_t now = INT64_C(1) << 40;
	int i, passed = 0;

	while (log_rate_take(&rate, now))
		passed++;
	ATF_CHECK_EQ(passed, LOG_BURST);
	ATF_CHECK_EQ(log_rate_take(&rate, now + LOG_INTERVAL - 1), 0);
	ATF_CHECK_EQ(log_rate_take(&rate, now + LOG_INTERVAL), 1);
	ATF_CHECK_EQ(log_rate_take(&rate, now + LOG_INTERVAL), 0);
	/* A hundred seconds, with ten asking in every millisecond. */
	for (passed = 0, i = 0; i < 1000000; i++)
		passed += log_rate_take(&rate, now + 1000 + i / 10);
	ATF_CHECK_EQ(passed, (100999 - LOG_INTERVAL) / LOG_INTERVAL);
	/* However long nobody takes any, it has no more than a burst. */
	for (passed = 0; log_rate_take(&rate, now << 1); passed++)
		continue;
	ATF_CHECK_EQ(passed, LOG_BURST);
}

ATF_TC_WITHOUT_HEAD(a_flood_is_cut_and_the_next_line_tells);
ATF_TC_BODY(a_flood_is_cut_and_the_next_line_tells, tc)
{
	unsigned long told = 0;
	int fd = file_open("log");
	char *p;
	long i, lines;

	log_file(fd, LOG_LEVEL_INFO);
	for (i = 0; i < FLOOD; i++)
		log_event(LOG_LEVEL_INFO, "flood", NULL);
	lines = (long)lines_read(fd, 0);
	ATF_CHECK(lines >= LOG_BURST);
	/* For more, that would have to take minutes. */
	ATF_CHECK_MSG(lines < FLOOD / 10, "%ld lines", lines);
	/* Nothing of it is forgotten: go on until the next line is out. */
	while ((long)lines_read(fd, 0) == lines) {
		log_event(LOG_LEVEL_INFO, "flood", NULL);
		i++;
	}
	for (p = text; (p = strstr(p, " dropped=\"")) != NULL; p++)
		told += strtoul(p + strlen(" dropped=\""), NULL, 10);
	ATF_CHECK_EQ_MSG(told, (unsigned long)(i - lines - 1),
	    "%lu of %ld events, and %ld lines", told, i, lines + 1);
}

ATF_TC_WITHOUT_HEAD(a_file_takes_a_last_line_and_then_nothing);
ATF_TC_BODY(a_file_takes_a_last_line_and_then_nothing, tc)
{
	int fd = file_open("log");
	off_t size;

	log_file(fd, LOG_LEVEL_INFO);
	ATF_REQUIRE_EQ(ftruncate(fd, LOG_FILE_MAX - 1), 0);
	log_event(LOG_LEVEL_INFO, "fits", NULL);
	ATF_CHECK_EQ(lines_read(fd, LOG_FILE_MAX - 1), 1);
	CHECK_HAS("msg=\"fits\"");
	size = size_of(fd);
	log_event(LOG_LEVEL_INFO, "too much", NULL);
	ATF_CHECK_EQ(lines_read(fd, size), 1);
	CHECK_HAS("the log is full");
	size = size_of(fd);
	ATF_CHECK(size < LOG_FILE_MAX + 2 * LOG_LINE_MAX);
	log_event(LOG_LEVEL_ERROR, "too much", NULL);
	ATF_CHECK_EQ(size_of(fd), size);
	/* As by logrotate's copytruncate. */
	ATF_REQUIRE_EQ(ftruncate(fd, 0), 0);
	log_event(LOG_LEVEL_INFO, "again", NULL);
	ATF_CHECK_EQ(lines_read(fd, 0), 1);
	CHECK_HAS("msg=\"again\"");
}

ATF_TC_WITHOUT_HEAD(a_file_that_others_have_filled_is_left_alone);
ATF_TC_BODY(a_file_that_others_have_filled_is_left_alone, tc)
{
	int fd = file_open("log");

	log_file(fd, LOG_LEVEL_INFO);
	ATF_REQUIRE_EQ(ftruncate(fd, LOG_FILE_MAX + LOG_LINE_MAX), 0);
	log_event(LOG_LEVEL_INFO, "too much", NULL);
	log_event(LOG_LEVEL_INFO, "too much", NULL);
	ATF_CHECK_EQ(size_of(fd), LOG_FILE_MAX + LOG_LINE_MAX);
}

ATF_TC_WITHOUT_HEAD(a_full_file_does_not_keep_lines_from_the_fifo);
ATF_TC_BODY(a_full_file_does_not_keep_lines_from_the_fifo, tc)
{
	int fd = file_open("log"), fifo = file_open("fifo");

	log_open(fifo, LOG_LEVEL_WARNING);
	log_file(fd, LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_INFO, "for the file", NULL);
	log_event(LOG_LEVEL_WARNING, "for both", NULL);
	ATF_CHECK_EQ(lines_read(fd, 0), 2);
	ATF_CHECK_EQ(lines_read(fifo, 0), 1);
	CHECK_HAS("msg=\"for both\"");
	ATF_REQUIRE_EQ(ftruncate(fd, LOG_FILE_MAX + LOG_LINE_MAX), 0);
	log_event(LOG_LEVEL_ERROR, "for the FIFO", NULL);
	ATF_CHECK_EQ(lines_read(fifo, 0), 2);
	CHECK_HAS("msg=\"for the FIFO\"");
	log_open(-1, LOG_LEVEL_DEBUG);
	log_file(-1, LOG_LEVEL_DEBUG);
	log_event(LOG_LEVEL_ERROR, "for nobody", NULL);
	ATF_CHECK_EQ(lines_read(fifo, 0), 2);
}

ATF_TC_WITHOUT_HEAD(a_fifo_that_nobody_reads_loses_lines);
ATF_TC_BODY(a_fifo_that_nobody_reads_loses_lines, tc)
{
	char block[4096] = { 0 };
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	ATF_REQUIRE_EQ(pipe2(fds, O_NONBLOCK), 0);
	while (write(fds[1], block, sizeof(block)) != -1)
		continue;
	log_open(fds[1], LOG_LEVEL_INFO);
	errno = ENOTTY;
	log_event(LOG_LEVEL_INFO, "into what is full", NULL);
	ATF_CHECK_EQ(errno, ENOTTY);
	close(fds[0]);
	log_event(LOG_LEVEL_INFO, "into what is closed", NULL);
	log_relay(LOG_LEVEL_INFO, "msg=\"the same\"");
	ATF_CHECK_EQ(errno, ENOTTY);
}

ATF_TC_WITHOUT_HEAD(a_line_is_one_line_whatever_is_in_it);
ATF_TC_BODY(a_line_is_one_line_whatever_is_in_it, tc)
{
	static char endless[4000];
	int fd = file_open("log");

	memset(endless, 'e', sizeof(endless) - 1);
	log_file(fd, LOG_LEVEL_INFO);
	log_context("k8s.io", "p1");
	log_event(LOG_LEVEL_WARNING, "m", "a", "x\ny\"\\\x80", "b", NULL, "c",
	    "\xc3\xa9", NULL);
	ATF_CHECK_EQ(lines_read(fd, 0), 1);
	CHECK_HAS("Z\" level=warning namespace=\"k8s.io\" pod=\"p1\" "
		  "program=containerd-shim-reaper-v2 msg=\"m\" "
		  "a=\"x\\x0ay\\\"\\\\\\x80\" c=\"\xc3\xa9\"\n");
	ATF_REQUIRE_EQ(ftruncate(fd, 0), 0);
	log_event(LOG_LEVEL_INFO, "m", "a", endless, NULL);
	ATF_CHECK_EQ(lines_read(fd, 0), 1);
	ATF_CHECK(strlen(text) <= LOG_LINE_MAX);
	ATF_REQUIRE_EQ(ftruncate(fd, 0), 0);
	log_relay(LOG_LEVEL_INFO, "program=other msg=\"a\nb\x1b[0m\x80\"");
	ATF_CHECK_EQ(lines_read(fd, 0), 1);
	CHECK_HAS(" pod=\"p1\" program=other msg=\"a?b?[0m?\"\n");
	ATF_REQUIRE_EQ(ftruncate(fd, 0), 0);
	log_relay(LOG_LEVEL_INFO, endless);
	ATF_CHECK_EQ(lines_read(fd, 0), 1);
	ATF_CHECK(strlen(text) <= LOG_LINE_MAX);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_bucket_lets_a_burst_pass_and_no_more);
	ATF_TP_ADD_TC(tp, a_bucket_fills_with_time);
	ATF_TP_ADD_TC(tp, a_flood_is_cut_and_the_next_line_tells);
	ATF_TP_ADD_TC(tp, a_file_takes_a_last_line_and_then_nothing);
	ATF_TP_ADD_TC(tp, a_file_that_others_have_filled_is_left_alone);
	ATF_TP_ADD_TC(tp, a_full_file_does_not_keep_lines_from_the_fifo);
	ATF_TP_ADD_TC(tp, a_fifo_that_nobody_reads_loses_lines);
	ATF_TP_ADD_TC(tp, a_line_is_one_line_whatever_is_in_it);
	return (atf_no_error());
}
