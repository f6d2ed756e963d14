/*
 * What is done by the files of a container's cgroup.  The helper opens them,
 * each when it is first needed; from then on they are read and written here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/process.h"
#include "unpriv/cgroup_file.h"
#include "unpriv/oci_resources.h"

#define BIT(file)  (1u << (file))
#define QUOTA_SIZE 32 /* bytes of a quota that there is, and a blank */

/* All that are read for statistics. */
#define STATISTICS                                                      \
	((BIT(MSG_CGROUP_MAX) - BIT(MSG_CGROUP_PROCS)) |                \
	    BIT(MSG_CGROUP_MEMORY_LIMIT) | BIT(MSG_CGROUP_SWAP_LIMIT) | \
	    BIT(MSG_CGROUP_PIDS_LIMIT))

/* What is to be done when its files are known. */
struct cgroup_job {
	struct cgroup_job *next; /* that came later */
	struct process *process;
	struct loop_timer timer;
	uint32_t files;
	cgroup_run *run;
	struct process_call call;
	struct plan_limits *limits; /* owned, or NULL */
};

void
cgroup_init(struct process *process)
{
	int i;

	for (i = 0; i < MSG_CGROUP_MAX; i++)
		process->files[i] = (struct cgroup_slot){ process, -1 };
}

static void
job_free(struct cgroup_job *job)
{
	loop_timer_cancel(job->process->engine->loop, &job->timer);
	free(job->limits);
	free(job);
}

void
cgroup_forget(struct process *process)
{
	struct cgroup_job *job;
	int i;

	for (i = 0; i < MSG_CGROUP_MAX; i++) {
		if (process->files[i].fd != -1)
			close(process->files[i].fd);
		process->files[i].fd = -1;
	}
	while ((job = process->jobs) != NULL) {
		process->jobs = job->next;
		job_free(job);
	}
}

/* Takes a job off the list that *p begins, and fails it. */
static void
job_fail(struct cgroup_job **p, const struct status *status)
{
	struct cgroup_job *job = *p;
	struct process_call call = job->call;

	*p = job->next;
	job_free(job);
	process_fail(&call, status);
}

/* Fails what waits for some of these files. */
static void
jobs_fail(struct process *process, uint32_t files, const struct status *status)
{
	struct cgroup_job **p = &process->jobs;

	while (*p != NULL) {
		if (((*p)->files & files) == 0) {
			p = &(*p)->next;
			continue;
		}
		job_fail(p, status);
		/* What was called may have changed the list. */
		p = &process->jobs;
	}
}

void
cgroup_close(struct process *process)
{
	struct status status;

	status_set(&status, STATUS_NOT_FOUND, "container \"%s\" has ended",
	    process->ref.id);
	jobs_fail(process, ~0u, &status);
	cgroup_forget(process);
}

/* Does what waits neither for a file nor for another that wants the same. */
static void
jobs_run(struct process *process)
{
	struct cgroup_job *job, **p = &process->jobs;
	uint32_t held = 0;

	while ((job = *p) != NULL) {
		if ((job->files & (~process->files_known | held)) != 0) {
			held |= job->files;
			p = &job->next;
			continue;
		}
		*p = job->next;
		job->run(process, &job->call, job->limits);
		job_free(job);
		p = &process->jobs;
		held = 0;
	}
}

/* The helper is busy with something slow. */
static void
job_expire(void *arg)
{
	struct cgroup_job *job = arg, **p = &job->process->jobs;
	struct process *process = job->process;
	struct status status;

	while (*p != job)
		p = &(*p)->next;
	status_set(&status, STATUS_UNAVAILABLE,
	    "the privileged helper has not answered within %d ms",
	    ENGINE_PATIENCE);
	job_fail(p, &status);
	jobs_run(process);
}

static void
file_done(void *arg, const struct msg_reply *reply, int fds[MSG_FDS_MAX])
{
	struct cgroup_slot *slot = arg;
	struct process *process = slot->process;
	uint32_t bit = BIT(slot - process->files);
	struct status status;

	process->files_asked &= ~bit;
	/* Of one that has ended it would tell nothing. */
	if (!process_answered(process) || process->state >= PROCESS_STOPPED) {
		if (fds[0] != -1)
			close(fds[0]);
		return;
	}
	if (reply->error != 0 &&
	    (reply->error != -ENOENT || reply->step != MSG_STEP_REQUEST)) {
		status_from_reply(&status, reply);
		jobs_fail(process, bit, &status);
		jobs_run(process);
		return;
	}
	slot->fd = fds[0];
	process->files_known |= bit;
	if (reply->fds == MSG_FDS_CGROUP2)
		process->files_v2 |= bit;
	jobs_run(process);
}

/* Asks for what is neither known nor asked for.  0 or a negative errno. */
static int
files_ask(struct process *process, uint32_t files)
{
	int error, file;

	files &= ~(process->files_known | process->files_asked);
	for (file = 0; file < MSG_CGROUP_MAX; file++) {
		if ((files & BIT(file)) == 0)
			continue;
		error = priv_cgroup(process->engine->priv, &process->ref,
		    (enum msg_cgroup)file, file_done, &process->files[file]);
		if (error != 0)
			return (error);
		process->requests++;
		process->files_asked |= BIT(file);
	}
	return (0);
}

void
cgroup_want(struct process *process, uint32_t files, cgroup_run *run,
    struct process_call *call, const struct plan_limits *limits)
{
	struct cgroup_job *job, **p = &process->jobs;
	uint32_t held = 0;
	int error;

	if ((error = files_ask(process, files)) != 0) {
		process_refuse_unasked(call, error);
		return;
	}
	/* The last of two updates counts, whatever they wait for. */
	for (; *p != NULL; p = &(*p)->next)
		held |= (*p)->files;
	if ((files & (~process->files_known | held)) == 0) {
		run(process, call, limits);
		return;
	}
	job = calloc(1, sizeof(*job));
	if (job != NULL && limits != NULL) {
		job->limits = malloc(sizeof(*limits));
		if (job->limits != NULL)
			*job->limits = *limits;
	}
	if (job == NULL || (limits != NULL && job->limits == NULL)) {
		free(job);
		process_refuse(call, STATUS_RESOURCE_EXHAUSTED,
		    "memory is short");
		return;
	}
	job->process = process;
	job->files = files;
	job->run = run;
	job->call = *call;
	*p = job;
	loop_timer_set(process->engine->loop, &job->timer, ENGINE_PATIENCE,
	    job_expire, job);
}

int
cgroup_write(const struct process *process, enum msg_cgroup file,
    const char *text)
{
	int fd = process->files[file].fd;

	if (fd == -1)
		return (-ENOENT);
	return (pwrite(fd, text, strlen(text), 0) == -1 ? -errno : 0);
}

size_t
cgroup_read(const struct process *process, enum msg_cgroup file, char *buffer,
    size_t size)
{
	ssize_t n = -1;

	if (process->files[file].fd != -1)
		n = pread(process->files[file].fd, buffer, size, 0);
	return (n < 0 ? 0 : (size_t)n);
}

/*
 * Limits.
 */

/*
 * Limits as the bundle has them, for people, and a file of the same controller
 * that is there whenever that is: it tells the version, also where the limit
 * has no file.
 */
static const struct {
	const char *name;
	enum msg_cgroup chief;
} limit_files[MSG_CGROUP_LIMITS] = {
	[MSG_CGROUP_CPUS] = { "cpu.cpus", MSG_CGROUP_CPUS },
	[MSG_CGROUP_MEMS] = { "cpu.mems", MSG_CGROUP_MEMS },
	[MSG_CGROUP_CPU_SHARES] = { "cpu.shares", MSG_CGROUP_CPU_SHARES },
	/* Of version 2 it is where the period is. */
	[MSG_CGROUP_CPU_PERIOD] = { "cpu.period", MSG_CGROUP_CPU_QUOTA },
	[MSG_CGROUP_CPU_QUOTA] = { "cpu.quota", MSG_CGROUP_CPU_SHARES },
	[MSG_CGROUP_CPU_BURST] = { "cpu.burst", MSG_CGROUP_CPU_SHARES },
	[MSG_CGROUP_MEMORY_LIMIT] = { "memory.limit", MSG_CGROUP_MEMORY_LIMIT },
	[MSG_CGROUP_SWAP_LIMIT] = { "memory.swap", MSG_CGROUP_MEMORY_LIMIT },
	[MSG_CGROUP_MEMORY_RESERVATION] = { "memory.reservation",
	    MSG_CGROUP_MEMORY_LIMIT },
	[MSG_CGROUP_MEMORY_HIGH] = { "unified.memory.high",
	    MSG_CGROUP_MEMORY_LIMIT },
	[MSG_CGROUP_MEMORY_MIN] = { "unified.memory.min",
	    MSG_CGROUP_MEMORY_LIMIT },
	[MSG_CGROUP_OOM_GROUP] = { "unified.memory.oom.group",
	    MSG_CGROUP_MEMORY_LIMIT },
	[MSG_CGROUP_PIDS_LIMIT] = { "pids.limit", MSG_CGROUP_PIDS_LIMIT },
};

/* What is to be written, or the empty string. */
static const char *
limit_text(const struct process *process, const struct plan_limits *limits,
    int file)
{
	enum msg_cgroup chief = limit_files[file].chief;

	if ((process->files_v2 & BIT(chief)) != 0)
		return (limits->v2[file]);
	/* Without the controller there is nothing that could be ignored. */
	if (process->files[chief].fd == -1 && limits->v1[file][0] == '\0')
		return (limits->v2[file]);
	return (limits->v1[file]);
}

/*
 * A new period beside the quota that there is: version 2 has both in one file.
 * Returns 0 if it cannot be read.
 */
static int
period_text(const struct process *process, const struct plan_limits *limits,
    char text[QUOTA_SIZE + PLAN_LIMIT_SIZE])
{
	char old[QUOTA_SIZE];
	size_t length;
	const char *end;

	length = cgroup_read(process, MSG_CGROUP_CPU_QUOTA, old, sizeof(old));
	if ((end = memchr(old, ' ', length)) == NULL)
		return (0);
	snprintf(text, QUOTA_SIZE + PLAN_LIMIT_SIZE, "%.*s %s",
	    (int)(end - old), old, limits->v1[MSG_CGROUP_CPU_PERIOD]);
	return (1);
}

/* All that is to be written. */
static void
limit_texts(const struct process *process, const struct plan_limits *limits,
    const char *texts[MSG_CGROUP_LIMITS],
    char quota[QUOTA_SIZE + PLAN_LIMIT_SIZE])
{
	const char *period = limits->v1[MSG_CGROUP_CPU_PERIOD];
	int file;

	for (file = 0; file < MSG_CGROUP_LIMITS; file++)
		texts[file] = limit_text(process, limits, file);
	if (period[0] == '\0' || texts[MSG_CGROUP_CPU_PERIOD][0] != '\0' ||
	    texts[MSG_CGROUP_CPU_QUOTA][0] != '\0')
		return;
	if (period_text(process, limits, quota))
		texts[MSG_CGROUP_CPU_QUOTA] = quota;
	else
		texts[MSG_CGROUP_CPU_PERIOD] = period;
}

/*
 * Twice, because of two limits that depend on each other, such as those of
 * memory and of memory with swap, the order depends on what they were.
 */
static void
update_run(struct process *process, struct process_call *call,
    const struct plan_limits *limits)
{
	struct engine_result result = { .status.code = STATUS_OK };
	const char *texts[MSG_CGROUP_LIMITS];
	char quota[QUOTA_SIZE + PLAN_LIMIT_SIZE];
	int error, file, turn;

	limit_texts(process, limits, texts, quota);
	for (turn = 0; turn < 2; turn++) {
		result.status.code = STATUS_OK;
		for (file = 0; file < MSG_CGROUP_LIMITS; file++) {
			if (texts[file][0] == '\0')
				continue;
			error = cgroup_write(process, (enum msg_cgroup)file,
			    texts[file]);
			if (error != 0)
				status_set(&result.status,
				    STATUS_INVALID_ARGUMENT,
				    "%s: \"%s\": the kernel says: %s",
				    limit_files[file].name, texts[file],
				    strerrordesc_np(-error));
		}
		if (result.status.code == STATUS_OK)
			break;
	}
	if (result.status.code == STATUS_OK)
		process_log(process, "updated", NULL);
	process_answer(call, &result);
}

void
engine_update(struct engine *engine, const char *id, const void *resources,
    size_t size, engine_done *done, void *arg)
{
	struct process_call call = { done, arg };
	struct plan_limits limits;
	char error[MSG_TEXT_SIZE];
	struct process *process;
	struct status status;
	uint32_t files = 0;
	int file;

	process = process_lookup(engine, id, "", &status);
	if (process == NULL) {
		process_fail(&call, &status);
		return;
	}
	if (process->state >= PROCESS_STOPPED || process->doomed) {
		process_refuse(&call, STATUS_FAILED_PRECONDITION,
		    "the container has ended");
		return;
	}
	if (oci_resources_decode(resources, size, &limits, error) != 0) {
		process_refuse(&call, STATUS_INVALID_ARGUMENT, error);
		return;
	}
	for (file = 0; file < MSG_CGROUP_LIMITS; file++) {
		if (limits.v1[file][0] != '\0' || limits.v2[file][0] != '\0')
			files |= BIT(file) | BIT(limit_files[file].chief);
	}
	cgroup_want(process, files, update_run, &call, &limits);
}

/*
 * Statistics.
 */

static void
stats_run(struct process *process, struct process_call *call,
    const struct plan_limits *limits)
{
	struct engine_stats stats;
	struct engine_result result;
	int has_files = 0, i;

	(void)limits;
	process_result(process, &result);
	stats.v2 = (process->files_v2 & BIT(MSG_CGROUP_CPU)) != 0;
	for (i = 0; i < MSG_CGROUP_MAX; i++) {
		stats.fds[i] = process->files[i].fd;
		has_files |= stats.fds[i] != -1;
	}
	result.stats = &stats;
	if (!has_files)
		status_set(&result.status, STATUS_NOT_FOUND,
		    "container \"%s\" has no cgroup", process->ref.id);
	process_answer(call, &result);
}

static void
measure(struct engine *engine, const char *id, uint32_t files,
    struct process_call *call)
{
	struct process *process;
	struct status status;

	process = process_lookup(engine, id, "", &status);
	if (process != NULL && process->state >= PROCESS_STOPPED) {
		status_set(&status, STATUS_NOT_FOUND,
		    "container \"%s\" has ended", process->ref.id);
		process = NULL;
	}
	if (process == NULL)
		process_fail(call, &status);
	else
		cgroup_want(process, files, stats_run, call, NULL);
}

void
engine_stats(struct engine *engine, const char *id, engine_done *done,
    void *arg)
{
	struct process_call call = { done, arg };

	measure(engine, id, STATISTICS, &call);
}

void
engine_procs(struct engine *engine, const char *id, engine_done *done,
    void *arg)
{
	struct process_call call = { done, arg };

	measure(engine, id, BIT(MSG_CGROUP_PROCS), &call);
}

/*
 * Processes.
 */

/*
 * Reads cgroup.procs piece by piece, each beginning with the line that the one
 * before has cut.  Returns how many processes there are in it, 0 also after a
 * failure.
 */
static size_t
procs_read(int fd, struct engine_pid *list)
{
	char buffer[4096];
	struct cgroup_file file;
	size_t rest = 0, n = 0;
	off_t offset = 0;
	ssize_t got;

	for (;;) {
		got = pread(fd, buffer + rest, sizeof(buffer) - rest, offset);
		if (got <= 0)
			return (n);
		offset += got;
		file.text = buffer;
		file.length = rest + (size_t)got;
		while (
		    n < ENGINE_PIDS_MAX && cgroup_file_pid(&file, &list[n].pid))
			list[n++].exec = "";
		rest = file.length;
		if (n == ENGINE_PIDS_MAX || rest == sizeof(buffer))
			return (n);
		memmove(buffer, file.text, rest);
	}
}

/* Writes the name of an exec to its process, if that is in the list. */
static void
name_exec(struct engine_pid *list, size_t n, const struct process *exec)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (list[i].pid == exec->pid)
			list[i].exec = exec->ref.exec;
	}
}

size_t
engine_pids(const struct engine *engine, const char *id,
    struct engine_pid *list, struct status *status)
{
	const struct process *process, *exec;
	size_t n = 0;
	int in_cgroup;

	if ((process = process_lookup(engine, id, "", status)) == NULL)
		return (0);
	if (process->files[MSG_CGROUP_PROCS].fd != -1)
		n = procs_read(process->files[MSG_CGROUP_PROCS].fd, list);
	in_cgroup = n > 0;
	if (!in_cgroup) {
		list[n].pid = process->pid;
		list[n++].exec = "";
	}
	for (exec = process->execs; exec != NULL; exec = exec->next) {
		if (exec->state != PROCESS_RUNNING)
			continue;
		if (!in_cgroup)
			list[n++].pid = exec->pid;
		name_exec(list, n, exec);
	}
	return (n);
}
