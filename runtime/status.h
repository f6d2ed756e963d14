/*
 * Outcomes of operations: a code that machines read and a sentence that
 * people read.
 */
#ifndef RUNTIME_STATUS_H
#define RUNTIME_STATUS_H

#include <stdint.h>

#include "privsep/msg.h"

/* The codes of gRPC, which ttrpc shares (google/rpc/code.proto). */
enum status_code {
	STATUS_OK = 0,
	STATUS_UNKNOWN = 2,
	STATUS_INVALID_ARGUMENT = 3,
	STATUS_NOT_FOUND = 5,
	STATUS_ALREADY_EXISTS = 6,
	STATUS_PERMISSION_DENIED = 7,
	STATUS_RESOURCE_EXHAUSTED = 8,
	STATUS_FAILED_PRECONDITION = 9,
	STATUS_ABORTED = 10,
	STATUS_UNIMPLEMENTED = 12,
	STATUS_INTERNAL = 13,
	STATUS_UNAVAILABLE = 14,
};

#define STATUS_TEXT_SIZE	512	/* bytes, with the NUL */

struct status {
	enum status_code code;
	char text[STATUS_TEXT_SIZE];	/* UTF-8 without control characters */
	/*
	 * A constant, or NULL: what the log says instead of text, which names
	 * an argument of the workload.
	 */
	const char *logged;
};

/*
 * Fills status.  What the format brings in may be anything: control
 * characters and bytes that are not UTF-8 become '?', and what is too long is
 * cut.
 */
void	 status_set(struct status *status, enum status_code code,
	    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* What the log may say of it. */
const char *status_log(const struct status *status);

/* Fills status with what the helper's reply, an error, means. */
void	 status_from_reply(struct status *status,
	    const struct msg_reply *reply);

/*
 * The exit status of a process that could not be started, as a shell has it:
 * 127 where there is no such program, 126 where it cannot be executed, else 1.
 */
uint32_t status_exit(const struct msg_reply *reply);

#endif
