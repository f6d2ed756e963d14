#!/bin/sh
# include-check.sh: includes point one way.  Prints each that does not.
#
#	cli -> shim -> runtime -> unpriv -> the interface of privsep
#	controller -> unpriv
#	privsep -> privsep; its decode step alone -> unpriv's decoder
set -eu

interface='privsep/(msg|plan|node|boot|channel|event)\.h'
generated='(policies|version)\.h'

# check FILES ALLOWED: ALLOWED is an extended pattern of "..." includes.
check()
{
	# shellcheck disable=SC2086 # a list of patterns
	find $1 -name '*.[ch]' -exec grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' {} + |
	    grep -vE "\"($2|$generated)\"" || true
}

wrong=$(
	for folder in cli shim runtime unpriv privsep controller; do
		[ -d $folder ] || continue
		case $folder in
		cli) check cli "(cli|shim|runtime|unpriv)/.*|$interface" ;;
		shim) check shim "(shim|runtime|unpriv)/.*|$interface" ;;
		runtime) check runtime "(runtime|unpriv)/.*|$interface" ;;
		controller) check controller "(controller|unpriv)/.*" ;;
		unpriv) check unpriv "unpriv/.*|$interface" ;;
		privsep)
			check privsep "privsep/.*" |
			    grep -vE '^privsep/step_decode\.c:.*"unpriv/(decode|oci)\.h"' ||
			    true
			# What privileged code may be linked with besides libc.
			grep -nHE '#[[:space:]]*include <(jsmn|protobuf|curl|microhttpd|google)' \
			    privsep/*.[ch] || true
			;;
		esac
	done
)
[ -z "$wrong" ] && exit
printf '%s\n' "$wrong" 'include-check: these point the wrong way'
exit 1
