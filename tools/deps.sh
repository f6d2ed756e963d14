#!/bin/sh
# deps.sh PACKAGE[=COMMAND]...: install the Debian packages that are missing.
# A command that is there from elsewhere (Docker's containerd, say) counts.
set -eu

missing=
for word in "$@"; do
	package=${word%%=*}
	[ "$package" = "$word" ] ||
	    ! command -v "${word#*=}" >/dev/null || continue
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>&1) || :
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "deps: not Debian; needed is what it calls$missing" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "deps: as root, run: apt-get install$missing" >&2
	exit 1
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
# shellcheck disable=SC2086 # a list of words
apt-get -q -y install --no-install-recommends $missing
