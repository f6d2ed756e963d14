/*
 * Compiles sandbox policies to C.
 *
 *	policyc OUTPUT ROLE.policy...
 *
 * writes OUTPUT.h and OUTPUT.c, which declare and define for each role
 *
 *	const struct sock_fprog policy_ROLE;
 *	const struct policy_rlimit policy_ROLE_rlimits[];  (ends with -1)
 *	const uint64_t policy_ROLE_capabilities;           (1 << CAP_*)
 *
 * A policy is lines of words.  Each ends in "# why"; the reason is mandatory.
 * The first says what happens to every call that is not listed, and with it
 * which of three kinds of policy this is.
 *
 * What may be done, for a role of ours:
 *
 *	default kill
 *	default errno NAME
 *	capabilities none	what the role keeps; or all
 *	capabilities NAME...
 *	rlimit NAME VALUE	soft and hard limit
 *	CALL			the call, with any arguments
 *	CALL argN == VALUE	only if this argument, counted from 0, is VALUE
 *	CALL argN&MASK == VALUE	only if these bits of it are VALUE
 *	CALL ... [ARCH]		only on this architecture
 *
 * What is refused, for a program of somebody else's; it has neither limits nor
 * capabilities, which are not ours to choose:
 *
 *	default allow
 *	last CALL		the newest call that the policy has considered:
 *				what has a higher number, x32's calls too, does
 *				not exist (ENOSYS)
 *	deny ERRNO CALL ...	conditions and [ARCH] as above; "!=" as well
 *
 * What a role has that cannot be filtered; of it there is the last constant
 * alone:
 *
 *	default unfiltered	and why
 *	capabilities ...	as above; several lines are joined
 *
 * Calls of another architecture kill in the first two kinds.
 *
 * VALUE and MASK are numbers or names of the table below, joined by '|'; with
 * a '~' before them, all other bits.  Conditions in one line must all hold.
 * Lines for one call are alternatives; the first that holds gives the errno.
 *
 * A list of what may be done compares 64 bits, also where the kernel looks at
 * an int alone: a set high half then matches no rule and meets the default.
 * That is safe for "==", and for nothing else ("!=" with a high half is how
 * filters have been fooled), so there it is the only operator.
 *
 * A list of what is refused compares the low 32 bits, because a high half that
 * the kernel does not see must not keep a rule from matching.  Where it does
 * see it, "==" refuses too much at worst; "!=" is sound only for what is an int
 * to the kernel, or of which it refuses a high half itself.
 */
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/seccomp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE   256
#define WORDS_MAX   24
#define RULES_MAX   256
#define RLIMITS_MAX 16
#define ARGS_MAX    6 /* of a system call */
#define ROLE_SIZE   32
#define LEAF_CALLS  3 /* compared one by one, after a search */

/* Both are little-endian: the low half of an argument is the first. */
#if defined(__x86_64__)
#define ARCH	    "[x86_64]"
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH	    "[aarch64]"
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "no policies have been written for this architecture"
#endif

struct constant {
	const char *name;
	uint64_t value;
};

#define CONSTANT(constant) #constant, (uint64_t)(constant)

/* What a VALUE, a MASK or `default errno` may name. */
static const struct constant constants[] = {
	{ CONSTANT(AF_INET) },
	{ CONSTANT(AF_INET6) },
	{ CONSTANT(AF_NETLINK) },
	{ CONSTANT(AF_UNIX) },
	{ CONSTANT(CLONE_FILES) },
	{ CONSTANT(CLONE_FS) },
	{ CONSTANT(CLONE_NEWCGROUP) },
	{ CONSTANT(CLONE_NEWIPC) },
	{ CONSTANT(CLONE_NEWNET) },
	{ CONSTANT(CLONE_NEWNS) },
	{ CONSTANT(CLONE_NEWPID) },
	{ CONSTANT(CLONE_NEWUSER) },
	{ CONSTANT(CLONE_NEWUTS) },
	{ CONSTANT(CLONE_SIGHAND) },
	{ CONSTANT(CLONE_SYSVSEM) },
	{ CONSTANT(CLONE_THREAD) },
	{ CONSTANT(CLONE_VM) },
	{ CONSTANT(EACCES) },
	{ CONSTANT(EAFNOSUPPORT) },
	{ CONSTANT(ENOSYS) },
	{ CONSTANT(EPERM) },
	{ CONSTANT(EPROTONOSUPPORT) },
	{ CONSTANT(F_ADD_SEALS) },
	{ CONSTANT(F_DUPFD_CLOEXEC) },
	{ CONSTANT(F_GETFD) },
	{ CONSTANT(F_GETFL) },
	{ CONSTANT(F_GET_SEALS) },
	{ CONSTANT(F_SETFD) },
	{ CONSTANT(F_SETFL) },
	{ CONSTANT(MFD_ALLOW_SEALING) },
	{ CONSTANT(MFD_CLOEXEC) },
	{ CONSTANT(NETLINK_ROUTE) },
	{ CONSTANT(NS_GET_NSTYPE) },
	{ CONSTANT(O_APPEND) },
	{ CONSTANT(O_ASYNC) },
	{ CONSTANT(O_NONBLOCK) },
	{ CONSTANT(PROT_EXEC) },
	{ CONSTANT(PR_CAP_AMBIENT) },
	{ CONSTANT(PR_SET_NO_NEW_PRIVS) },
	{ CONSTANT(PR_SET_SECCOMP) },
	{ CONSTANT(RENAME_WHITEOUT) },
	{ CONSTANT(SOCK_PACKET) },
	{ CONSTANT(SOL_SOCKET) },
	{ CONSTANT(SO_ERROR) },
	{ CONSTANT(SO_PEERCRED) },
	{ CONSTANT(S_IFBLK) },
	{ CONSTANT(S_IFCHR) },
	{ CONSTANT(S_IFMT) },
	{ CONSTANT(TIOCLINUX) },
	{ CONSTANT(TIOCSTI) },
	{ CONSTANT(TIOCGWINSZ) },
	{ CONSTANT(TIOCSWINSZ) },
};

/* Calls newer than libseccomp may be; the same on all architectures. */
static const struct {
	const char *name;
	int nr;
} newer[] = {
	{ "open_tree_attr", 467 },
	{ "file_setattr", 469 },
};

/* What `rlimit` may name. */
static const struct constant resources[] = {
	{ CONSTANT(RLIMIT_AS) },
	{ CONSTANT(RLIMIT_CORE) },
	{ CONSTANT(RLIMIT_CPU) },
	{ CONSTANT(RLIMIT_DATA) },
	{ CONSTANT(RLIMIT_FSIZE) },
	{ CONSTANT(RLIMIT_NOFILE) },
	{ CONSTANT(RLIMIT_NPROC) },
};

/* Calls that no policy may allow: with them it holds no more. */
static const char *const never[] = {
	"bpf",
	"clone3", /* its flags lie in memory, which no filter sees */
	"io_uring_enter",
	"io_uring_register",
	"io_uring_setup", /* makes other calls, unfiltered */
	"kexec_file_load",
	"kexec_load",
	"open_by_handle_at",
	"pkey_mprotect",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"uselib",
	"userfaultfd",
};

/*
 * Calls that are many calls in one: each of their rules must pin this
 * argument.  Where `clear` is given it must prove that these bits are clear.
 */
static const struct many {
	const char *name;
	unsigned int arg;
	uint64_t clear;
} many[] = {
	{ "clone", 0, 0 },
	{ "fcntl", 1, 0 },
	{ "ioctl", 1, 0 },
	{ "mmap", 2, PROT_EXEC },
	{ "mprotect", 2, PROT_EXEC },
	{ "prctl", 0, 0 },
	{ "setns", 1, 0 },
	{ "socket", 0, 0 },
	{ "unshare", 0, 0 },
};

struct rule {
	int nr;
	uint32_t action;
	unsigned int line;
	unsigned int nconditions;
	/* SCMP_CMP_MASKED_EQ, or SCMP_CMP_NE, which here has a mask too. */
	struct scmp_arg_cmp conditions[ARGS_MAX];
};

struct policy {
	char role[ROLE_SIZE];
	int has_default;
	int denies;	 /* a list of what is refused */
	int unfiltered;	 /* there is no list */
	uint32_t action; /* of calls that are not listed */
	int has_last;
	int last; /* call that exists; for what denies */
	int has_capabilities;
	uint64_t capabilities;
	size_t nlimits;
	struct {
		const char *name;
		uint64_t value;
	} limits[RLIMITS_MAX];
	size_t nrules;
	struct rule rules[RULES_MAX];
	size_t ninsns;
	struct sock_filter insns[BPF_MAXINSNS];
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Where the parser is, for its messages. */
static const char *path;
static unsigned int line;

static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: ", path, line);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static const struct constant *
find(const struct constant *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return (&table[i]);
	fail("unknown name \"%s\"", name);
}

/* Numbers and names joined by '|', inverted by '~'; changes the text. */
static uint64_t
parse_value(char *text)
{
	uint64_t value = 0;
	char *end, *save = NULL;
	int inverted = text[0] == '~';

	text += inverted;
	if (text[0] == '\0' || text[0] == '|')
		fail("a value is missing");
	for (char *term = strtok_r(text, "|", &save); term != NULL;
	     term = strtok_r(NULL, "|", &save)) {
		if (term[0] >= '0' && term[0] <= '9') {
			errno = 0;
			value |= strtoull(term, &end, 0);
			if (errno != 0 || *end != '\0')
				fail("\"%s\" is not a number", term);
		} else
			value |= find(constants, COUNT(constants), term)->value;
	}
	return (inverted ? ~value : value);
}

/* One condition: argN[&MASK] == VALUE, or != in a list of what is refused. */
static struct scmp_arg_cmp
parse_condition(char *const words[3], int denies)
{
	struct scmp_arg_cmp condition;
	const char *arg = words[0];
	uint64_t mask = UINT64_MAX;
	char *ampersand = strchr(words[0], '&');

	if (ampersand != NULL) {
		*ampersand = '\0';
		mask = parse_value(ampersand + 1);
	}
	if (strlen(arg) != 4 || strncmp(arg, "arg", 3) != 0 || arg[3] < '0' ||
	    arg[3] >= '0' + ARGS_MAX)
		fail("\"%s\" is not one of arg0 to arg5", arg);
	if (denies) {
		if (ampersand != NULL && ampersand[1] != '~' &&
		    mask > UINT32_MAX)
			fail("only the low 32 bits are compared");
		mask &= UINT32_MAX;
	} else if (strcmp(words[1], "==") != 0)
		fail("the only operator is ==");

	memset(&condition, 0, sizeof(condition));
	condition.arg = (unsigned int)(arg[3] - '0');
	if (strcmp(words[1], "==") == 0)
		condition.op = SCMP_CMP_MASKED_EQ;
	else if (strcmp(words[1], "!=") == 0)
		condition.op = SCMP_CMP_NE;
	else
		fail("the only operators are == and !=");
	condition.datum_a = mask;
	condition.datum_b = parse_value(words[2]);
	if ((condition.datum_b & ~mask) != 0)
		fail("the value has bits outside of the mask: %s true",
		    condition.op == SCMP_CMP_NE ? "always" : "never");
	if (mask == 0)
		fail("the mask has no bits");
	return (condition);
}

/* True if the condition pins the argument as the entry demands. */
static int
pins(const struct scmp_arg_cmp *condition, const struct many *entry)
{
	if (condition->arg != entry->arg)
		return (0);
	if (entry->clear == 0)
		return (condition->datum_a == UINT64_MAX);
	return ((condition->datum_a & entry->clear) == entry->clear &&
	    (condition->datum_b & entry->clear) == 0);
}

/* Refuses to allow what would make the policy weaker than it reads. */
static void
lint_allowed(const char *name, const struct rule *rule)
{
	for (size_t i = 0; i < COUNT(never); i++)
		if (strcmp(never[i], name) == 0)
			fail("%s can never be allowed", name);

	for (size_t i = 0; i < COUNT(many); i++) {
		unsigned int n = 0;

		if (strcmp(many[i].name, name) != 0)
			continue;
		while (n < rule->nconditions &&
		    !pins(&rule->conditions[n], &many[i]))
			n++;
		if (n == rule->nconditions)
			fail("%s needs a condition on arg%u%s", name,
			    many[i].arg,
			    many[i].clear == 0 ? "" : " without PROT_EXEC");
	}
}

/* Refuses what says nothing new. */
static void
lint_repeated(const struct policy *policy, const char *name,
    const struct rule *rule)
{
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct rule *other = &policy->rules[i];

		if (other->nr != rule->nr)
			continue;
		if (other->nconditions == 0 || rule->nconditions == 0)
			fail("%s is %s with any arguments already, or "
			     "has a narrower line before",
			    name, policy->denies ? "refused" : "allowed");
		if (other->nconditions == rule->nconditions &&
		    memcmp(other->conditions, rule->conditions,
			rule->nconditions * sizeof(rule->conditions[0])) == 0)
			fail("duplicate of an earlier line");
	}
}

static int
parse_call(const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	for (size_t i = 0; nr == __NR_SCMP_ERROR && i < COUNT(newer); i++)
		if (strcmp(newer[i].name, name) == 0)
			nr = newer[i].nr;
	if (nr == __NR_SCMP_ERROR)
		fail("unknown system call \"%s\"", name);
	return (nr);
}

/* CALL [argN[&MASK] == VALUE]... [ARCH], and what becomes of it. */
static void
parse_rule(struct policy *policy, uint32_t action, char **words, size_t nwords)
{
	struct rule rule;
	char *last = words[nwords - 1];

	memset(&rule, 0, sizeof(rule));
	rule.nr = parse_call(words[0]);
	rule.action = action;
	rule.line = line;
	if (nwords > 1 && last[0] == '[') {
		if (strcmp(last, "[x86_64]") != 0 &&
		    strcmp(last, "[aarch64]") != 0)
			fail("unknown architecture %s", last);
		if (strcmp(last, ARCH) != 0)
			return;
		nwords--;
	}
	/* libseccomp numbers what other architectures have below zero. */
	if (rule.nr < 0)
		fail("%s does not exist on %s: mark the line with where it "
		     "does",
		    words[0], ARCH);
	if ((nwords - 1) % 3 != 0 || (nwords - 1) / 3 > ARGS_MAX)
		fail("expected CALL, then conditions argN[&MASK] == VALUE");
	for (size_t i = 1; i < nwords; i += 3)
		rule.conditions[rule.nconditions++] =
		    parse_condition(&words[i], policy->denies);

	if (!policy->denies)
		lint_allowed(words[0], &rule);
	lint_repeated(policy, words[0], &rule);
	if (policy->nrules == RULES_MAX)
		fail("more than %d rules", RULES_MAX);
	policy->rules[policy->nrules++] = rule;
}

static void
parse_default(struct policy *policy, char **words, size_t nwords)
{
	if (policy->has_default)
		fail("a second default");
	policy->has_default = 1;
	if (nwords == 2 && strcmp(words[1], "kill") == 0)
		policy->action = SCMP_ACT_KILL_PROCESS;
	else if (nwords == 3 && strcmp(words[1], "errno") == 0)
		policy->action = SCMP_ACT_ERRNO(
		    find(constants, COUNT(constants), words[2])->value);
	else if (nwords == 2 && strcmp(words[1], "allow") == 0) {
		policy->action = SCMP_ACT_ALLOW;
		policy->denies = 1;
	} else if (nwords == 2 && strcmp(words[1], "unfiltered") == 0)
		policy->unfiltered = 1;
	else
		fail("expected: default kill, allow, unfiltered or errno NAME");
}

static void
parse_last(struct policy *policy, char **words, size_t nwords)
{
	if (policy->has_last)
		fail("a second last");
	if (nwords != 2)
		fail("expected: last CALL");
	policy->has_last = 1;
	policy->last = parse_call(words[1]);
	if (policy->last < 0)
		fail("%s does not exist on %s", words[1], ARCH);
}

static void
parse_deny(struct policy *policy, char **words, size_t nwords)
{
	uint64_t number;

	if (nwords < 3)
		fail("expected: deny ERRNO CALL, then conditions");
	number = find(constants, COUNT(constants), words[1])->value;
	if (words[1][0] != 'E')
		fail("%s is not an errno", words[1]);
	parse_rule(policy, SCMP_ACT_ERRNO(number), words + 2, nwords - 2);
}

static void
parse_capabilities(struct policy *policy, char **words, size_t nwords)
{
	char name[64];
	cap_value_t value;

	if (policy->has_capabilities && !policy->unfiltered)
		fail("a second line of capabilities");
	policy->has_capabilities = 1;
	if (nwords == 2 && strcmp(words[1], "none") == 0)
		return;
	if (nwords == 2 && strcmp(words[1], "all") == 0) {
		policy->capabilities = UINT64_MAX;
		return;
	}
	if (nwords < 2)
		fail("expected: capabilities none, all, or names");
	for (size_t i = 1; i < nwords; i++) {
		snprintf(name, sizeof(name), "cap_%s", words[i]);
		if (cap_from_name(name, &value) != 0)
			fail("unknown capability %s", words[i]);
		policy->capabilities |= UINT64_C(1) << value;
	}
}

static void
parse_rlimit(struct policy *policy, char **words, size_t nwords)
{
	char name[64];
	const char *resource;

	if (nwords != 3)
		fail("expected: rlimit NAME VALUE");
	snprintf(name, sizeof(name), "RLIMIT_%s", words[1]);
	resource = find(resources, COUNT(resources), name)->name;
	for (size_t i = 0; i < policy->nlimits; i++)
		if (policy->limits[i].name == resource)
			fail("a second limit of %s", resource);
	policy->limits[policy->nlimits].name = resource;
	policy->limits[policy->nlimits++].value = parse_value(words[2]);
}

static void
parse_line(struct policy *policy, char *text)
{
	char *words[WORDS_MAX], *save = NULL, *reason;
	size_t nwords = 0;

	reason = strchr(text, '#');
	if (reason != NULL)
		*reason++ = '\0';
	for (char *word = strtok_r(text, " \t\n", &save); word != NULL;
	     word = strtok_r(NULL, " \t\n", &save)) {
		if (nwords == WORDS_MAX)
			fail("too many words");
		words[nwords++] = word;
	}
	if (nwords == 0)
		return;
	if (reason == NULL || reason[strspn(reason, " \t\n")] == '\0')
		fail("\"%s\" without a reason (# why)", words[0]);

	if (strcmp(words[0], "default") == 0)
		parse_default(policy, words, nwords);
	else if (!policy->has_default)
		fail("the first line must be `default`");
	else if (policy->denies && strcmp(words[0], "last") == 0)
		parse_last(policy, words, nwords);
	else if (policy->denies && strcmp(words[0], "deny") == 0)
		parse_deny(policy, words, nwords);
	else if (policy->denies)
		fail("after `default allow` there is only `last` and `deny`");
	else if (strcmp(words[0], "capabilities") == 0)
		parse_capabilities(policy, words, nwords);
	else if (policy->unfiltered)
		fail("after `default unfiltered` there are only capabilities");
	else if (strcmp(words[0], "rlimit") == 0)
		parse_rlimit(policy, words, nwords);
	else
		parse_rule(policy, SCMP_ACT_ALLOW, words, nwords);
}

/* The role is the file's name without folder and suffix. */
static void
parse_role(struct policy *policy)
{
	const char *base = strrchr(path, '/');
	size_t length;

	base = base == NULL ? path : base + 1;
	length = strspn(base, "abcdefghijklmnopqrstuvwxyz_");
	if (length == 0 || length >= sizeof(policy->role) ||
	    strcmp(base + length, ".policy") != 0)
		fail("not a ROLE.policy");
	memcpy(policy->role, base, length);
}

static void
parse_file(struct policy *policy)
{
	char text[LINE_SIZE];
	FILE *file;

	line = 0;
	parse_role(policy);
	file = fopen(path, "re");
	if (file == NULL)
		err(1, "%s", path);
	while (fgets(text, sizeof(text), file) != NULL) {
		line++;
		if (strchr(text, '\n') == NULL)
			fail("line too long, or the last one without its end");
		parse_line(policy, text);
	}
	if (ferror(file))
		err(1, "%s", path);
	fclose(file);
	if (policy->denies && !policy->has_last)
		fail("needs a line `last`");
	for (size_t i = 0; policy->denies && i < policy->nrules; i++) {
		line = policy->rules[i].line;
		if (policy->rules[i].nr > policy->last)
			fail("the call is newer than `last`");
	}
	if (!policy->denies &&
	    (!policy->has_default || !policy->has_capabilities))
		fail("needs a line `default` and a line `capabilities`");
}

static struct sock_filter *
emit(struct policy *policy, int code, uint32_t k)
{
	struct sock_filter *insn = &policy->insns[policy->ninsns++];

	if (policy->ninsns == BPF_MAXINSNS)
		errx(1, "%s: the program is too long", path);
	insn->code = (uint16_t)code;
	insn->k = k;
	return (insn);
}

/* From the instruction to the next one that will be emitted. */
static uint8_t
distance(const struct policy *policy, const struct sock_filter *from)
{
	ptrdiff_t n = &policy->insns[policy->ninsns] - from - 1;

	if (n > UINT8_MAX)
		errx(1, "%s: a jump is too long", path);
	return ((uint8_t)n);
}

/* Returns the instruction's distance to go when the condition is false. */
static uint8_t *
emit_condition(struct policy *policy, const struct scmp_arg_cmp *condition,
    struct sock_filter **jump)
{
	uint32_t mask = (uint32_t)condition->datum_a;
	uint32_t value = (uint32_t)condition->datum_b;
	int if_differs = condition->op == SCMP_CMP_NE;

	emit(policy, BPF_LD | BPF_W | BPF_ABS,
	    (uint32_t)offsetof(struct seccomp_data, args[condition->arg]));
	if (mask != UINT32_MAX && value == 0) {
		/* Any of the bits is a difference. */
		*jump = emit(policy, BPF_JMP | BPF_JSET | BPF_K, mask);
		return (if_differs ? &(*jump)->jf : &(*jump)->jt);
	}
	if (mask != UINT32_MAX)
		emit(policy, BPF_ALU | BPF_AND | BPF_K, mask);
	*jump = emit(policy, BPF_JMP | BPF_JEQ | BPF_K, value);
	return (if_differs ? &(*jump)->jt : &(*jump)->jf);
}

static void
emit_rule(struct policy *policy, const struct rule *rule)
{
	struct sock_filter *jumps[ARGS_MAX];
	uint8_t *skips[ARGS_MAX];

	for (unsigned int i = 0; i < rule->nconditions; i++)
		skips[i] =
		    emit_condition(policy, &rule->conditions[i], &jumps[i]);
	emit(policy, BPF_RET | BPF_K, rule->action);
	for (unsigned int i = 0; i < rule->nconditions; i++)
		*skips[i] = distance(policy, jumps[i]);
}

/* The rules of one call, if it is this one; its number is loaded. */
static void
emit_call(struct policy *policy, const struct rule *rule,
    const struct rule *end)
{
	int nr = rule->nr;
	struct sock_filter *jump =
	    emit(policy, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr);
	unsigned int nconditions = rule->nconditions;

	for (; rule < end && rule->nr == nr; rule++)
		emit_rule(policy, rule);
	if (nconditions != 0)
		emit(policy, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	jump->jf = distance(policy, jump);
}

/* A search among n calls, by the first rule of each. */
static void
emit_search(struct policy *policy, const struct rule **calls, size_t n)
{
	struct sock_filter *jump;

	if (n > LEAF_CALLS) {
		jump = emit(policy, BPF_JMP | BPF_JGE | BPF_K,
		    (uint32_t)calls[n / 2]->nr);
		emit_search(policy, calls, n / 2);
		jump->jt = distance(policy, jump);
		emit_search(policy, calls + n / 2, n - n / 2);
		return;
	}
	for (size_t i = 0; i < n; i++)
		emit_call(policy, calls[i], policy->rules + policy->nrules);
	emit(policy, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

static int
compare_rules(const void *a, const void *b)
{
	const struct rule *one = a, *other = b;

	if (one->nr != other->nr)
		return (one->nr < other->nr ? -1 : 1);
	return (one->line < other->line ? -1 : 1);
}

/*
 * What denies is compiled here: libseccomp masks for "==" alone, so that "any
 * of these bits" or "none of these ints" took dozens of rules, and it has no
 * way to say "what is newer".
 */
static void
compile_denies(struct policy *policy)
{
	const struct rule *calls[RULES_MAX];
	size_t ncalls = 0;

	qsort(policy->rules, policy->nrules, sizeof(policy->rules[0]),
	    compare_rules);
	for (size_t i = 0; i < policy->nrules; i++)
		if (i == 0 || policy->rules[i].nr != policy->rules[i - 1].nr)
			calls[ncalls++] = &policy->rules[i];

	emit(policy, BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, arch));
	emit(policy, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH)->jt = 1;
	emit(policy, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	emit(policy, BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, nr));
	emit(policy, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)policy->last)->jf = 3;
	/* A debugger's way to have no call made, and to say what it returns. */
	emit(policy, BPF_JMP | BPF_JEQ | BPF_K, UINT32_MAX)->jf = 1;
	emit(policy, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	emit(policy, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	emit_search(policy, calls, ncalls);
}

/* Lets libseccomp make the program; only the native architecture is in it. */
static void
compile_allows(struct policy *policy)
{
	scmp_filter_ctx context = seccomp_init(policy->action);
	ssize_t size;
	int fd, r;

	if (context == NULL)
		errx(1, "%s: seccomp_init", path);
	r = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	if (r == 0) /* a binary tree of the numbers instead of a list */
		r = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; r == 0 && i < policy->nrules; i++)
		r = seccomp_rule_add_exact_array(context,
		    policy->rules[i].action, policy->rules[i].nr,
		    policy->rules[i].nconditions, policy->rules[i].conditions);
	if (r != 0)
		errx(1, "%s: libseccomp: %s", path, strerror(-r));

	fd = memfd_create("policy", MFD_CLOEXEC);
	if (fd == -1)
		err(1, "memfd_create");
	r = seccomp_export_bpf(context, fd);
	if (r != 0)
		errx(1, "%s: seccomp_export_bpf: %s", path, strerror(-r));
	size = pread(fd, policy->insns, sizeof(policy->insns), 0);
	if (size <= 0 || (size_t)size % sizeof(policy->insns[0]) != 0)
		errx(1, "%s: the program cannot be read", path);
	policy->ninsns = (size_t)size / sizeof(policy->insns[0]);
	close(fd);
	seccomp_release(context);
}

static void
write_header(FILE *file, const struct policy *policy)
{
	fprintf(file, "\n");
	if (!policy->unfiltered)
		fprintf(file, "extern const struct sock_fprog policy_%s;\n",
		    policy->role);
	if (!policy->denies && !policy->unfiltered)
		fprintf(file,
		    "extern const struct policy_rlimit policy_%s_rlimits[];\n",
		    policy->role);
	if (!policy->denies)
		fprintf(file, "extern const uint64_t policy_%s_capabilities;\n",
		    policy->role);
}

static void
write_filter(FILE *file, const struct policy *policy)
{
	fprintf(file, "\nstatic const struct sock_filter insns_%s[] = {\n",
	    policy->role);
	for (size_t i = 0; i < policy->ninsns; i++)
		fprintf(file, "\t{ 0x%04x, %u, %u, 0x%08x },\n",
		    policy->insns[i].code, policy->insns[i].jt,
		    policy->insns[i].jf, policy->insns[i].k);
	fprintf(file,
	    "};\n\nconst struct sock_fprog policy_%s = {\n"
	    "\t%zu, (struct sock_filter *)insns_%s,\n};\n",
	    policy->role, policy->ninsns, policy->role);
}

static void
write_limits(FILE *file, const struct policy *policy)
{
	fprintf(file, "\nconst struct policy_rlimit policy_%s_rlimits[] = {\n",
	    policy->role);
	for (size_t i = 0; i < policy->nlimits; i++)
		fprintf(file, "\t{ %s, %lluu },\n", policy->limits[i].name,
		    (unsigned long long)policy->limits[i].value);
	fprintf(file, "\t{ -1, 0 },\n};\n");
}

static void
write_source(FILE *file, const struct policy *policy)
{
	if (!policy->unfiltered)
		write_filter(file, policy);
	if (!policy->unfiltered && !policy->denies)
		write_limits(file, policy);
	if (!policy->denies)
		fprintf(file,
		    "\nconst uint64_t policy_%s_capabilities = 0x%llxu;\n",
		    policy->role, (unsigned long long)policy->capabilities);
}

static FILE *
create(const char *output, const char *suffix)
{
	char name[4096];
	FILE *file;

	snprintf(name, sizeof(name), "%s.%s", output, suffix);
	file = fopen(name, "we");
	if (file == NULL)
		err(1, "%s", name);
	fprintf(file, "/* Made by policyc from sandbox-policies/. */\n");
	return (file);
}

int
main(int argc, char *argv[])
{
	static struct policy policy;
	FILE *header, *source;

	if (argc < 3)
		errx(2, "usage: policyc OUTPUT ROLE.policy...");
	header = create(argv[1], "h");
	source = create(argv[1], "c");
	fprintf(header,
	    "#ifndef POLICIES_H\n#define POLICIES_H\n\n"
	    "#include <linux/filter.h>\n#include <stdint.h>\n\n"
	    "/* Soft and hard limit; a list ends with resource -1. */\n"
	    "struct policy_rlimit {\n\tint resource;\n\tuint64_t value;\n};\n");
	fprintf(source,
	    "#include <sys/resource.h>\n\n"
	    "#include \"policies.h\"\n");

	for (int i = 2; i < argc; i++) {
		memset(&policy, 0, sizeof(policy));
		path = argv[i];
		parse_file(&policy);
		if (policy.denies)
			compile_denies(&policy);
		else if (!policy.unfiltered)
			compile_allows(&policy);
		write_header(header, &policy);
		write_source(source, &policy);
	}

	fprintf(header, "\n#endif\n");
	if (ferror(header) || fclose(header) != 0 || ferror(source) ||
	    fclose(source) != 0)
		err(1, "%s", argv[1]);
	return (0);
}
