/*
 * What fuzzers share.  Each defines LLVMFuzzerTestOneInput, which libFuzzer
 * and AFL++ call with one input after the other in one process: what it does
 * must depend on nothing but the input.  Of an abort, and of what sanitizers
 * find, the engine keeps the input.
 */
#ifndef REGRESS_FUZZ_H
#define REGRESS_FUZZ_H

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_FDS 256		/* more than a target ever has open */

int	 LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends it unless something holds, and says where. */
#define must(good)	((good) ? (void)0 : must_fail(__FILE__, __LINE__, #good))

static inline _Noreturn void
must_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* What is left of an input. */
struct input {
	const uint8_t *data;
	size_t size;
};

/* Its next byte; 0 at the end, where inputs shall do what is usual. */
static inline uint8_t
input_byte(struct input *in)
{
	if (in->size == 0)
		return (0);
	in->size--;
	return (*in->data++);
}

/* Two of them. */
static inline uint16_t
input_word(struct input *in)
{
	const uint8_t low = input_byte(in);

	return ((uint16_t)(low | input_byte(in) << 8));
}

/*
 * What comes before the next NUL, or all, in memory of its own and without a
 * NUL, so that a step beyond it is noticed.  To be freed.
 */
static inline char *
input_part(struct input *in, size_t *length)
{
	const uint8_t *end = in->size > 0 ? memchr(in->data, '\0', in->size) :
	    NULL;
	char *copy;

	*length = end != NULL ? (size_t)(end - in->data) : in->size;
	copy = malloc(*length > 0 ? *length : 1);
	must(copy != NULL);
	if (*length > 0)
		memcpy(copy, in->data, *length);
	in->data += *length + (end != NULL);
	in->size -= *length + (end != NULL);
	return (copy);
}

/* The same with its NUL, a string. */
static inline char *
input_string(struct input *in)
{
	size_t length;
	char *part = input_part(in, &length), *string = malloc(length + 1);

	must(string != NULL);
	memcpy(string, part, length);
	string[length] = '\0';
	free(part);
	return (string);
}

/* Changes bytes: as many as the input says, each a place and what to flip. */
static inline void
input_flip(struct input *in, void *bytes, size_t size)
{
	uint8_t n = input_byte(in);
	size_t at;

	for (; n > 0 && in->size >= 3; n--) {
		at = input_word(in) % size;
		((uint8_t *)bytes)[at] ^= input_byte(in);
	}
}

/* Whether it is a string in size bytes that can stand in a line of a log. */
static inline int
is_line(const char *s, size_t size)
{
	if (memchr(s, '\0', size) == NULL)
		return (0);
	for (; *s != '\0'; s++) {
		if (*s < ' ' || *s > '~')
			return (0);
	}
	return (1);
}

/* How many descriptors are open: one that is left is a leak. */
static inline int
fds_count(void)
{
	static struct pollfd fds[FUZZ_FDS];
	int i, n = 0;

	for (i = 0; i < FUZZ_FDS; i++)
		fds[i].fd = i;
	/* An alarm of the engine's does not count. */
	while (poll(fds, FUZZ_FDS, 0) == -1)
		must(errno == EINTR);
	for (i = 0; i < FUZZ_FDS; i++)
		n += (fds[i].revents & POLLNVAL) == 0;
	return (n);
}

#endif
