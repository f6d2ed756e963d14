#!/bin/bash
# pki.sh FOLDER NODES: make the cluster's authority, certificates and
# kubeconfigs, good for a month.  A kubeconfig names the files beside it.
set -euo pipefail

# shellcheck source=regress/cluster/lib.sh
. "$(dirname "$0")/lib.sh"
mkdir -p "$1"
cd "$1"
printf '[req]\ndistinguished_name = dn\n[dn]\n' >openssl.conf
server=$(node_address 1)

# certificate NAME SUBJECT EXTENSION [ARG...]
certificate()
{
	openssl req -x509 -config openssl.conf -days 30 -nodes -newkey ec \
	    -pkeyopt ec_paramgen_curve:prime256v1 -keyout "$1.key" \
	    -out "$1.crt" -subj "$2" -addext "$3" "${@:4}" 2>>openssl.log
}

# client NAME SUBJECT: a certificate, and a kubeconfig that uses it.
client()
{
	certificate "$1" "$2" extendedKeyUsage=clientAuth \
	    -CA ca.crt -CAkey ca.key
	cat >"$1.conf" <<-EOT
	apiVersion: v1
	kind: Config
	clusters:
	- name: reaper
	  cluster:
	    server: https://$server:6443
	    certificate-authority: ca.crt
	users:
	- name: $1
	  user: {client-certificate: $1.crt, client-key: $1.key}
	contexts:
	- name: reaper
	  context: {cluster: reaper, user: $1}
	current-context: reaper
	EOT
}

certificate ca /CN=reaper-cluster basicConstraints=critical,CA:TRUE
certificate apiserver /CN=kube-apiserver extendedKeyUsage=serverAuth \
    -CA ca.crt -CAkey ca.key -addext "subjectAltName=IP:$server,\
IP:$SERVICE_NETWORK.1,DNS:kubernetes,DNS:kubernetes.default,\
DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
openssl ecparam -name prime256v1 -genkey -noout -out service-accounts.key
client admin /O=system:masters/CN=admin
client apiserver-kubelet /O=system:masters/CN=apiserver-kubelet
client controller-manager /CN=system:kube-controller-manager
client scheduler /CN=system:kube-scheduler
client proxy /CN=system:kube-proxy
for i in $(seq "$2"); do
	client "kubelet-n$i" "/O=system:nodes/CN=system:node:n$i"
done
