/*
 * Times as people read them.
 */
#ifndef UNPRIV_CLOCK_H
#define UNPRIV_CLOCK_H

#include <time.h>

#define CLOCK_TEXT_SIZE	40	/* bytes of a time, with the NUL */

/*
 * Writes a time (CLOCK_REALTIME) as RFC 3339 has it, in UTC, with nanoseconds.
 * Pure.
 */
void	 clock_text(char buffer[CLOCK_TEXT_SIZE], const struct timespec *at);

#endif
