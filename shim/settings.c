#include <sys/mman.h>
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
#include "shim/helper.h"
#include "shim/report.h"
#include "shim/settings.h"
#include "unpriv/conf_file.h"
#include "unpriv/decode.h"
#include "unpriv/files.h"
#include "unpriv/oci.h"
#include "unpriv/sandbox.h"

extern char **environ;

/* A pipe has room for it, so that the child does not wait for its reader. */
_Static_assert(sizeof(struct settings) <= 65536, "settings too large");

/* The child's descriptors; the last three for a bundle only. */
enum { RESULT_FD = 3, PLAN_FD, MOUNTS_FD, PASSWD_FD, CHILD_FDS = 4 };

static int
documents_read(struct settings_documents *documents, int bundle_fd)
{
	struct conf_file file;
	int error;

	memset(documents, 0, sizeof(*documents));
	error = conf_file_open(&file);
	if (error == -EINVAL)
		report(CONF_FILE_VARIABLE ": \"%.80s\": expected an absolute "
					  "path",
		    file.path);
	else if (error != 0)
		report_file(error, file.blamed);
	else if (file.fd != -1) {
		error = files_read_fd(file.fd, CONF_FILE_MAX, &documents->conf);
		close(file.fd);
		if (error != 0)
			report_file(error, file.path);
	}
	if (error != 0)
		return (error);
	if (bundle_fd == -1)
		return (0);
	error = files_read(bundle_fd, "config.json", PLAN_DOCUMENT_MAX,
	    &documents->bundle);
	if (error != 0) {
		files_free(&documents->conf);
		return (report_file(error, "config.json"));
	}
	return (0);
}

static void
documents_free(struct settings_documents *documents)
{
	files_free(&documents->conf);
	files_free(&documents->bundle);
}

static void
documents_decode(const struct settings_documents *documents,
    struct settings *settings)
{
	static struct conf_given given;
	struct conf *conf = &settings->conf;
	const struct decode_node on = { &conf->node, PASSWD_FD, MOUNTS_FD };
	const struct plan *plan;
	int error;

	conf_init(&given);
	conf_parse_text(&given, documents->conf.text, documents->conf.length);
	conf_parse_environment(&given, environ);
	error = conf_finish(&given);
	*conf = given.conf;
	if (error != 0 || documents->bundle.text == NULL)
		return;
	if (decode_text(PLAN_BUNDLE, documents->bundle.text,
		documents->bundle.length, &on, PLAN_FD, &plan) != 0)
		memcpy(settings->error, plan->error, sizeof(plan->error));
	memcpy(settings->sandbox_id, plan->sandbox_id,
	    sizeof(plan->sandbox_id));
}

/* The child: from its sandbox on it has these descriptors and no other. */
static void __attribute__((noreturn))
child_run(const struct settings_documents *documents, int result_fd,
    int plan_fd)
{
	static struct settings settings;
	const int fds[CHILD_FDS] = {
		result_fd,
		plan_fd,
		open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC),
		open("/etc/passwd", O_RDONLY | O_CLOEXEC),
	};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 ||
	    helper_place(fds, plan_fd != -1 ? CHILD_FDS : 1, RESULT_FD, 0) !=
		0 ||
	    close_range(0, RESULT_FD - 1, 0) == -1 || oci_prepare() != 0 ||
	    sandbox_enter_decode() != 0)
		_exit(1);
	documents_decode(documents, &settings);
	/* Last, because the parent does not wait for more. */
	_exit(
	    write(RESULT_FD, &settings, sizeof(settings)) != sizeof(settings));
}

/* Takes the child's answer; how the child ended matters only without one. */
static int
answer_read(int fd, pid_t pid, struct settings *settings)
{
	size_t size = 0;
	ssize_t n;
	int status;

	do {
		n = read(fd, (char *)settings + size, sizeof(*settings) - size);
		if (n > 0)
			size += (size_t)n;
	} while (
	    (n > 0 && size < sizeof(*settings)) || (n == -1 && errno == EINTR));
	if (size == sizeof(*settings))
		return (0);
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return (report_error(-errno, "the decode step"));
	}
	if (WIFSIGNALED(status)) {
		report("the decode step was killed by signal %d",
		    WTERMSIG(status));
		return (-EIO);
	}
	report("the decode step failed");
	return (-EIO);
}

/* The child read untrusted text: nothing that it says is taken unchecked. */
static int
answer_check(struct settings *settings, int bundled)
{
	struct conf *conf = &settings->conf;
	const char *bad, *id = settings->sandbox_id;

	conf->error[sizeof(conf->error) - 1] = '\0';
	settings->error[sizeof(settings->error) - 1] = '\0';
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
	if (settings->error[0] != '\0') {
		report("config.json: %s", settings->error);
		return (-EINVAL);
	}
	if (!msg_string_valid(id, MSG_ID_SIZE) ||
	    (id[0] != '\0' && !msg_id_valid(id))) {
		report("the decode step answered a malformed plan");
		return (-EIO);
	}
	return (0);
}

/*
 * Takes the pod's id out of the text of config.json without understanding it.
 * It is empty where the text has none.
 */
static void
pod_guess(const struct files_text *bundle, char pod[MSG_ID_SIZE])
{
	static const char key[] = "\"io.kubernetes.cri.sandbox-id\":\"";
	const char *end, *value = NULL;
	size_t left;

	memset(pod, 0, MSG_ID_SIZE);
	if (bundle->text != NULL)
		value =
		    memmem(bundle->text, bundle->length, key, sizeof(key) - 1);
	if (value == NULL)
		return;
	value += sizeof(key) - 1;
	left = bundle->length - (size_t)(value - bundle->text);
	end = memchr(value, '"', left < MSG_ID_SIZE ? left : MSG_ID_SIZE);
	if (end == NULL)
		return;
	memcpy(pod, value, (size_t)(end - value));
	if (!msg_id_valid(pod))
		memset(pod, 0, MSG_ID_SIZE);
}

int
settings_read(struct settings_reading *reading, int bundle_fd)
{
	int error = documents_read(&reading->documents, bundle_fd);

	if (error == 0)
		pod_guess(&reading->documents.bundle, reading->pod);
	return (error);
}

int
settings_begin(struct settings_reading *reading)
{
	struct settings_documents *documents = &reading->documents;
	int error = 0, fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1) {
		error = report_error(-errno, "pipe");
		goto out;
	}
	reading->plan_fd = -1;
	if (documents->bundle.text != NULL) {
		reading->plan_fd =
		    memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (reading->plan_fd == -1)
			error = report_error(-errno, "memory for the plan");
	}
	if (error == 0 && (reading->child = fork()) == 0)
		child_run(documents, fds[1], reading->plan_fd);
	if (error == 0 && reading->child == -1)
		error = report_error(-errno, "fork");
	close(fds[1]);
	reading->answer = fds[0];
	if (error != 0)
		close(fds[0]);
out:
	documents_free(documents);
	return (error);
}

int
settings_end(struct settings_reading *reading, struct settings *settings)
{
	int error;

	error = answer_read(reading->answer, reading->child, settings);
	close(reading->answer);
	return (error != 0 ? error :
			     answer_check(settings, reading->plan_fd != -1));
}
