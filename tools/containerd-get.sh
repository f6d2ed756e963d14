#!/bin/bash
# containerd-get.sh VERSION: print the folder of that containerd (1.7.28, say),
# with its ctr and its shim of runc, from the first of
#
#   the cache          ~/.cache/reaper/containerd/VERSION
#   the release        with its checksum, into the cache
#   the Go toolchain   by way of the module proxy, into the cache: two minutes
#
# CONTAINERD=FOLDER/containerd makes a cluster of it.
set -euo pipefail

# shellcheck source=tools/get.sh
. "$(dirname "$0")/get.sh"
version=${1#v}
FOLDER=$CACHE/containerd/$version
PROGRAMS=(containerd containerd-shim-runc-v2 ctr)
module=github.com/containerd/containerd
[ "${version%%.*}" -lt 2 ] || module=$module/v${version%%.*}

from_release()
{
	local file=containerd-$version-linux-amd64.tar.gz sum
	local url=https://github.com/containerd/containerd/releases/download

	[ "$(uname -m)" = x86_64 ] || return 1
	sum=$(curl -fsSL --connect-timeout 10 \
	    "$url/v$version/$file.sha256sum") || return 1
	release "$url/v$version/$file" "${sum%% *}" "$work/file" &&
	    tar -xzf "$work/file" -C "$work/out" --strip-components=1 \
	    "${PROGRAMS[@]/#/bin/}" && keep "$work/out"/*
}

from_modules()
{
	modules "$work/out" "$module" "v$version" \
	    "-X $module/version.Version=v$version" \
	    "${PROGRAMS[@]/#/$module/cmd/}" && keep "$work/out"/*
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/out"

[ -z "$(missing)" ] || {
	say "trying the release of $version"
	from_release
} || {
	say "trying the Go toolchain; this takes some minutes"
	from_modules
} || {
	say "containerd $version is not to be had"
	exit 1
}
echo "$FOLDER"
