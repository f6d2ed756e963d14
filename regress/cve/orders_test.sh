# shellcheck shell=sh
# Data that others took for orders: users that could not be read, annotations,
# checkpoints, words for a shell.  README.md says which vulnerability is which.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

# The process of an exec, as a client may say it: what it is, it writes down.
EXEC='{"cwd": "/", "env": ["PATH=/usr/bin:/bin"], "args": ["sh", "-c",
    "echo $(id -u):$(id -g):$(id -G) >>/volume/ids"], "user": USER}'

# exec_as ID USER: an exec with that for its user, if it is not refused.
exec_as() {
	ATTACKS=$((ATTACKS + 1))
	echo "$EXEC" | sed "s/USER/$2/" >exec.json
	peer Exec "1=$1" "2=u$ATTACKS" 7@@exec.json >out 2>err &&
	    peer Start "1=$1" "2=u$ATTACKS" >out 2>err &&
	    peer Wait "1=$1" "2=u$ATTACKS" >out 2>err
	peer Delete "1=$1" "2=u$ATTACKS" >/dev/null 2>&1 || :
}

# Users that are none: one a line.
USERS='null
{}
[]
""
0
{"gid": 1000}
{"uid": 1000}
{"uid": null, "gid": 1000}
{"uid": "", "gid": 1000}
{"uid": "0", "gid": 0}
{"uid": "1000", "gid": 1000}
{"uid": false, "gid": 1000}
{"uid": -1, "gid": 1000}
{"uid": -0, "gid": 1000}
{"uid": 0.5, "gid": 1000}
{"uid": 1e-9, "gid": 1000}
{"uid": 01000, "gid": 1000}
{"uid": 0x0, "gid": 1000}
{"uid": 1000x, "gid": 1000}
{"uid": [0], "gid": 1000}
{"uid": 4294967295, "gid": 1000}
{"uid": 4294967296, "gid": 1000}
{"uid": 18446744073709551616, "gid": 1000}
{"uid": 1000, "gid": 4294967296}
{"uid": 1000, "gid": -1}
{"uid": 1000, "uid": 0, "gid": 1000}
{"uid": 0, "uid": 1000, "gid": 1000}
{"username": "root"}
{"Uid": 1000, "Gid": 1000}
{" uid": 1000, "gid": 1000}'

node_test cve_2026_30892_a_user_that_cannot_be_read \
    "becomes nobody: neither root nor any other, in an exec and by --user"
cve_2026_30892_a_user_that_cannot_be_read_body() {
	node_begin
	mkdir /run/volume
	: >/run/volume/ids
	chmod 0666 /run/volume/ids
	volume=$(volume_of /run/volume /volume)
	user='.process.user = {uid: 1000, gid: 1000}'
	attack_start a "$volume | $user" sleep 1000
	attack_start b "$volume" sleep 1000
	# In the first root is refused besides, whoever it was asked as.
	for id in a b; do
		peer_to $id
		echo "$USERS" | if [ $id = a ]; then
			head -n 12
		else
			cat
		fi | while read -r user; do
			exec_as $id "$user"
			[ ! -s /run/volume/ids ] ||
			    node_fail "$user in $id: $(cat /run/volume/ids)"
		done || exit 1
	done
	# Who can be read, and is not who the container is.
	peer_to a
	for user in '{"uid": 0, "gid": 0}' '{"uid": 0, "gid": 1000}' \
	    '{"uid": 1000, "gid": 0}' '{"uid": 1001, "gid": 1000}'; do
		exec_as a "$user"
		[ ! -s /run/volume/ids ] ||
		    node_fail "$user: $(cat /run/volume/ids)"
	done
	exec_as a '{"uid": 1000, "gid": 1000, "additionalGids": [0]}'
	! grep -q -e '[: ]0$' -e '[: ]0 ' /run/volume/ids ||
	    node_fail "with the group 0: $(cat /run/volume/ids)"
	: >/run/volume/ids
	exec_as a '{"uid": 1000, "gid": 1000}'
	[ "$(cat /run/volume/ids)" = 1000:1000:1000 ] ||
	    node_fail "as who it is: $(cat /run/volume/ids)"
	# The command line, in a container of root's.
	export REAPER_CONFIG="$REGRESS_DIR/reaper.conf" \
	    REAPER_RUNTIME_ROOT="$REGRESS_DIR/reaper"
	cli=$REGRESS_BUILD/reaper-runtime
	c=c${REGRESS_DIR##*.}
	mkdir bundle
	spec_make bundle/config.json . sleep 1000
	expect 0 "" "$cli" run --detach --bundle bundle "$c"
	for user in "" : :0 :1000 1000: root nobody 1000x x1000 -1 -0 +0 " 0" \
	    "0 " 0x0 1e3 4294967295 4294967296 18446744073709551616 1000:-1 \
	    1000:x 1000:1000:0 1000,0 "1000 0" "1000
0"; do
		expect_refusal "expected|no such|argument" "$cli" exec \
		    --user "$user" "$c" id -u
		! grep -q '^[0-9]' out || node_fail "$user is $(cat out)"
	done
	expect 0 1000 "$cli" exec --user 1000 "$c" id -u
	expect 0 0 "$cli" exec --user 0 "$c" id -u
	expect 0 "" "$cli" delete --force "$c"
	task_end a
	task_end b
	node_end
}

# Annotations that are, or look like, orders for some runtime.
ORDERS='{
	"io.katacontainers.config.hypervisor.virtio_fs_extra_args":
	    "[\"--sandbox\",\"none\",\"-o\",\"source=/\"]",
	"io.katacontainers.config.hypervisor.path": "/run/hook.sh",
	"io.katacontainers.config.runtime.enable_debug_console": "true",
	"run.oci.handler": "krun", "run.oci.hooks.stdout": "/run/hooked",
	"run.oci.hooks.stderr": "/run/hooked", "run.oci.systemd.subgroup": "",
	"run.oci.seccomp_fail_unknown_syscall": "0",
	"run.oci.seccomp.receiver": "/run/hooked",
	"run.oci.keep_original_groups": "1",
	"run.oci.pidfd_receiver": "/run/hooked",
	"run.oci.mount_context_type": "rootcontext",
	"run.oci.delegate-cgroup": "/", "krun.ram_mib": "1",
	"org.systemd.property.ExecStopPost": "/run/hook.sh",
	"org.criu.config": "/run/hook.sh", "module.wasm.image/variant":
	    "compat",
	"io.kubernetes.cri-o.userns-mode": "auto",
	"io.kubernetes.cri-o.UnifiedCgroup": "memory.max=max",
	"io.kubernetes.cri-o.Devices": "/dev/kmsg:/dev/kmsg:rwm",
	"io.kubernetes.cri-o.LinkLogs": "../../../run",
	"io.containerd.image.label.hook": "/run/hook.sh",
	"io.containerd.runc.v2.binary": "/run/hook.sh",
	"containerd.io/restart.logpath": "/run/hooked",
	"containerd.io/restart.loguri": "binary:///run/hook.sh",
	"containerd.io/snapshot/overlay.upperdir": "/run",
	"io.kubernetes.cri.seccomp": "unconfined",
	"container.apparmor.security.beta.kubernetes.io/a": "unconfined",
	"container.seccomp.security.alpha.kubernetes.io/a": "unconfined",
	"io.kubernetes.cri.image-name": "$(sh /run/hook.sh)",
	"io.kubernetes.cri.sandbox-name": "; sh /run/hook.sh #",
	"io.kubernetes.cri.container-name": "--privileged",
	"nvidia.cdi.k8s.io/container.a": "nvidia.com/gpu=all",
	"cdi.k8s.io/regress_device": "regress.example/device=all",
	"reaper.runtime/workload-profile": "host",
	"reaper.runtime/filter-enabled": "false",
	"reaper.runtime/overlay-isolation": "node",
	"reaper.runtime/overlay-base": "--bind=/",
	"reaper.runtime/run-allow": "/run", "reaper.runtime/device-allow":
	    "/dev/kmsg",
	"reaper.runtime/hooks": "/run/hook.sh",
	"--privileged": "", "-o": "exec,dev,suid", "privileged": "true"}'

# What one sees of what it is and has.
VIEW='grep -E "^(Uid|Gid|Groups|Cap|NoNew|Seccomp)" /proc/self/status
	sed "s/\(.* - [^ ]*\).*/\1/" /proc/self/mountinfo | cut -d " " -f 5- |
	    sort; cat /proc/self/cgroup
	cut -d "(" -f 1 /proc/self/limits; find /dev -maxdepth 1 | sort
	env | sort; hostname; readlink /proc/self/ns/net; ulimit -a
	ls -A /run'

# orders_begin: hooks and specifications, to which such orders would lead.
orders_begin() {
	node_begin
	printf '#!/bin/sh\necho "$0 $*" >>/run/hooked\n' >/run/hook.sh
	chmod 0755 /run/hook.sh
	mkdir -p /run/cdi
	echo '{"cdiVersion": "0.6.0", "kind": "regress.example/device",
	    "devices": [{"name": "all", "containerEdits": {"deviceNodes":
	    [{"path": "/dev/kmsg"}], "mounts": [{"hostPath": "/run",
	    "containerPath": "/hostrun"}], "hooks": [{"hookName":
	    "createContainer", "path": "/run/hook.sh"}], "env":
	    ["REGRESS_CDI=1"]}}]}' >/run/cdi/regress.json
}

# orders_end: nothing was executed.
orders_end() {
	[ ! -e /run/hooked ] || node_fail "executed: $(cat /run/hooked)"
	/run/hook.sh
	[ -e /run/hooked ] || node_fail "it would not be seen"
	node_end
}

node_test cve_2026_53488_an_annotation_that_is_an_order \
    "is none: a pod with such is as one without, and nothing is executed"
cve_2026_53488_an_annotation_that_is_an_order_body() {
	orders_begin
	pod=$(pod_of blue pod)
	expect 0 "*" attack_run a "$pod" sh -c "$VIEW"
	cp out without
	expect 0 "*" attack_run a "$pod | .annotations += $ORDERS" \
	    sh -c "$VIEW"
	diff without out >err || node_fail "it is another"
	attack_start b "$pod | .annotations += $ORDERS" sleep 1000
	for pid in $(shim_pid) $(helper_pid) $(publisher_pid) $(init_pid); do
		! tr '\0' ' ' <"/proc/$pid/cmdline" |
		    grep -e sandbox -e privileged -e hook ||
		    node_fail "an argument of process $pid"
	done
	task_end b
	# One of the three that are known is seen.
	expect 0 "*" attack_run a "$pod | .annotations +=
	    {\"reaper.runtime/restrict\": \"no-network\"}" sh -c "$VIEW"
	! cmp -s without out || node_fail "it would not be seen"
	orders_end
}

node_test cve_2026_53492_a_device_that_an_annotation_or_checkpoint_names \
    "is not given: CDI's words are not known, and nothing is restored"
cve_2026_53492_a_device_that_an_annotation_or_checkpoint_names_body() {
	orders_begin
	look='ls -d /dev/kmsg /hostrun 2>/dev/null; env | grep CDI'
	resisted ".annotations = {\"cdi.k8s.io/regress_device\":
	    \"regress.example/device=all\"}" "$look"
	# As who may say it says it.
	configure REAPER_DEVICE_ALLOW=/dev/kmsg
	bites /dev/kmsg . "$look"
	configure
	mkdir -p /run/checkpoint
	cp /run/cdi/regress.json /run/checkpoint/config.json
	peer_build
	bundle=$(bundle_make x)
	spec_make "$bundle/config.json" . touch /run/hooked
	# shellcheck disable=SC2034 # peer's
	SOCKET=$(shim_do "$bundle" start x) || node_fail "no start"
	for field in 8 9; do
		expect 1 "*" peer Create 1=x "2=$bundle" \
		    "$field=/run/checkpoint"
		cat out err | grep -q "checkpoint is not supported" ||
		    node_fail "refused for another reason"
	done
	expect 0 "*" peer Create 1=x "2=$bundle"
	expect 0 "*" peer Delete 1=x
	expect 0 "*" peer Shutdown 1=x
	until_true 10 no_shim_runs || node_fail "the shim stays"
	expect 0 "*" shim_do "$bundle" delete x
	orders_end
}

node_test cve_2020_7247_words_that_a_shell_takes_for_orders \
    "are words: in arguments, names, paths and ids; nothing is expanded"
cve_2020_7247_words_that_a_shell_takes_for_orders_body() {
	orders_begin
	n=0
	for word in ';sh /run/hook.sh;' '$(sh /run/hook.sh)' \
	    '`sh /run/hook.sh`' '"; sh /run/hook.sh & "' '%h%n%i%%s%p' '
sh /run/hook.sh
'; do
		n=$((n + 1))
		json=$(jq -n --arg w "$word" '$w')
		expect 0 "$word." attack_run "v$n" . printf %s. "$word"
		expect "*" "*" attack_run "w$n" ".process.cwd = \"/\" + $json |
		    .process.env += [\"X=\" + $json] | .hostname = $json |
		    .annotations = {($json): $json}" true
		expect "*" "*" attack_run "x$n" ".mounts += [{type: \"bind\",
		    source: (\"/run/\" + $json), destination: (\"/\" + $json),
		    options: [$json]}]" true
		expect "*" "*" attack_run "y$n" \
		    ".linux.cgroupsPath = \"/\" + $json" true
		expect "*" "*" attack_run "z$n" . "$word"
		expect_refusal "id" "$REGRESS_BUILD/reaper-runtime" state \
		    "$word"
		[ ! -e /run/hooked ] || node_fail "$word: $(cat /run/hooked)"
	done
	# What a shell makes of one.
	sh -c 'eval "echo $(sh /run/hook.sh)"' >/dev/null
	[ -e /run/hooked ] || node_fail "it would not be seen"
	rm /run/hooked
	orders_end
}

atf_init_test_cases() {
	node_add
}
