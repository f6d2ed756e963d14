/*
 * Creating containers and registering execs: from the wish to a process that
 * can be started, or to nothing.
 */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/plan.h"
#include "runtime/process.h"

#define SHOWN 200 /* bytes of a refused value that are shown */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static const char *const stream_names[ENGINE_STREAMS] = {
	[MSG_STDIN] = "stdin",
	[MSG_STDOUT] = "stdout",
	[MSG_STDERR] = "stderr",
};

/* How a stream can be given. */
static const struct {
	const char *prefix; /* of a path */
	int file;	    /* for logs, else a FIFO */
} kinds[] = { { "fifo://", 0 }, { "file://", 1 }, { "", 0 } };

#define EXPECTED                                                              \
	"expected the absolute path of a FIFO, of at most %d bytes, fifo:// " \
	"and such a path, or file:// and that of a file for logs, without "   \
	"'%%', '?' and '#'"

/* The path in what is not empty, and whether it is that of a file. */
static const char *
stream_path(const char *stdio, int *file)
{
	size_t i = 0;

	while (strncmp(stdio, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
		i++;
	*file = kinds[i].file;
	return (stdio + strlen(kinds[i].prefix));
}

static int
stream_check(const struct engine_spec *spec, int stream, struct status *status)
{
	const char *path, *stdio = spec->stdio[stream];
	const char *name = stream_names[stream];
	int file;

	if (stdio[0] == '\0')
		return (0);
	path = stream_path(stdio, &file);
	if (path[0] != '/' || strlen(path) >= MSG_PATH_SIZE ||
	    (file && strpbrk(path, "%?#") != NULL)) {
		status_set(status, STATUS_INVALID_ARGUMENT,
		    "%s \"%.*s\": " EXPECTED, name, SHOWN, stdio,
		    MSG_PATH_SIZE - 1);
		return (-1);
	}
	if (file && (stream == MSG_STDIN || spec->terminal)) {
		status_set(status, STATUS_INVALID_ARGUMENT,
		    "%s \"%s\": %s: expected the path of a FIFO", name, stdio,
		    spec->terminal ? "a terminal has no file" :
				     "only output can go to a file");
		return (-1);
	}
	return (0);
}

static int
id_check(const char *what, const char *id, struct status *status)
{
	char padded[MSG_ID_SIZE] = { 0 };

	if (strlen(id) < sizeof(padded)) {
		strcpy(padded, id);
		if (msg_id_valid(padded))
			return (0);
	}
	status_set(status, STATUS_INVALID_ARGUMENT,
	    "\"%s\" is not %s id: one has 1 to %d letters and digits, with "
	    "single '.', '_' and '-' between them, and is no reserved name",
	    id, what, MSG_ID_MAX);
	return (-1);
}

/* What containers and execs have in common. */
static int
spec_check(const struct engine *engine, const struct engine_spec *spec,
    struct status *status)
{
	int i;

	if (id_check("a container", spec->id, status) != 0 ||
	    (spec->exec[0] != '\0' &&
		id_check("an exec", spec->exec, status) != 0))
		return (-1);
	for (i = 0; i < ENGINE_STREAMS; i++) {
		if (stream_check(spec, i, status) != 0)
			return (-1);
	}
	if (process_find(engine, spec->id, spec->exec) != NULL) {
		status_set(status, STATUS_ALREADY_EXISTS, "%s \"%s\" exists",
		    spec->exec[0] != '\0' ? "exec" : "container",
		    spec->exec[0] != '\0' ? spec->exec : spec->id);
		return (-1);
	}
	if (engine->nprocesses < ENGINE_PROCESSES_MAX)
		return (0);
	status_set(status, STATUS_RESOURCE_EXHAUSTED,
	    "the pod has %d containers and execs, and may have no more",
	    ENGINE_PROCESSES_MAX);
	return (-1);
}

static int
create_check(const struct engine *engine, const struct engine_spec *spec,
    struct status *status)
{
	const char *last = strrchr(spec->bundle, '/');

	if (spec_check(engine, spec, status) != 0)
		return (-1);
	if (spec->checkpoint) {
		status_set(status, STATUS_UNIMPLEMENTED,
		    "restoring a checkpoint is not supported");
		return (-1);
	}
	/* The helper looks for the bundle by the id: it must be that one. */
	if (spec->bundle[0] == '/' && strcmp(last + 1, spec->id) == 0)
		return (0);
	status_set(status, STATUS_INVALID_ARGUMENT,
	    "bundle \"%s\" is not the directory of container \"%s\"",
	    spec->bundle, spec->id);
	return (-1);
}

static int
exec_check(const struct engine *engine, const struct engine_spec *spec,
    struct status *status)
{
	const struct process *container;

	container = process_lookup(engine, spec->id, "", status);
	if (container == NULL || spec_check(engine, spec, status) != 0)
		return (-1);
	if (spec->exec[0] == '\0' || spec->process_size == 0 ||
	    spec->process_size > PLAN_DOCUMENT_MAX) {
		status_set(status, STATUS_INVALID_ARGUMENT,
		    "an exec needs an "
		    "id, and a process document of at most %u bytes",
		    PLAN_DOCUMENT_MAX);
		return (-1);
	}
	if (container->state == PROCESS_RUNNING &&
	    container->freeze == PROCESS_THAWED)
		return (0);
	status_set(status, STATUS_FAILED_PRECONDITION, "container \"%s\" is %s",
	    spec->id,
	    container->state == PROCESS_RUNNING ? "paused" : "not running");
	return (-1);
}

/* Nothing came of it: the caller hears why. */
static void
setup_forget(struct process *process, const struct status *status)
{
	process_fail(&process->setup, status);
	process_remove(process);
}

/* All has been answered that was asked to create it. */
static void
setup_end(struct process *process)
{
	struct engine_result result;
	struct status *failure = process->failure;

	if (process->ended)
		process_stop(process, process->exit_status,
		    &process->exited_at);
	if (failure == NULL && !process->doomed) {
		if (!process->ended)
			process->state = PROCESS_CREATED;
		process_log(process,
		    process->container != NULL ? "exec added" : "created",
		    NULL);
		process_result(process, &result);
		process_answer(&process->setup, &result);
		return;
	}
	if (failure == NULL && (failure = calloc(1, sizeof(*failure))) != NULL)
		status_set(failure, STATUS_ABORTED, "deleted meanwhile");
	process->failure = failure;
	process_doom(process);
}

/* A place for the first failure of several, else NULL. */
static struct status *
failure_new(struct process *process)
{
	if (process->failure != NULL)
		return (NULL);
	if ((process->failure = malloc(sizeof(*process->failure))) == NULL)
		priv_break(process->engine->priv, "memory is short");
	return (process->failure);
}

/* What the helper's numbers mean of a file for logs. */
static const struct {
	int error;
	enum status_code code;
	const char *text;
} refusals[] = {
	{ -EOPNOTSUPP, STATUS_FAILED_PRECONDITION,
	    "files for logs are allowed below REAPER_LOG_DIR, which is not "
	    "set in this node's configuration" },
	{ -EXDEV, STATUS_PERMISSION_DENIED,
	    "expected a file below this node's REAPER_LOG_DIR" },
	{ -EPERM, STATUS_PERMISSION_DENIED,
	    "others than root can write to it or to its directory" },
	{ -ELOOP, STATUS_INVALID_ARGUMENT, "it leads by a symbolic link" },
	{ -EISDIR, STATUS_INVALID_ARGUMENT, "it is a directory" },
	{ -ENXIO, STATUS_INVALID_ARGUMENT, "it is no regular file" },
	{ -EINVAL, STATUS_INVALID_ARGUMENT, "it is no regular file" },
};

void
process_stream_failed(const struct process *process, int stream,
    const struct msg_reply *reply, struct status *status)
{
	const char *stdio = process->stdio[stream];
	struct status reason;
	size_t i;
	int file;

	status_from_reply(&reason, reply);
	(void)stream_path(stdio, &file);
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (file && reply->error == refusals[i].error &&
		    reply->step == MSG_STEP_STDIO)
			status_set(&reason, refusals[i].code, "%s",
			    refusals[i].text);
	}
	status_set(status, reason.code, "%s \"%.*s\": %s", stream_names[stream],
	    SHOWN, stdio, reason.text);
}

static void
stream_failed(struct process *process, int stream,
    const struct msg_reply *reply)
{
	struct status *failure = failure_new(process);

	if (failure != NULL)
		process_stream_failed(process, stream, reply, failure);
}

static void
setup_disagrees(struct process *process)
{
	struct status *failure = failure_new(process);

	if (failure != NULL)
		process_disagrees(process, failure);
}

/*
 * Takes what a terminal, and only a terminal, is connected with: fd, or -1.
 * Returns whether that agrees with what was asked for.
 */
static int
side_take(struct process *process, enum terminal_side side, int fd)
{
	if (process->terminal != NULL)
		terminal_connect(process->terminal, side, fd);
	else if (fd != -1)
		close(fd);
	return ((process->terminal != NULL) == (fd != -1));
}

/* Counts an answer; what is not that of this kind of process ends it. */
static void
stream_done(struct process *process, int stream, const struct msg_reply *reply,
    int agrees)
{
	if (reply->error != 0)
		stream_failed(process, stream, reply);
	else if (!agrees)
		setup_disagrees(process);
	if (--process->streams_due == 0)
		setup_end(process);
}

int
process_stdin(struct process *process, priv_done *done)
{
	int error, file;

	error = priv_stdio(process->engine->priv, &process->ref, MSG_STDIN, 0,
	    stream_path(process->stdio[MSG_STDIN], &file), done, process);
	if (error == 0)
		process->requests++;
	return (error);
}

/* Of a terminal: the keeper of the FIFO, and its reader. */
static void
stdin_done(void *arg, const struct msg_reply *reply, int fds[2])
{
	struct process *process = arg;

	if (!process_answered(process)) {
		fdpass_close(fds, 2);
		return;
	}
	process->fds[MSG_STDIN] = fds[0];
	stream_done(process, MSG_STDIN, reply,
	    side_take(process, TERMINAL_INPUT, fds[1]));
}

static void
stdout_done(void *arg, const struct msg_reply *reply, int fds[2])
{
	struct process *process = arg;

	if (!process_answered(process)) {
		fdpass_close(fds, 2);
		return;
	}
	stream_done(process, MSG_STDOUT, reply,
	    side_take(process, TERMINAL_OUTPUT, fds[0]));
}

static void
stderr_done(void *arg, const struct msg_reply *reply, int fds[2])
{
	(void)fds;
	if (process_answered(arg))
		stream_done(arg, MSG_STDERR, reply, 1);
}

static void
streams_request(struct process *process)
{
	static priv_done *const dones[ENGINE_STREAMS] = {
		[MSG_STDIN] = stdin_done,
		[MSG_STDOUT] = stdout_done,
		[MSG_STDERR] = stderr_done,
	};
	const struct msg_reply short_of = { .error = -ENOMEM,
		.step = MSG_STEP_STDIO };
	const char *path;
	int file, i;

	for (i = 0; i < ENGINE_STREAMS; i++) {
		path = stream_path(process->stdio[i], &file);
		/* containerd names a stderr of terminals too. */
		if (path[0] == '\0' ||
		    i == (process->terminal != NULL ? MSG_STDERR : MSG_STDIN))
			continue;
		if (priv_stdio(process->engine->priv, &process->ref,
			(enum msg_stream)i, file, path, dones[i],
			process) == 0) {
			process->requests++;
			process->streams_due++;
		} else {
			stream_failed(process, i, &short_of);
		}
	}
	if (process->streams_due == 0)
		setup_end(process);
}

/* The helper has created it, or has not. */
static void
setup_done(void *arg, const struct msg_reply *reply, int fds[2])
{
	struct process *process = arg;
	struct status status;

	if (!process_answered(process)) {
		fdpass_close(fds, 2);
		return;
	}
	if (reply->error == 0 && process->container == NULL) {
		process->pid = reply->pid;
		if (!side_take(process, TERMINAL_MASTER, fds[0])) {
			setup_disagrees(process);
			setup_end(process);
			return;
		}
	}
	if (reply->error == 0) {
		streams_request(process);
		return;
	}
	status_from_reply(&status, reply);
	/* The container ended while this was on its way. */
	if (process->container != NULL && reply->step == MSG_STEP_REQUEST &&
	    reply->error == -ESRCH)
		status_set(&status, STATUS_FAILED_PRECONDITION,
		    "container \"%s\" is not running", process->ref.id);
	setup_forget(process, &status);
}

/* Puts a document where nobody can change it.  A descriptor or -errno. */
static int
document_seal(const void *data, size_t size)
{
	const char *p = data;
	ssize_t n = 0;
	int fd, saved;

	fd = memfd_create("process", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return (-errno);
	for (; size > 0 && n != -1; p += n, size -= (size_t)n) {
		if ((n = write(fd, p, size)) == -1)
			break;
	}
	if (n != -1 && fcntl(fd, F_ADD_SEALS, SEALS) != -1)
		return (fd);
	saved = errno;
	close(fd);
	return (-saved);
}

static int
exec_submit(struct process *process, const struct engine_spec *spec)
{
	int fd = document_seal(spec->process, spec->process_size);

	if (fd < 0)
		return (fd);
	return (priv_exec(process->engine->priv, &process->ref, fd, setup_done,
	    process));
}

/* Asks the helper for what was checked. */
static void
setup_submit(struct engine *engine, struct process *container,
    const struct engine_spec *spec, struct process_call *call)
{
	struct process *process;
	struct status status;
	int error;

	if ((process = process_new(engine, container, spec)) == NULL) {
		status_set(&status, STATUS_RESOURCE_EXHAUSTED,
		    "memory is short");
		process_fail(call, &status);
		return;
	}
	process->setup = *call;
	error = container == NULL ?
	    priv_create(engine->priv, &process->ref, setup_done, process) :
	    exec_submit(process, spec);
	if (error == 0) {
		process->requests++;
		return;
	}
	process_refuse_unasked(&process->setup, error);
	process_remove(process);
}

/* What is wrong is told when the container is to be created. */
static void
expect_done(void *arg, const struct msg_reply *reply, int fds[MSG_FDS_MAX])
{
	(void)arg;
	(void)reply;
	(void)fds;
}

/* The reference of what is no container yet; 0, or -1 for one that is. */
static int
expect_ref(const struct engine *engine, const char *id, struct msg_ref *ref)
{
	struct status status;

	memset(ref, 0, sizeof(*ref));
	if (id_check("a container", id, &status) != 0 ||
	    process_find(engine, id, "") != NULL)
		return (-1);
	strcpy(ref->id, id);
	return (0);
}

void
engine_expect(struct engine *engine, const char *id)
{
	struct msg_ref ref;

	if (expect_ref(engine, id, &ref) == 0)
		(void)priv_prepare(engine->priv, &ref, expect_done, NULL);
}

void
engine_forget(struct engine *engine, const char *id)
{
	struct msg_ref ref;

	if (expect_ref(engine, id, &ref) == 0)
		(void)priv_delete(engine->priv, &ref, expect_done, NULL);
}

void
engine_create(struct engine *engine, const struct engine_spec *spec,
    engine_done *done, void *arg)
{
	struct process_call call = { done, arg };
	struct status status;

	if (create_check(engine, spec, &status) != 0)
		process_fail(&call, &status);
	else
		setup_submit(engine, NULL, spec, &call);
}

void
engine_exec(struct engine *engine, const struct engine_spec *spec,
    engine_done *done, void *arg)
{
	struct process_call call = { done, arg };
	struct status status;

	if (exec_check(engine, spec, &status) != 0)
		process_fail(&call, &status);
	else
		setup_submit(engine, process_find(engine, spec->id, ""), spec,
		    &call);
}
