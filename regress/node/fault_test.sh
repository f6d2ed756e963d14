# shellcheck shell=sh
# Whatever is killed at whatever step of a container's life, nothing is left,
# and the next one runs.

. "$(atf_get_srcdir)/../lib/node.sh"
. "$(atf_get_srcdir)/../lib/fault.sh"

fault_cells begin program
fault_cells create shim helper publisher step both containerd
fault_cells exec shim helper publisher step both containerd
fault_cells pause shim helper publisher both containerd
fault_cells end shim helper publisher both containerd
fault_cells delete shim helper publisher both containerd
fault_cells clean program

atf_init_test_cases() {
	node_add
}
