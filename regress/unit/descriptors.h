/*
 * How many descriptors this process has open: what a test must not add to.
 */
#ifndef REGRESS_UNIT_DESCRIPTORS_H
#define REGRESS_UNIT_DESCRIPTORS_H

#include <fcntl.h>

static inline int
descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return (n);
}

#endif
