#!/bin/bash
# config.sh NUMBER: write the configuration of a node's containerd, network,
# kubelet and Reaper to its folder etc, which becomes /etc/kubernetes in the
# node; node.sh puts Reaper's where it belongs.
# Uses CONTAINERD and SHIM, as set by up.sh.
set -euo pipefail

# shellcheck source=regress/cluster/lib.sh
. "$(dirname "$0")/lib.sh"
etc=$CLUSTER/nodes/n$1/etc
mkdir -p "$etc/cni"

# containerd 2 has a version 3 of the file, with CRI in two plugins.
version=$("$CONTAINERD" --version | awk '{ print $3 }')
case ${version#v} in
1.*)
	file=2 cri='plugins."io.containerd.grpc.v1.cri"'
	pause='  sandbox_image'
	bin='bin_dir = "/usr/lib/cni"'
	;;
*)
	file=3 cri='plugins."io.containerd.cri.v1.runtime"'
	pause='[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox'
	bin='bin_dirs = ["/usr/lib/cni"]'
	;;
esac
# A machine without CAP_SYS_RESOURCE cannot lower oom_score_adj, and runc says
# "can't get final child's PID from pipe": hence restrict_oom_score_adj.
cat >"$etc/containerd.toml" <<EOT
version = $file
[$cri]
  restrict_oom_score_adj = true
$pause = "registry.k8s.io/pause:3.10"
[$cri.cni]
  $bin
  conf_dir = "/etc/kubernetes/cni"
[$cri.containerd]
  default_runtime_name = "runc"
[$cri.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[$cri.containerd.runtimes.reaper-v2]
  runtime_type = "io.containerd.reaper.v2"
  runtime_path = "$SHIM"
  pod_annotations = ["reaper.runtime/*"]
EOT

cat >"$etc/cni/10-reaper.conflist" <<EOT
{"cniVersion": "1.0.0", "name": "reaper", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local",
     "ranges": [[{"subnet": "$POD_NETWORK.$1.0/24"}]],
     "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
EOT

# As an installer would: pods of a cluster expect its names.
cat >"$etc/reaper.conf" <<EOT
REAPER_DNS_MODE=kubernetes
REAPER_RUNTIME_LOG=/var/log/reaper/runtime.log
EOT

# Disks are the machine's, and may be as full as they are.
cat >"$etc/kubelet.yaml" <<EOT
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $(node_address "$1")
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [$SERVICE_NETWORK.10]
clusterDomain: cluster.local
resolvConf: /etc/resolv.conf
failSwapOn: false
cgroupDriver: cgroupfs
cgroupRoot: $CGROUP/n$1
oomScoreAdj: 0
podPidsLimit: 200
evictionHard: {memory.available: 50Mi, nodefs.available: "0%",
  nodefs.inodesFree: "0%", imagefs.available: "0%"}
imageGCHighThresholdPercent: 100
EOT
