# shellcheck shell=sh
# case.sh: test cases that are declared where they are written, for atf-sh.

# case_declare NAME DESCRIPTION PROGRAMS SECONDS: a test case for root, that
# needs these programs and ends within these seconds.  Then, whatever has
# become of it, case_end runs in its directory.
CASES=
case_declare() {
	CASES="$CASES $1"
	atf_test_case "$1" cleanup
	eval "$1_cleanup() {
		case_end
	}"
	eval "$1_descr=\$2 $1_progs=\$3 $1_timeout=\$4"
	eval "$1_head() {
		atf_set descr \"\$$1_descr\"
		atf_set require.user root
		atf_set require.progs \"\$$1_progs\"
		atf_set timeout \"\$$1_timeout\"
	}"
}

# case_add: add all that were declared.
case_add() {
	for _case in $CASES; do
		atf_add_test_case "$_case"
	done
}
