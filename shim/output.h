/*
 * What the commands answer on standard output.
 */
#ifndef SHIM_OUTPUT_H
#define SHIM_OUTPUT_H

#include <stddef.h>

/* From now on answers go to fd instead of standard output. */
void	 output_to(int fd);

/* Writes all of it.  Returns an exit status: 0, or 1 after a message. */
int	 output_write(const void *data, size_t length);

#endif
