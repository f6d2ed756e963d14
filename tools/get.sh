# shellcheck shell=bash
# get.sh: what kube-get.sh and containerd-get.sh share.  They set FOLDER, where
# the programs are kept from one run to the next, and PROGRAMS, their names.
# Functions are called where `set -e` does not reach, and say `|| return`.

# shellcheck disable=SC2034 # for FOLDER
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/reaper

say()
{
	echo "${0##*/}: $*" >&2
}

# missing: the programs that are not in the cache.
missing()
{
	local program

	for program in "${PROGRAMS[@]}"; do
		[ -x "$FOLDER/$program" ] || echo "$program"
	done
}

# keep FILE...: move these programs to the cache, each at once.
keep()
{
	local file

	mkdir -p "$FOLDER" || return 1
	for file; do
		chmod 0755 "$file" &&
		    mv "$file" "$FOLDER/.${file##*/}.$$" &&
		    mv "$FOLDER/.${file##*/}.$$" "$FOLDER/${file##*/}" ||
		    return 1
	done
}

# release URL SUM FILE: download a file that must have this sum.
release()
{
	local sum=sha256sum

	[ "${#2}" -ne 128 ] || sum=sha512sum
	command -v curl >/dev/null || return 1
	curl -fsSL --connect-timeout 10 -o "$3" "$1" || return 1
	echo "$2  $3" | "$sum" --check --quiet >&2
}

# module_edits MODULE VERSION: what makes a go.mod of one's own of the module's,
# as words for `go mod edit`.  What it replaces by folders beside it are modules
# too, of the version that it requires or, where that is none, of $STAGING.
module_edits()
{
	echo "-module=reaper/programs"
	echo "-require=$1@$2"
	go mod edit -json | jq -r --arg staging "${STAGING-}" '
	    (.Require // [] | map({(.Path): .Version}) | add) as $required |
	    .Replace // [] | .[] | select(.New.Path | startswith(".")) |
	    .Old.Path as $path |
	    if $required[$path] == "v0.0.0"
	    then "-replace=\($path)=\($path)@\($staging)"
	    else "-dropreplace=\($path)" end'
}

# module_build FOLDER MODULE VERSION LDFLAGS PACKAGE...: in an empty folder,
# build packages of a module, against what its own go.mod requires.
module_build()
{
	local out=$1 module=$2 version=$3 flags=$4 source edits

	source=$(go mod download -json "$module@$version" |
	    jq -r '.Dir // error(.Error)') || return 1
	install -m 0644 "$source/go.mod" "$source/go.sum" . || return 1
	mapfile -t edits < <(module_edits "$module" "$version")
	go mod edit "${edits[@]}" || return 1
	CGO_ENABLED=0 GOFLAGS=-mod=mod nice go build -trimpath \
	    -tags no_btrfs,no_devmapper,no_zfs -ldflags "-s -w $flags" \
	    -o "$out/" "${@:5}"
}

# modules FOLDER MODULE VERSION LDFLAGS PACKAGE...: build with the Go toolchain,
# by way of the module proxy, each package to its name in the folder.
modules()
{
	local work code=0

	command -v go >/dev/null || {
		say "there is no Go toolchain"
		return 1
	}
	work=$(mktemp -d) || return 1
	(cd "$work" && module_build "$@") >&2 || code=1
	rm -rf "$work"
	return "$code"
}
