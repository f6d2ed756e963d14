/*
 * /bin/true and /bin/sleep for the root that runc needs: static, so that the
 * dynamic linker costs runc nothing.  The other runtimes run the node's own.
 */
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	if (argc > 0 && strstr(argv[0], "sleep") != NULL)
		(void)pause();
	return 0;
}
