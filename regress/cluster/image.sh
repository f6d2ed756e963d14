#!/bin/bash
# image.sh REF FOLDER CONFIG ARCHIVE: make an OCI archive, for `ctr images
# import`, of an image of one layer: the folder, with CONFIG, a JSON object as
# in {"Cmd": ["sh"]}.
set -euo pipefail

ref=$1 folder=$2 config=$3 archive=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/oci/blobs/sha256"

# blob FILE TYPE: keep the file under its sum; print its descriptor.
blob()
{
	local sum

	sum=$(sha256sum "$1" | cut -d ' ' -f 1)
	jq -n --arg type "application/vnd.oci.image.$2" --arg sum "sha256:$sum" \
	    --argjson size "$(stat -c %s "$1")" \
	    '{mediaType: $type, digest: $sum, size: $size}'
	mv "$1" "$work/oci/blobs/sha256/$sum"
}

tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 \
    -C "$folder" -cf "$work/layer" .
layer=$(blob "$work/layer" layer.v1.tar)
jq -n --arg arch "$(dpkg --print-architecture)" --argjson config "$config" \
    --argjson layer "$layer" '{architecture: $arch, os: "linux",
    config: ($config + {Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}),
    rootfs: {type: "layers", diff_ids: [$layer.digest]}}' >"$work/config"
config=$(blob "$work/config" config.v1+json)
jq -n --argjson config "$config" --argjson layer "$layer" \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: $config, layers: [$layer]}' >"$work/manifest"
blob "$work/manifest" manifest.v1+json | jq --arg ref "$ref" \
    '{schemaVersion: 2, manifests:
    [. + {annotations: {"io.containerd.image.name": $ref}}]}' \
    >"$work/oci/index.json"
echo '{"imageLayoutVersion": "1.0.0"}' >"$work/oci/oci-layout"
tar -C "$work/oci" -cf "$archive" .
