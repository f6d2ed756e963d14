# What the privileged helper calls: one list, which a reader has gone through.

build=$(cd "$(atf_get_srcdir)/../.." && pwd)
root=$build
while [ "$root" != / ] && [ ! -f "$root/privsep/symbols" ]; do
	root=$(dirname "$root")
done
list=$root/privsep/symbols

listed()
{
	sed 's/#.*//; /^$/d' "$list" | sort
}

# needed: linked as the program is, but without libraries, what is missing; in
# the names that a programmer knows.  A compiler has some of its own: checked
# variants, and what it would not make code for in line.
needed()
{
	ld -r -o helper.o "$build/privsep/main.o" "$build/policies.o" \
	    --start-group "$build/libprivsep.a" "$build/libunpriv.a" \
	    --end-group || atf_fail "no link"
	{
		nm -u helper.o | sed -E 's/^ *[Uwv] //
		    /^(_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$/d
		    /^__(asan|ubsan|llvm_profile)_|^__popcountdi2$/d
		    s/^__isoc99_//; s/^__(.*)_(chk|2)$/\1/; s/^bcmp$/memcmp/'
		grep -hoE '\<SYS_[a-z0-9_]+' "$root"/privsep/*.[ch]
	} | sort -u
}

atf_test_case the_helper_needs_the_symbols_that_are_listed
the_helper_needs_the_symbols_that_are_listed_head()
{
	atf_set descr "No more, so that a new call is seen; and no less"
	atf_set require.progs "ld nm"
}
the_helper_needs_the_symbols_that_are_listed_body()
{
	needed >needed
	listed >listed
	[ "$(wc -l <needed)" -gt 100 ] || atf_fail "only $(wc -l <needed)"
	comm -23 needed listed >new
	[ ! -s new ] || atf_fail "not in privsep/symbols: $(tr '\n' ' ' <new)"
	comm -13 needed listed >old
	[ ! -s old ] || atf_fail "needed no more: $(tr '\n' ' ' <old)"
}

atf_test_case no_symbol_that_is_listed_looks_at_users_or_runs_a_shell
no_symbol_that_is_listed_looks_at_users_or_runs_a_shell_head()
{
	atf_set descr "Nor loads code, reads the environment, takes memory \
of the heap, or speaks with the network"
}
no_symbol_that_is_listed_looks_at_users_or_runs_a_shell_body()
{
	listed >listed
	for pattern in 'dl[a-z]+' 'system|popen|wordexp|posix_spawnp?' \
	    '(get|set|end)(pw|gr|sp|sg)(ent|nam|uid|gid)?(_r)?|initgroups|getlogin(_r)?' \
	    'getaddrinfo|getnameinfo|gethost[a-z_]*|getserv[a-z_]*' \
	    'connect|bind|listen|accept4?|send(to)?' \
	    'setlocale|newlocale|iconv(_[a-z]+)?|mb[a-z]+|wc[a-z]+|fw?ide' \
	    '(secure_)?getenv|(set|put|unset)env' \
	    'malloc|calloc|realloc(array)?|strn?dup|v?asprintf|getline' \
	    'SYS_(execveat|ptrace|bpf|process_vm_[a-z]+|finit_module)' \
	    'fexecve|execl[pe]?|execvpe|execve?' 'str(cat|tok)|gets' \
	    'pthread_[a-z_]*|fork|vfork|clone'; do
		grep -Ex "$pattern" listed && atf_fail "against $pattern"
	done
	true
}

atf_init_test_cases()
{
	atf_add_test_case the_helper_needs_the_symbols_that_are_listed
	atf_add_test_case no_symbol_that_is_listed_looks_at_users_or_runs_a_shell
}
