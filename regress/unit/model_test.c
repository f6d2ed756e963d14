/*
 * All that can become of a container and an exec of it: a model, in which every
 * sequence of requests, failures and ends is followed until no new state comes
 * up; and each of its transitions is also done by the helper's own code, with
 * the kernel and the steps played, and compared: what is answered, what is
 * told, and the state after it.
 *
 * Beside that the helper's code is held to this.  A step is told to go on, and
 * to execute, when what comes before has reported that it is done; nothing is
 * said to run that has not.  Who a process is and what it may do does not
 * change once it is decided.  From each state, the end of the session is the
 * end of everything.
 */
#include <atf-c.h>

#include "unpriv/endpoint.h"

/* Its loop is static there. */
#define main privsep_main
int privsep_main(void);
#include "privsep/main.c"
#undef main

#include "regress/fuzz/played.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NODES	     4096
#define TEXT	     512
#define ALWAYS_BUSY  1000

/* A process: there was none; it lives; was killed, and will end; was reaped. */
enum life { NONE, LIVE, DYING, GONE };

struct model {
	uint8_t container, exec;   /* enum record_state */
	uint8_t main, init, other; /* enum life: the last is the exec's */
	uint8_t ready;		   /* the exec's step has reported */
	uint8_t cgroup, busy;	   /* there is one; something is in it */
};

/* What goes wrong, as in enum play, or not. */
enum fault {
	WELL,
	NO_FILE,
	NO_PLAN,
	NO_STATE,
	NO_MOUNT_STEP,
	NO_CGROUP,
	NO_ENTRY,
	NO_LAUNCH_STEP,
	MOUNT_FAILS,
	MOUNT_MUTE,
	LAUNCH_FAILS,
	LAUNCH_MUTE,
	STALE,
	FAULTS
};

enum kind {
	PREPARE,
	CREATE,
	START,
	START_EXEC,
	EXEC,
	TERM,
	TERM_EXEC,
	KILL_ALL,
	DELETE,
	DELETE_EXEC,
	CGROUP,
	PUBLISH,
	MAIN_RUNS,
	MAIN_FAILS,
	MAIN_ENDS,
	INIT_ENDS,
	OTHER_READY,
	OTHER_RUNS,
	OTHER_FAILS,
	OTHER_ENDS,
	BUSY,
	EMPTY,
	KINDS
};

static const struct {
	uint16_t op;
	int exec;
	uint32_t value; /* a signal, or a choice */
	uint32_t all;
} requests[] = {
	[PREPARE] = { MSG_PREPARE, 0, 0, 0 },
	[CREATE] = { MSG_CREATE, 0, 0, 0 },
	[START] = { MSG_START, 0, 0, 0 },
	[START_EXEC] = { MSG_START, 1, 0, 0 },
	[EXEC] = { MSG_EXEC, 1, 0, 0 },
	[TERM] = { MSG_SIGNAL, 0, SIGTERM, 0 },
	[TERM_EXEC] = { MSG_SIGNAL, 1, SIGTERM, 0 },
	[KILL_ALL] = { MSG_SIGNAL, 0, SIGKILL, 1 },
	[DELETE] = { MSG_DELETE, 0, 0, 0 },
	[DELETE_EXEC] = { MSG_DELETE, 1, 0, 0 },
	[CGROUP] = { MSG_CGROUP, 0, MSG_CGROUP_PROCS, 0 },
	[PUBLISH] = { MSG_PUBLISH, 0, EVENT_PAUSED, 0 },
};

static int is_new; /* the container has a pid namespace of its own */

/*
 * The model.
 */

static char expected[TEXT], seen[TEXT];

static void __attribute__((format(printf, 2, 3)))
say(char *text, const char *format, ...)
{
	const size_t length = strlen(text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + length, TEXT - length, format, ap);
	va_end(ap);
}

static void
told(const char *what)
{
	say(expected, "%s ", what);
}

/* Too early or too late, as all but what makes something is refused. */
static const char *
refusal(uint8_t state)
{
	return (state <= RECORD_PREPARED ? "ENOENT" :
		state >= RECORD_ENDING	 ? "ESRCH" :
					   "EBUSY");
}

static void
model_kill(uint8_t *process)
{
	if (*process == LIVE)
		*process = DYING;
}

static void
model_kill_all(struct model *m)
{
	model_kill(&m->main);
	model_kill(&m->init);
	model_kill(&m->other);
}

/* Of what ends: all of it is killed, and when that is over, it is told. */
static void
model_settle(struct model *m)
{
	if (m->container != RECORD_ENDING && m->container != RECORD_UNDONE)
		return;
	model_kill_all(m);
	m->cgroup &= m->busy;
	if (m->busy || m->main == DYING || m->other == DYING)
		return;
	if (m->container == RECORD_ENDING) {
		m->container = RECORD_STOPPED;
		told("exited:c event-exit:c");
	} else if (m->init != DYING) {
		memset(m, 0, sizeof(*m));
	}
}

static void
model_undo(struct model *m)
{
	m->container = RECORD_UNDONE;
	model_settle(m);
}

/* The half of a creation that needs nobody.  Returns whether it succeeds. */
static int
model_prepare(struct model *m, enum fault fault, int waits)
{
	if (fault >= NO_FILE && fault <= NO_MOUNT_STEP)
		return (0);
	/* One that is prepared in advance leaves nothing where it fails. */
	m->init = is_new &&
		(waits || fault < NO_CGROUP || fault > NO_LAUNCH_STEP) ?
	    LIVE :
	    NONE;
	if (fault == NO_CGROUP)
		return (0);
	m->cgroup = 1;
	if (fault == NO_ENTRY || fault == NO_LAUNCH_STEP)
		return (0);
	m->main = LIVE;
	return (1);
}

static void
model_create(struct model *m, enum fault fault)
{
	const int prepared = m->container == RECORD_PREPARED;
	int good;

	if (m->container > RECORD_PREPARED) {
		told("reply:EEXIST");
		return;
	}
	good = prepared || model_prepare(m, fault, 1);
	if (prepared && fault == STALE) {
		told("reply:ESTALE");
		model_undo(m);
		return;
	}
	if (good && fault != MOUNT_FAILS && fault != MOUNT_MUTE &&
	    fault != LAUNCH_FAILS && fault != LAUNCH_MUTE && m->main == LIVE &&
	    m->init == (is_new ? LIVE : NONE)) {
		told("reply:0 event-create:c");
		m->container = RECORD_CREATED;
		return;
	}
	told("reply:failed");
	/* What has failed has ended; the launch step is asked second. */
	if (good &&
	    (fault == LAUNCH_MUTE ||
		(fault == LAUNCH_FAILS && m->init == (is_new ? LIVE : NONE))))
		m->main = GONE;
	if (good && (fault == MOUNT_FAILS || fault == MOUNT_MUTE) && is_new)
		m->init = NONE;
	model_undo(m);
}

/* Its main process has ended. */
static void
model_end(struct model *m)
{
	m->main = GONE;
	if (m->container != RECORD_UNDONE && m->container != RECORD_PREPARED)
		m->container = RECORD_ENDING;
	model_settle(m);
}

static void
model_end_exec(struct model *m)
{
	told("exited:e event-exit:e");
	m->exec = RECORD_STOPPED;
	m->other = GONE;
	m->ready = 0;
	model_settle(m);
}

static void
model_request(struct model *m, enum kind kind, enum fault fault)
{
	const uint8_t state = requests[kind].exec ? m->exec : m->container;

	switch (kind) {
	case PREPARE:
		if (state != RECORD_FREE)
			break;
		if (model_prepare(m, fault, 0)) {
			told("reply:0");
			m->container = RECORD_PREPARED;
		} else {
			told("reply:failed");
			model_undo(m);
		}
		return;
	case CREATE:
		model_create(m, fault);
		return;
	case START:
		if (state != RECORD_CREATED)
			break;
		m->container = RECORD_STARTING;
		return;
	case START_EXEC:
		if (state != RECORD_CREATED)
			break;
		if (m->container != RECORD_RUNNING) {
			told("reply:ESRCH");
		} else if (fault == NO_ENTRY || fault == NO_LAUNCH_STEP ||
		    fault == LAUNCH_MUTE) {
			told("reply:failed");
		} else {
			m->exec = RECORD_STARTING;
			m->other = LIVE;
		}
		return;
	case EXEC:
		if (state != RECORD_FREE)
			break;
		if (m->container != RECORD_RUNNING) {
			told(m->container == RECORD_FREE ? "reply:ENOENT" :
							   "reply:ESRCH");
		} else if (fault == NO_PLAN) {
			told("reply:failed");
		} else {
			told("reply:0 event-exec:e");
			m->exec = RECORD_CREATED;
		}
		return;
	case TERM:
	case KILL_ALL:
	case CGROUP:
		if (state < RECORD_CREATED || state > RECORD_RUNNING)
			break;
		told("reply:0");
		if (kind == KILL_ALL)
			model_kill_all(m);
		return;
	case TERM_EXEC:
		if (state != RECORD_STARTING && state != RECORD_RUNNING)
			break;
		told("reply:0");
		return;
	case PUBLISH:
		if (state != RECORD_RUNNING)
			break;
		told("reply:0 event-paused:c");
		return;
	case DELETE:
		if (state == RECORD_PREPARED) {
			told("reply:0");
			model_undo(m);
		} else if (state == RECORD_STOPPED) {
			told("reply:0 event-delete:c");
			memset(m, 0, sizeof(*m));
		} else {
			break;
		}
		return;
	case DELETE_EXEC:
		if (state != RECORD_CREATED && state != RECORD_STOPPED)
			break;
		told("reply:0");
		m->exec = RECORD_FREE;
		m->other = NONE;
		return;
	default:
		return;
	}
	say(expected, "reply:%s ",
	    kind == PREPARE || kind == EXEC ? "EEXIST" : refusal(state));
}

/* Returns whether it can happen. */
static int
model_apply(struct model *m, enum kind kind, enum fault fault)
{
	const int released = m->container == RECORD_STARTING && m->main == LIVE;
	const int started = m->exec == RECORD_STARTING && m->other == LIVE;

	expected[0] = '\0';
	switch (kind) {
	case MAIN_RUNS:
		if (!released)
			return (0);
		m->container = RECORD_RUNNING;
		told("reply:0 event-start:c");
		return (1);
	case MAIN_FAILS:
		if (!released)
			return (0);
		told("reply:failed");
		model_end(m);
		return (1);
	case MAIN_ENDS:
		if (m->main != LIVE && m->main != DYING)
			return (0);
		/* From here on what has been released counts as executed. */
		if (m->container == RECORD_STARTING)
			told("reply:0 event-start:c");
		model_end(m);
		return (1);
	case INIT_ENDS:
		if (m->init != LIVE && m->init != DYING)
			return (0);
		m->init = NONE;
		model_settle(m);
		return (1);
	case OTHER_READY:
		if (!started || m->ready)
			return (0);
		m->ready = 1;
		return (1);
	case OTHER_RUNS:
		if (!started || !m->ready)
			return (0);
		m->exec = RECORD_RUNNING;
		m->ready = 0;
		told("reply:0 event-started:e");
		return (1);
	case OTHER_FAILS:
		if (!started)
			return (0);
		told("reply:failed");
		model_end_exec(m);
		return (1);
	case OTHER_ENDS:
		if (m->other != LIVE && m->other != DYING)
			return (0);
		if (m->exec == RECORD_STARTING)
			told(m->ready ? "reply:0 event-started:e" :
					"reply:failed");
		model_end_exec(m);
		return (1);
	case BUSY:
		if (!m->cgroup || m->busy)
			return (0);
		m->busy = 1;
		return (1);
	case EMPTY:
		if (!m->busy)
			return (0);
		m->busy = 0;
		model_settle(m);
		return (1);
	default:
		model_request(m, kind, fault);
		return (1);
	}
}

/*
 * The helper.
 */

static enum fault fault_now;

/* Of what a record has, what must not change. */
static struct shadow {
	int used;
	pid_t pid, init_pid;
	struct plan plan;
} shadows[2];

static uint8_t
play(enum play what)
{
	static const struct {
		enum play what;
		uint8_t how;
	} faults[FAULTS] = {
		[NO_FILE] = { PLAY_FILE, 7 },
		[NO_PLAN] = { PLAY_DECODE, 15 },
		[NO_STATE] = { PLAY_STATE, 7 },
		[NO_MOUNT_STEP] = { PLAY_MOUNT, 14 },
		[NO_CGROUP] = { PLAY_CGROUP, 7 },
		[NO_ENTRY] = { PLAY_ENTER, 7 },
		[NO_LAUNCH_STEP] = { PLAY_LAUNCH, 14 },
		[MOUNT_FAILS] = { PLAY_MOUNT, 15 },
		[MOUNT_MUTE] = { PLAY_MOUNT, 13 | 16 },
		[LAUNCH_FAILS] = { PLAY_LAUNCH, 15 },
		[LAUNCH_MUTE] = { PLAY_LAUNCH, 13 | 16 },
	};

	return (fault_now != WELL && faults[fault_now].how != 0 &&
		    faults[fault_now].what == what ?
		faults[fault_now].how :
		0);
}

static void
plan_write(int fd, int exec)
{
	static const char strings[] = "/\0command\0A=b";
	struct {
		struct plan plan;
		char strings[sizeof(strings)];
	} out = { .plan = { .magic = PLAN_MAGIC,
		      .kind = exec ? PLAN_PROCESS : PLAN_BUNDLE } };
	const size_t length = offsetof(typeof(out), strings) + sizeof(strings);

	out.plan.argc = out.plan.envc = 1;
	out.plan.strings_length = sizeof(strings);
	memcpy(out.strings, strings, sizeof(strings));
	strcpy(out.plan.sandbox_id, GROUP);
	out.plan.flags = is_new && !exec ? PLAN_NEW_PIDNS : 0;
	must(pwrite(fd, &out, length, 0) == (ssize_t)length);
}

static struct child *
step_of(step_program *program, pid_t pid)
{
	struct child *child = child_of(pid);

	return (child != NULL && child->program == program ? child : NULL);
}

/*
 * A byte to a step, which goes on with it; its mount namespace comes first, from
 * a mount step that has it; and a container's does not execute before it has
 * said that all else is done.
 */
static void
check_release(const struct record *r, size_t nfds, int fd)
{
	const struct record *c = record_find(&helper, r->ref.id, "");
	/* One that has ended before is told as well. */
	const struct child *child = child_of(r->launch.pid);

	must(c != NULL && child != NULL);
	if (fd == r->launch.socket_fd) {
		must(c->mntns_fd >= 0 && nfds == 1);
		must(child_of(c->mount.pid)->said);
		return;
	}
	must(fd == r->launch_fd && nfds == 0);
	must(RECORD_IS_EXEC(r) || child->said);
}

int
__wrap_fdpass_send(int fd, const void *data, size_t size, const int *fds,
    size_t nfds)
{
	static const char *const events[] = { "0", "create", "start", "exec",
		"started", "exit", "delete", "paused", "resumed" };
	static const char *const errors[] = { [0] = "0",
		[ENOENT] = "ENOENT",
		[EBUSY] = "EBUSY",
		[ESRCH] = "ESRCH",
		[EEXIST] = "EEXIST",
		[ESTALE] = "ESTALE" };
	const struct event_notice *notice = data;
	const struct msg *m = data;
	const struct msg_reply *reply = &m->body.reply;
	const struct record *r;

	if (fd == BOOT_EVENT_FD) {
		must(notice->event.kind < COUNT(events));
		say(seen, "event-%s:%s ", events[notice->event.kind],
		    notice->event.exited.ref.exec[0] != '\0' ? "e" : "c");
		return (0);
	}
	if (fd == helper.channel.fd && m->header.op == MSG_EXITED) {
		say(seen, "exited:%s ",
		    m->body.exited.ref.exec[0] != '\0' ? "e" : "c");
	} else if (fd == helper.channel.fd) {
		must(m->header.op == MSG_REPLY);
		say(seen, "reply:%s ",
		    reply->step > MSG_STEP_REQUEST ? "failed" :
						     errors[-reply->error]);
	}
	RECORD_FOREACH(r, &helper)
	{
		if (size == 1 && fd >= 0 &&
		    (fd == r->launch_fd || fd == r->launch.socket_fd))
			check_release(r, nfds, fd);
	}
	return (__real_fdpass_send(fd, data, size, fds, nfds));
}

static void
shim_read(void)
{
	struct msg m;
	int fds[MSG_FDS_MAX];

	while (channel_receive(&shim, &m, fds) == 1)
		fdpass_close(fds, MSG_FDS_MAX);
}

static const struct record *
exec_record(void)
{
	return (record_find(&helper, GROUP, "e"));
}

static void
request_send(enum kind kind)
{
	static struct msg asked;
	union msg_body *body = &asked.body;
	const uint16_t op = requests[kind].op;
	uint32_t length = sizeof(body->ref);

	asked = (struct msg){ .header.op = op, .body.ref.id = GROUP };
	asking = &asked;
	strcpy(body->ref.exec, requests[kind].exec ? "e" : "");
	if (op == MSG_SIGNAL) {
		body->signal.signo = requests[kind].value;
		body->signal.all = requests[kind].all;
		length = sizeof(body->signal);
	} else if (op == MSG_CGROUP || op == MSG_PUBLISH) {
		body->choice.which = requests[kind].value;
		length = sizeof(body->choice);
	}
	must(channel_send(&shim, op, body, length, &sealed_fd,
		 op == MSG_EXEC) == 0);
}

/* Steps that wait to be asked for go on, or fail. */
static void
steps_go_on(const struct record *c)
{
	struct child *mount = step_of(step_mount, c->mount.pid);
	struct child *launch = step_of(step_launch, c->launch.pid);

	if (mount != NULL) {
		mount->held = 0;
		mount->error = fault_now == MOUNT_FAILS ? -EIO : 0;
		if (fault_now == MOUNT_MUTE)
			child_end(mount, 1 << 8);
	}
	if (launch != NULL) {
		launch->held = 0;
		launch->error = fault_now == LAUNCH_FAILS ? -EIO : 0;
		if (fault_now == LAUNCH_MUTE)
			child_end(launch, 1 << 8);
	}
}

static void
world_change(enum kind kind)
{
	const struct record *c = record_find(&helper, GROUP, "");
	const struct record *e = exec_record();
	struct child *child;

	switch (kind) {
	case MAIN_RUNS:
		child_go(child_of(c->pid), 0);
		break;
	case MAIN_FAILS:
		child_go(child_of(c->pid), -ENOENT);
		break;
	case MAIN_ENDS:
		child_end(child_of(c->pid), 0);
		break;
	case INIT_ENDS:
		child_end(child_of(c->init_pid), 0);
		break;
	case OTHER_READY:
		child_of(e->pid)->held = 0;
		break;
	case OTHER_RUNS:
		child_go(child_of(e->pid), 0);
		break;
	case OTHER_FAILS:
		child = child_of(e->pid);
		/* Before it was ready, or after. */
		if (child->held) {
			child->error = -EIO;
			child->held = 0;
		} else {
			child_go(child, -ENOENT);
		}
		break;
	case OTHER_ENDS:
		child_end(child_of(e->pid), 0);
		break;
	case EMPTY:
		process_reap(&helper);
		break;
	default:
		break;
	}
}

static void
helper_do(const struct model *m, enum kind kind, enum fault fault)
{
	struct record *c = record_find(&helper, GROUP, "");
	const size_t before = nchildren;
	struct stat st;
	size_t i;

	fault_now = fault;
	busy = m->busy && kind != EMPTY ? ALWAYS_BUSY : 0;
	seen[0] = '\0';
	if (kind == CREATE && c != NULL && c->state == RECORD_PREPARED) {
		steps_go_on(c);
		/* One that has no name any more, as a memfd. */
		if (fault == STALE)
			must(dup3(sealed_fd, c->bundle_fd, O_CLOEXEC) != -1 &&
			    fstat(c->bundle_fd, &st) == 0 && st.st_nlink == 0);
	}
	if (kind < MAIN_RUNS)
		request_send(kind);
	else
		world_change(kind);
	wait_and_work(&helper);
	/* They report when they are asked, or by OTHER_READY. */
	for (i = before; i < nchildren; i++)
		children[i].held |= kind == PREPARE || kind == START_EXEC;
	for (i = 0; i < 3; i++)
		wait_and_work(&helper);
	must(!helper.closing);
	shim_read();
}

/* What of the model can be seen in the helper and its children. */
static enum life
life_of(pid_t pid, int reaped)
{
	const struct child *child = child_of(pid);

	return (pid == 0 ? NONE : reaped ? GONE : child->fatal ? DYING : LIVE);
}

static struct model
helper_see(const struct model *m)
{
	const struct record *c = record_find(&helper, GROUP, "");
	const struct record *e = exec_record();
	struct model out = { 0 };

	if (c != NULL) {
		out.container = (uint8_t)c->state;
		out.main = (uint8_t)life_of(c->pid, c->reaped);
		out.init = (uint8_t)life_of(c->init_pid, 0);
		out.cgroup = c->has_cgroup != 0;
	}
	if (e != NULL) {
		out.exec = (uint8_t)e->state;
		out.other = (uint8_t)life_of(e->pid, e->reaped);
		out.ready = e->state == RECORD_STARTING && e->terminal_fd != -1;
	}
	/* The world's, not the helper's. */
	out.busy = out.cgroup && m->busy;
	return (out);
}

static void
check_shadow(struct shadow *shadow, const struct record *r)
{
	const int used = r != NULL && r->state >= RECORD_PREPARED &&
	    r->state != RECORD_UNDONE;

	if (used && shadow->used) {
		must(shadow->pid == 0 || r->pid == shadow->pid);
		must(r->init_pid == 0 || r->init_pid == shadow->init_pid);
		must(memcmp(&r->plan, &shadow->plan, sizeof(r->plan)) == 0);
	}
	/* What runs has been through all of its beginning. */
	if (used && r->state == RECORD_RUNNING)
		must(child_of(r->pid)->said);
	shadow->used = used;
	if (used) {
		shadow->pid = r->pid;
		shadow->init_pid = r->init_pid;
		shadow->plan = r->plan;
	}
}

static void
check_helper(void)
{
	const struct child *child;
	const struct record *r;
	int owned;

	check_shadow(&shadows[0], record_find(&helper, GROUP, ""));
	check_shadow(&shadows[1], exec_record());
	/* No process is anybody's but a record's, unless it was killed. */
	for (child = children; child < children + nchildren; child++) {
		owned = child->program == NULL || child->fatal ||
		    child->ended || child->program == step_mount;
		RECORD_FOREACH(r, &helper)
		owned |= child == child_of(r->pid);
		must(owned);
	}
}

static void
helper_begin(void)
{
	played_begin();
	memset(shadows, 0, sizeof(shadows));
}

/* The session ends: so does everything. */
static void
helper_end(const struct model *m, int before)
{
	const struct child *child;
	struct record *r;
	size_t i;

	/* What is in the cgroup dies after a while. */
	busy = m->busy ? 3 : 0;
	closing = 1;
	must(shutdown(shim.fd, SHUT_WR) == 0);
	wait_and_work(&helper);
	must(helper.closing);
	helper_close(&helper);
	RECORD_FOREACH(r, &helper)
	{
		must(r->pid == 0 || r->reaped);
		must(r->init_pid == 0 && !r->has_cgroup);
	}
	/* Steps that nobody waits for end with the helper. */
	for (child = children; child < children + nchildren; child++)
		must(child->program == NULL || child->ended || child->fatal ||
		    (child->program == step_mount && !is_new));
	RECORD_FOREACH(r, &helper)
	record_free(&helper, r);
	RECORD_FOREACH(r, &helper)
	must(0);
	memset(helper.records, 0, helper.nrecords * sizeof(helper.records[0]));
	helper.nrecords = 0;
	active = 0;
	for (i = 0; i < nchildren; i++)
		fdpass_close(&children[i].fd, 1);
	close(shim.fd);
	close(helper.channel.fd);
	must(all_fds_count() == before);
}

/*
 * Both.
 */

static struct place {
	struct model model;
	int from, kind, fault;
} nodes[NODES];
static int nnodes;

static int
node_find(const struct model *m)
{
	int i = 0;

	while (i < nnodes && memcmp(&nodes[i].model, m, sizeof(*m)) != 0)
		i++;
	return (i);
}

static const char *
model_text(const struct model *m)
{
	static char text[4][TEXT];
	static unsigned int which;
	char *out = text[which++ % COUNT(text)];

	snprintf(out, TEXT,
	    "container %d exec %d main %d init %d other %d ready %d cgroup %d "
	    "busy %d",
	    m->container, m->exec, m->main, m->init, m->other, m->ready,
	    m->cgroup, m->busy);
	return (out);
}

/* What has led to a state is done again. */
static void
node_reach(int node)
{
	static int way[NODES];
	int n = 0;

	for (; nodes[node].from >= 0; node = nodes[node].from)
		way[n++] = node;
	while (n-- > 0) {
		node = way[n];
		helper_do(&nodes[nodes[node].from].model,
		    (enum kind)nodes[node].kind, (enum fault)nodes[node].fault);
		check_helper();
	}
}

/* One transition, in the model, and in the helper, which is at this state. */
static void
node_try(int node, enum kind kind, enum fault fault, int before)
{
	struct model now = nodes[node].model, real;
	int next;

	if (!model_apply(&now, kind, fault))
		return;
	if (!now.cgroup)
		now.busy = 0;
	helper_begin();
	node_reach(node);
	helper_do(&nodes[node].model, kind, fault);
	check_helper();
	real = helper_see(&now);
	ATF_REQUIRE_STREQ_MSG(expected, seen, "event %d, fault %d at %s", kind,
	    fault, model_text(&nodes[node].model));
	ATF_REQUIRE_MSG(memcmp(&real, &now, sizeof(now)) == 0,
	    "event %d, fault %d at %s: %s; due %s, but is %s", kind, fault,
	    model_text(&nodes[node].model), seen, model_text(&now),
	    model_text(&real));
	helper_end(&now, before);
	next = node_find(&now);
	if (next < nnodes)
		return;
	ATF_REQUIRE(nnodes < NODES);
	nodes[nnodes++] = (struct place){ now, node, (int)kind, (int)fault };
}

/*
 * What a step reports that nobody waits for yet are other events: of a container
 * that is prepared, of an exec.
 */
static int
can_fail(enum kind kind, enum fault fault)
{
	return (fault == WELL || kind == CREATE || kind == EXEC ||
	    (kind == PREPARE && fault < MOUNT_FAILS) ||
	    (kind == START_EXEC && fault != LAUNCH_FAILS));
}

static void
explore(void)
{
	int before, fault, kind, node;

	played_open();
	before = all_fds_count();
	nnodes = 1;
	nodes[0].from = -1;
	for (node = 0; node < nnodes; node++) {
		for (kind = 0; kind < KINDS; kind++) {
			for (fault = WELL; fault < FAULTS; fault++) {
				if (!can_fail((enum kind)kind,
					(enum fault)fault))
					continue;
				node_try(node, (enum kind)kind,
				    (enum fault)fault, before);
			}
		}
	}
	printf("%d states\n", nnodes);
	/* It has been everywhere. */
	for (kind = RECORD_FREE; kind <= RECORD_UNDONE; kind++) {
		for (node = 0; node < nnodes; node++) {
			if (nodes[node].model.container == kind)
				break;
		}
		ATF_CHECK_MSG(node < nnodes, "no container in state %d", kind);
	}
}

ATF_TC(every_path_of_a_container_is_the_model_s);
ATF_TC_HEAD(every_path_of_a_container_is_the_model_s, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(every_path_of_a_container_is_the_model_s, tc)
{
	is_new = 1;
	explore();
}

ATF_TC(every_path_without_a_pid_namespace_is_the_model_s);
ATF_TC_HEAD(every_path_without_a_pid_namespace_is_the_model_s, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(every_path_without_a_pid_namespace_is_the_model_s, tc)
{
	explore();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_path_of_a_container_is_the_model_s);
	ATF_TP_ADD_TC(tp, every_path_without_a_pid_namespace_is_the_model_s);
	return (atf_no_error());
}
