#include <stdio.h>

#include "unpriv/clock.h"

/*
 * gmtime_r(3) would open the time zone's file, which a sandbox kills for.  Days
 * become a date with years that begin in March, so that the leap day is last.
 */
void
clock_text(char buffer[CLOCK_TEXT_SIZE], const struct timespec *at)
{
	unsigned days, era, year, month, day, second;

	second = (unsigned)(at->tv_sec % 86400);
	days = (unsigned)(at->tv_sec / 86400) + 719468; /* since 0000-03-01 */
	era = days / 146097;				/* of 400 years */
	days %= 146097;
	year = (days - days / 1460 + days / 36524 - days / 146096) / 365;
	days -= 365 * year + year / 4 - year / 100;
	month = (5 * days + 2) / 153; /* 0 is March */
	day = days - (153 * month + 2) / 5 + 1;
	year += era * 400 + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;
	snprintf(buffer, CLOCK_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ",
	    year % 10000, month % 100, day % 100, second / 3600 % 100,
	    second / 60 % 60, second % 60, (unsigned)at->tv_nsec % 1000000000);
}
