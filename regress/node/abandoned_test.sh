# shellcheck shell=sh
# What a start that was cut short has left of an overlay is built on, or built
# again, and never used by halves.

. "$(atf_get_srcdir)/../lib/node.sh"

# abandoned_begin: the runtime root, $ROOT, with an overlay of somebody else's.
abandoned_begin() {
	node_begin
	ROOT=$REGRESS_DIR/reaper
	UPPER=$ROOT/overlay/blue/upper
	expect 0 "" task_run --rm warm true
	leak_before
}

BLUE=$(tr -s ' \t\n' ' ' <<-'EOF'
	.process.user = {uid: 1000, gid: 1000} | .annotations = {
	    "io.kubernetes.cri.sandbox-namespace": "blue",
	    "io.kubernetes.cri.sandbox-id": "user",
	    "io.kubernetes.cri.container-type": "container"}
	EOF
)

# is_whole STAGE: the overlay is, for root: what is filtered, what can be
# written, what had been written; and for a user: the mode and owner of / and
# /run, and the same files.
is_whole() {
	kept=
	[ ! -e "$UPPER/kept" ] || kept=kept
	expect 0 "" pod_run blue --rm root sh -c "
		cat /etc/shadow /etc/gshadow /root/.ssh/* 2>/dev/null
		echo made >/etc/regress && touch /run/regress &&
		test -e /$kept"
	expect 0 "$(stat -c '%a %u %g' /)
755 0 0
made" spec_run user "$BLUE" sh -c 'stat -c "%a %u %g" / /run; cat /etc/regress'
	[ "$(find "$ROOT/ns/blue" -maxdepth 0 -printf '%F')" = nsfs ] ||
	    node_fail "$1: its namespace is not kept"
	until_true 10 nothing_else || {
		diff "$REGRESS_DIR/leak.before" after >&2
		node_fail "$1: something else is left"
	}
}

# nothing_else: than the overlay is there.
nothing_else() {
	leak_list | grep -v /blue | sort >after
	cmp -s "$REGRESS_DIR/leak.before" after
}

# abandon: as if it had never been.
abandon() {
	for _mount in ns/blue overlay/blue/filters overlay/blue; do
		while umount -l "$ROOT/$_mount" 2>/dev/null; do :; done
	done
	rm -rf "$ROOT"/*/blue "$ROOT/overlay-blue.lock"
}

# stages COMMAND: run the command, a stage that leaves more than the one before,
# after those before it; each time what there is must become whole.
stages() {
	_done=
	for _stage in "$@"; do
		_done="$_done
$_stage"
		(cd "$ROOT" && eval "$_done") || atf_fail "no stage $_stage"
		is_whole "$_stage"
		abandon
	done
}

node_test an_overlay_is_finished_whatever_there_is_of_it \
    "every stage of its construction, in memory"
an_overlay_is_finished_whatever_there_is_of_it_body() {
	abandoned_begin
	stages "touch overlay-blue.lock" \
	    "mkdir -m 0700 overlay/blue" \
	    "mount -t tmpfs -o mode=0700,size=1m tmpfs overlay/blue" \
	    "mkdir -m 0700 overlay/blue/upper && touch $UPPER/kept" \
	    "mkdir -m 0700 overlay/blue/run" \
	    "mkdir -m 0700 overlay/blue/work" \
	    "mkdir -m 0700 overlay/blue/filters" \
	    "mkdir -m 0700 overlay/blue/filters/etc" \
	    "(umask 077; : >overlay/blue/filters/etc/shadow)" \
	    "mkdir -m 0700 merged/blue" \
	    ": >ns/blue"
	node_end
}

node_test parts_of_an_overlay_that_are_missing_are_made \
    "also those that are made first, and a namespace of another kind"
parts_of_an_overlay_that_are_missing_are_made_body() {
	abandoned_begin
	for missing in upper work run filters; do
		expect 0 "" pod_run blue --rm a true
		[ "$missing" = upper ] || touch "$UPPER/kept"
		umount -l "$ROOT/ns/blue"
		rm -r "$ROOT/overlay/blue/$missing"
		is_whole "without $missing"
		abandon
	done
	for kind in uts pid; do
		expect 0 "" pod_run blue --rm a true
		umount -l "$ROOT/ns/blue"
		mount --bind "/proc/self/ns/$kind" "$ROOT/ns/blue"
		is_whole "a namespace of kind $kind"
		abandon
	done
	node_end
}

# waits_for_lock: somebody does.
waits_for_lock() {
	grep -q -- '-> FLOCK' /proc/locks
}

node_test a_lock_does_not_outlive_who_holds_it \
    "killed while a start waits for it; what it has left is built on"
a_lock_does_not_outlive_who_holds_it_body() {
	abandoned_begin
	mkdir -m 0700 "$ROOT/overlay/blue"
	flock --close "$ROOT/overlay-blue.lock" sleep 4321 &
	holder=$!
	until_true 10 runs sleep 4321 || atf_fail "it is not held"
	pod_run blue --rm a sh -c 'exit 3' >out 2>err &
	task=$!
	until_true 10 waits_for_lock || node_fail "nobody waits"
	sleeper=$(pgrep -P "$holder")
	kill -9 "$holder"
	wait "$task"
	[ $? -eq 3 ] || node_fail "it does not start"
	kill "$sleeper"
	is_whole "a lock"
	node_end
}

node_test an_overlay_on_a_disk_outlives_the_runtime_root \
    "as long as the boot; that of another boot is not used"
an_overlay_on_a_disk_outlives_the_runtime_root_body() {
	node_begin
	ROOT=$REGRESS_DIR/reaper
	base=/run/base boot=$(cat /proc/sys/kernel/random/boot_id)
	old=$base/01234567-89ab-cdef-0123-456789abcdef
	mkdir -m 0700 "$base"
	mkdir -p "$old/blue/upper/etc" "$base/$boot/blue"
	mkdir -m 0700 "$base/$boot/blue/upper"
	echo old >"$old/blue/upper/etc/regress"
	printf '%s\n' "REAPER_OVERLAY_BASE=$base" REAPER_OVERLAY_SIZE=none \
	    >"$REGRESS_DIR/reaper.conf"
	expect "*" "" pod_run blue --rm a cat /etc/regress
	until_true 10 test ! -e "$old" || node_fail "the old one is left"
	expect 0 "" pod_run blue --rm b sh -c 'echo new >/etc/regress'
	until_true 10 no_shims || node_fail "a shim lives on"
	# All but the disk is lost.
	for mount in $(our_mounts); do
		umount -l "$mount"
	done
	rm -rf "$ROOT"
	expect 0 new pod_run blue --rm c cat /etc/regress
	[ "$(stat -c %a "$base/$boot/blue/upper")" = "$(stat -c %a /)" ] ||
	    node_fail "/ has another mode"
	expect 0 "" pod_run blue --rm d cat /etc/shadow
	node_end
}

atf_init_test_cases() {
	node_add
}
