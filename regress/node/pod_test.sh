# shellcheck shell=sh
# Containers of a pod share one shim, and a sandbox is a process that waits.

. "$(atf_get_srcdir)/../lib/node.sh"

CRI=io.kubernetes.cri

# member POD TYPE ID COMMAND...: run a container of the pod in the background.
member() {
	_pod=$1 _type=$2 _member=$3
	shift 2
	task_run --detach --annotation="$CRI.sandbox-id=$_pod" \
	    --annotation="$CRI.sandbox-namespace=default" \
	    --annotation="$CRI.container-type=$_type" "$@" >/dev/null ||
	    atf_fail "container $_member does not run"
	until_true 10 task_is "$_member" RUNNING ||
	    atf_fail "container $_member is not running"
}

# grouped GROUP ID [FLAG...]: the same by the annotation that Docker knows.
grouped() {
	_group=$1
	shift
	task_run --detach --annotation="io.containerd.runc.v2.group=$_group" \
	    "$@" sleep 1000 >/dev/null || atf_fail "$* does not run"
}

# shims: the number of shims of this test.
shims() {
	_n=0
	for _pid in $(our_processes); do
		[ "$(cat "/proc/$_pid/comm" 2>/dev/null)" != containerd-shim ] ||
		    _n=$((_n + 1))
	done
	echo "$_n"
}

shims_are() {
	[ "$(shims)" -eq "$1" ]
}

task_pid() {
	ctr_ task ls | awk -v id="$1" '$1 == id { print $2 }'
}

# status PID FIELD: of /proc/PID/status.
status() {
	awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"
}

node_test containers_of_a_pod_share_one_shim "Grouped by CRI's annotation"
containers_of_a_pod_share_one_shim_body() {
	node_begin
	# The overlay of the namespace stays.
	expect 0 "" pod_run default --rm warm true
	leak_before
	member p sandbox p /pause
	member p container a sleep 1000
	member p container b sleep 1000
	shims_are 1 || atf_fail "$(shims) shims, not 1"
	member q sandbox q /pause
	shims_are 2 || atf_fail "$(shims) shims, not 2"
	# One that goes takes nobody along.
	task_end a
	task_is b RUNNING || atf_fail "b went with a"
	expect 0 yes task_exec b x echo yes
	# And another one may come, under the same name.
	member p container a sleep 1000
	for id in a b p q; do
		task_end "$id"
	done
	until_true 10 shims_are 0 || atf_fail "a shim lives on"
	leak_after || atf_fail "something was left"
	node_end
}

node_test a_pod_without_a_sandbox_has_a_shim_all_the_same \
    "A container that seems to join others may be the first"
a_pod_without_a_sandbox_has_a_shim_all_the_same_body() {
	node_begin
	member p container a sleep 1000
	member p container b sleep 1000
	shims_are 1 || atf_fail "$(shims) shims, not 1"
	task_end a
	task_end b
	until_true 10 shims_are 0 || atf_fail "a shim lives on"
	node_end
}

node_test the_shim_ends_with_the_last_container \
    "Whichever that is: the sandbox is a container like others"
the_shim_ends_with_the_last_container_body() {
	node_begin
	member p sandbox p /pause
	member p container a sleep 1000
	task_end p
	task_is a RUNNING || atf_fail "a went with its sandbox"
	shims_are 1 || atf_fail "the shim went with the sandbox"
	task_end a
	until_true 10 shims_are 0 || atf_fail "the shim lives on"
	node_end
}

node_test a_sandbox_is_a_confined_process_that_waits \
    "Its program is not looked for; it has no capability"
a_sandbox_is_a_confined_process_that_waits_body() {
	node_begin
	member p sandbox p /no/such/program
	pid=$(task_pid p)
	expect 0 reaper-pause cat "/proc/$pid/comm"
	expect 0 2 status "$pid" Seccomp
	expect 0 1 status "$pid" NoNewPrivs
	expect 0 0000000000000000 status "$pid" CapEff
	expect 0 0000000000000000 status "$pid" CapPrm
	ls "/proc/$pid/fd" >fds
	[ "$(wc -l <fds)" -eq 3 ] || atf_fail "open: $(cat fds)"
	ctr_ task kill --signal SIGTERM p || atf_fail "no signal reaches it"
	until_true 10 task_is p STOPPED || atf_fail "it outlives SIGTERM"
	task_end p
	member p sandbox p /pause
	ctr_ task kill --signal SIGKILL p || atf_fail "no signal reaches it"
	until_true 10 task_is p STOPPED || atf_fail "it outlives SIGKILL"
	task_end p
	node_end
}

node_test a_group_without_cri_shares_a_shim \
    "By io.containerd.runc.v2.group, which counts only where CRI says nothing"
a_group_without_cri_shares_a_shim_body() {
	node_begin
	grouped g a
	grouped g b
	shims_are 1 || atf_fail "$(shims) shims, not 1"
	task_run --detach --annotation=io.containerd.runc.v2.group=g \
	    --annotation="$CRI.sandbox-id=c" \
	    --annotation="$CRI.sandbox-namespace=default" \
	    --annotation="$CRI.container-type=container" c sleep 1000 \
	    >/dev/null || atf_fail "c does not run"
	shims_are 2 || atf_fail "CRI's annotation does not count first"
	task_end a
	task_end b
	task_end c
	until_true 10 shims_are 0 || atf_fail "a shim lives on"
	node_end
}

atf_init_test_cases() {
	node_add
}
