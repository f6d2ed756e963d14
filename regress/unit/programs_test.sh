# The programs as files: how they were linked.

build=$(cd "$(atf_get_srcdir)/../.." && pwd)
programs="containerd-shim-reaper-v2 reaper-privsep reaper-runtime"

# linked NAME DESCRIPTION: a test case that asks a program of binutils.
linked()
{
	atf_test_case "$1"
	eval "$1_descr=\$2"
	eval "$1_head() {
		atf_set descr \"\$$1_descr\"
		atf_set require.progs \"dd nm objcopy readelf\"
	}"
}

# is_shared: what was asked for needs shared libraries.
is_shared()
{
	grep -q -e ' STATIC=0$' -e ' -fsanitize=' "$build/flags"
}

linked programs_are_at_a_random_address_and_what_is_written_is_not_executed \
    "PIE; no segment is both, the stack neither; no relocation of code"
programs_are_at_a_random_address_and_what_is_written_is_not_executed_body()
{
	for program in $programs; do
		readelf -hlW "$build/$program" >elf || atf_fail "$program"
		grep -Eq '^ *Type: *DYN ' elf || atf_fail "$program: no PIE"
		# Flags, which are letters with spaces between, come before
		# the alignment.
		sed -nE 's/^ *([A-Z_]+) +(0x[0-9a-f]+ +){5}(.*) 0x.*/\1 \3/p' \
		    elf | tr -d ' ' >segments
		grep -q '^LOADRE$' segments || atf_fail "$program: no code"
		grep 'W.*E$' segments && atf_fail "$program: written, executed"
		grep -qx GNU_STACKRW segments || atf_fail "$program: its stack"
		readelf -dW "$build/$program" >dynamic
		grep -q TEXTREL dynamic && atf_fail "$program: TEXTREL"
		grep -q 'FLAGS.*PIE' dynamic || atf_fail "$program: not PIE"
	done
}

linked programs_have_no_addresses_that_could_be_overwritten \
    "RELRO, and nothing is resolved later"
programs_have_no_addresses_that_could_be_overwritten_body()
{
	for program in $programs; do
		readelf -lW "$build/$program" >elf
		grep -q '^ *GNU_RELRO ' elf || atf_fail "$program: no RELRO"
		readelf -dW "$build/$program" >dynamic
		grep -q 'FLAGS.*NOW' dynamic || atf_fail "$program: lazy"
	done
}

linked programs_need_no_library_of_a_node "No interpreter, no library"
programs_need_no_library_of_a_node_body()
{
	! is_shared || atf_skip "built with shared libraries"
	for program in $programs; do
		readelf -lW "$build/$program" >elf
		grep -q INTERP elf && atf_fail "$program has an interpreter"
		readelf -dW "$build/$program" >dynamic
		grep -q NEEDED dynamic && atf_fail "$program has a library"
	done
	true
}

linked programs_have_the_policies_that_are_written_and_tested \
    "Not those with what a sanitizer calls, nor anything else of a test"
programs_have_the_policies_that_are_written_and_tested_body()
{
	! grep -q -e ' -fsanitize=' "$build/flags" ||
	    atf_skip "built with a sanitizer"
	root=$build
	while [ "$root" != / ] && [ ! -f "$root/GNUmakefile" ]; do
		root=$(dirname "$root")
	done
	"$build/policyc" policies "$root"/sandbox-policies/*.policy
	atf_check cmp policies.c "$build/policies.c"
	for program in $programs; do
		nm -S "$build/$program" >symbols
		grep -E ' (__[ul]?[atmu]?san_|reports_open)' symbols &&
		    atf_fail "$program has a sanitizer"
		grep ' r insns_' symbols >filters
		[ -s filters ] || atf_fail "$program has no policy"
		# Of what is only read, addresses are offsets in the file.
		while read -r address size _ name; do
			dd if="$build/$program" of=linked bs=1 status=none \
			    skip=$((0x$address)) count=$((0x$size))
			objcopy -O binary --only-section=.rodata."$name" \
			    "$build/policies.o" tested
			[ -s tested ] || atf_fail "policies.o has no $name"
			cmp linked tested || atf_fail "$program: $name"
		done <filters
	done
}

atf_test_case programs_run_in_an_empty_root
programs_run_in_an_empty_root_head()
{
	atf_set descr "No libc, no /etc, no /dev, no /proc"
	atf_set require.user root
	atf_set require.progs chroot
}
programs_run_in_an_empty_root_body()
{
	! is_shared || atf_skip "built with shared libraries"
	mkdir root
	for program in $programs; do
		cp "$build/$program" root/
	done
	in_root="env -i $(command -v chroot) root"
	atf_check -o match:"^reaper-runtime [0-9]" \
	    $in_root /reaper-runtime --version
	atf_check -o match:"^REAPER_UID=65521	default" \
	    $in_root /reaper-runtime config
	atf_check -o match:"^containerd-shim-reaper-v2 [0-9]" \
	    $in_root /containerd-shim-reaper-v2 -v
	# It has none of what start would give it.
	atf_check -s exit:1 -e match:"program=reaper-privsep" \
	    $in_root /reaper-privsep
}

atf_init_test_cases()
{
	atf_add_test_case programs_are_at_a_random_address_and_what_is_written_is_not_executed
	atf_add_test_case programs_have_no_addresses_that_could_be_overwritten
	atf_add_test_case programs_need_no_library_of_a_node
	atf_add_test_case programs_have_the_policies_that_are_written_and_tested
	atf_add_test_case programs_run_in_an_empty_root
}
