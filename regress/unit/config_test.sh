# reaper-runtime config: the node's configuration, as start would read it.

runtime=$(atf_get_srcdir)/../../reaper-runtime

# rooted NAME DESCRIPTION: a test case that needs files of root's.
rooted()
{
	atf_test_case "$1"
	eval "$1_descr=\$2"
	eval "$1_head() {
		atf_set descr \"\$$1_descr\"
		atf_set require.user root
	}"
}

# private: a directory of root's that nobody else may write to, $dir.
private()
{
	umask 022
	mkdir dir
	dir=$PWD/dir
}

rooted config_shows_every_key_and_where_it_is_from \
    "Defaults, lines of the file, variables"
config_shows_every_key_and_where_it_is_from_body()
{
	private
	printf '# a\nREAPER_UID = 7\nREAPER_NETWORK=host\n' >dir/c
	env -i REAPER_CONFIG="$dir/c" REAPER_NETWORK=auto \
	    REAPER_FILTER_PATHS=/a:/b OTHER=1 "$runtime" config >out || atf_fail "it fails"
	atf_check -o inline:"21\n" sh -c 'grep -c "^REAPER_[A-Z_]*=" out'
	atf_check -o inline:"0\n" -s exit:1 \
	    sh -c 'grep -vc "^REAPER_[A-Z_]*=[ -~]*	[ -~]*$" out'
	for line in "REAPER_UID=7	$dir/c:2" "REAPER_NETWORK=auto	environment" \
	    "REAPER_FILTER_PATHS=/a:/b	environment" \
	    "REAPER_OVERLAY_BASE=/run/reaper/overlay	default" \
	    "REAPER_OVERLAY_SIZE=25%	default" "REAPER_LOG_DIR=	default"; do
		grep -qxF "$line" out || atf_fail "no line $line"
	done
}

rooted config_needs_no_file "But one that is named must be there"
config_needs_no_file_body()
{
	private
	[ -e /etc/reaper/reaper.conf ] ||
	    atf_check -o match:"REAPER_UID=65521	default" \
	    env -i "$runtime" config
	atf_check -s exit:1 \
	    -e inline:"reaper-runtime: $dir/c: No such file or directory\n" \
	    env -i REAPER_CONFIG="$dir/c" "$runtime" config
	atf_check -s exit:1 -e match:'"c": expected an absolute path' \
	    env -i REAPER_CONFIG=c "$runtime" config
}

rooted config_refuses_what_start_refuses "Values, in the words of start"
config_refuses_what_start_refuses_body()
{
	private
	printf '\nREAPER_UID=0\n' >dir/c
	atf_check -s exit:1 -e inline:"reaper-runtime: $dir/c: line 2: \
REAPER_UID: \"0\": expected a user id from 1 to 2147483646, or a \
range of up to 65536, as 65000-65499\n" \
	    env -i REAPER_CONFIG="$dir/c" "$runtime" config
	: >dir/c
	atf_check -s exit:1 -e inline:"reaper-runtime: environment: \
REAPER_X: \"REAPER_X\": this version has no such setting\n" \
	    env -i REAPER_CONFIG="$dir/c" REAPER_X=1 "$runtime" config
}

rooted config_refuses_a_file_that_is_not_roots_alone \
    "Owner and modes of it and its directory, links, other types"
config_refuses_a_file_that_is_not_roots_alone_body()
{
	private
	must="must belong to root, and nobody else may write it"
	for change in 'chown 1000 dir/c' 'chmod 0620 dir/c' \
	    'chmod 0602 dir/c'; do
		: >dir/c
		$change
		atf_check -s exit:1 -e inline:"reaper-runtime: $dir/c: $must\n" \
		    env -i REAPER_CONFIG="$dir/c" "$runtime" config
		rm dir/c
	done
	: >dir/c
	for change in 'chown 1000' 'chmod 0775' 'chmod 1777'; do
		$change dir
		atf_check -s exit:1 -e inline:"reaper-runtime: $dir: $must\n" \
		    env -i REAPER_CONFIG="$dir/c" "$runtime" config
		chown 0 dir
		chmod 0755 dir
	done
	ln -s c dir/link
	atf_check -s exit:1 -e match:"dir/link: must not be a symbolic link" \
	    env -i REAPER_CONFIG="$dir/link" "$runtime" config
	ln -s dir other
	atf_check -s exit:1 -e match:"/other: is not a directory" \
	    env -i REAPER_CONFIG="$PWD/other/c" "$runtime" config
	mkfifo dir/fifo
	mkdir dir/dir
	for name in fifo dir; do
		atf_check -s exit:1 \
		    -e match:"dir/$name: is not a file of the expected type" \
		    env -i REAPER_CONFIG="$dir/$name" "$runtime" config
	done
	head -c 65537 /dev/zero | tr '\0' '\n' >dir/c
	atf_check -s exit:1 -e match:"dir/c: is larger than is accepted" \
	    env -i REAPER_CONFIG="$dir/c" "$runtime" config
	head -c 65536 /dev/zero | tr '\0' '\n' >dir/c
	atf_check -o ignore env -i REAPER_CONFIG="$dir/c" "$runtime" config
}

rooted config_is_for_every_user "Without privilege there is none to give up"
config_is_for_every_user_body()
{
	dir=$(mktemp -d /run/config.XXXXXX) || atf_fail "no directory"
	cp "$runtime" "$dir/r"
	echo REAPER_UID=7 >"$dir/c"
	chmod 0755 "$dir" "$dir/r"
	chmod 0644 "$dir/c"
	env -i REAPER_CONFIG="$dir/c" "$(command -v setpriv)" --reuid 1000 \
	    --regid 1000 --clear-groups "$dir/r" config >out 2>&1
	code=$?
	rm -r "$dir"
	[ $code -eq 0 ] || atf_fail "it ends with $code: $(head -n 1 out)"
	atf_check -o match:"^REAPER_UID=7	" cat out
}

atf_test_case config_checks_a_file_of_anybody
config_checks_a_file_of_anybody_head()
{
	atf_set descr "Quietly if it is good; the environment does not count"
}
config_checks_a_file_of_anybody_body()
{
	echo REAPER_UID=7 >c
	chmod 0666 c
	ln -s c link
	for name in c link "$PWD/c"; do
		atf_check env -i REAPER_X=1 REAPER_CONFIG=/x \
		    "$runtime" config --check "$name"
	done
	printf '#\n#\nREAPER_UID=\033x' >c
	atf_check -s exit:1 -e inline:"reaper-runtime: c: line 3: REAPER_UID: \
\"?x\": expected a user id from 1 to 2147483646, or a \
range of up to 65536, as 65000-65499\n" \
	    env -i "$runtime" config --check c
	atf_check -s exit:1 -e match:"none: No such file" \
	    env -i "$runtime" config --check none
	atf_check -s exit:1 -e match:"is not a file of" \
	    "$runtime" config --check .
	mkfifo f
	atf_check -s exit:1 -e match:"is not a file of" \
	    "$runtime" config --check f
}

atf_test_case runtime_shows_its_usage_to_who_needs_it
runtime_shows_its_usage_to_who_needs_it_head()
{
	atf_set descr "Exit code 2 and the usage; its help and version"
}
runtime_shows_its_usage_to_who_needs_it_body()
{
	for arguments in '' --nothing --version\ x nothing; do
		# shellcheck disable=SC2086 # a list
		atf_check -s exit:2 -e match:"usage: reaper-runtime COMMAND" \
		    "$runtime" $arguments
	done
	for arguments in --check x '--check x y' '--nothing x'; do
		# shellcheck disable=SC2086 # a list
		atf_check -s exit:2 -e match:"usage: reaper-runtime config" \
		    "$runtime" config $arguments
	done
	atf_check -o match:"^reaper-runtime [0-9]" "$runtime" --version
	atf_check -o match:"^usage: reaper-runtime COMMAND" \
	    -o match:"^  config " "$runtime" --help
	atf_check -s exit:1 -e match:"standard output: No space" \
	    sh -c '"$1" --version >/dev/full' sh "$runtime"
}

atf_init_test_cases()
{
	atf_add_test_case config_shows_every_key_and_where_it_is_from
	atf_add_test_case config_needs_no_file
	atf_add_test_case config_refuses_what_start_refuses
	atf_add_test_case config_refuses_a_file_that_is_not_roots_alone
	atf_add_test_case config_is_for_every_user
	atf_add_test_case config_checks_a_file_of_anybody
	atf_add_test_case runtime_shows_its_usage_to_who_needs_it
}
