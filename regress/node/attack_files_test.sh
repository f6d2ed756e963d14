# shellcheck shell=sh
# Attacks on files: what is filtered, what is another tenant's, and the layers
# of an overlay.  See lib/attack.sh.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

# secrets_make: secrets on a host that may be written to.
secrets_make() {
	host_disposable
	mkdir -p /etc/ssl/private /etc/ssh
	for file in /etc/shadow /etc/ssh/ssh_host_rsa_key \
	    /etc/ssl/private/regress.key; do
		echo REGRESS-SECRET >"$file"
		chmod 0644 "$file"
	done
	chmod 0755 /etc/ssl/private
}

# Prints the secrets that lie anywhere in there.
SEARCH='grep -rslI REGRESS-SECRET /etc /moved /mnt 2>/dev/null |
	    sort
	for p in /proc/[0-9]*; do
		grep -qs REGRESS-SECRET $p/root/etc/shadow $p/cwd/etc/shadow &&
		    echo by a process
	done | sort -u'

# resisted_and_bites OUTPUT SCRIPT: it finds nothing, but what it finds without
# filters.
resisted_and_bites() {
	configure
	resisted . "$2"
	configure REAPER_FILTER_ENABLED=false
	bites "$1" "$(pod_of "open$ATTACKS")" "$2"
}

node_test a_filter_cannot_be_unmounted \
    "nor mounted over, nor left by another root"
a_filter_cannot_be_unmounted_body() {
	secrets_make
	node_begin
	resisted_and_bites "/etc/shadow
/etc/ssh/ssh_host_rsa_key
/etc/ssl/private/regress.key
by a process" "for path in /etc/shadow /etc/ssh/ssh_host_rsa_key /etc/ssh \
	    /etc/ssl/private /etc/ssl /etc /; do
		umount \$path; umount -l \$path; umount -R \$path
		mount --bind / /mnt; mount --bind \$path /mnt
	done 2>/dev/null; $SEARCH"
	node_end
}

node_test a_filtered_file_cannot_be_moved_or_linked_into_view \
    "by renames of it and of what it is in, exchanges and hard links"
a_filtered_file_cannot_be_moved_or_linked_into_view_body() {
	calls_known
	secrets_make
	node_begin
	resisted_and_bites "/etc/regress-hard
/etc/regress-other
/etc/regress-ssh/ssh_host_rsa_key
/moved/regress-private/regress.key" 'ln /etc/shadow /etc/regress-hard
	    perl -e "
		rename(\"/etc/ssh\", \"/etc/regress-ssh\");
		rename(\"/etc/ssl/private\", \"/etc/ssl/regress-private\");
		rename(\"/etc/ssl\", \"/moved\");
		my (\$a, \$b) = (qq(/etc/shadow\\0), qq(/etc/regress-other\\0));
		open(F, q(>), q(/etc/regress-other)); close(F);
		# RENAME_EXCHANGE
		syscall(316, -100, \$a, -100, \$b, 2);"
	    '"$SEARCH"
	# What is there again after that is hidden, too.
	configure
	resisted . "rm -rf /etc/ssh /etc/ssl/private /etc/shadow
	    mkdir -p /etc/ssh /etc/ssl/private; rmdir /etc/ssh; $SEARCH"
	node_end
}

# Ways that programs for users take.
USERADD='{
	useradd -m -d /tmp/home regress || echo no useradd
	groupadd regress-group || echo no groupadd
	usermod -aG regress-group regress || echo no usermod
	echo "regress:secret" | chpasswd || echo no chpasswd
	passwd -l regress || echo no passwd
	chage -M 90 regress || echo no chage
	cp /etc/shadow /etc/shadow.edit && mv /etc/shadow.edit /etc/shadow ||
	    echo no vipw
	getent passwd regress | cut -d : -f 6
	id -nG regress
} 2>/dev/null | grep -v "password changed\|expiry"
	cat /etc/shadow* /etc/gshadow* /etc/.pwd* /var/backups/* 2>/dev/null |
	    grep REGRESSHASH; true'

node_test user_tools_work_and_show_no_hash_of_the_node \
    "useradd, groupadd, usermod, chpasswd, passwd, chage, a rename as vipw's"
user_tools_work_and_show_no_hash_of_the_node_body() {
	host_disposable
	command -v useradd chpasswd chage >/dev/null || atf_skip "no useradd"
	for file in shadow shadow- gshadow gshadow-; do
		echo 'root:$6$REGRESSHASH:19000:0:99999:7:::' >/etc/$file
	done
	sha256sum /etc/passwd /etc/shadow /etc/group /etc/gshadow \
	    /etc/subuid >before
	node_begin
	works="/tmp/home
regress regress-group"
	achieves "$works" "useradd" attack_run a . sh -c "$USERADD"
	# ... nor to the next pod, which sees its user.
	achieves "$works" "the next" attack_run b . sh -c \
	    'getent passwd regress | cut -d : -f 6; id -nG regress
	    grep -s REGRESSHASH /etc/shadow* /etc/gshadow*; true'
	sha256sum --quiet -c before || node_fail "files of the node changed"
	configure REAPER_FILTER_ENABLED=false
	expect "*" "*" attack_run c "$(pod_of open)" sh -c "$USERADD"
	grep -q REGRESSHASH out || node_fail "nothing to be seen anyway"
	sha256sum --quiet -c before || node_fail "files of the node changed"
	node_end
}

node_test overlays_of_other_tenants_are_out_of_reach \
    "their layers, namespaces, locks and names"
overlays_of_other_tenants_are_out_of_reach_body() {
	node_begin
	expect 0 "" attack_run a "$(pod_of regress-green)" sh -c \
	    'echo REGRESS-SECRET >/etc/regress.secret'
	attack='
		cat /etc/regress.secret
		cat /proc/[0-9]*/mountinfo /proc/mounts |
		    grep -o -e "regress-gree[n]" -e "$1" | sort -u
		find / -xdev -maxdepth 3 -name "*regress-gree[n]*"
		ls -A "$1" "$1/ns" /run/reaper
		for ns in "$1"/ns/*; do nsenter --mount=$ns true &&
		    echo entered; done'
	resisted "$(pod_of blue)" "{ $attack; } 2>/dev/null" \
	    "$REGRESS_DIR/reaper"
	sh -c "{ $attack; } 2>/dev/null" sh "$REGRESS_DIR/reaper" >outside
	for word in "$REGRESS_DIR/reaper" regress-green entered; do
		grep -qx -- "$word" outside || node_fail "not $word outside"
	done
	configure REAPER_OVERLAY_ISOLATION=node
	expect 0 "" attack_run b "$(pod_of regress-green)" sh -c \
	    'echo REGRESS-SECRET >/etc/regress.secret'
	bites REGRESS-SECRET "$(pod_of blue)" "cat /etc/regress.secret"
	node_end
}

# Marks by which an overlay finds other files below its layers: prints those
# that could be made in the directory $1.
MARKS='perl -e "
	for my \$space (qw(trusted)) {
		for (qw(redirect opaque metacopy origin impure upper)) {
			my \$f = qq(\$ARGV[0]/regress-\$_);
			mkdir(\$f);
			my (\$p, \$n) = (qq(\$f\\0),
			    qq(\$space.overlay.\$_\\0));
			my \$v = qq(/etc/shadow);
			syscall(188, \$p, \$n, \$v, 11, 0) == 0 and
			    print qq(\$space \$_\\n);
			rmdir(\$f);
		}
	}
	# A whiteout: a device 0, 0, by mknod(2) or RENAME_WHITEOUT.
	my (\$a, \$b) = (qq(\$ARGV[0]/a\\0), qq(\$ARGV[0]/b\\0));
	syscall(133, \$a, 020600, 0) == 0 and print qq(made\\n);
	unlink(qq(\$ARGV[0]/a));
	open(F, q(>), qq(\$ARGV[0]/a)); close(F);
	syscall(316, -100, \$a, -100, \$b, 4) == 0 and print qq(renamed\\n);
	unlink(qq(\$ARGV[0]/a), qq(\$ARGV[0]/b));" $1'

node_test marks_of_an_overlay_cannot_be_planted \
    "redirects, metacopies, opaque directories and whiteouts"
marks_of_an_overlay_cannot_be_planted_body() {
	calls_known
	node_begin
	mkdir /run/volume
	for dir in /tmp /run /volume /dev/shm; do
		resisted "$(volume_of /run/volume /volume)" "$MARKS" $dir
	done
	bites_outside "trusted redirect
trusted opaque
trusted metacopy
trusted origin
trusted impure
trusted upper
made
renamed" "$MARKS" /run/volume
	node_end
}

node_test a_full_overlay_is_full_for_its_own_tenant_alone \
    "for others there is room"
a_full_overlay_is_full_for_its_own_tenant_alone_body() {
	node_begin
	configure REAPER_OVERLAY_SIZE=4m
	fill='dd if=/dev/zero of=$1/regress.fill bs=1M count=8 2>/dev/null &&
	    echo filled'
	resisted "$(pod_of blue)" "$fill" /tmp
	achieves "" "the next" attack_run a "$(pod_of blue)" \
	    sh -c "$fill" sh /var/tmp
	expect 0 room attack_run b "$(pod_of green)" \
	    sh -c 'echo room >/tmp/file && cat /tmp/file'
	configure REAPER_OVERLAY_SIZE=64m
	bites filled "$(pod_of red)" "$fill" /tmp
	node_end
}

node_test an_overlay_takes_no_more_than_its_size_anywhere \
    "also in its /run, which stays when its pods have gone"
an_overlay_takes_no_more_than_its_size_anywhere_body() {
	node_begin
	configure REAPER_OVERLAY_SIZE=4m
	fill='dd if=/dev/zero of=$1/regress.fill bs=1M count=8 2>/dev/null &&
	    echo filled; rm -f $1/regress.fill'
	resisted "$(pod_of blue)" "$fill" /tmp
	# It stays: this is not a container's own.
	expect 0 "*" attack_run a "$(pod_of blue)" sh -c 'echo x >/run/file'
	expect 0 x attack_run b "$(pod_of blue)" cat /run/file
	resisted "$(pod_of blue)" "$fill" /run
	node_end
}

node_test a_run_of_one_tenant_is_not_that_of_another \
    "what is made there, or listens"
a_run_of_one_tenant_is_not_that_of_another_body() {
	node_begin
	listener='use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0);
	    bind($s, pack_sockaddr_un("/run/regress.green")) or die;
	    listen($s, 9); accept(my $c, $s) while 1'
	attack_start green "$(pod_of green)" perl -e "$listener"
	until_true 10 attack_exec green 0:0 test -S /run/regress.green ||
	    node_fail "nobody listens"
	resisted "$(pod_of blue)" "ls /run | grep regress; $CONNECT" \
	    /run/regress.green
	# In one overlay they meet.
	bites "regress.green
/run/regress.green" "$(pod_of green)" "ls /run | grep regress; $CONNECT" \
	    /run/regress.green
	task_end green
	node_end
}

node_test streams_of_others_are_not_found \
    "FIFOs and logs of containerd's, by their paths"
streams_of_others_are_not_found_body() {
	node_begin
	attack='fifo=$(readlink /proc/$$/fd/1)
	    [ -e "$fifo" ] && echo "found"
	    ls -A "${fifo%/*}" "$1" 2>/dev/null
	    find /run -type p 2>/dev/null'
	resisted . "$attack" "$REGRESS_DIR/fifo"
	mkfifo /run/regress.fifo
	sh -c "$attack" sh "$REGRESS_DIR/fifo" <>/run/regress.fifo \
	    >/run/regress.out
	for word in found /run/regress.fifo; do
		grep -qx $word /run/regress.out || node_fail "not even outside"
	done
	node_end
}

atf_init_test_cases() {
	node_add
}
