#include <sys/eventfd.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/oom.h"
#include "unpriv/cgroup_file.h"

#define TURN  10  /* ms */
#define TURNS 100 /* version 1 tells before it kills */

static struct watch {
	struct msg_ref ref;
	int file, event_fd;
	uint64_t told;
	unsigned turns; /* left, in which the file is looked at */
	int gone;	/* the cgroup was removed */
} watches[OOM_MAX];

static size_t nwatches;

/* How often the kernel has killed, or before if the text does not say. */
static uint64_t
kills(const char *text, size_t length, uint64_t before)
{
	static const char key[] = "oom_kill";
	struct cgroup_file file = { text, length };
	struct cgroup_line line;

	while (cgroup_file_line(&file, &line)) {
		if (line.length == strlen(key) &&
		    memcmp(line.key, key, line.length) == 0)
			return (line.number);
	}
	return (before);
}

/* Documentation/admin-guide/cgroup-v1/memory.rst, 10.  -1 if it fails. */
static int
event_register(int file, int control)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char text[32];

	if (fd == -1)
		return (-1);
	snprintf(text, sizeof(text), "%d %d", fd, file);
	if (write(control, text, strlen(text)) != -1)
		return (fd);
	close(fd);
	return (-1);
}

void
oom_begin(const struct msg_ref *ref, int file, int control)
{
	struct watch *w = watches + nwatches;

	if (file != -1 && nwatches < OOM_MAX) {
		*w =
		    (struct watch){ .ref = *ref, .file = file, .event_fd = -1 };
		if (control != -1)
			w->event_fd = event_register(file, control);
		nwatches++;
	} else if (file != -1) {
		close(file);
	}
	if (control != -1)
		close(control);
}

int
oom_end(const struct msg_ref *ref, const char *text, size_t length)
{
	struct watch *w = watches;
	int more;

	while (w < watches + nwatches && strcmp(w->ref.id, ref->id) != 0)
		w++;
	if (w == watches + nwatches)
		return (0);
	more = kills(text, length, w->told) > w->told;
	close(w->file);
	if (w->event_fd != -1)
		close(w->event_fd);
	*w = watches[--nwatches];
	return (more);
}

size_t
oom_poll(struct pollfd *pollfds)
{
	size_t i;

	for (i = 0; i < nwatches; i++) {
		pollfds[i].fd = watches[i].event_fd;
		pollfds[i].events = POLLIN;
		/* What was removed would be ready for good. */
		if (watches[i].event_fd != -1 || watches[i].gone)
			continue;
		pollfds[i].fd = watches[i].file;
		pollfds[i].events = POLLPRI;
	}
	return (nwatches);
}

void
oom_take(const struct pollfd *pollfds, size_t n)
{
	uint64_t times;
	size_t i;

	for (i = 0; i < n; i++) {
		if (pollfds[i].revents == 0)
			continue;
		watches[i].turns = 1;
		if (watches[i].event_fd != -1 &&
		    read(watches[i].event_fd, &times, sizeof(times)) > 0)
			watches[i].turns = TURNS;
	}
}

const struct msg_ref *
oom_next(void)
{
	struct watch *w = watches;
	char text[EVENT_MEMORY_SIZE];
	uint64_t now;
	ssize_t n;

	for (; w < watches + nwatches; w++) {
		if (w->turns == 0)
			continue;
		w->turns--;
		n = pread(w->file, text, sizeof(text), 0);
		w->gone = n == -1;
		now = n > 0 ? kills(text, (size_t)n, w->told) : w->told;
		if (now <= w->told)
			continue;
		w->told = now;
		w->turns = 0;
		return (&w->ref);
	}
	return (NULL);
}

int
oom_patience(void)
{
	size_t i;

	for (i = 0; i < nwatches; i++) {
		if (watches[i].turns > 0)
			return (TURN);
	}
	return (-1);
}
