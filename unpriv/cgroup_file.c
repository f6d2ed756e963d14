#include <errno.h>
#include <string.h>

#include "unpriv/cgroup_file.h"
#include "unpriv/chars.h"

/* Reads digits that fill the length.  Returns 0 or -EBADMSG. */
static int
digits_read(const char *s, size_t length, uint64_t *number)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < length; i++) {
		if (!chars_digit(s[i]) || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, s[i] - '0', &n))
			return (-EBADMSG);
	}
	if (length == 0)
		return (-EBADMSG);
	*number = n;
	return (0);
}

/* Takes the next line, without its newline.  Returns 0 if none is whole. */
static int
line_take(struct cgroup_file *file, const char **line, size_t *length)
{
	const char *end = memchr(file->text, '\n', file->length);

	if (end == NULL)
		return (0);
	*line = file->text;
	*length = (size_t)(end - file->text);
	file->text = end + 1;
	file->length -= *length + 1;
	return (1);
}

int
cgroup_file_number(const struct cgroup_file *file, uint64_t max,
    uint64_t *number)
{
	size_t length = file->length;

	if (length > 0 && file->text[length - 1] == '\n')
		length--;
	if (length == 3 && memcmp(file->text, "max", 3) == 0) {
		*number = max;
		return (0);
	}
	return (digits_read(file->text, length, number));
}

int
cgroup_file_line(struct cgroup_file *file, struct cgroup_line *line)
{
	const char *text, *space;
	size_t length;

	while (line_take(file, &text, &length)) {
		space = memchr(text, ' ', length);
		if (space == NULL || space == text)
			continue;
		line->key = text;
		line->length = (size_t)(space - text);
		if (digits_read(space + 1, length - line->length - 1,
			&line->number) == 0)
			return (1);
	}
	return (0);
}

int
cgroup_file_pid(struct cgroup_file *file, uint32_t *pid)
{
	const char *text;
	uint64_t number;
	size_t length;

	while (line_take(file, &text, &length)) {
		if (digits_read(text, length, &number) == 0 && number > 0 &&
		    number <= INT32_MAX) {
			*pid = (uint32_t)number;
			return (1);
		}
	}
	return (0);
}
