#!/bin/bash
# kube-get.sh [PROGRAM...]: print the folder that holds Kubernetes' programs
# and etcd, and these besides (kube-proxy, coredns), from the first of
#
#   $REAPER_KUBE_DIR   a folder of the programs, or of *.tar.xz archives of them
#   the cache          ~/.cache/reaper/kube/VERSION
#   the release        of each project, with its checksum, into the cache
#   the Go toolchain   by way of the module proxy, into the cache: ten minutes
#
# Fails, and says why, when there is no way to them.
set -euo pipefail

KUBE=v1.34.4
ETCD=v3.6.5
COREDNS=v1.12.1
export STAGING=${KUBE/#v1/v0}	# of the libraries that Kubernetes is split into
# From Kubernetes' CHANGELOG-1.34.md and etcd's SHA256SUMS.
KUBE_SUM=65c75e81e3ea488f6d42b493cad64d7577ddfa1e5372037a1c841ac069039997\
d359b5b2f2d44e7665bf04c48ed0065cf9d4c9801b1e63bb6a1b099ef00d4863
ETCD_SUM=66bad39ed920f6fc15fd74adcb8bfd38ba9a6412f8c7852d09eb11670e88cac3

# shellcheck source=tools/get.sh
. "$(dirname "$0")/get.sh"
FOLDER=$CACHE/kube/$KUBE
PROGRAMS=(etcd kube-apiserver kube-controller-manager kube-scheduler kubectl
    kubelet "$@")

# unpack ARCHIVE...: to the cache, unless it holds what they hold.
unpack()
{
	local archive

	sha256sum "$@" | cut -d " " -f 1 >"$work/archives"
	cmp -s "$work/archives" "$FOLDER/archives" && return
	say "unpacking $REAPER_KUBE_DIR"
	for archive; do
		tar -xJf "$archive" -C "$work/out" || return 1
	done
	keep "$work/out"/* && cp "$work/archives" "$FOLDER/archives"
}

from_releases()
{
	local program etcd=etcd-$ETCD-linux-amd64 want

	[ "$(uname -m)" = x86_64 ] || return 1
	want=$(missing)
	if grep -q '^kube' <<<"$want"; then
		release "https://dl.k8s.io/$KUBE/kubernetes-server-linux-amd64.tar.gz" \
		    "$KUBE_SUM" "$work/kube.tar.gz" || return 1
		for program in $want; do
			case $program in
			kube*) tar -xzf "$work/kube.tar.gz" -C "$work/out" \
			    --strip-components=3 \
			    "kubernetes/server/bin/$program" || return 1 ;;
			esac
		done
		keep "$work/out"/kube* || return 1
	fi
	if grep -qx etcd <<<"$want"; then
		release "https://github.com/etcd-io/etcd/releases/download/$ETCD/$etcd.tar.gz" \
		    "$ETCD_SUM" "$work/etcd.tar.gz" &&
		    tar -xzf "$work/etcd.tar.gz" -C "$work/out" \
		    --strip-components=1 "$etcd/etcd" &&
		    keep "$work/out/etcd" || return 1
	fi
	[ -z "$(missing)" ]
}

from_modules()
{
	local program packages=()

	for program in $(missing); do
		say "building $program"
		case $program in
		kube*) packages+=("k8s.io/kubernetes/cmd/$program") ;;
		etcd)
			modules "$work/out" go.etcd.io/etcd/server/v3 "$ETCD" \
			    "" go.etcd.io/etcd/server/v3 &&
			    mv "$work/out/server" "$work/out/etcd" &&
			    keep "$work/out/etcd" || return 1
			;;
		coredns)
			modules "$work/out" github.com/coredns/coredns \
			    "$COREDNS" "" github.com/coredns/coredns &&
			    keep "$work/out/coredns" || return 1
			;;
		esac
	done
	[ ${#packages[@]} -gt 0 ] || return 0
	modules "$work/out" k8s.io/kubernetes "$KUBE" \
	    "-X k8s.io/component-base/version.gitVersion=$KUBE" \
	    "${packages[@]}" && keep "$work/out"/*
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/out"

if [ -n "${REAPER_KUBE_DIR-}" ]; then
	archives=("$REAPER_KUBE_DIR"/*.tar.xz)
	if [ -f "${archives[0]}" ]; then
		unpack "${archives[@]}"
	else
		FOLDER=$(cd "$REAPER_KUBE_DIR" && pwd)
		[ -z "$(missing)" ] || {
			say "$FOLDER lacks $(missing | xargs)"
			exit 1
		}
	fi
fi
[ -z "$(missing)" ] || {
	say "not in the cache: $(missing | xargs)"
	say "trying the releases"
	from_releases
} || {
	say "trying the Go toolchain; this takes ten minutes"
	from_modules
} || {
	say "Kubernetes $KUBE is not to be had; set REAPER_KUBE_DIR"
	exit 1
}
echo "$FOLDER"
