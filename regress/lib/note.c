/*
 * note: what the helper of version 0.1 leaves of a container, frozen: for tests
 * that later versions, and by what is added or missing others, can read it.
 *
 *	note DIRECTORY NAMESPACE ID PID STATUS SIZE
 *		makes the directory and its attributes: the end, at a time of
 *		2001, and containerd's namespace; of the former so many bytes,
 *		those beyond the 184 that it has being of a later version
 *
 * It shares nothing with the code under test.
 */
#include <sys/stat.h>
#include <sys/xattr.h>

#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* In host byte order, without padding. */
struct exited_0_1 {
	char id[80], exec[80];
	int64_t seconds;
	uint32_t nanoseconds, pid, status, reserved;
};

_Static_assert(sizeof(struct exited_0_1) == 184, "it has padding");

int
main(int argc, char **argv)
{
	struct exited_0_1 exited = { .seconds = 1000000000, .nanoseconds = 7 };
	char bytes[4096];
	size_t size;

	if (argc != 7 || strlen(argv[3]) >= sizeof(exited.id) ||
	    (size = (size_t)atol(argv[6])) > sizeof(bytes))
		errx(2, "usage: note DIRECTORY NAMESPACE ID PID STATUS SIZE");
	(void)strcpy(exited.id, argv[3]);
	exited.pid = (uint32_t)atol(argv[4]);
	exited.status = (uint32_t)atol(argv[5]);
	(void)memset(bytes, 0xee, sizeof(bytes));
	(void)memcpy(bytes, &exited, sizeof(exited));
	if ((mkdir(argv[1], 0700) == -1 && errno != EEXIST) ||
	    setxattr(argv[1], "trusted.reaper.exited", bytes, size, 0) == -1 ||
	    setxattr(argv[1], "trusted.reaper.namespace", argv[2],
		strlen(argv[2]), 0) == -1)
		err(1, "%s", argv[1]);
	return 0;
}
