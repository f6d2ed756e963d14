/*
 * Where the command line keeps a container: a bundle of its own, below the
 * runtime root, in which the shim's program is executed as containerd does.
 *
 *	<runtime root>/_bundles/<id>/
 *		config.json	a copy, made once
 *		source		a link to the bundle that it was made from
 *		io/		FIFOs for the streams of it and its execs
 *		address, ...	what `start` leaves, for `delete`
 */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include <limits.h>

#include "cli/options.h"
#include "privsep/boot.h"
#include "privsep/msg.h"

#define PLACE_NAMESPACE	"reaper-cli"	/* containerd's namespaces' like */
#define PLACE_PATH_SIZE	(BOOT_PATH_SIZE + 16 + MSG_ID_SIZE)

struct place {
	char root[BOOT_PATH_SIZE];	/* the runtime root */
	int bundles;			/* directory; owned; -1: there is none */
	char id[MSG_ID_SIZE];		/* zero beyond the string */
	char path[PLACE_PATH_SIZE];	/* of the bundle */
	int fd;				/* of that; owned; -1 */
};

/*
 * Reads the node's configuration and finds the runtime root, which with make is
 * made if need be.  Returns an exit code, after a message.
 */
int	 place_begin(struct place *place, const struct options *options,
	    int make);

/* Whether other commands for the same container may go on meanwhile. */
enum place_use { PLACE_SHARED, PLACE_ALONE };

/*
 * Makes the bundle of id, empty but for io/, or opens it, and locks it; what is
 * made is ALONE.  source is the path that place_source answers.  Return an exit
 * code, after a message; of place_find -1, without one, if there is none.
 */
int	 place_make(struct place *place, const char *id, const char *source);
int	 place_find(struct place *place, const char *id, enum place_use use);

/* place_find, and a message if there is none. */
int	 place_open(struct place *place, const char *id, enum place_use use);

/*
 * Lets others use what is open; takes it back, ALONE.  Returns an exit code;
 * place_lock -1 if it has been removed.
 */
void	 place_unlock(struct place *place);
int	 place_lock(struct place *place);

/* Lets it go. */
void	 place_close(struct place *place);

/* Removes the bundle with all that is in it.  An exit code, after a message. */
int	 place_remove(struct place *place);

/* The bundle that it was made from; "" if that is not known. */
void	 place_source(const struct place *place, char source[PATH_MAX]);

/*
 * Executes the shim's program, which lies beside this one, with this action in
 * the bundle, and waits for it.  Returns an exit code, after its messages.
 */
int	 place_shim(const struct place *place, const char *action);

/*
 * Connects to the shim.  Returns a blocking descriptor, or a negative errno
 * without a message: -ENOENT or -ECONNREFUSED if there is no shim.
 */
int	 place_connect(const struct place *place);

/* The same, and a message. */
int	 place_connect_or_say(const struct place *place);

#endif
