/*
 * The publisher: a process that takes the helper's events and hands them to
 * containerd (service containerd.services.events.ttrpc.v1.Events, method
 * Forward).  It stays user 0, since containerd's socket takes no other, but
 * has no capability, an otherwise useless root directory, and a filter that
 * leaves it sockets to connect and nothing to open.
 */
#ifndef SHIM_PUBLISH_H
#define SHIM_PUBLISH_H

#include <sys/types.h>

/*
 * Forks it.  It also writes the runtime's log: of the events, and the lines
 * that come from the helper on standard input, a non-blocking SOCK_SEQPACKET
 * socket; as log_open and log_file have said by then, but of containerd's log
 * only warnings.  events is the socket to read struct event_notice from
 * (lent), whose files it watches for kills; address the path of containerd's
 * ttrpc socket, with or without "unix://", or "": then there is nobody but the
 * log to tell, and empty (lent) is its root directory; namespace containerd's;
 * bundles the directory of the bundles.  It ends when the other end of events
 * is closed everywhere and what was waiting has been sent, or could not be
 * within two seconds.  Returns its pid or a negative errno.
 */
pid_t	 publish_spawn(int events, const char *address, int empty,
	    const char *containerd_namespace, const char *bundles);

#endif
