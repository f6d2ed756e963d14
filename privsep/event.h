/*
 * What the helper tells the publisher, the unprivileged process that encodes
 * events for containerd: fixed records on a SOCK_SEQPACKET socket, one way.
 */
#ifndef PRIVSEP_EVENT_H
#define PRIVSEP_EVENT_H

#include "privsep/msg.h"

enum event_kind {
	EVENT_CREATE = 1, EVENT_START, EVENT_EXEC_ADDED, EVENT_EXEC_STARTED,
	EVENT_EXIT, EVENT_DELETE,
};

struct event {
	uint32_t kind;		/* enum event_kind */
	uint32_t pid;		/* of the process, or 0 where there is none */
	struct msg_exited exited; /* ref always; the rest of EXIT and DELETE */
};

_Static_assert(sizeof(struct event) == 192, "event has padding");

#endif
