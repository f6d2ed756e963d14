/*
 * A shim that may send anything, at any time, to the helper's own loop: its
 * channel, its table of operations, its records and processes.
 *
 * The steps are played, and with them the kernel's part: what a child reports,
 * what a decode step that was taken over writes as its plan, when a child
 * executes and ends.  Functions called __wrap_NAME stand for NAME.  An input
 * has what the shim sends and when children end, and then, for each thing that
 * may go otherwise than well, how it goes: at its end, well.  What is
 * held to: no process is signalled but the helper's own children that are not
 * reaped; a descriptor has one owner, and none is left; each request has one
 * answer, and each process one end; a container is of this pod, and an exec
 * has nothing that its container has not; no file is opened but the expected.
 */
#include "unpriv/endpoint.h"

/* Its loop is static there. */
#define main privsep_main
int privsep_main(void);
#include "privsep/main.c"
#undef main

#include "regress/fuzz/played.h"

#define NAMES 16 /* containers and execs that inputs know */
#define TURNS 64

/* What the shim has been told of a name. */
static struct life {
	struct msg_ref ref;
	enum { NOTHING, MADE, ENDED } state;
	enum { UNSAID, CREATED, STARTED, EXITED } event;
} lives[NAMES];

static struct input in, world;
static int corrupt;
static size_t outstanding;
static uint64_t open_requests[CHILDREN];

static uint8_t
play(enum play what)
{
	(void)what;
	return (input_byte(&world));
}

/* A plan that is good, until the input says otherwise. */
static void
plan_write(int fd, int exec)
{
	static const char strings[] = "/\0command\0A=b";
	static const char others[][8] = { GROUP, "", "a", "other" };
	struct {
		struct plan plan;
		char strings[sizeof(strings)];
	} out = { .plan = { .magic = PLAN_MAGIC,
		      .kind = exec ? PLAN_PROCESS : PLAN_BUNDLE } };
	struct plan *plan = &out.plan;
	const uint8_t how = input_byte(&world), more = input_byte(&world);
	size_t length = offsetof(typeof(out), strings) + sizeof(strings);

	plan->argc = plan->envc = 1;
	plan->strings_length = sizeof(strings);
	memcpy(out.strings, strings, sizeof(strings));
	strcpy(plan->sandbox_id, others[how % 4]);
	plan->uid = (how & 4) != 0 ? 1000 : 0;
	plan->gid = (how & 8) != 0 ? 1000 : 0;
	plan->flags = ((how & 16) != 0 ? PLAN_TERMINAL : 0) |
	    ((how & 32) != 0 ? PLAN_NEW_PIDNS : 0) |
	    ((how & 64) != 0 ? PLAN_HOST : 0) |
	    ((how & 128) != 0 ? PLAN_NO_EXEC : 0);
	plan->capabilities[PLAN_PERMITTED] = more & 3;
	plan->capabilities[PLAN_EFFECTIVE] = more & 1;
	plan->capabilities[PLAN_BOUNDING] = more;
	if ((more & 4) != 0)
		plan->unshare = CLONE_NEWNET | CLONE_NEWUTS;
	if ((more & 8) != 0)
		plan->ns_pids[more % PLAN_NS_MAX] = FIRST_PID +
		    input_byte(&world);
	if ((more & 16) != 0)
		strcpy(plan->netns, "cni");
	if ((more & 32) != 0)
		strcpy(plan->cgroup, "kubepods/c");
	input_flip(&world, &out, sizeof(out));
	/* It may be too short, too. */
	length -= input_byte(&world) % 2;
	must(pwrite(fd, &out, length, 0) == (ssize_t)length);
}

/*
 * What the helper says.
 */

static struct life *
life_find(const struct msg_ref *ref)
{
	struct life *life = lives;

	while (
	    life < lives + NAMES && memcmp(&life->ref, ref, sizeof(*ref)) != 0)
		life++;
	return (life == lives + NAMES ? NULL : life);
}

static void
life_over(const struct msg_ref *ref)
{
	struct life *life;

	for (life = lives; life < lives + NAMES; life++) {
		if (strcmp(life->ref.id, ref->id) == 0 &&
		    (ref->exec[0] == '\0' ||
			strcmp(life->ref.exec, ref->exec) == 0)) {
			life->state = NOTHING;
			life->event = UNSAID;
		}
	}
}

/* Each event comes after that which it follows from. */
static void
event_check(const struct event *event)
{
	const struct msg_exited *exited = &event->exited;
	struct life *life;

	must(msg_ref_valid(&exited->ref));
	if ((life = life_find(&exited->ref)) == NULL)
		return;
	switch ((enum event_kind)event->kind) {
	case EVENT_CREATE:
	case EVENT_EXEC_ADDED:
		must(life->event == UNSAID &&
		    (life->ref.exec[0] == '\0') ==
			(event->kind == EVENT_CREATE));
		life->event = CREATED;
		break;
	case EVENT_START:
	case EVENT_EXEC_STARTED:
		must(life->event == CREATED);
		must(child_of((pid_t)event->pid) != NULL);
		life->event = STARTED;
		break;
	case EVENT_EXIT:
		must(life->event == CREATED || life->event == STARTED);
		must(exited->status <= 255 && exited->pid > 1);
		life->event = EXITED;
		break;
	case EVENT_DELETE:
		must(life->event == EXITED);
		break;
	case EVENT_PAUSED:
	case EVENT_RESUMED:
		must(life->event == STARTED && life->ref.exec[0] == '\0');
		break;
	default:
		abort();
	}
}

int
__wrap_fdpass_send(int fd, const void *data, size_t size, const int *fds,
    size_t nfds)
{
	const struct event_notice *notice = data;
	uint8_t copy[sizeof(struct msg)];

	if (fd == BOOT_EVENT_FD) {
		must(size == sizeof(*notice) && nfds <= 2);
		event_check(&notice->event);
		return (0);
	}
	if (fd != shim.fd || corrupt == 0)
		return (__real_fdpass_send(fd, data, size, fds, nfds));
	memcpy(copy, data, size);
	copy[(size_t)corrupt / 8 % size] ^= (uint8_t)(1 << corrupt % 8);
	return (__real_fdpass_send(fd, copy, size, fds, nfds));
}

static void
reply_take(const struct msg *message, const struct msg *asked)
{
	const struct msg_reply *reply = &message->body.reply;
	const uint16_t op = asked->header.op;
	const struct msg_ref *ref = &asked->body.ref;
	struct life *life;
	size_t i = 0;

	while (i < outstanding && open_requests[i] != reply->request)
		i++;
	/* Answered once, and never without a question. */
	must(i < outstanding);
	open_requests[i] = open_requests[--outstanding];
	must(reply->error == 0 || message->header.nfds == 0);
	if (reply->error != 0 || reply->request != shim.sent ||
	    (life = life_find(ref)) == NULL)
		return;
	switch (op) {
	case MSG_CREATE:
	case MSG_EXEC:
		must(life->state == NOTHING);
		must(op == MSG_EXEC || child_is_there((pid_t)reply->pid));
		life->state = MADE;
		break;
	case MSG_DELETE:
		must(life->state != MADE || ref->exec[0] != '\0');
		life_over(ref);
		break;
	default:
		break;
	}
}

static void
replies_take(const struct msg *asked)
{
	struct msg message;
	struct life *life;
	int fds[MSG_FDS_MAX];

	while (channel_receive(&shim, &message, fds) == 1) {
		must(endpoint_body_check(message.header.op, &message.body,
			 message.header.length) == 0);
		if (message.header.op == MSG_REPLY)
			reply_take(&message, asked);
		if (message.header.op == MSG_EXITED &&
		    (life = life_find(&message.body.exited.ref)) != NULL) {
			must(life->state == MADE && message.header.nfds == 0);
			life->state = ENDED;
		}
		fdpass_close(fds, MSG_FDS_MAX);
	}
}

/*
 * What the helper has.
 */

static void
exec_check(const struct record *exec, const struct record *c)
{
	size_t i;

	must(c != NULL);
	if (exec->plan.magic == 0)
		return;
	must((c->plan.flags & PLAN_NO_EXEC) == 0);
	must((exec->plan.flags & ~(uint32_t)PLAN_TERMINAL) ==
	    (c->plan.flags & ~(uint32_t)PLAN_TERMINAL));
	must(c->plan.uid == 0 || exec->plan.uid == c->plan.uid);
	must(exec->on_node == c->on_node);
	for (i = 0; i < PLAN_CAPSETS; i++) {
		must((exec->plan.capabilities[i] & ~c->plan.capabilities[i]) ==
		    0);
	}
}

static void
record_check(const struct record *r)
{
	const struct plan *plan = &r->plan;

	must(r->state <= RECORD_UNDONE && msg_ref_valid(&r->ref));
	must(memcmp(&r->ref, &r->exited.ref, sizeof(r->ref)) == 0);
	must(r->pid == 0 || r->reaped || child_is_there(r->pid));
	must(r->init_pid == 0 || child_is_there(r->init_pid));
	must(r->state != RECORD_RUNNING || r->pid != 0);
	must(r->state < RECORD_CREATED || r->state > RECORD_RUNNING ||
	    !r->reaped);
	must(r->state != RECORD_STOPPED || r->reaped);
	if (RECORD_IS_EXEC(r)) {
		exec_check(r, record_find(&helper, r->ref.id, ""));
		return;
	}
	if (r->state == RECORD_UNDONE)
		return;
	must(strcmp(plan->sandbox_id[0] != '\0' ? plan->sandbox_id : r->ref.id,
		 GROUP) == 0);
	must((plan->flags & PLAN_HOST) == 0 ||
	    helper.boot.node.profile != NODE_CONFINED);
	must((plan->flags & (PLAN_HOST | PLAN_CRI_SANDBOX)) != 0 ||
	    ((plan->capabilities[PLAN_PERMITTED] |
		 plan->capabilities[PLAN_BOUNDING]) &
		(1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_PTRACE |
		    1ULL << CAP_MKNOD)) == 0);
}

static void
own(uint8_t owned[FUZZ_FDS], int fd)
{
	if (fd < 0)
		return;
	must(fd < FUZZ_FDS && !owned[fd]);
	owned[fd] = 1;
}

/* Also, in the end, that what it has is open. */
static void
helper_check(int last)
{
	uint8_t owned[FUZZ_FDS] = { 0 };
	struct record *r, *other;
	size_t i;

	must(helper.nrecords <= HELPER_RECORDS);
	RECORD_FOREACH(r, &helper)
	{
		record_check(r);
		for (other = helper.records; other < r; other++)
			must(other->state == RECORD_FREE ||
			    memcmp(&other->ref, &r->ref, sizeof(r->ref)) != 0);
		for (i = 0; i < sizeof(r->fds) / sizeof(r->fds[0]); i++)
			own(owned, r->fds[i]);
		own(owned, r->mount.socket_fd);
		own(owned, r->launch.socket_fd);
	}
	for (i = 0; last && i < FUZZ_FDS; i++)
		must(!owned[i] || is_open((int)i));
}

/*
 * The shim.
 */

static void
paths_set(struct msg_stdio *stdio, uint8_t how)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	const struct msg_ref *ref = &stdio->ref;
	const char *name = (how & 32) != 0 ? "other" :
	    ref->exec[0] != '\0'	   ? ref->exec :
					     ref->id;

	stdio->stream = how % 4;
	stdio->file = (how & 4) != 0;
	snprintf(stdio->path, sizeof(stdio->path), "%s/%s/io/%s-%s",
	    (how & 4) != 0     ? LOGS :
		(how & 8) != 0 ? "/run/cri/containers" :
				 "/run/fifo",
	    (how & 16) != 0 ? "other" : ref->id, name, names[how % 4 % 3]);
}

static void
message_send(void)
{
	static const uint16_t ops[] = { MSG_CREATE, MSG_START, MSG_EXEC,
		MSG_SIGNAL, MSG_STDIO, MSG_DELETE, MSG_CGROUP, MSG_PUBLISH,
		MSG_PREPARE };
	static const uint32_t lengths[] = { [MSG_SIGNAL] = sizeof(
						struct msg_signal),
		[MSG_STDIO] = sizeof(struct msg_stdio),
		[MSG_CGROUP] = sizeof(struct msg_choice),
		[MSG_PUBLISH] = sizeof(struct msg_choice) };
	const uint8_t how = input_byte(&in), name = input_byte(&in);
	const uint8_t value = input_byte(&in);
	struct msg asked = { .header.op = ops[how % 9] };
	uint16_t op = asked.header.op;
	uint32_t length = lengths[op] != 0 ? lengths[op] :
					     sizeof(struct msg_ref);
	int fds[2] = { sealed_fd, null_fd };
	uint32_t nfds = op == MSG_EXEC;

	asked.body.ref = lives[name % NAMES].ref;
	if (op == MSG_SIGNAL) {
		asked.body.signal.signo = value % 66;
		asked.body.signal.all = asked.body.ref.exec[0] == '\0' &&
		    (value & 128) != 0;
	} else if (op == MSG_STDIO) {
		paths_set(&asked.body.stdio, value);
	} else if (op == MSG_CGROUP || op == MSG_PUBLISH) {
		asked.body.choice.which = value;
	}
	if (name >= 128) {
		/* Any body of any operation, with any descriptors. */
		input_flip(&in, &asked.body, sizeof(asked.body));
		length += input_byte(&in) % 2;
		nfds = input_byte(&in) % 3;
		fds[0] = value % 2 ? null_fd : sealed_fd;
		op ^= input_byte(&in) % 32;
		asked.header.op = op;
	}
	if (name >= 224)
		corrupt = input_word(&in);
	if (channel_send(&shim, op, &asked.body, length, fds, nfds) == 0)
		open_requests[outstanding++] = shim.sent;
	asking = &asked;
	wait_and_work(&helper);
	/* Whoever has not the key is not listened to. */
	must(corrupt == 0 || helper.closing);
	corrupt = 0;
	replies_take(&asked);
}

static void
names_set(void)
{
	static const char *const ids[] = { GROUP, "a", "b", "c" };
	static const char *const execs[] = { "", "e", "f", GROUP };
	int i;

	memset(lives, 0, sizeof(lives));
	for (i = 0; i < NAMES; i++) {
		strcpy(lives[i].ref.id, ids[i % 4]);
		strcpy(lives[i].ref.exec, execs[i / 4]);
	}
}

static void
helper_begin(uint8_t how)
{
	played_begin();
	helper.boot.node.profile = how % 3;
	strcpy(helper.boot.node.log_dir, (how & 8) != 0 ? "" : LOGS);
	names_set();
	outstanding = 0;
	corrupt = 0;
	asking = NULL;
	if ((how & 4) == 0)
		return;
	helper.plan_fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	must(helper.plan_fd != -1);
	plan_write(helper.plan_fd, 0);
	container_first(&helper);
}

/* The shim hangs up: all that there is ends. */
static void
helper_end(void)
{
	struct record *r;
	size_t i;

	closing = 1;
	busy = busy > 3 ? 3 : busy;
	helper.closing = 1;
	helper_close(&helper);
	for (i = 0; i < nchildren; i++)
		child_end(&children[i], 0);
	process_reap(&helper);
	/* Whoever has no record is nobody's, and was not waited for. */
	RECORD_FOREACH(r, &helper)
	{
		must(r->pid == 0 || r->reaped);
		must(r->init_pid == 0);
	}
	RECORD_FOREACH(r, &helper)
	record_free(&helper, r);
	memset(helper.records, 0, helper.nrecords * sizeof(helper.records[0]));
	helper.nrecords = 0;
	active = 0;
	close(shim.fd);
	shim.fd = -1;
	close(helper.channel.fd);
	fdpass_close(&helper.plan_fd, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct msg nothing = { .header.op = 0 };
	struct child *child;
	uint8_t commands, what, which;
	int before, turns;

	if (null_fd == 0)
		played_open();
	before = all_fds_count();
	in = (struct input){ data, size };
	turns = input_byte(&in);
	commands = input_byte(&in);
	world = in;
	if (commands < in.size) {
		world.data += commands;
		world.size -= commands;
		in.size = commands;
	} else {
		world.size = 0;
	}
	helper_begin((uint8_t)turns);
	for (turns = 0; in.size > 0 && !helper.closing && turns < TURNS;
	     turns++) {
		what = input_byte(&in);
		which = what / 8;
		child = which < nchildren ? &children[nchildren - 1 - which] :
					    NULL;
		switch (what % 8) {
		case 4:
			if (child != NULL)
				child_go(child, 0);
			break;
		case 5:
			if (child != NULL)
				child_go(child, -ENOENT);
			break;
		case 6:
			if (child != NULL)
				child_end(child, input_byte(&in) << 8);
			break;
		case 7:
			busy = which % 4;
			/* What it killed ends. */
			for (child = children; child < children + nchildren;
			     child++) {
				if (child->fatal)
					child_end(child, SIGKILL);
			}
			break;
		default:
			message_send();
			helper_check(0);
			continue;
		}
		wait_and_work(&helper);
		replies_take(&nothing);
		helper_check(0);
	}
	helper_check(1);
	helper_end();
	must(all_fds_count() == before);
	return (0);
}
