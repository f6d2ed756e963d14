#!/bin/bash
# node.sh NUMBER: pid 1 of a node, in its namespaces: gives it a root of its
# own, a writable overlay of the machine's, and runs its services.
# Uses what up.sh has set and written.
set -euo pipefail

# shellcheck source=regress/cluster/lib.sh
. "$(dirname "$0")/lib.sh"
name=n$1
node=$CLUSTER/nodes/$name
root=$node/root
address=$(node_address "$1")
process_write "$node/pid"
hostname "$name"

mount -t overlay -o "lowerdir=/,upperdir=$node/upper,workdir=$node/work" \
    "$name" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
# No overlay lies on an overlay: containerd's need another place.
for folder in /var/lib/containerd /var/lib/kubelet /var/log; do
	mkdir -p "$node/disk$folder" "$root$folder"
	mount --bind "$node/disk$folder" "$root$folder"
done
# folder_show FOLDER: what is seen of the machine's here and now; an overlay
# shows neither other disks nor, for sure, what changes below it.
folder_show()
{
	mkdir -p "$root$1"
	mount --bind "$1" "$root$1"
	mount -o remount,bind,ro "$root$1"
}

folder_show "$TOP/build"
for program in "$KUBE/kubelet" "$CONTAINERD" "$SHIM"; do
	[ -x "$root$program" ] || folder_show "${program%/*}"
done
# kubelet sets these for the whole machine.  Here it finds what it wants; the
# machine's are not touched.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 \
    kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 \
    kernel/keys/root_maxbytes=25000000; do
	file=$node/disk/${setting//\//-}
	echo "${setting#*=}" >"$file"
	mount --bind "$file" "$root/proc/sys/${setting%=*}"
done

mkdir "$root/run/machine"
cd "$root"
pivot_root . run/machine
cd /
rm -rf /etc/reaper /etc/kubernetes /etc/resolv.conf
mkdir -p /run/lock /run/containerd /etc/kubernetes /etc/reaper /var/log/reaper
cp -R "/run/machine$node/etc/." /etc/kubernetes/
mv /etc/kubernetes/reaper.conf /etc/reaper/
images=$(mktemp -d)
cp "/run/machine$CLUSTER/images"/*.tar "$images/"
umount -l /run/machine
rmdir /run/machine
mount --make-rshared /
# Debian's containerd 1.6 knows runtime_path and does not use it.
ln -sf "$SHIM" /usr/local/bin/containerd-shim-reaper-v2
echo "$name" >/etc/hostname
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$name" >/etc/hosts
echo "nameserver $NETWORK.1" >/etc/resolv.conf
echo 1 >/proc/sys/net/ipv4/ip_forward

# service NAME COMMAND [ARG...]: run it, and again whenever it ends.
service()
{
	while :; do
		"${@:2}" >>"/var/log/$1.log" 2>&1 </dev/null &
		echo $! >"/run/$1.pid"
		wait $! || echo "$1 ended with $?" >>"/var/log/$1.log"
		sleep 0.2	# not to spin if it cannot start
	done &
}

control_plane()
{
	local pki=/etc/kubernetes/pki

	service etcd "$KUBE/etcd" --data-dir /run/etcd --unsafe-no-fsync \
	    --listen-client-urls http://127.0.0.1:2379 \
	    --advertise-client-urls http://127.0.0.1:2379 \
	    --listen-peer-urls http://127.0.0.1:2380
	service apiserver "$KUBE/kube-apiserver" \
	    --etcd-servers http://127.0.0.1:2379 \
	    --bind-address "$address" --advertise-address "$address" \
	    --service-cluster-ip-range "$SERVICE_NETWORK.0/16" \
	    --authorization-mode Node,RBAC --allow-privileged \
	    --enable-admission-plugins NodeRestriction \
	    --client-ca-file $pki/ca.crt \
	    --tls-cert-file $pki/apiserver.crt \
	    --tls-private-key-file $pki/apiserver.key \
	    --kubelet-client-certificate $pki/apiserver-kubelet.crt \
	    --kubelet-client-key $pki/apiserver-kubelet.key \
	    --kubelet-preferred-address-types InternalIP \
	    --service-account-key-file $pki/service-accounts.key \
	    --service-account-signing-key-file $pki/service-accounts.key \
	    --service-account-issuer https://kubernetes.default.svc
	service controller-manager "$KUBE/kube-controller-manager" \
	    --kubeconfig $pki/controller-manager.conf --leader-elect=false \
	    --use-service-account-credentials --root-ca-file $pki/ca.crt \
	    --kube-api-qps 1000 --kube-api-burst 1000 \
	    --service-account-private-key-file $pki/service-accounts.key
	service scheduler "$KUBE/kube-scheduler" \
	    --kubeconfig $pki/scheduler.conf --leader-elect=false
}

export PATH="${CONTAINERD%/*}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
unset KUBECONFIG
service containerd "$CONTAINERD" --config /etc/kubernetes/containerd.toml
[ "$1" -ne 1 ] || control_plane
until_true 30 ctr version
for image in "$images"/*.tar; do
	ctr -n k8s.io images import "$image"
done
rm -rf "$images"
# kubelet would try again after seconds.
until_true 90 unhurried "$KUBE/kubectl" get --raw /readyz \
    --kubeconfig "/etc/kubernetes/pki/kubelet-$name.conf"
service kubelet "$KUBE/kubelet" --config /etc/kubernetes/kubelet.yaml \
    --kubeconfig "/etc/kubernetes/pki/kubelet-$name.conf" \
    --hostname-override "$name" --node-ip "$address"
[ -z "${SERVICES-}" ] || service proxy "$KUBE/kube-proxy" \
    --kubeconfig /etc/kubernetes/pki/proxy.conf --hostname-override "$name" \
    --cluster-cidr "$POD_NETWORK.0.0/16" --bind-address "$address" \
    --conntrack-max-per-core 0 --conntrack-min 0 --oom-score-adj 0
wait
