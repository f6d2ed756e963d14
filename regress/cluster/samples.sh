#!/bin/bash
# samples.sh FOLDER: keep the config.json files that the containerd of the
# cluster writes for the pod of sample.yaml, as FOLDER/cri-VERSION-NAME.json.
# The cluster must run them, so it is one of
#
#	make cluster-up SHIM=/usr/bin/containerd-shim-runc-v2 CONTAINERD=...
set -euo pipefail

# shellcheck source=regress/cluster/lib.sh
. "$(dirname "$0")/lib.sh"
folder=$(realpath "$1")

on()
{
	"$HERE/shell.sh" "$@"
}

version=$(on -n n1 ctr version | sed -n '/^Server/,$s/.*Version: *v\{0,1\}//p' |
    sed 's/^\([0-9]*\.[0-9]*\).*/\1/')
on kubectl apply -f "$HERE/sample.yaml"
on kubectl wait --for condition=Ready --timeout 60s pod/sample
bundles=/run/containerd/io.containerd.runtime.v2.task/k8s.io
for id in $(on -n n1 ls "$bundles"); do
	# As it is, for jq would write it in another way.
	on -n n1 cat "$bundles/$id/config.json" >"$folder/cri.new"
	name=$(jq -r '.annotations |
	    select(.["io.kubernetes.cri.sandbox-name"] == "sample") |
	    .["io.kubernetes.cri.container-name"] //
	    .["io.kubernetes.cri.container-type"]' "$folder/cri.new")
	[ -z "$name" ] ||
	    cp "$folder/cri.new" "$folder/cri-$version-$name.json"
done
rm "$folder/cri.new"
on kubectl delete -f "$HERE/sample.yaml"
