/*
 * Terminals: a real pty and real FIFOs, of which the test holds the other ends,
 * as the process and containerd do.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "regress/unit/settle.h"
#include "regress/unit/window.h"
#include "runtime/terminal.h"

#define MUCH	 300000	    /* bytes; more than pty, FIFO and buffers hold */
#define FLOOD	 (16 << 20) /* bytes */
#define PATIENCE 20	    /* milliseconds, or turns of one */

static struct loop *loop;
static struct terminal *terminal;
static int slave;  /* raw: what goes in comes out */
static int keeper; /* of the FIFO of standard input */
static int typist; /* containerd's end of standard input */
static int screen; /* containerd's end of standard output */

static int
open_or_fail(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	ATF_REQUIRE_MSG(fd != -1, "%s: %s", path, strerror(errno));
	return (fd);
}

static int
slave_open(int master)
{
	struct termios mode;
	int fd = open_or_fail(ptsname(master), O_RDWR);

	ATF_REQUIRE_EQ(tcgetattr(fd, &mode), 0);
	cfmakeraw(&mode);
	ATF_REQUIRE_EQ(tcsetattr(fd, TCSANOW, &mode), 0);
	return (fd);
}

static int
master_open(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	ATF_REQUIRE(fd != -1 && grantpt(fd) == 0 && unlockpt(fd) == 0);
	return (fd);
}

/* A terminal with a master and its slave. */
static void
begin_bare(void)
{
	int master = master_open();

	ATF_REQUIRE((loop = loop_new()) != NULL);
	ATF_REQUIRE((terminal = terminal_new(loop)) != NULL);
	slave = slave_open(master);
	terminal_connect(terminal, TERMINAL_MASTER, master);
}

static void
begin(void)
{
	begin_bare();
	ATF_REQUIRE_EQ(mkfifo("stdin", 0600) | mkfifo("stdout", 0600), 0);
	terminal_connect(terminal, TERMINAL_INPUT,
	    open_or_fail("stdin", O_RDONLY));
	terminal_connect(terminal, TERMINAL_OUTPUT,
	    open_or_fail("stdout", O_RDWR));
	keeper = open_or_fail("stdin", O_WRONLY);
	typist = open_or_fail("stdin", O_WRONLY);
	screen = open_or_fail("stdout", O_RDONLY);
	ATF_REQUIRE_EQ(terminal_begin(terminal), 0);
}

static void
end(void)
{
	terminal_free(terminal);
	loop_free(loop);
}

/* Byte number i of an endless pattern. */
static char
pattern(size_t i)
{
	return ((char)(i * 7 + i / 251));
}

/* Lets the loop run for a while; the kernel passes on what a pty takes, too. */
static void
pass(uint32_t milliseconds)
{
	struct loop_timer timer = { 0 };

	loop_timer_set(loop, &timer, milliseconds, settle_stop, loop);
	ATF_REQUIRE_EQ(loop_run(loop), 0);
	loop_timer_cancel(loop, &timer);
}

/*
 * Writes bytes first to first + size of the pattern, until it is done or
 * nothing more goes in for PATIENCE.  Returns how many went in.
 */
static size_t
push(int fd, size_t first, size_t size)
{
	char bytes[1000];
	size_t done = 0, i, n;
	ssize_t written;
	int turns = 0;

	while (done < size && turns < PATIENCE) {
		n = size - done < sizeof(bytes) ? size - done : sizeof(bytes);
		for (i = 0; i < n; i++)
			bytes[i] = pattern(first + done + i);
		if ((written = write(fd, bytes, n)) == -1) {
			ATF_REQUIRE_EQ(errno, EAGAIN);
			pass(1);
			turns++;
			continue;
		}
		done += (size_t)written;
		turns = 0;
	}
	return (done);
}

/*
 * Reads bytes first to first + size, at most piece at a time, and checks them.
 * The limit of the test case bounds how long.
 */
static void
pull(int fd, size_t first, size_t size, size_t piece)
{
	static char bytes[65536];
	size_t done = 0, i, n;
	ssize_t got;

	while (done < size) {
		n = size - done < piece ? size - done : piece;
		if ((got = read(fd, bytes, n)) == -1) {
			ATF_REQUIRE_EQ(errno, EAGAIN);
			pass(1);
			continue;
		}
		ATF_REQUIRE(got > 0);
		for (i = 0; i < (size_t)got; i++)
			ATF_REQUIRE_EQ_MSG(bytes[i], pattern(first + done + i),
			    "byte %zu", first + done + i);
		done += (size_t)got;
	}
}

/* Nothing more comes. */
static void
check_silent(int fd)
{
	char byte;

	pass(PATIENCE);
	ATF_CHECK_EQ(read(fd, &byte, 1), -1);
	ATF_CHECK_EQ(errno, EAGAIN);
}

/* The loop waits: it has next to nothing to do for a while. */
static void
check_idle(void)
{
	struct timespec before, after;
	int64_t spent;

	ATF_REQUIRE_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before), 0);
	pass(100);
	ATF_REQUIRE_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after), 0);
	spent = (after.tv_sec - before.tv_sec) * 1000000 +
	    (after.tv_nsec - before.tv_nsec) / 1000;
	ATF_CHECK_MSG(spent < 30000, "busy for %d us", (int)spent);
}

ATF_TC_WITHOUT_HEAD(terminal_shows_what_is_said_and_says_what_is_typed);
ATF_TC_BODY(terminal_shows_what_is_said_and_says_what_is_typed, tc)
{
	begin();
	ATF_CHECK_EQ(push(typist, 0, 100), 100);
	pull(slave, 0, 100, 100);
	ATF_CHECK_EQ(push(slave, 5, 100), 100);
	pull(screen, 5, 100, 100);
	check_silent(slave);
	check_silent(screen);
	check_idle();
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_holds_back_who_says_more_than_is_read);
ATF_TC_BODY(terminal_holds_back_who_says_more_than_is_read, tc)
{
	size_t held, more;

	begin();
	held = push(slave, 0, MUCH);
	ATF_CHECK_MSG(held >= 32768 && held < MUCH, "%zu", held);
	ATF_CHECK_EQ(push(slave, held, 1), 0);
	check_idle();
	pull(screen, 0, 30000, 30000);
	more = push(slave, held, MUCH);
	ATF_CHECK(more >= 20000);
	pull(screen, 30000, held + more - 30000, 777);
	check_silent(screen);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_holds_back_who_types_more_than_is_read);
ATF_TC_BODY(terminal_holds_back_who_types_more_than_is_read, tc)
{
	size_t held, more;

	begin();
	held = push(typist, 0, MUCH);
	ATF_CHECK_MSG(held >= 32768 && held < MUCH, "%zu", held);
	check_idle();
	pull(slave, 0, 30000, 777);
	more = push(typist, held, MUCH);
	/* A FIFO has room for whole pages, and begun ones stay begun. */
	ATF_CHECK_MSG(more >= 12288, "%zu", more);
	pull(slave, 30000, held + more - 30000, 333);
	check_silent(slave);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_goes_on_the_one_way_while_the_other_is_full);
ATF_TC_BODY(terminal_goes_on_the_one_way_while_the_other_is_full, tc)
{
	size_t held;

	begin();
	held = push(slave, 0, MUCH);
	ATF_CHECK_EQ(push(typist, 0, 100), 100);
	pull(slave, 0, 100, 100);
	pull(screen, 0, held, 4096);
	held = push(typist, 0, MUCH);
	ATF_CHECK_EQ(push(slave, 0, 100), 100);
	pull(screen, 0, 100, 100);
	pull(slave, 0, held, 4096);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_waits_when_it_is_full_both_ways);
ATF_TC_BODY(terminal_waits_when_it_is_full_both_ways, tc)
{
	size_t said, typed;

	begin();
	said = push(slave, 0, MUCH);
	typed = push(typist, 0, MUCH);
	check_idle();
	pull(slave, 0, typed, 4096);
	pull(screen, 0, said, 4096);
	check_silent(slave);
	check_silent(screen);
	end();
}

/* A screen that takes single pages, and a process that reads single bytes. */
ATF_TC_WITHOUT_HEAD(terminal_writes_in_parts_what_is_taken_in_parts);
ATF_TC_BODY(terminal_writes_in_parts_what_is_taken_in_parts, tc)
{
	size_t said = 0, shown = 0, typed = 0, heard = 0, turn;

	begin();
	ATF_REQUIRE(fcntl(screen, F_SETPIPE_SZ, 4096) == 4096);
	for (turn = 0; turn < 50; turn++) {
		said += push(slave, said, 500 + turn * 10);
		typed += push(typist, typed, 300 + turn * 10);
		pull(screen, shown, turn * 13, 1 + turn);
		pull(slave, heard, turn * 7, 1);
		shown += turn * 13;
		heard += turn * 7;
	}
	said += push(slave, said, MUCH);
	typed += push(typist, typed, MUCH);
	pull(screen, shown, said - shown, 3000);
	pull(slave, heard, typed - heard, 3000);
	check_silent(screen);
	check_silent(slave);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_stays_when_its_typist_goes_and_comes_back);
ATF_TC_BODY(terminal_stays_when_its_typist_goes_and_comes_back, tc)
{
	begin();
	close(typist);
	close(screen);
	check_idle();
	ATF_CHECK(terminal_fd(terminal, TERMINAL_INPUT) != -1);
	ATF_CHECK_EQ(push(slave, 0, 100), 100);
	typist = open_or_fail("stdin", O_WRONLY);
	screen = open_or_fail("stdout", O_RDONLY);
	pull(screen, 0, 100, 100);
	ATF_CHECK_EQ(push(typist, 0, 100), 100);
	pull(slave, 0, 100, 100);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_goes_on_showing_when_nobody_can_type_any_more);
ATF_TC_BODY(terminal_goes_on_showing_when_nobody_can_type_any_more, tc)
{
	size_t held;

	begin();
	held = push(typist, 0, MUCH);
	close(typist);
	close(keeper);
	check_idle();
	pull(slave, 0, held, 4096);
	check_silent(slave);
	ATF_CHECK_EQ(terminal_fd(terminal, TERMINAL_INPUT), -1);
	check_idle();
	ATF_CHECK_EQ(push(slave, 0, 100), 100);
	pull(screen, 0, 100, 100);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_shows_what_was_said_before_the_end);
ATF_TC_BODY(terminal_shows_what_was_said_before_the_end, tc)
{
	char byte;

	begin();
	/* The loop has no turn between this and the end. */
	ATF_REQUIRE_EQ(write(slave, "x", 1), 1);
	close(slave);
	terminal_finish(terminal);
	ATF_CHECK(!terminal_unwritten(terminal));
	ATF_CHECK_EQ(read(screen, &byte, 1), 1);
	check_silent(screen);
	check_idle();
	terminal_close_output(terminal);
	ATF_CHECK_EQ(read(screen, &byte, 1), 0);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_can_be_typed_at_until_all_was_shown);
ATF_TC_BODY(terminal_can_be_typed_at_until_all_was_shown, tc)
{
	char byte;

	ATF_REQUIRE(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	begin();
	ATF_REQUIRE_EQ(write(slave, "x", 1), 1);
	terminal_finish(terminal);
	ATF_CHECK_EQ(write(typist, "y", 1), 1);
	/* It leads nowhere. */
	check_idle();
	check_silent(slave);
	ATF_CHECK_EQ(read(screen, &byte, 1), 1);
	terminal_close_output(terminal);
	ATF_CHECK_EQ(write(typist, "y", 1), -1);
	ATF_CHECK_EQ(errno, EPIPE);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_shows_the_rest_when_there_is_room_for_it);
ATF_TC_BODY(terminal_shows_the_rest_when_there_is_room_for_it, tc)
{
	size_t held;

	begin();
	held = push(slave, 0, MUCH);
	close(slave);
	terminal_finish(terminal);
	ATF_CHECK(terminal_unwritten(terminal));
	check_idle();
	ATF_CHECK(terminal_unwritten(terminal));
	pull(screen, 0, held, 1000);
	settle(loop);
	ATF_CHECK(!terminal_unwritten(terminal));
	check_silent(screen);
	end();
}

/* What somebody else says who has kept the slave. */
ATF_TC_WITHOUT_HEAD(terminal_ends_though_somebody_keeps_its_slave);
ATF_TC_BODY(terminal_ends_though_somebody_keeps_its_slave, tc)
{
	begin();
	ATF_REQUIRE_EQ(write(slave, "xy", 2), 2);
	terminal_finish(terminal);
	ATF_CHECK(!terminal_unwritten(terminal));
	ATF_CHECK_EQ(read(screen, (char[2]){ 0 }, 2), 2);
	ATF_CHECK_EQ(push(slave, 0, 100), 100);
	check_silent(screen);
	check_idle();
	end();
}

/* Forks a process that writes to the terminal for ever. */
static pid_t
fork_chatter(void)
{
	static char bytes[4096];
	pid_t pid = fork();

	ATF_REQUIRE(pid != -1);
	if (pid == 0) {
		if (fcntl(slave, F_SETFL, 0) == -1)
			_exit(1);
		while (write(slave, bytes, sizeof(bytes)) > 0)
			continue;
		_exit(0);
	}
	return (pid);
}

ATF_TC_WITHOUT_HEAD(terminal_ends_though_somebody_goes_on_and_on);
ATF_TC_BODY(terminal_ends_though_somebody_goes_on_and_on, tc)
{
	static char bytes[65536];
	pid_t pid;

	begin();
	pid = fork_chatter();
	while (read(screen, bytes, sizeof(bytes)) <= 0)
		settle(loop);
	terminal_finish(terminal);
	while (terminal_unwritten(terminal)) {
		(void)!read(screen, bytes, sizeof(bytes));
		settle(loop);
	}
	while (read(screen, bytes, sizeof(bytes)) > 0)
		continue;
	check_silent(screen);
	check_idle();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_shows_a_flood_in_little_memory);
ATF_TC_BODY(terminal_shows_a_flood_in_little_memory, tc)
{
	static char bytes[65536];
	ssize_t got = 0, n;
	pid_t pid;

	begin();
	pid = fork_chatter();
	while (got < FLOOD) {
		settle(loop);
		while ((n = read(screen, bytes, sizeof(bytes))) > 0)
			got += n;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	end();
}

/* Nobody listens to the process while it has closed its terminal. */
ATF_TC_WITHOUT_HEAD(terminal_goes_on_when_its_slave_is_opened_again);
ATF_TC_BODY(terminal_goes_on_when_its_slave_is_opened_again, tc)
{
	begin();
	ATF_CHECK_EQ(push(slave, 0, 100), 100);
	close(slave);
	pull(screen, 0, 100, 100);
	check_idle();
	slave = slave_open(terminal_fd(terminal, TERMINAL_MASTER));
	ATF_CHECK_EQ(push(slave, 0, 100), 100);
	pull(screen, 0, 100, 100);
	ATF_CHECK_EQ(push(typist, 0, 100), 100);
	pull(slave, 0, 100, 100);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_waits_when_it_is_full_and_hung_up);
ATF_TC_BODY(terminal_waits_when_it_is_full_and_hung_up, tc)
{
	size_t held;

	begin();
	held = push(slave, 0, MUCH);
	(void)push(typist, 0, MUCH);
	close(slave);
	check_idle();
	pull(screen, 0, held, 4096);
	check_idle();
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_throws_away_what_nobody_can_see);
ATF_TC_BODY(terminal_throws_away_what_nobody_can_see, tc)
{
	begin_bare();
	ATF_REQUIRE_EQ(terminal_begin(terminal), 0);
	ATF_CHECK_EQ(push(slave, 0, MUCH), MUCH);
	check_idle();
	terminal_finish(terminal);
	ATF_CHECK(!terminal_unwritten(terminal));
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_is_no_terminal_on_what_cannot_be_watched);
ATF_TC_BODY(terminal_is_no_terminal_on_what_cannot_be_watched, tc)
{
	begin_bare();
	terminal_connect(terminal, TERMINAL_OUTPUT,
	    open_or_fail("/dev/null", O_RDWR));
	ATF_CHECK_EQ(terminal_begin(terminal), -EPERM);
	ATF_REQUIRE_EQ(write(slave, "x", 1), 1);
	settle(loop);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_has_the_size_that_was_asked_for_last);
ATF_TC_BODY(terminal_has_the_size_that_was_asked_for_last, tc)
{
	int master = master_open();

	ATF_REQUIRE((loop = loop_new()) != NULL);
	ATF_REQUIRE((terminal = terminal_new(loop)) != NULL);
	slave = slave_open(master);
	ATF_CHECK_EQ(terminal_resize(terminal, 80, 25), 0);
	window_check(slave, 0, 0);
	terminal_connect(terminal, TERMINAL_MASTER, master);
	window_check(slave, 80, 25);
	ATF_CHECK_EQ(terminal_resize(terminal, 65535, 1), 0);
	window_check(slave, 65535, 1);
	end();
}

ATF_TC_WITHOUT_HEAD(terminal_hangs_up_when_it_goes);
ATF_TC_BODY(terminal_hangs_up_when_it_goes, tc)
{
	int fd, ready[2], status;
	pid_t pid;
	char byte;

	begin();
	ATF_REQUIRE_EQ(pipe(ready), 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		close(terminal_fd(terminal, TERMINAL_MASTER));
		fd = fcntl(slave, F_DUPFD_CLOEXEC, 0);
		if (fd == -1 || setsid() == -1 || ioctl(fd, TIOCSCTTY, 0) == -1)
			_exit(1);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ATF_REQUIRE_EQ(read(ready[0], &byte, 1), 1);
	end();
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, terminal_shows_what_is_said_and_says_what_is_typed);
	ATF_TP_ADD_TC(tp, terminal_holds_back_who_says_more_than_is_read);
	ATF_TP_ADD_TC(tp, terminal_holds_back_who_types_more_than_is_read);
	ATF_TP_ADD_TC(tp, terminal_goes_on_the_one_way_while_the_other_is_full);
	ATF_TP_ADD_TC(tp, terminal_waits_when_it_is_full_both_ways);
	ATF_TP_ADD_TC(tp, terminal_writes_in_parts_what_is_taken_in_parts);
	ATF_TP_ADD_TC(tp, terminal_stays_when_its_typist_goes_and_comes_back);
	ATF_TP_ADD_TC(tp,
	    terminal_goes_on_showing_when_nobody_can_type_any_more);
	ATF_TP_ADD_TC(tp, terminal_shows_what_was_said_before_the_end);
	ATF_TP_ADD_TC(tp, terminal_can_be_typed_at_until_all_was_shown);
	ATF_TP_ADD_TC(tp, terminal_shows_the_rest_when_there_is_room_for_it);
	ATF_TP_ADD_TC(tp, terminal_ends_though_somebody_keeps_its_slave);
	ATF_TP_ADD_TC(tp, terminal_ends_though_somebody_goes_on_and_on);
	ATF_TP_ADD_TC(tp, terminal_shows_a_flood_in_little_memory);
	ATF_TP_ADD_TC(tp, terminal_goes_on_when_its_slave_is_opened_again);
	ATF_TP_ADD_TC(tp, terminal_waits_when_it_is_full_and_hung_up);
	ATF_TP_ADD_TC(tp, terminal_throws_away_what_nobody_can_see);
	ATF_TP_ADD_TC(tp, terminal_is_no_terminal_on_what_cannot_be_watched);
	ATF_TP_ADD_TC(tp, terminal_has_the_size_that_was_asked_for_last);
	ATF_TP_ADD_TC(tp, terminal_hangs_up_when_it_goes);
	return (atf_no_error());
}
