/*
 * The size of a terminal, as its processes see it.
 */
#ifndef REGRESS_UNIT_WINDOW_H
#define REGRESS_UNIT_WINDOW_H

#include <sys/ioctl.h>

#include <atf-c.h>

/* Fails the test if the terminal fd has another size, in characters. */
static inline void
window_check(int fd, int columns, int lines)
{
	struct winsize size;

	ATF_REQUIRE_EQ(ioctl(fd, TIOCGWINSZ, &size), 0);
	ATF_CHECK_EQ(size.ws_col, columns);
	ATF_CHECK_EQ(size.ws_row, lines);
}

#endif
