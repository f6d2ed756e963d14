#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "shim/relay.h"
#include "unpriv/log.h"

static const char *const messages[] = {
	[EVENT_CREATE] = "created",
	[EVENT_START] = "started",
	[EVENT_EXEC_ADDED] = "exec added",
	[EVENT_EXEC_STARTED] = "exec started",
	[EVENT_EXIT] = "exited",
	[EVENT_DELETE] = "deleted",
	[EVENT_PAUSED] = "paused",
	[EVENT_RESUMED] = "resumed",
	[EVENT_OOM] = "killed for want of memory",
};

void
relay_event(const struct event *event)
{
	const struct msg_exited *exited = &event->exited;
	char pid[LOG_NUMBER_SIZE], status[LOG_NUMBER_SIZE];

	log_event(LOG_LEVEL_INFO, messages[event->kind], "id", exited->ref.id,
	    "exec", exited->ref.exec[0] != '\0' ? exited->ref.exec : NULL,
	    "pid", event->pid != 0 ? log_number(pid, event->pid) : NULL,
	    "status",
	    event->kind == EVENT_EXIT || event->kind == EVENT_DELETE ?
		log_number(status, exited->status) :
		NULL,
	    NULL);
}

int
relay_lines(int fd)
{
	char line[LOG_LINE_MAX];
	int is_operation;
	ssize_t n;

	/* Each is a packet. */
	while ((n = read(fd, line, sizeof(line) - 1)) > 0) {
		if (line[n - 1] == '\n')
			n--;
		line[n] = '\0';
		is_operation = strncmp(line, LOG_OPERATION,
				   sizeof(LOG_OPERATION) - 1) == 0;
		log_relay(is_operation ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
		    line);
	}
	return (n == -1 && (errno == EAGAIN || errno == EINTR));
}
