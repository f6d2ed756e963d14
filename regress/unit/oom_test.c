/*
 * Kills for want of memory, with files of the test's own instead of a
 * cgroup's.
 */
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/oom.h"

static struct pollfd pollfds[OOM_MAX];

static int
file_with(const char *text)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return (fd);
}

/* What the kernel says of version 2 after so many kills. */
static const char *
events_of(unsigned kills)
{
	static char text[EVENT_MEMORY_SIZE];

	snprintf(text, sizeof(text),
	    "low 0\nhigh 0\nmax 99\noom 9\noom_kill %u\noom_group_kill 0\n",
	    kills);
	return (text);
}

static void
file_set(int fd, const char *text)
{
	ATF_REQUIRE_EQ(ftruncate(fd, 0), 0);
	ATF_REQUIRE_EQ(pwrite(fd, text, strlen(text), 0),
	    (ssize_t)strlen(text));
}

static struct msg_ref
ref_of(const char *id)
{
	struct msg_ref ref = { .id = "" };

	strcpy(ref.id, id);
	return (ref);
}

/* Watches a file, of which the test keeps its own descriptor: returned. */
static int
begin(const char *id, const char *text, int control)
{
	const struct msg_ref ref = ref_of(id);
	int fd = file_with(text), own = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	ATF_REQUIRE(own != -1);
	oom_begin(&ref, fd, control);
	return (own);
}

static int
end(const char *id, const char *text)
{
	const struct msg_ref ref = ref_of(id);

	return (oom_end(&ref, text, strlen(text)));
}

/* The kernel tells of a change of the file that is at this place. */
static void
change(size_t at)
{
	size_t n = oom_poll(pollfds), i;

	ATF_REQUIRE(at < n);
	for (i = 0; i < n; i++)
		pollfds[i].revents = i == at ? POLLPRI | POLLERR : 0;
	oom_take(pollfds, n);
}

static void
check_next(const char *id)
{
	const struct msg_ref *ref = oom_next();

	ATF_REQUIRE(ref != NULL);
	ATF_CHECK_STREQ(ref->id, id);
}

static void
check_nothing(void)
{
	ATF_CHECK(oom_next() == NULL);
	ATF_CHECK_EQ(oom_patience(), -1);
}

static int
is_open(int fd)
{
	return (fcntl(fd, F_GETFD) != -1);
}

ATF_TC_WITHOUT_HEAD(a_kill_is_told_of_once);
ATF_TC_BODY(a_kill_is_told_of_once, tc)
{
	int file = begin("c1", events_of(0), -1);

	ATF_REQUIRE_EQ(oom_poll(pollfds), 1);
	ATF_CHECK_EQ(pollfds[0].events, POLLPRI);
	check_nothing();
	change(0);
	ATF_CHECK(oom_patience() >= 0);
	check_nothing();
	file_set(file, events_of(1));
	/* Not before the kernel has told of it. */
	check_nothing();
	change(0);
	check_next("c1");
	check_nothing();
	change(0);
	check_nothing();
	file_set(file, events_of(3));
	change(0);
	check_next("c1");
	check_nothing();
	ATF_CHECK_EQ(end("c1", events_of(3)), 0);
	ATF_CHECK_EQ(oom_poll(pollfds), 0);
}

ATF_TC_WITHOUT_HEAD(nothing_else_is_a_kill);
ATF_TC_BODY(nothing_else_is_a_kill, tc)
{
	static const char *const texts[] = { "", "oom 1\n", "max 1\nhigh 1\n",
		"oom_kill_disable 1\nunder_oom 1\noom_kill 0\n",
		"oom_group_kill 1\n", "oom_kill -1\n", "oom_kill x\n",
		"oom_kill 1", "xoom_kill 1\n",
		"oom_kill 18446744073709551616\n" };
	int file = begin("c1", "", -1);
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		file_set(file, texts[i]);
		change(0);
		check_nothing();
		ATF_CHECK_EQ_MSG(end("c1", texts[i]), 0, "%s", texts[i]);
		close(file);
		file = begin("c1", "", -1);
	}
	file_set(file, "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
	change(0);
	check_next("c1");
}

ATF_TC_WITHOUT_HEAD(a_kill_at_the_end_is_seen_in_what_the_file_said);
ATF_TC_BODY(a_kill_at_the_end_is_seen_in_what_the_file_said, tc)
{
	int a = begin("a", events_of(0), -1);
	int b = begin("b", events_of(0), -1);
	int c = begin("c", events_of(0), -1), fd;

	ATF_REQUIRE_EQ(oom_poll(pollfds), 3);
	fd = pollfds[0].fd;
	ATF_CHECK_EQ(end("x", events_of(1)), 0);
	ATF_CHECK_EQ(oom_poll(pollfds), 3);
	ATF_CHECK_EQ(end("a", events_of(1)), 1);
	ATF_CHECK(!is_open(fd));
	/* Once; and the others stay. */
	ATF_CHECK_EQ(end("a", events_of(1)), 0);
	ATF_REQUIRE_EQ(oom_poll(pollfds), 2);
	file_set(c, events_of(1));
	change(0);
	check_next("c");
	file_set(b, events_of(1));
	change(1);
	check_next("b");
	ATF_CHECK_EQ(end("c", events_of(1)), 0);
	ATF_CHECK_EQ(end("b", events_of(2)), 1);
	ATF_CHECK_EQ(oom_poll(pollfds), 0);
	check_nothing();
	ATF_CHECK_EQ(fcntl(a, F_GETFD), FD_CLOEXEC);
}

ATF_TC_WITHOUT_HEAD(all_that_were_killed_are_told_of);
ATF_TC_BODY(all_that_were_killed_are_told_of, tc)
{
	size_t i;

	begin("a", events_of(1), -1);
	begin("b", events_of(0), -1);
	begin("c", events_of(1), -1);
	ATF_REQUIRE_EQ(oom_poll(pollfds), 3);
	for (i = 0; i < 3; i++)
		pollfds[i].revents = POLLPRI;
	oom_take(pollfds, 3);
	check_next("a");
	check_next("c");
	check_nothing();
}

/* The eventfd that version 1 was given, after its text was checked. */
static int
registered(int control)
{
	char text[32] = "";
	int event, file;

	ATF_REQUIRE(pread(control, text, sizeof(text) - 1, 0) > 0);
	ATF_REQUIRE_EQ(sscanf(text, "%d %d", &event, &file), 2);
	ATF_REQUIRE_EQ(oom_poll(pollfds), 1);
	ATF_CHECK_EQ(pollfds[0].fd, event);
	ATF_CHECK_EQ(pollfds[0].events, POLLIN);
	ATF_CHECK(is_open(file));
	return (event);
}

ATF_TC_WITHOUT_HEAD(version_1_is_looked_at_until_it_has_killed);
ATF_TC_BODY(version_1_is_looked_at_until_it_has_killed, tc)
{
	int control = file_with(""), own = fcntl(control, F_DUPFD_CLOEXEC, 99);
	int event, file, i;

	file = begin("c1", "under_oom 1\noom_kill 0\n", control);
	ATF_CHECK(!is_open(control));
	event = registered(own);
	ATF_REQUIRE_EQ(poll(pollfds, 1, 0), 0);
	ATF_REQUIRE_EQ(eventfd_write(event, 1), 0);
	ATF_REQUIRE_EQ(poll(pollfds, 1, 0), 1);
	oom_take(pollfds, 1);
	/* It was told of before it has happened. */
	for (i = 0; i < 3; i++) {
		ATF_CHECK(oom_next() == NULL);
		ATF_CHECK(oom_patience() > 0);
	}
	ATF_REQUIRE_EQ(poll(pollfds, 1, 0), 0);
	file_set(file, "under_oom 0\noom_kill 1\n");
	check_next("c1");
	check_nothing();
	/* Somebody else made room: it is given up. */
	ATF_REQUIRE_EQ(eventfd_write(event, 1), 0);
	ATF_REQUIRE_EQ(poll(pollfds, 1, 0), 1);
	oom_take(pollfds, 1);
	for (i = 0; i < 1000 && oom_patience() != -1; i++)
		ATF_CHECK(oom_next() == NULL);
	check_nothing();
	ATF_CHECK_EQ(end("c1", "oom_kill 1\n"), 0);
	ATF_CHECK(!is_open(event));
}

ATF_TC_WITHOUT_HEAD(version_1_may_refuse_to_tell);
ATF_TC_BODY(version_1_may_refuse_to_tell, tc)
{
	int control = open("/dev/null", O_RDONLY | O_CLOEXEC);

	begin("c1", "oom_kill 0\n", control);
	ATF_CHECK(!is_open(control));
	/* Then its end tells. */
	ATF_CHECK_EQ(end("c1", "oom_kill 1\n"), 1);
}

/* A removed cgroup is always ready, and never can be read. */
ATF_TC_WITHOUT_HEAD(a_file_that_cannot_be_read_is_left_alone);
ATF_TC_BODY(a_file_that_cannot_be_read_is_left_alone, tc)
{
	const struct msg_ref ref = ref_of("gone");
	int other = begin("c1", events_of(0), -1);

	oom_begin(&ref, open("/dev/null", O_WRONLY | O_CLOEXEC), -1);
	change(1);
	check_nothing();
	ATF_REQUIRE_EQ(oom_poll(pollfds), 2);
	ATF_CHECK_EQ(pollfds[1].fd, -1);
	file_set(other, events_of(1));
	change(0);
	check_next("c1");
	ATF_CHECK_EQ(end("gone", events_of(1)), 1);
	ATF_REQUIRE_EQ(oom_poll(pollfds), 1);
	/* Its place is as good as new. */
	begin("c2", events_of(1), -1);
	change(1);
	check_next("c2");
}

ATF_TC_WITHOUT_HEAD(no_more_are_watched_than_there_is_room_for);
ATF_TC_BODY(no_more_are_watched_than_there_is_room_for, tc)
{
	const struct msg_ref one_more = ref_of("more"), none = ref_of("none");
	char id[16];
	int control, fd, i;

	control = open("/dev/null", O_WRONLY | O_CLOEXEC);
	oom_begin(&none, -1, control);
	ATF_CHECK(!is_open(control));
	ATF_CHECK_EQ(oom_poll(pollfds), 0);
	for (i = 0; i < OOM_MAX; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		close(begin(id, events_of(0), -1));
	}
	fd = file_with(events_of(1));
	control = open("/dev/null", O_WRONLY | O_CLOEXEC);
	oom_begin(&one_more, fd, control);
	ATF_CHECK(!is_open(fd));
	ATF_CHECK(!is_open(control));
	ATF_CHECK_EQ(oom_poll(pollfds), OOM_MAX);
	ATF_CHECK_EQ(end("more", events_of(1)), 0);
	ATF_CHECK_EQ(end("c7", events_of(0)), 0);
	begin("more", events_of(1), -1);
	ATF_CHECK_EQ(oom_poll(pollfds), OOM_MAX);
	change(OOM_MAX - 1);
	check_next("more");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_kill_is_told_of_once);
	ATF_TP_ADD_TC(tp, nothing_else_is_a_kill);
	ATF_TP_ADD_TC(tp, a_kill_at_the_end_is_seen_in_what_the_file_said);
	ATF_TP_ADD_TC(tp, all_that_were_killed_are_told_of);
	ATF_TP_ADD_TC(tp, version_1_is_looked_at_until_it_has_killed);
	ATF_TP_ADD_TC(tp, version_1_may_refuse_to_tell);
	ATF_TP_ADD_TC(tp, a_file_that_cannot_be_read_is_left_alone);
	ATF_TP_ADD_TC(tp, no_more_are_watched_than_there_is_room_for);
	return (atf_no_error());
}
