#!/bin/bash
# reproducible.sh: builds the last commit twice, in folders of other names and
# with another user's language, zone of time and number of jobs, and compares
# what `make install` would install.  Prints the hashes of the programs.
set -euo pipefail

MAKE=${MAKE:-make}
commit=$(git rev-parse HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build FOLDER JOBS VARIABLE...: there, with these in the environment.
build()
{
	git clone -q . "$1"
	git -C "$1" -c advice.detachedHead=false checkout -q "$commit"
	(
		cd "$1"
		umask "$(printf '%04o' $((02 + 025 * ($2 - 1))))"
		env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL "${@:3}" \
		    "$MAKE" -s -j"$2" all >/dev/null
	)
}

mkdir -p "$work/with/a"
build "$work/a" 1 LC_ALL=C TZ=UTC HOME=/nonexistent
build "$work/with/a/longer_name" 2 LC_ALL=C.UTF-8 TZ=Asia/Tokyo HOME="$work"
cd "$work/a/build"
for program in reaper-* containerd-shim-*; do
	[ ! -d "$program" ] && [ -x "$program" ] || continue
	cmp "$program" "$work/with/a/longer_name/build/$program"
	sha256sum "$program"
done
