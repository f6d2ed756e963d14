# shellcheck shell=sh
# expect.sh: commands that must end in a certain way.  They leave their words
# in the files out and err.  The caller defines expect_fail TEXT.

# expect CODE OUTPUT COMMAND [ARG...]: the command ends with the code and
# prints the output; "*" stands for any.
expect() {
	_code=$1 _output=$2
	shift 2
	"$@" >out 2>err </dev/null
	_got=$?
	[ "$_code" = "*" ] || [ "$_got" -eq "$_code" ] ||
	    expect_fail "exit code $_got, not $_code: $*"
	[ "$_output" = "*" ] || [ "$(cat out)" = "$_output" ] ||
	    expect_fail "other output than \"$_output\": $*"
}

# expect_refusal PATTERN COMMAND [ARG...]: the command fails, and says why in
# words that match the pattern.
expect_refusal() {
	_pattern=$1
	shift
	if "$@" >out 2>err </dev/null; then
		expect_fail "was not refused: $*"
	fi
	cat out err | grep -Eqi -- "$_pattern" ||
	    expect_fail "refused without saying \"$_pattern\": $*"
}
