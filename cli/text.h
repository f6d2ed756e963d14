/*
 * Words of the command line, and JSON that is written.  Pure but for memory.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>


/* Text that grows; all zero is empty.  data is owned, without a NUL. */
struct text {
	char *data;
	size_t length, room;
	int failed;		/* memory was short: it is not all there */
};

void	 text_add(struct text *text, const void *data, size_t length);
void	 text_string(struct text *text, const char *string);
void	 text_number(struct text *text, int64_t number);

/*
 * Adds a string of JSON: quoted, in printable ASCII.  What is not UTF-8 becomes
 * U+FFFD.
 */
void	 text_json(struct text *text, const char *string);

/* Frees it, and makes it empty. */
void	 text_free(struct text *text);

/*
 * A signal from 1 to 64, by its number or by its name, in any case, with or
 * without SIG: TERM, RTMIN+1, RTMAX-2.  -EINVAL if it is none.
 */
int	 text_signal(const char *word);

/* A decimal number in a range; 0 has no sign.  Returns 0 or -EINVAL. */
int	 text_parse(const char *word, int64_t min, int64_t max,
	    int64_t *number);

/* Like that, with k, m, g or t behind it for powers of 1024. */
int	 text_parse_size(const char *word, int64_t min, int64_t *number);

#endif
