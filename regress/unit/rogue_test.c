/*
 * A shim that was taken over, against the helper as it is installed: it has the
 * channel and its key, and a pod with one container.
 */
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/boot.h"
#include "privsep/channel.h"
#include "shim/helper.h"
#include "shim/root.h"
#include "unpriv/conf.h"
#include "unpriv/endpoint.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define POD	     "pod"
#define BUNDLES	     "/run/bundles"
#define SEALS	     (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define PATIENCE     60000 /* ms */

static struct channel shim;
static struct msg_reply said;
static pid_t helper_pid;
static int event_fd;

/*
 * Its bundles.
 */

static void
text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Of a user, and of a pod unless that is NULL; it would sleep. */
static void
bundle_make(const char *dir, int uid, const char *pod)
{
	char path[128], text[2048], of[256] = "";

	if (pod != NULL)
		snprintf(of, sizeof(of),
		    ",\"annotations\":{"
		    "\"io.kubernetes.cri.container-type\":\"container\","
		    "\"io.kubernetes.cri.sandbox-namespace\":\"default\","
		    "\"io.kubernetes.cri.sandbox-id\":\"%s\"}",
		    pod);
	snprintf(text, sizeof(text),
	    "{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":%d,"
	    "\"gid\":%d},\"args\":[\"/bin/sleep\",\"1000\"],\"env\":[],"
	    "\"cwd\":\"/\",\"noNewPrivileges\":true},\"root\":{\"path\":"
	    "\"rootfs\"},\"mounts\":[{\"destination\":\"/proc\",\"type\":"
	    "\"proc\",\"source\":\"proc\"}],\"linux\":{\"namespaces\":["
	    "{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
	    "{\"type\":\"network\"},{\"type\":\"mount\"}]}%s}",
	    uid, uid, of);
	ATF_REQUIRE_EQ(mkdir(dir, 0700), 0);
	snprintf(path, sizeof(path), "%s/config.json", dir);
	text_write(path, text);
}

/* A document of an exec, sealed so. */
static int
document_make(int uid, int gid, int seals)
{
	char text[256];
	int fd = memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	snprintf(text, sizeof(text),
	    "{\"user\":{\"uid\":%d,\"gid\":%d},\"args\":[\"/bin/sleep\","
	    "\"1000\"],\"env\":[],\"cwd\":\"/\"}",
	    uid, gid);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ATF_REQUIRE_EQ(fcntl(fd, F_ADD_SEALS, seals), 0);
	return (fd);
}

/*
 * The helper.
 */

/* Something within a minute. */
static void
wait_for(int fd, short events)
{
	struct pollfd pfd = { fd, events, 0 };

	ATF_REQUIRE_EQ(poll(&pfd, 1, PATIENCE), 1);
}

/* Sends one request; its number, or 0 if the helper is gone. */
static uint64_t
request(uint16_t op, const char *id, const char *exec, uint32_t value, int fd)
{
	union msg_body body = { .bytes = { 0 } };
	uint32_t length = op == MSG_SIGNAL ? sizeof(body.signal) :
	    op == MSG_CGROUP		   ? sizeof(body.choice) :
					     sizeof(body.ref);
	int error;

	strcpy(body.ref.id, id);
	strcpy(body.ref.exec, exec);
	if (op == MSG_SIGNAL)
		body.signal.signo = value;
	else if (op == MSG_CGROUP)
		body.choice.which = value;
	while ((error = channel_send(&shim, op, &body, length, &fd,
		    fd != -1)) == -EAGAIN)
		wait_for(shim.fd, POLLOUT);
	return (error == 0 ? shim.sent : 0);
}

/* The answer to a request, in said; a descriptor that comes is closed. */
static int
answer(uint64_t number)
{
	int fds[MSG_FDS_MAX], n;
	struct msg m;

	for (;;) {
		while ((n = channel_receive(&shim, &m, fds)) == -EAGAIN)
			wait_for(shim.fd, POLLIN);
		ATF_REQUIRE_EQ_MSG(n, 1, "the session has ended: %d", n);
		fdpass_close(fds, MSG_FDS_MAX);
		if (m.header.op != MSG_REPLY)
			continue;
		ATF_REQUIRE_EQ(m.body.reply.request, number);
		said = m.body.reply;
		return (said.error);
	}
}

static int
ask(uint16_t op, const char *id, const char *exec, uint32_t value, int fd)
{
	return (answer(request(op, id, exec, value, fd)));
}

static void
helper_begin(const atf_tc_t *tc)
{
	static struct boot boot = { .magic = BOOT_MAGIC };
	static const uint8_t key[CHANNEL_KEY_SIZE] = "not a secret";
	static struct conf_given given;
	int channel[2], empty, events[2], own[2], executable, plan;
	char path[512], version[128];

	ATF_REQUIRE_EQ(unshare(CLONE_NEWNS), 0);
	ATF_REQUIRE_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ATF_REQUIRE_EQ(mount("run", "/run", "tmpfs", 0, "mode=755"), 0);
	ATF_REQUIRE((empty = root_make("/run/reaper", "")) >= 0);
	close(empty);
	ATF_REQUIRE_EQ(mkdir(BUNDLES, 0711), 0);
	snprintf(path, sizeof(path), "%s/../../" HELPER_PROGRAM,
	    atf_tc_get_config_var(tc, "srcdir"));
	ATF_REQUIRE((executable = open(path, O_PATH | O_CLOEXEC)) != -1);
	plan = memfd_create("plan", MFD_CLOEXEC);
	ATF_REQUIRE(plan != -1 && endpoint_pair(channel) == 0);
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			   own),
	    0);
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			   events),
	    0);
	helper_pid = helper_spawn(executable,
	    (const int[]){ channel[1], own[0], events[1], plan }, 4);
	ATF_REQUIRE(helper_pid > 0);
	close(channel[1]);
	close(own[0]);
	close(events[1]);
	event_fd = events[0];
	ATF_REQUIRE(read(own[1], version, sizeof(version)) > 0);
	conf_init(&given);
	ATF_REQUIRE_EQ(conf_finish(&given), 0);
	boot.node = given.conf.node;
	boot.shim_pid = (uint32_t)getpid();
	boot.shim_uid = geteuid();
	memcpy(boot.key, key, sizeof(key));
	strcpy(boot.group, POD);
	/* There is none; the own one comes by MSG_CREATE. */
	strcpy(boot.planned, "nobody");
	strcpy(boot.bundles, BUNDLES);
	snprintf(boot.containerd_namespace, sizeof(boot.containerd_namespace),
	    "regress-rogue-%d", (int)getpid());
	ATF_REQUIRE_EQ(write(own[1], &boot, sizeof(boot)),
	    (ssize_t)sizeof(boot));
	ATF_REQUIRE_EQ(channel_open(&shim, channel[0], CHANNEL_SHIM, key,
			   helper_pid, 0),
	    0);
	close(own[1]);
	close(executable);
	close(plan);
}

static void
ready_take(void)
{
	int fds[MSG_FDS_MAX];
	struct msg m;

	wait_for(shim.fd, POLLIN);
	ATF_REQUIRE_EQ(channel_receive(&shim, &m, fds), 1);
	ATF_REQUIRE_EQ(m.header.op, MSG_READY);
}

/* A container of a user that runs; its process. */
static pid_t
container_run(int uid)
{
	bundle_make(BUNDLES "/" POD, uid, NULL);
	ATF_REQUIRE_EQ_MSG(ask(MSG_CREATE, POD, "", 0, -1), 0,
	    "create: %d, step %u, %s", said.error, said.step, said.text);
	ATF_REQUIRE_EQ_MSG(ask(MSG_START, POD, "", 0, -1), 0,
	    "start: %d, step %u, %s", said.error, said.step, said.text);
	ATF_REQUIRE_EQ(kill((pid_t)said.pid, 0), 0);
	return ((pid_t)said.pid);
}

/* The session's end, if it has not come yet: nothing is left of the pod. */
static void
helper_end(pid_t process)
{
	int status;

	close(shim.fd);
	ATF_REQUIRE_EQ(waitpid(helper_pid, &status, 0), helper_pid);
	ATF_CHECK_EQ_MSG(status, 0, "the helper has ended with %x", status);
	if (process != 0)
		ATF_CHECK_MSG(kill(process, 0) == -1 && errno == ESRCH,
		    "process %d is left", (int)process);
	close(event_fd);
}

/* How many descriptors the helper has. */
static int
helper_descriptors(void)
{
	char path[64];
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)helper_pid);
	ATF_REQUIRE((dir = opendir(path)) != NULL);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return (n);
}

/* The same, once it has done with what came with the last request. */
static int
helper_descriptors_kept(void)
{
	ATF_REQUIRE_EQ(ask(MSG_START, "nobody", "", 0, -1), -ENOENT);
	return (helper_descriptors());
}

#define ROGUE_TC(name)                                         \
	ATF_TC(name);                                          \
	ATF_TC_HEAD(name, tc)                                  \
	{                                                      \
		atf_tc_set_md_var(tc, "require.user", "root"); \
	}                                                      \
	ATF_TC_BODY(name, tc)

ROGUE_TC(bundles_of_others_are_refused)
{
	int before;

	helper_begin(tc);
	ready_take();
	bundle_make(BUNDLES "/own", 0, POD);
	bundle_make(BUNDLES "/other", 0, "another");
	bundle_make(BUNDLES "/lonely", 0, NULL);
	/* What somebody who can write elsewhere might put in their place. */
	bundle_make("/run/elsewhere", 0, POD);
	ATF_REQUIRE_EQ(symlink("/run/elsewhere", BUNDLES "/link"), 0);
	ATF_REQUIRE_EQ(mkdir(BUNDLES "/inner", 0700), 0);
	ATF_REQUIRE_EQ(symlink("/run/elsewhere/config.json",
			   BUNDLES "/inner/config.json"),
	    0);
	bundle_make(BUNDLES "/shared", 0, POD);
	ATF_REQUIRE_EQ(chmod(BUNDLES "/shared/config.json", 0606), 0);
	bundle_make(BUNDLES "/foreign", 0, POD);
	ATF_REQUIRE_EQ(chown(BUNDLES "/foreign/config.json", 1000, 0), 0);
	bundle_make(BUNDLES "/open", 0, POD);
	ATF_REQUIRE_EQ(chmod(BUNDLES "/open", 0777), 0);
	ATF_REQUIRE_EQ(mkdir(BUNDLES "/fifo", 0700), 0);
	ATF_REQUIRE_EQ(mkfifo(BUNDLES "/fifo/config.json", 0600), 0);
	before = helper_descriptors_kept();
	ATF_CHECK_EQ(ask(MSG_CREATE, "other", "", 0, -1), -EPERM);
	ATF_CHECK_STREQ(said.text, "the bundle belongs to another pod");
	ATF_CHECK_EQ(ask(MSG_CREATE, "lonely", "", 0, -1), -EPERM);
	ATF_CHECK_STREQ(said.text, "the bundle belongs to another pod");
	ATF_CHECK_EQ(ask(MSG_PREPARE, "other", "", 0, -1), -EPERM);
	ATF_CHECK_EQ(ask(MSG_CREATE, "link", "", 0, -1), -ELOOP);
	ATF_CHECK_EQ(ask(MSG_CREATE, "inner", "", 0, -1), -ELOOP);
	ATF_CHECK_EQ(ask(MSG_CREATE, "shared", "", 0, -1), -EPERM);
	ATF_CHECK_EQ(ask(MSG_CREATE, "foreign", "", 0, -1), -EPERM);
	ATF_CHECK_EQ(ask(MSG_CREATE, "open", "", 0, -1), -EPERM);
	ATF_CHECK(ask(MSG_CREATE, "fifo", "", 0, -1) < 0);
	ATF_CHECK_EQ(ask(MSG_CREATE, "missing", "", 0, -1), -ENOENT);
	ATF_CHECK_EQ(helper_descriptors_kept(), before);
	/* One that is prepared, and then another in its place. */
	ATF_CHECK_EQ(ask(MSG_PREPARE, "own", "", 0, -1), 0);
	ATF_REQUIRE_EQ(unlink(BUNDLES "/own/config.json"), 0);
	ATF_REQUIRE_EQ(symlink("/run/elsewhere/config.json",
			   BUNDLES "/own/config.json"),
	    0);
	ATF_CHECK_EQ(ask(MSG_CREATE, "own", "", 0, -1), -ESTALE);
	helper_end(0);
}

ROGUE_TC(an_exec_is_given_no_more_than_its_container)
{
	static const struct {
		int uid, gid, error;
	} users[] = { { 0, 0, -EPERM }, { 0, 1000, -EPERM },
		{ 1000, 0, -EPERM }, { 1001, 1000, -EPERM },
		{ 1000, 1000, 0 } };
	int fds[8], n = 0, before, i, pair[2];
	pid_t process;

	helper_begin(tc);
	ready_take();
	process = container_run(1000);
	before = helper_descriptors_kept();
	fds[n++] = document_make(1000, 1000, SEALS & ~F_SEAL_WRITE);
	fds[n++] = document_make(1000, 1000, SEALS & ~F_SEAL_GROW);
	fds[n++] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds[n++] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	fds[n++] = open("/etc/shadow", O_PATH | O_CLOEXEC);
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
	    0);
	fds[n++] = pair[0];
	fds[n++] = shim.fd;
	for (i = 0; i < n; i++)
		ATF_CHECK_EQ_MSG(ask(MSG_EXEC, POD, "e", 0, fds[i]), -EINVAL,
		    "descriptor %d: %d", i, said.error);
	for (i = 0; i < (int)COUNT(users); i++) {
		fds[0] = document_make(users[i].uid, users[i].gid, SEALS);
		ATF_CHECK_EQ_MSG(ask(MSG_EXEC, POD, "e", 0, fds[0]),
		    users[i].error, "user %d: %d, %s", i, said.error,
		    said.text);
		close(fds[0]);
		if (users[i].error != 0)
			ATF_CHECK_EQ_MSG(helper_descriptors_kept(), before,
			    "user %d", i);
	}
	helper_end(process);
}

ROGUE_TC(who_is_not_of_the_pod_is_not_signalled)
{
	static const char *const names[][2] = { { "nobody", "" },
		{ "other", "" }, { POD, "e" }, { "other", "e" } };
	pid_t process;
	size_t i;

	helper_begin(tc);
	ready_take();
	process = container_run(0);
	for (i = 0; i < COUNT(names); i++) {
		ATF_CHECK_EQ(ask(MSG_SIGNAL, names[i][0], names[i][1], SIGKILL,
				 -1),
		    -ENOENT);
		ATF_CHECK_EQ(ask(MSG_START, names[i][0], names[i][1], 0, -1),
		    -ENOENT);
		ATF_CHECK_EQ(ask(MSG_DELETE, names[i][0], names[i][1], 0, -1),
		    -ENOENT);
	}
	ATF_CHECK_EQ(kill(process, 0), 0);
	helper_end(process);
}

/* Names a FIFO for standard output. */
static int
ask_stream(const char *path)
{
	union msg_body body = { .stdio = { .stream = MSG_STDOUT } };

	strcpy(body.ref.id, POD);
	strcpy(body.stdio.path, path);
	ATF_REQUIRE_EQ(channel_send(&shim, MSG_STDIO, &body, sizeof(body.stdio),
			   NULL, 0),
	    0);
	return (answer(shim.sent));
}

ROGUE_TC(streams_of_others_are_not_opened)
{
	int before;

	helper_begin(tc);
	ready_take();
	bundle_make(BUNDLES "/" POD, 0, NULL);
	ATF_REQUIRE_EQ(ask(MSG_CREATE, POD, "", 0, -1), 0);
	ATF_REQUIRE_EQ(mkdir("/run/fifo", 0700), 0);
	ATF_REQUIRE_EQ(mkdir("/run/foreign", 0700), 0);
	ATF_REQUIRE_EQ(mkdir("/run/link", 0700), 0);
	ATF_REQUIRE_EQ(mkdir("/run/file", 0700), 0);
	ATF_REQUIRE_EQ(mkfifo("/run/fifo/other-stdout", 0600), 0);
	ATF_REQUIRE_EQ(mkfifo("/run/fifo/" POD "-stdout", 0600), 0);
	ATF_REQUIRE_EQ(mkfifo("/run/foreign/" POD "-stdout", 0600), 0);
	ATF_REQUIRE_EQ(chown("/run/foreign/" POD "-stdout", 1000, 0), 0);
	ATF_REQUIRE_EQ(symlink("/run/fifo/other-stdout",
			   "/run/link/" POD "-stdout"),
	    0);
	text_write("/run/file/" POD "-stdout", "");
	before = helper_descriptors_kept();
	ATF_CHECK_EQ(ask_stream("/run/fifo/other-stdout"), -EPERM);
	ATF_CHECK_EQ(ask_stream("/run/fifo/" POD "-stdin"), -EPERM);
	ATF_CHECK_EQ(ask_stream("/run/x/../fifo/" POD "-stdout"), -EPERM);
	ATF_CHECK_EQ(ask_stream("/run/foreign/" POD "-stdout"), -EPERM);
	ATF_CHECK_EQ(ask_stream("/run/link/" POD "-stdout"), -EINVAL);
	ATF_CHECK_EQ(ask_stream("/run/file/" POD "-stdout"), -EINVAL);
	ATF_CHECK_EQ(helper_descriptors_kept(), before);
	ATF_CHECK_EQ(ask_stream("/run/fifo/" POD "-stdout"), 0);
	/* Once. */
	ATF_CHECK_EQ(ask_stream("/run/fifo/" POD "-stdout"), -EPERM);
	helper_end(0);
}

/* Asks without end, and never reads. */
static void
flood(uint16_t op, const char *id, uint32_t value)
{
	const int before = helper_descriptors();
	int most = before, n, i;

	for (i = 0; request(op, id, "", value, -1) != 0; i++) {
		ATF_REQUIRE_MSG(i < 1000000, "it is served for ever");
		if (i % 64 == 0 && (n = helper_descriptors()) > most)
			most = n;
	}
	ATF_CHECK_MSG(i >= 64, "%d requests were too many", i);
	ATF_CHECK_MSG(most <= before + 8, "it had %d descriptors, then %d",
	    before, most);
}

ROGUE_TC(a_shim_that_does_not_read_is_given_up)
{
	pid_t process;

	helper_begin(tc);
	ready_take();
	process = container_run(0);
	flood(MSG_START, "nobody", 0);
	helper_end(process);
}

ROGUE_TC(a_shim_that_does_not_take_its_descriptors_is_given_up)
{
	pid_t process;

	helper_begin(tc);
	ready_take();
	process = container_run(0);
	flood(MSG_CGROUP, POD, MSG_CGROUP_PROCS);
	helper_end(process);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, bundles_of_others_are_refused);
	ATF_TP_ADD_TC(tp, an_exec_is_given_no_more_than_its_container);
	ATF_TP_ADD_TC(tp, who_is_not_of_the_pod_is_not_signalled);
	ATF_TP_ADD_TC(tp, streams_of_others_are_not_opened);
	ATF_TP_ADD_TC(tp, a_shim_that_does_not_read_is_given_up);
	ATF_TP_ADD_TC(tp,
	    a_shim_that_does_not_take_its_descriptors_is_given_up);
	return (atf_no_error());
}
