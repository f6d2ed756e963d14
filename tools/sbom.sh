#!/bin/bash
# sbom.sh: writes what the programs in build/ are made of, as SPDX 2.3: of what
# the linker has taken (PROGRAM.map, by its own word), the packages that it came
# with.  Needs dpkg: a package is one of Debian's.
set -euo pipefail

BUILD=${BUILD:-build}

# taken MAP: the files outside of the tree of which something is in a program.
taken()
{
	# Members of archives stand first, with those that wanted them; what is
	# given by name is loaded.  A library that is a header is in an object.
	{
		! grep -q '(json\.o)' "$1" || echo /usr/include/jsmn.h
		awk '/^(Discarded input|Memory Configuration|Merging)/ { members = 0 }
	    /^Archive member included/ { members = 1 }
	    members && /^\/.*\(/ { sub(/\(.*/, ""); print }
	    $1 == "LOAD" && $2 ~ /\.o$/ { print $2 }' "$1"
	} | sort -u | while read -r file; do
		file=$(realpath "$file")
		case $file in
		"$PWD"/*) ;;
		*) echo "$file" ;;
		esac
	done
}

# packages MAP: their packages, of Debian, a line each: name and version.
packages()
{
	taken "$1" | while read -r file; do
		dpkg-query -S "$file" "/usr${file#/usr}" 2>/dev/null |
		    sed 's/: .*//' | head -n 1 || :
	done | sort -u | xargs -r dpkg-query -W -f '${Package} ${Version}\n'
}

version=$(sed -n 's/.*VERSION "\(.*\)"/\1/p' "$BUILD/version.h")
for map in "$BUILD"/*.map; do
	program=${map%.map}
	listed=$(packages "$map")
	[ -n "$listed" ] || {
		echo "sbom: nothing is known of $map" >&2
		exit 1
	}
	sed "s/^/$(basename "$program") $(sha256sum <"$program" |
	    cut -d ' ' -f 1) /" <<<"$listed"
done | jq -Rn --arg version "$version" \
    --arg created "$(TZ=UTC git log -1 --date=format-local:%FT%TZ --format=%cd)" '
def ref: "SPDXRef-" + gsub("[^A-Za-z0-9.-]"; "-");
[inputs | split(" ")] as $rows |
{ spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT",
  name: "reaper", documentNamespace:
    ("https://reaper.invalid/spdx/" + ($version | gsub("[^A-Za-z0-9.-]+"; "-"))),
  creationInfo: { created: $created, creators: ["Tool: sbom.sh"] },
  packages: (
    [$rows | unique_by(.[0])[] | { name: .[0], SPDXID: (.[0] | ref),
      versionInfo: $version, downloadLocation: "NOASSERTION",
      filesAnalyzed: false, licenseDeclared: "MIT", licenseConcluded: "MIT",
      copyrightText: "NOASSERTION", primaryPackagePurpose: "APPLICATION",
      checksums: [{ algorithm: "SHA256", checksumValue: .[1] }] }] +
    [$rows | unique_by(.[2])[] | { name: .[2], SPDXID: ("deb-" + .[2] | ref),
      versionInfo: .[3], supplier: "Organization: Debian",
      downloadLocation: "NOASSERTION", filesAnalyzed: false,
      licenseDeclared: "NOASSERTION", licenseConcluded: "NOASSERTION",
      copyrightText: "NOASSERTION", externalRefs: [{
	referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
	referenceLocator: "pkg:deb/debian/\(.[2])@\(.[3] | @uri)" }] }]),
  relationships: (
    [$rows | unique_by(.[0])[] | { spdxElementId: "SPDXRef-DOCUMENT",
      relationshipType: "DESCRIBES", relatedSpdxElement: (.[0] | ref) }] +
    [$rows[] | { spdxElementId: (.[0] | ref), relationshipType: "STATIC_LINK",
      relatedSpdxElement: ("deb-" + .[2] | ref) }]) }' >"$BUILD/sbom.spdx.json"
echo "$BUILD/sbom.spdx.json: $(jq -r '[.packages[] | select(.supplier) |
    "\(.name) \(.versionInfo)"] | join(", ")' "$BUILD/sbom.spdx.json")"
