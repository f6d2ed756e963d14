# The compiler of sandbox policies refuses what would be weaker than it reads.

compiler=$(atf_get_srcdir)/../../policyc

# policy LINE...: a policy of these lines.
policy()
{
	printf '%s\n' 'default kill # why' 'capabilities none # why' "$@" \
	    >role.policy
}

# refused MESSAGE LINE...: the compiler fails with the message.
refused()
{
	message=$1
	shift
	policy "$@"
	atf_check -s exit:1 -e "match:^role\.policy:[0-9]+: .*$message" \
	    "$compiler" out role.policy
}

accepted()
{
	policy "$@"
	atf_check "$compiler" out role.policy
}

atf_test_case policyc_writes_what_it_was_given
policyc_writes_what_it_was_given_head()
{
	atf_set descr "Filter, limits and capabilities of one role"
}
policyc_writes_what_it_was_given_body()
{
	printf '%s\n' 'default errno EPERM # why' 'read # why' \
	    'capabilities SYS_ADMIN CHOWN # why' 'rlimit NOFILE 0x10 # why' \
	    >role.policy
	atf_check "$compiler" out role.policy
	atf_check -o match:'const struct sock_fprog policy_role;' cat out.h
	# Return EPERM, allow, kill the process: the three actions.
	atf_check -o match:'0x0006, 0, 0, 0x00050001' \
	    -o match:'0x0006, 0, 0, 0x7fff0000' \
	    -o match:'0x0006, 0, 0, 0x80000000' \
	    -o match:'RLIMIT_NOFILE, 16u' \
	    -o match:'policy_role_capabilities = 0x200001u' cat out.c
}

atf_test_case policyc_refuses_calls_of_many_meanings
policyc_refuses_calls_of_many_meanings_head()
{
	atf_set descr "ioctl and its like need a condition on what they do"
}
policyc_refuses_calls_of_many_meanings_body()
{
	for call in clone fcntl ioctl prctl setns socket unshare mmap mprotect
	do
		refused 'needs a condition' "$call # why"
		refused 'needs a condition' "$call arg4 == 0 # why"
	done
	refused 'needs a condition' 'prctl arg0&1 == 0 # why'
	refused 'needs a condition' 'mmap arg2 == PROT_EXEC # why'
	refused 'needs a condition' 'mmap arg2&2 == 0 # why'
	accepted 'mmap arg2&PROT_EXEC == 0 # why' 'mprotect arg2 == 3 # why' \
	    'ioctl arg1 == NS_GET_NSTYPE # why'
}

atf_test_case policyc_refuses_calls_that_undo_a_filter
policyc_refuses_calls_that_undo_a_filter_head()
{
	atf_set descr "Some calls are in no policy, whatever the arguments"
}
policyc_refuses_calls_that_undo_a_filter_body()
{
	for call in clone3 ptrace bpf io_uring_setup process_vm_writev; do
		refused 'can never be allowed' "$call # why"
		refused 'can never be allowed' "$call arg0 == 0 # why"
	done
}

atf_test_case policyc_refuses_a_line_without_a_reason
policyc_refuses_a_line_without_a_reason_head()
{
	atf_set descr "Every line says why"
}
policyc_refuses_a_line_without_a_reason_body()
{
	refused 'without a reason' 'read'
	refused 'without a reason' 'read #'
	refused 'without a reason' 'rlimit CORE 0 # '
}

atf_test_case policyc_refuses_lines_that_say_nothing_new
policyc_refuses_lines_that_say_nothing_new_head()
{
	atf_set descr "Duplicates, and rules next to one without conditions"
}
policyc_refuses_lines_that_say_nothing_new_body()
{
	refused 'allowed with any arguments' 'read # why' 'read # again'
	refused 'allowed with any arguments' 'read # why' 'read arg0 == 1 # why'
	refused 'narrower line before' 'read arg0 == 1 # why' 'read # why'
	refused 'duplicate' 'read arg0 == 1 # why' 'read arg0 == 0x1 # why'
	refused 'second default' 'default kill # why'
	refused 'second line of cap' 'capabilities none # why'
	refused 'second limit' 'rlimit CORE 0 # why' 'rlimit CORE 0 # why'
}

atf_test_case policyc_refuses_what_it_does_not_know
policyc_refuses_what_it_does_not_know_head()
{
	atf_set descr "Calls, constants, operators and malformed lines"
}
policyc_refuses_what_it_does_not_know_body()
{
	refused 'unknown system call' 'raed # why'
	refused 'unknown name' 'ioctl arg1 == NS_GET_NSTYP # why'
	refused 'unknown name' 'rlimit CORES 0 # why'
	refused 'only operator' 'ioctl arg1 != NS_GET_NSTYPE # why'
	refused 'not one of arg0' 'ioctl arg6 == 1 # why'
	refused 'not one of arg0' 'ioctl arg == 1 # why'
	refused 'not a number' 'ioctl arg1 == 1x # why'
	refused 'value is missing' 'ioctl arg1& == 1 # why'
	refused 'never true' 'ioctl arg1&1 == 3 # why'
	refused 'expected CALL' 'ioctl arg1 == # why'
	refused 'unknown architecture' 'read [pdp11] # why'
	refused 'does not exist' 'arm_fadvise64_64 # why'
	accepted 'arm_fadvise64_64 [aarch64] # why' 'read # why'
	printf 'read # why' >role.policy
	atf_check -s exit:1 -e match:'without its end' \
	    "$compiler" out role.policy
	: >role.policy
	atf_check -s exit:1 -e match:'needs a line' \
	    "$compiler" out role.policy
}

atf_init_test_cases()
{
	atf_add_test_case policyc_writes_what_it_was_given
	atf_add_test_case policyc_refuses_calls_of_many_meanings
	atf_add_test_case policyc_refuses_calls_that_undo_a_filter
	atf_add_test_case policyc_refuses_a_line_without_a_reason
	atf_add_test_case policyc_refuses_lines_that_say_nothing_new
	atf_add_test_case policyc_refuses_what_it_does_not_know
}
