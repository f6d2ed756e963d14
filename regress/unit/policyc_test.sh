# The compiler of sandbox policies refuses what would be weaker than it reads.

compiler=$(atf_get_srcdir)/../../policyc

# policy LINE...: a policy of these lines.
policy()
{
	printf '%s\n' 'default kill # why' 'capabilities none # why' "$@" \
	    >role.policy
}

# denying LINE...: a policy that allows the rest.
denying()
{
	printf '%s\n' 'default allow # why' 'last open_tree_attr # why' "$@" \
	    >role.policy
}

# refused MESSAGE LINE...: the compiler fails with the message.
refused()
{
	message=$1
	shift
	policy "$@"
	fails "$message"
}

# fails MESSAGE: what the compiler makes of role.policy.
fails()
{
	message=$1
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

atf_test_case policyc_writes_what_a_role_without_a_filter_has
policyc_writes_what_a_role_without_a_filter_has_head()
{
	atf_set descr "Its capabilities, each line with a reason, and no more"
}
policyc_writes_what_a_role_without_a_filter_has_body()
{
	printf '%s\n' 'default unfiltered # why' \
	    'capabilities SYS_ADMIN # why' 'capabilities CHOWN # why' \
	    >role.policy
	atf_check "$compiler" out role.policy
	atf_check -o match:'policy_role_capabilities = 0x200001u' cat out.c
	atf_check -o not-match:sock_f -o not-match:rlimits cat out.c
	for line in 'read' 'rlimit NOFILE 16' 'deny EPERM read' 'last read'; do
		printf '%s\n' 'default unfiltered # why' \
		    'capabilities all # why' "$line # why" >role.policy
		fails 'there are only capabilities'
	done
	printf '%s\n' 'default unfiltered # why' >role.policy
	fails 'needs a line `default` and a line `capabilities`'
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

atf_test_case policyc_compiles_what_is_refused
policyc_compiles_what_is_refused_head()
{
	atf_set descr "The program for lines of deny, instruction by instruction"
}
policyc_compiles_what_is_refused_body()
{
	# Numbers of calls and architectures differ.
	[ "$(uname -m)" = x86_64 ] || atf_skip "the program is one of x86_64"
	# mount is 165, open_by_handle_at 304, socket 41, read 0.
	denying 'deny EPERM mount # why' \
	    'deny ENOSYS open_by_handle_at [aarch64] # why' \
	    'deny EACCES read arg2&0xff == 8 # why' \
	    'deny EAFNOSUPPORT socket arg0 != 1 arg0 != 2 # why' \
	    'deny ENOSYS socket arg1&~1 != 0 # why' \
	    'deny EPERM socket arg2&6 == 0 # why'
	atf_check "$compiler" out role.policy
	cat >expected <<-END
	{ 0x0020, 0, 0, 0x00000004 },
	{ 0x0015, 1, 0, 0xc000003e },
	{ 0x0006, 0, 0, 0x80000000 },
	{ 0x0020, 0, 0, 0x00000000 },
	{ 0x0025, 0, 3, 0x000001d3 },
	{ 0x0015, 0, 1, 0xffffffff },
	{ 0x0006, 0, 0, 0x7fff0000 },
	{ 0x0006, 0, 0, 0x00050026 },
	{ 0x0015, 0, 5, 0x00000000 },
	{ 0x0020, 0, 0, 0x00000020 },
	{ 0x0054, 0, 0, 0x000000ff },
	{ 0x0015, 0, 1, 0x00000008 },
	{ 0x0006, 0, 0, 0x0005000d },
	{ 0x0006, 0, 0, 0x7fff0000 },
	{ 0x0015, 0, 12, 0x00000029 },
	{ 0x0020, 0, 0, 0x00000010 },
	{ 0x0015, 3, 0, 0x00000001 },
	{ 0x0020, 0, 0, 0x00000010 },
	{ 0x0015, 1, 0, 0x00000002 },
	{ 0x0006, 0, 0, 0x00050061 },
	{ 0x0020, 0, 0, 0x00000018 },
	{ 0x0045, 0, 1, 0xfffffffe },
	{ 0x0006, 0, 0, 0x00050026 },
	{ 0x0020, 0, 0, 0x00000020 },
	{ 0x0045, 1, 0, 0x00000006 },
	{ 0x0006, 0, 0, 0x00050001 },
	{ 0x0006, 0, 0, 0x7fff0000 },
	{ 0x0015, 0, 1, 0x000000a5 },
	{ 0x0006, 0, 0, 0x00050001 },
	{ 0x0006, 0, 0, 0x7fff0000 },
	END
	atf_check -o file:expected sed -n 's/^\t\({ 0x.*\)/\1/p' out.c
	# It has neither limits nor capabilities.
	atf_check -o match:policy_role -o not-match:policy_role_ \
	    cat out.h
	atf_check -o not-match:policy_role_ cat out.c
}

atf_test_case policyc_keeps_the_two_kinds_of_policy_apart
policyc_keeps_the_two_kinds_of_policy_apart_head()
{
	atf_set descr "Nothing is denied in one, and nothing allowed in the other"
}
policyc_keeps_the_two_kinds_of_policy_apart_body()
{
	refused 'unknown system call "deny"' 'deny EPERM read # why'
	refused 'unknown system call "last"' 'last read # why'
	refused 'only operator is ==' 'read arg0&1 != 0 # why'
	refused 'second default' 'default allow # why'
	refused 'can never be allowed' 'ptrace # why'
	for text in read 'ioctl arg1 == 1' 'capabilities none' \
	    'rlimit CORE 0' ptrace; do
		denying "$text # why"
		fails 'only .last. and .deny.'
	done
	denying 'default kill # why'
	fails 'second default'
	printf '%s # why\n' read 'default allow' >role.policy
	fails 'first line must be'
	printf '%s # why\n' 'deny EPERM read' 'default allow' >role.policy
	fails 'first line must be'
}

atf_test_case policyc_refuses_to_deny_what_makes_no_sense
policyc_refuses_to_deny_what_makes_no_sense_head()
{
	atf_set descr "Lines that are malformed, say nothing or would not hold"
}
policyc_refuses_to_deny_what_makes_no_sense_body()
{
	# fails_denying MESSAGE LINE
	fails_denying()
	{
		denying "$2"
		fails "$1"
	}
	fails_denying 'without a reason' 'deny EPERM mount'
	fails_denying 'unknown system call' 'deny EPERM muont # why'
	fails_denying 'unknown name' 'deny EPREM mount # why'
	fails_denying 'not an errno' 'deny AF_UNIX mount # why'
	fails_denying 'expected: deny' 'deny EPERM # why'
	fails_denying 'second last' 'last open_tree_attr # why'
	fails_denying 'only operators' 'deny EPERM read arg0 > 1 # why'
	fails_denying 'never true' 'deny EPERM read arg0&1 == 2 # why'
	fails_denying 'always true' 'deny EPERM read arg0&1 != 2 # why'
	# A half that is not compared.
	fails_denying 'never true' 'deny EPERM read arg0 == 0x100000000 # why'
	fails_denying 'always true' 'deny EPERM read arg0 != 0x100000000 # why'
	fails_denying 'low 32 bits' \
	    'deny EPERM read arg0&0x100000001 != 0 # why'
	fails_denying 'no bits' 'deny EPERM read arg0&0 == 0 # why'
	fails_denying 'no bits' 'deny EPERM read arg0&~0xffffffff == 0 # why'
	fails_denying 'does not exist' 'deny EPERM arm_fadvise64_64 # why'

	denying 'deny EPERM read # why' 'deny EACCES read arg0 == 1 # why'
	fails 'refused with any arguments already'
	denying 'deny EPERM read arg0 == 1 # why' \
	    'deny EACCES read arg0 == 1 # why'
	fails duplicate
	denying 'deny EPERM read arg0 == 1 # why' \
	    'deny EPERM read arg0 != 1 # why'
	atf_check "$compiler" out role.policy

	fails_denying 'newer than' 'deny EPERM file_setattr # why'
	echo 'default allow # why' >role.policy
	fails 'needs a line .last.'
	printf '%s # why\n' 'default allow' 'last msael' >role.policy
	fails 'unknown system call'
}

atf_init_test_cases()
{
	atf_add_test_case policyc_writes_what_it_was_given
	atf_add_test_case policyc_writes_what_a_role_without_a_filter_has
	atf_add_test_case policyc_refuses_calls_of_many_meanings
	atf_add_test_case policyc_refuses_calls_that_undo_a_filter
	atf_add_test_case policyc_refuses_a_line_without_a_reason
	atf_add_test_case policyc_refuses_lines_that_say_nothing_new
	atf_add_test_case policyc_refuses_what_it_does_not_know
	atf_add_test_case policyc_compiles_what_is_refused
	atf_add_test_case policyc_keeps_the_two_kinds_of_policy_apart
	atf_add_test_case policyc_refuses_to_deny_what_makes_no_sense
}
