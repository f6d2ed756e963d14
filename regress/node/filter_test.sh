# shellcheck shell=sh
# Sensitive files of the host are hidden from workloads, whatever they do.

. "$(atf_get_srcdir)/../lib/node.sh"

FILES="/etc/shadow /etc/gshadow /etc/sudoers /etc/ssh/ssh_host_rsa_key
    /etc/ssh/ssh_host_ed25519_key"
DIRS="/root/.ssh /etc/ssl/private /etc/sudoers.d /var/lib/docker"

# Puts a secret wherever a filter is, on a host that may be written to.
secrets_make() {
	host_disposable
	for file in $FILES; do
		mkdir -p "${file%/*}"
		echo REGRESS-SECRET >"$file"
	done
	for dir in $DIRS; do
		mkdir -p "$dir"
		echo REGRESS-SECRET >"$dir/file"
	done
}

# What a workload does to find a secret: prints each place where it did.
# shellcheck disable=SC2016 # the workload's shell expands it
SEARCH='
	for file in $FILES; do
		[ ! -s "$file" ] || echo "$file has content"
		grep -sl REGRESS-SECRET /proc/[0-9]*/root"$file"
	done
	for dir in $DIRS; do
		[ -z "$(ls -A "$dir" 2>/dev/null)" ] || echo "$dir has files"
	done
	find /etc /root /moved /run /mnt -maxdepth 3 -type f -size -2 \
	    -exec grep -sl REGRESS-SECRET {} + 2>/dev/null
	exit 0'
SEARCH="FILES='$(echo "$FILES" | tr '\n' ' ')' DIRS='$DIRS'; $SEARCH"

node_test filtered_files_are_empty_for_a_workload \
    "the default filters, in run and in exec"
filtered_files_are_empty_for_a_workload_body() {
	secrets_make
	node_begin
	expect 0 "" task_run --rm a sh -c "$SEARCH"
	expect 0 "*" task_run -d b sleep 1000
	expect 0 "" task_exec b e sh -c "$SEARCH"
	node_end
}

node_test etc_shadow_of_this_host_is_empty_for_a_workload \
    "the real file, as it is"
etc_shadow_of_this_host_is_empty_for_a_workload_body() {
	[ -s /etc/shadow ] || atf_skip "/etc/shadow is empty here"
	node_begin
	expect "*" "" task_run --rm a cat /etc/shadow
	expect 0 "0" task_run --rm b sh -c 'cat /etc/shadow 2>/dev/null | wc -c'
	node_end
}

node_test filters_hold_against_rename_remove_and_mkdir \
    "a workload with its 14 capabilities takes the placeholders away"
filters_hold_against_rename_remove_and_mkdir_body() {
	secrets_make
	node_begin
	i=0
	for attack in \
	    'perl -e '"'"'rename "/etc/shadow", "/etc/shadow.old";
		rename "/etc/ssh", "/etc/ssh2"; rename "/root", "/moved"'"'" \
	    'rm -f /etc/shadow /etc/gshadow /etc/sudoers' \
	    'rm -rf /etc/ssh /root/.ssh /etc/sudoers.d /etc/ssl/private
		mkdir -p /etc/ssh /root/.ssh /etc/sudoers.d /etc/ssl/private' \
	    'rm -rf /root/.ssh /etc/ssl; mkdir -p /root/.ssh /etc/ssl/private' \
	    'ln /etc/shadow /etc/hard; ln -s /etc/shadow /etc/soft
		cat /etc/hard /etc/soft' \
	    'for m in /etc/shadow /root/.ssh /etc /root; do umount -l $m; done'
	do
		i=$((i + 1))
		expect 0 "" pod_run "n$i" --rm "a$i" \
		    sh -c "{ $attack; } 2>/dev/null; $SEARCH"
		# ... and the next workload of the namespace.
		expect 0 "" pod_run "n$i" --rm "b$i" sh -c "$SEARCH"
	done
	node_end
}

node_test a_file_that_the_host_makes_later_is_hidden_too \
    "paths that did not exist when the overlay was made"
a_file_that_the_host_makes_later_is_hidden_too_body() {
	host_disposable
	# shellcheck disable=SC2086 # lists of words
	rm -rf $FILES $DIRS
	mkdir -p /etc/ssh
	node_begin
	# Nothing looks at the paths before they exist: what the kernel
	# remembers of a look would hide them.
	expect 0 "*" pod_run blue -d a sleep 1000
	for file in $FILES; do
		echo REGRESS-SECRET >"$file"
	done
	for dir in $DIRS; do
		mkdir -p "$dir"
		echo REGRESS-SECRET >"$dir/file"
	done
	expect 0 "" task_exec a e sh -c "$SEARCH"
	expect 0 "" pod_run blue --rm b sh -c "$SEARCH"
	node_end
}

node_test a_replaced_secret_of_the_host_stays_hidden \
    "passwd(1) renames a new file over /etc/shadow"
a_replaced_secret_of_the_host_stays_hidden_body() {
	secrets_make
	node_begin
	expect 0 "*" pod_run blue -d a sleep 1000
	for file in $FILES; do
		echo REGRESS-SECRET too >"$file.new"
		mv "$file.new" "$file"
	done
	expect 0 "" task_exec a e sh -c "$SEARCH"
	node_end
}

node_test programs_may_still_make_their_own_secret_files \
    "useradd's rename over /etc/shadow works inside the overlay"
programs_may_still_make_their_own_secret_files_body() {
	node_begin
	expect 0 "mine" task_run --rm a sh -ec '
		echo mine >/etc/shadow.new
		mv /etc/shadow.new /etc/shadow
		cat /etc/shadow'
	node_end
}

node_test reapers_own_directory_is_hidden \
    "neither overlays nor namespace files of other tenants can be reached"
reapers_own_directory_is_hidden_body() {
	node_begin
	expect 0 "*" pod_run blue -d a sleep 1000
	expect 0 "" task_exec a e0 sh -c 'echo REGRESS-SECRET >/etc/regress.secret'
	expect 0 "" pod_run green --rm b sh -c "
		ls -A '$REGRESS_DIR/reaper' 2>/dev/null
		grep -rsl REGRESS-SECRET /run
		exit 0"
	node_end
}

# What is hidden from confined workloads besides.
STORES="/root /home /var/lib/kubelet /etc/kubernetes /var/lib/containerd
    /var/lib/etcd /var/backups /var/log/pods /var/log/containers /etc/cni
    /var/lib/rancher /etc/rancher /var/lib/k0s /etc/wireguard
    /etc/letsencrypt /etc/munge /etc/NetworkManager/system-connections"

node_test what_would_hand_over_the_node_is_hidden_from_confined_workloads \
    "stores of credentials, homes and logs; privileged ones have them"
what_would_hand_over_the_node_is_hidden_from_confined_workloads_body() {
	host_disposable
	for store in $STORES; do
		mkdir -p "$store/dir" && echo REGRESS-SECRET >"$store/dir/file"
	done
	echo REGRESS-SECRET | tee /etc/shadow- /etc/gshadow- /etc/krb5.keytab \
	    >/swapfile
	node_begin
	# shellcheck disable=SC2016,SC2086 # the workload's shell expands it
	expect 0 "" task_run --rm a sh -c 'for dir; do
		[ -z "$(ls -A "$dir")" ] || echo "$dir has files"
	    done; cat /etc/shadow- /etc/gshadow- /etc/krb5.keytab /swapfile' \
	    sh $STORES
	# shellcheck disable=SC2016,SC2086
	expect 0 "" spec_run b "$PRIVILEGED" sh -c 'for dir; do
		[ -s "$dir/dir/file" ] || echo "$dir has no files"
	    done' sh $STORES
	node_end
}

node_test the_node_may_allow_what_is_hidden \
    "one entry of the list; what lies in it and has one of its own stays hidden"
the_node_may_allow_what_is_hidden_body() {
	host_disposable
	mkdir -p /home/alice/.ssh /root/.ssh /root/.kube
	for dir in /home/alice /root; do
		echo visible >"$dir/file"
	done
	echo secret | tee /home/alice/.ssh/id /root/.ssh/id >/root/.kube/config
	echo REAPER_FILTER_ALLOWLIST=/home:/root >conf
	node_begin
	cp conf "$REGRESS_DIR/reaper.conf"
	expect 0 "visible
visible" task_run --rm a sh -c 'cat /home/alice/file /root/file
	    ls -A /home/alice/.ssh /root/.ssh /root/.kube | grep -v :$ |
		grep .; exit 0'
	node_end
}

node_test a_pattern_is_for_names_with_a_dot_too \
    "at their beginning; and what looks like it is not lost"
a_pattern_is_for_names_with_a_dot_too_body() {
	host_disposable
	mkdir -p /srv/.hidden /srv/plain /opt/.s/d
	echo secret | tee /srv/.hidden/key /srv/plain/key >/opt/.s/d/file
	node_begin
	echo "REAPER_FILTER_PATHS=/srv/*/key:/opt/*:/opt/.s/d" \
	    >"$REGRESS_DIR/reaper.conf"
	expect 0 "" task_run --rm a sh -c '
		cat /srv/.hidden/key /srv/plain/key
		cat /opt/.s/d/file 2>/dev/null; exit 0'
	node_end
}

node_test a_filtered_link_hides_what_it_names \
    "but one that somebody else has made hides itself alone"
a_filtered_link_hides_what_it_names_body() {
	host_disposable
	mv /home /var/homes && ln -s var/homes /home && mkdir /var/homes/alice
	echo secret >/var/homes/alice/file
	mkdir -p /srv/alice && echo visible >/srv/visible
	ln -s /srv /srv/alice/secrets && chown -hR 1000 /srv/alice
	node_begin
	echo "REAPER_FILTER_PATHS=/srv/*/secrets" >"$REGRESS_DIR/reaper.conf"
	expect 0 "visible" task_run --rm a sh -c '
		cat /home/alice/file /var/homes/alice/file 2>/dev/null
		ls /srv/alice; cat /srv/visible'
	# Nor as a volume, by either name, and what holds it.
	for source in /var/homes /var/homes/alice /var; do
		expect_refusal "$source is, or is in, or holds" \
		    spec_run b ".mounts += [{type: \"bind\",
		    source: \"$source\", destination: \"/volume\",
		    options: [\"rbind\"]}]" true
	done
	node_end
}

node_test a_key_that_matches_a_pattern_later_is_hidden_for_the_next \
    "workload of an overlay that stands"
a_key_that_matches_a_pattern_later_is_hidden_for_the_next_body() {
	host_disposable
	mkdir -p /etc/ssh && echo REGRESS-SECRET >/etc/ssh/ssh_host_rsa_key
	node_begin
	expect 0 "" task_run --rm a cat /etc/ssh/ssh_host_rsa_key
	echo REGRESS-SECRET >/etc/ssh/ssh_host_new_key
	expect 0 "" task_run --rm b cat /etc/ssh/ssh_host_new_key
	node_end
}

atf_init_test_cases() {
	node_add
}
