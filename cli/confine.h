/*
 * Confined children: what of a command reads what others have written.
 */
#ifndef CLI_CONFINE_H
#define CLI_CONFINE_H

#include <sys/types.h>

#include <signal.h>
#include <stddef.h>

/* The work of one.  Returns an exit code. */
typedef int confine_work(void *arg);

/*
 * Forks a child that gives up all privilege (sandbox-policies/cli.policy) and
 * works; its standard output is flushed.  Waits for it.  Returns its exit code;
 * CLI_FAILED, after a message, if it was killed.
 */
int	 confine(confine_work *work, void *arg);

/*
 * Its two halves: between them the caller closes what only the child should
 * have.  confine_begin returns a pid, or -1 after a message.  With set, made
 * by signals_hold, the number of every signal that comes meanwhile is written
 * to the pipe to, as a byte: what a terminal or a group is sent reaches both,
 * and is to count once.
 */
pid_t	 confine_begin(confine_work *work, void *arg);
int	 confine_end(pid_t pid, const sigset_t *set, int to);

/*
 * The same, but nobody waits for it: it leads a session of its own, whose
 * terminal tty is (-1: none), has nothing open but keep (n descriptors, -1 is
 * none) and, where those are not among them, /dev/null for the standard
 * streams, and says nothing.  Returns 0 or CLI_FAILED after a message.
 */
int	 confine_leave(confine_work *work, void *arg, int tty,
	    const int *keep, size_t n);

/*
 * Memory of size bytes, zero, that confined children share with their parent;
 * what they leave there is to be checked.  Ends the program if there is none.
 */
void	*confine_share(size_t size);

/*
 * Blocks the signals that a workload is to have instead of this program, and
 * SIGCHLD; fills set with the former.
 */
void	 signals_hold(sigset_t *set);

#endif
