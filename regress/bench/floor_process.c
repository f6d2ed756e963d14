#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regress/bench/floor_process.h"

struct process *processes;

char *
text_read(const char *path)
{
	struct stat st;
	char *text = NULL;
	ssize_t n = -1;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return NULL;
	if (fstat(fd, &st) == 0 &&
	    (text = malloc((size_t)st.st_size + 1)) != NULL &&
	    (n = read(fd, text, (size_t)st.st_size)) >= 0)
		text[n] = '\0';
	(void)close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *
text_copy(struct slice bytes)
{
	char *text = strndup((const char *)bytes.data, bytes.length);

	if (text == NULL)
		err(1, "strndup");
	return text;
}

struct process *
process_find(struct slice id, struct slice exec_id)
{
	struct process *p;

	for (p = processes; p != NULL; p = p->next)
		if (slice_is(id, p->id) && slice_is(exec_id, p->exec_id))
			break;
	return p;
}

/*
 * Finds "args":["a","b"] in the JSON text and unquotes it in place.  Knows the
 * escapes \" \\ \/ and \n, which is all that a benchmark's command has.
 * Returns 0 or -1.
 */
static int
args_scan(struct process *process, char *text)
{
	char *in, *out;
	size_t n = 0;

	if (text == NULL || (in = strstr(text, "\"args\"")) == NULL ||
	    (in = strchr(in, '[')) == NULL)
		return -1;
	for (;;) {
		in += strcspn(in, "\"]");
		if (*in != '"' || n == ARGS_MAX - 1)
			break;
		process->args[n++] = out = ++in;
		while (*in != '"' && *in != '\0') {
			if (*in == '\\' && *++in == 'n')
				*in = '\n';
			*out++ = *in++;
		}
		if (*in++ == '\0')
			return -1;
		*out = '\0';
	}
	return *in == ']' && n > 0 ? 0 : -1;
}

static void
process_free(struct process *process)
{
	free(process->id);
	free(process->exec_id);
	free(process->text);
	free(process->output);
	free(process);
}

struct process *
process_add(struct slice id, struct slice exec_id, char *text, char *at)
{
	struct process *process = calloc(1, sizeof(*process));

	if (process == NULL)
		err(1, "calloc");
	process->id = text_copy(id);
	process->exec_id = text_copy(exec_id);
	process->text = text;
	process->status = CREATED;
	process->pid = getpid();
	if (args_scan(process, at) == -1) {
		process_free(process);
		return NULL;
	}
	process->next = processes;
	processes = process;
	return process;
}

int
process_start(struct process *process)
{
	sigset_t none;
	int fd;

	if ((process->pid = cgroup_fork(&process->cgroup)) == -1)
		return -1;
	if (process->pid == 0) {
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		if (*process->output != '\0' &&
		    ((fd = open(process->output, O_WRONLY)) == -1 ||
			dup2(fd, STDOUT_FILENO) == -1))
			_exit(125);
		(void)execvp(process->args[0], process->args);
		_exit(127);
	}
	process->status = RUNNING;
	return 0;
}

struct process *
process_reap(void)
{
	struct process *p;
	pid_t pid;
	int status;

	if ((pid = waitpid(-1, &status, WNOHANG)) <= 0)
		return NULL;
	for (p = processes; p != NULL; p = p->next)
		if (p->status == RUNNING && p->pid == pid)
			break;
	if (p == NULL)
		errx(1, "an unknown child ended");
	(void)clock_gettime(CLOCK_REALTIME, &p->exited_at);
	p->status = STOPPED;
	p->exit_status = WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) :
					     128 + (unsigned)WTERMSIG(status);
	return p;
}

int
process_remove(struct process *process)
{
	struct process **at = &processes;
	int error = 0;

	while (*at != process)
		at = &(*at)->next;
	*at = process->next;
	if (*process->exec_id == '\0')
		error = cgroup_remove(&process->cgroup);
	process_free(process);
	return error;
}
