#include <errno.h>
#include <unistd.h>

#include "shim/output.h"
#include "shim/report.h"

static int output = STDOUT_FILENO;

void
output_to(int fd)
{
	output = fd;
}

int
output_write(const void *data, size_t length)
{
	const char *p = data;
	ssize_t n;

	for (; length > 0; p += n, length -= (size_t)n) {
		do {
			n = write(output, p, length);
		} while (n == -1 && errno == EINTR);
		if (n == -1) {
			report_error(-errno, "standard output");
			return (1);
		}
	}
	return (0);
}
