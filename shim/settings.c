#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/msg.h"
#include "shim/files.h"
#include "shim/report.h"
#include "shim/settings.h"
#include "unpriv/oci.h"
#include "unpriv/sandbox.h"

extern char **environ;

/* One write of the child is one read of the parent. */
_Static_assert(sizeof(struct settings) <= PIPE_BUF, "settings too large");

/* The documents to be parsed; bundle.text is NULL if there is none. */
struct documents {
	struct files_text conf;
	struct files_text bundle;
};

/* Only the child writes here. */
static char strings[PLAN_STRINGS_MAX];

static int
documents_read(struct documents *documents, int bundle_fd)
{
	const char *path = getenv(CONF_FILE_VARIABLE);
	int chosen = path != NULL, error;

	memset(documents, 0, sizeof(*documents));
	if (!chosen)
		path = CONF_FILE;
	else if (path[0] != '/') {
		report(CONF_FILE_VARIABLE ": \"%.80s\": expected an absolute "
					  "path",
		    path);
		return (-EINVAL);
	}
	error = files_read(AT_FDCWD, path, CONF_FILE_MAX, &documents->conf);
	if (error != 0 && (chosen || error != -ENOENT))
		return (files_report(error, path));
	if (bundle_fd == -1)
		return (0);
	error = files_read(bundle_fd, "config.json", PLAN_DOCUMENT_MAX,
	    &documents->bundle);
	if (error != 0) {
		files_free(&documents->conf);
		return (files_report(error, "config.json"));
	}
	return (0);
}

static void
documents_free(struct documents *documents)
{
	files_free(&documents->conf);
	files_free(&documents->bundle);
}

static void
documents_decode(const struct documents *documents, struct settings *settings)
{
	struct conf *conf = &settings->conf;

	conf_init(conf);
	if (conf_parse_text(conf, documents->conf.text,
		documents->conf.length) != 0 ||
	    conf_parse_environment(conf, environ) != 0 ||
	    documents->bundle.text == NULL)
		return;
	oci_decode(PLAN_BUNDLE, documents->bundle.text,
	    documents->bundle.length, &settings->plan, strings,
	    sizeof(strings));
}

/* The child: from its sandbox on it has the result's descriptor and no other. */
static void __attribute__((noreturn))
child_run(const struct documents *documents, int result_fd)
{
	struct settings settings;
	int error;

	memset(&settings, 0, sizeof(settings));
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 ||
	    dup2(result_fd, STDIN_FILENO) == -1 ||
	    close_range(STDIN_FILENO + 1, ~0U, 0) == -1)
		_exit(1);
	if ((error = sandbox_enter_decode()) != 0)
		_exit(1);
	documents_decode(documents, &settings);
	_exit(write(STDIN_FILENO, &settings, sizeof(settings)) !=
	    sizeof(settings));
}

/* Takes the child's answer, which ends when the child does. */
static int
answer_read(int fd, pid_t pid, struct settings *settings)
{
	ssize_t n;
	int status;

	do {
		n = read(fd, settings, sizeof(*settings));
	} while (n == -1 && errno == EINTR);
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return (report_error(-errno, "the decode step"));
	}
	if (WIFSIGNALED(status)) {
		report("the decode step was killed by signal %d",
		    WTERMSIG(status));
		return (-EIO);
	}
	if (n != sizeof(*settings) || WEXITSTATUS(status) != 0) {
		report("the decode step failed");
		return (-EIO);
	}
	return (0);
}

/* The child read untrusted text: nothing that it says is taken unchecked. */
static int
answer_check(struct settings *settings, int bundled)
{
	struct conf *conf = &settings->conf;
	struct plan *plan = &settings->plan;
	const char *bad;

	conf->error[sizeof(conf->error) - 1] = '\0';
	plan->error[sizeof(plan->error) - 1] = '\0';
	if (conf->error[0] != '\0') {
		report("configuration: %s", conf->error);
		return (-EINVAL);
	}
	if ((bad = conf_check(conf)) != NULL) {
		report("the decode step answered a malformed %s", bad);
		return (-EIO);
	}
	if (!bundled)
		return (0);
	if ((plan->flags & PLAN_HAS_ERROR) != 0) {
		report("config.json: %s", plan->error);
		return (-EINVAL);
	}
	if (plan->magic != PLAN_MAGIC || plan->kind != PLAN_BUNDLE ||
	    !msg_string_valid(plan->sandbox_id, sizeof(plan->sandbox_id)) ||
	    (plan->sandbox_id[0] != '\0' && !msg_id_valid(plan->sandbox_id))) {
		report("the decode step answered a malformed plan");
		return (-EIO);
	}
	return (0);
}

int
settings_read(struct settings *settings, int bundle_fd)
{
	struct documents documents;
	int error, fds[2];
	pid_t pid;

	if ((error = documents_read(&documents, bundle_fd)) != 0)
		return (error);
	/* Only containerd's own environment is left: that is not foreign. */
	if (bundle_fd == -1 && documents.conf.text == NULL) {
		documents_decode(&documents, settings);
		return (answer_check(settings, 0));
	}
	if (pipe2(fds, O_CLOEXEC) == -1) {
		error = report_error(-errno, "pipe");
		goto out;
	}
	if ((pid = fork()) == 0)
		child_run(&documents, fds[1]);
	error = pid == -1 ? report_error(-errno, "fork") : 0;
	close(fds[1]);
	if (error == 0)
		error = answer_read(fds[0], pid, settings);
	close(fds[0]);
	if (error == 0)
		error = answer_check(settings, bundle_fd != -1);
out:
	documents_free(&documents);
	return (error);
}
