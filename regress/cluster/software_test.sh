# shellcheck shell=sh
# What people run: package managers, users, languages, in a confined pod.
#
# Some need package servers.  They run where $REGRESS_PACKAGES is set, by way of
# a proxy, because the network of a cluster leads nowhere.

. "$(atf_get_srcdir)/../lib/cluster.sh"

# One of its own for each test: they run side by side.
PROXY=http://10.90.0.1:$((20000 + $$ % 10000))

# packages_begin: package servers can be reached from pods with $PROXIED.
packages_begin() {
	[ -n "${REGRESS_PACKAGES-}" ] || atf_skip \
	    "it installs packages from their servers; REGRESS_PACKAGES=1"
	cluster_begin
	REGRESS_SECONDS=180
	read -r pid _ <"$REGRESS_CLUSTER/pid"
	# It ends with this shell.
	"$(dirname "$(realpath "$REGRESS_CLUSTER/shell")")/proxy.py" "$pid" \
	    "${PROXY##*:}" >proxy 2>&1 &
	until_true 20 grep -qx ready proxy || {
		cp proxy err
		cluster_fail "there is no proxy"
	}
}

PROXIED='.spec.containers[0].env = [
    {name: "DEBIAN_FRONTEND", value: "noninteractive"},
    {name: "http_proxy", value: "'$PROXY'"},
    {name: "https_proxy", value: "'$PROXY'"}]'

# apt_get PACKAGE: a script that installs it, and says what went wrong.
apt_get() {
	echo "{ apt-get -qq update &&
	    apt-get -qq install --no-install-recommends $1; } >/tmp/apt 2>&1 ||
	    { cat /tmp/apt; exit 1; }"
}

cluster_test a_server_is_installed_and_serves_a_page \
    "apt-get install nginx on the node's network, a ConfigMap, another pod"
a_server_is_installed_and_serves_a_page_body() {
	packages_begin
	expect 0 "*" kubectl_ create configmap page \
	    --from-literal=index.html=served
	# Not on /var/www/html: that dpkg could not unpack then.
	pod_make a "$(apt_get nginx); rm -r /var/www/html
	    ln -s /page /var/www/html; exec nginx -g 'daemon off;'" "$PROXIED |
	    $(volume page '{configMap: {name: "page"}}' /page) |
	    .spec.hostNetwork = true | .spec.nodeName = \"n1\" |
	    .spec.containers[0].readinessProbe =
		{periodSeconds: 1, httpGet: {path: \"/\", port: 80}}"
	expect 0 "*" kubectl_ wait --for condition=Ready pod/a \
	    --timeout "${REGRESS_SECONDS}s"
	address=$(kubectl_ get pod a -o 'jsonpath={.status.hostIP}')
	pod_make b "busybox wget -qO - http://$address/"
	pod_reaches b Succeeded
	expect 0 served kubectl_ logs b
	# What was installed is for all of the overlay, and not on the node.
	expect 0 "" kubectl_ exec a -- test -x /usr/sbin/nginx
	on_cluster -n n1 test -e /etc/nginx/sites-enabled/default &&
	    cluster_fail "the node has got it"
	cluster_end
}

cluster_test a_playbook_runs_against_its_pod \
    "apt-get install ansible-core; facts, a file, a user, a command"
a_playbook_runs_against_its_pod_body() {
	packages_begin
	cat >play.yml <<-EOF
	- hosts: localhost
	  connection: local
	  tasks:
	  - copy: {content: "made on {{ ansible_system }}", dest: /etc/made}
	  - user: {name: carol}
	  - command: id -un carol
	    register: who
	  - copy: {content: "{{ who.stdout }}", dest: /etc/who}
	EOF
	expect 0 "*" kubectl_ create configmap play --from-file=play.yml
	pod_make a "$(apt_get ansible-core)
	    ansible-playbook /play/play.yml >/tmp/play 2>&1 || cat /tmp/play
	    cat /etc/made /etc/who" "$PROXIED |
	    $(volume p '{configMap: {name: "play"}}' /play)"
	pod_reaches a Succeeded
	expect 0 "made on Linuxcarol" kubectl_ logs a
	cluster_end
}

cluster_test a_package_of_python_is_installed_from_its_index \
    "pip in a virtual environment, for one who is not root"
a_package_of_python_is_installed_from_its_index_body() {
	packages_begin
	pod_make a 'python3 -m venv /tmp/venv && cd /tmp/venv/bin &&
	    ./pip -q --no-cache-dir install idna && ./python -c "import idna; print(\"there\")"' \
	    "$PROXIED | .spec.securityContext.runAsUser = 1234"
	pod_reaches a Succeeded
	expect 0 "there" kubectl_ logs a
	cluster_end
}

cluster_test a_virtual_environment_takes_a_package \
    "python3 -m venv, pip install of a wheel that is a volume"
a_virtual_environment_takes_a_package_body() {
	cluster_begin
	on_cluster -n n1 python3 -c 'import ensurepip' >out 2>err ||
	    atf_skip "the node has no python3 with venv"
	python3 - <<-EOF
	import zipfile
	info = "greeting-1.dist-info/"
	with zipfile.ZipFile("greeting-1-py3-none-any.whl", "w") as wheel:
	    wheel.writestr("greeting.py", "print('hello')\n")
	    wheel.writestr(info + "METADATA",
	        "Metadata-Version: 2.1\nName: greeting\nVersion: 1\n")
	    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\n"
	        "Generator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
	    wheel.writestr(info + "RECORD", "greeting.py,,\n"
	        + "".join(info + name + ",,\n"
	        for name in ("METADATA", "WHEEL", "RECORD")))
	EOF
	expect 0 "*" kubectl_ create configmap wheel \
	    --from-file=greeting-1-py3-none-any.whl
	pod_make a 'python3 -m venv /opt/venv &&
	    /opt/venv/bin/pip -q --disable-pip-version-check install \
		--no-index /wheel/*.whl' \
	    "$(volume w '{configMap: {name: "wheel"}}' /wheel) |
	    .spec.nodeName = \"n1\""
	pod_reaches a Succeeded
	pod_make b '/opt/venv/bin/python -m greeting' '.spec.nodeName = "n1"'
	pod_reaches b Succeeded
	expect 0 hello kubectl_ logs b
	cluster_end
}

cluster_test a_user_who_is_added_is_there_for_the_next_pod \
    "with a home and a password, to become; the node does not know of it"
a_user_who_is_added_is_there_for_the_next_pod_body() {
	cluster_begin
	pod_make a 'useradd -m -u 4321 alice && echo alice:secret | chpasswd' \
	    '.spec.nodeName = "n1"'
	pod_reaches a Succeeded
	# shellcheck disable=SC2016 # expanded there
	pod_make b 'id -u alice; su alice -c "echo \$HOME; touch ~/file"
	    stat -c %U /home/alice/file; grep -c "^alice:[$]" /etc/shadow' \
	    '.spec.nodeName = "n1"'
	pod_reaches b Succeeded
	expect 0 "4321
/home/alice
alice
1" kubectl_ logs b
	node_do '! grep -s alice /etc/passwd /etc/shadow; ! test -e /home/alice'
	cluster_end
}

cluster_test services_of_the_node_are_not_to_be_reached \
    "systemctl, journalctl and dmesg fail in words; nothing hangs"
services_of_the_node_are_not_to_be_reached_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM"
	pod_says a ready
	kubectl_ exec a -- sh -c 'command -v systemctl' >out 2>err ||
	    atf_skip "the node has no systemctl"
	expect_refusal "not been booted with systemd|connect to (the )?bus" \
	    kubectl_ exec a -- timeout 10 systemctl restart containerd
	expect_refusal 'not permitted' kubectl_ exec a -- timeout 10 dmesg
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
