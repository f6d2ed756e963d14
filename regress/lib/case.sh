# shellcheck shell=sh
# case.sh: test cases that are declared where they are written, for atf-sh.

# case_declare NAME DESCRIPTION PROGRAMS SECONDS: a test case for root, that
# needs these programs and ends within these seconds.  Then, whatever has
# become of it, case_end runs in its directory, and reports are looked for.
CASES=
case_declare() {
	CASES="$CASES $1"
	atf_test_case "$1" cleanup
	eval "$1_cleanup() {
		case_end
		case_reports
	}"
	eval "$1_descr=\$2 $1_progs=\$3 $1_timeout=\$4"
	eval "$1_head() {
		atf_set descr \"\$$1_descr\"
		atf_set require.user root
		atf_set require.progs \"\$$1_progs\"
		atf_set timeout \"\$$1_timeout\"
	}"
}

# case_reports: fails for what sanitizers have found in programs of ours, and
# shows it, with the lines of its calls; the next case begins without.
case_reports() {
	_file=${REGRESS_BUILD:+$REGRESS_BUILD/reports}
	[ -s "$_file" ] || return 0
	_reports=$(tr -d '\0' <"$_file")
	rm "$_file"
	[ -n "$_reports" ] || return 0
	_program=none
	echo "$_reports" | while IFS= read -r _line; do
		case $_line in
		containerd-shim*:* | reaper-*:*) _program=${_line%%:*} ;;
		*"(/+0x"*")"* | *"/$_program+0x"*")"*)
			_pc=${_line##*+}
			_line="$_line $(addr2line -fsp -e \
			    "$REGRESS_BUILD/$_program" "${_pc%%)*}")"
			;;
		esac
		echo "$_line"
	done >&2
	return 1
}

# case_add: add all that were declared.
case_add() {
	for _case in $CASES; do
		atf_add_test_case "$_case"
	done
}
