# Every field of a bundle is applied, ignored for a reason, or refused: one
# table says which.

bundles=regress/unit/bundles

# paths FILE: the path of each value of a bundle, [] for elements of arrays, .*
# for those that an object could have.
paths()
{
	jq -r '. as $bundle |
	    paths(type != "object" and type != "array" or length == 0) |
	    . as $path | ($bundle | getpath($path) | type) as $type |
	    (reduce .[] as $part (""; . +
	    if ($part | type) == "number" then "[]"
	    elif . == "" then $part else "." + $part end)) +
	    {"object": ".*", "array": "[]"}[$type]' "$1" | sort -u
}

# told PATH: what the table says of a path: that of the first line that fits.
told()
{
	awk -v path="$1" '
	!/^#/ && NF > 0 {
		pattern = $1
		gsub(/[][.+()^$|\\?]/, "\\\\&", pattern)
		gsub(/\*/, ".*", pattern)
		if (path ~ "^" pattern "$") {
			print $2
			exit
		}
	}' "$table"
}

# The sources lie above build/.
table_find()
{
	root=$(atf_get_srcdir)
	while [ ! -f "$root/$bundles/FIELDS" ]; do
		[ "$root" != / ] || atf_fail "no $bundles/FIELDS"
		root=$(dirname "$root")
	done
	table=$root/$bundles/FIELDS
}

atf_test_case every_field_of_a_bundle_is_in_the_table
every_field_of_a_bundle_is_in_the_table_head()
{
	atf_set require.progs jq
}
every_field_of_a_bundle_is_in_the_table_body()
{
	table_find
	for bundle in "$root/$bundles"/*.json; do
		paths "$bundle"
	done | sort -u >paths
	[ "$(wc -l <paths)" -gt 50 ] || atf_fail "only $(wc -l <paths) fields"
	while read -r path; do
		case $(told "$path") in
		applied | ignored) ;;
		refused) echo "$path: a sample has what is refused" ;;
		*) echo "$path: not in $bundles/FIELDS" ;;
		esac
	done <paths >wrong
	[ ! -s wrong ] || atf_fail "$(cat wrong)"
}

atf_test_case the_table_of_fields_gives_a_reason_for_what_is_not_applied
the_table_of_fields_gives_a_reason_for_what_is_not_applied_head()
{
	atf_set require.progs jq
}
the_table_of_fields_gives_a_reason_for_what_is_not_applied_body()
{
	table_find
	awk '!/^#/ && NF > 0 && !($2 == "applied" ||
	    (($2 == "ignored" || $2 == "refused") && NF > 2)) {
		print FNR ": " $0
	}
	!/^#/ && NF > 0 && seen[$1]++ { print FNR ": twice: " $1 }' \
	    "$table" >wrong
	[ ! -s wrong ] || atf_fail "$(cat wrong)"
}

atf_test_case the_table_of_fields_knows_what_it_does_not_list
the_table_of_fields_knows_what_it_does_not_list_head()
{
	atf_set require.progs jq
}
the_table_of_fields_knows_what_it_does_not_list_body()
{
	table_find
	echo '{"linux":{"new":{"a":[1,{"b":[]}]}},"processes":1}' >new.json
	paths new.json >paths
	atf_check -o inline:'linux.new.a[]\nlinux.new.a[].b[]\nprocesses\n' \
	    cat paths
	while read -r path; do
		[ -z "$(told "$path")" ] || atf_fail "$path is listed"
	done <paths
	for path in process processXargs mounts[].options linux.sysctl; do
		[ -z "$(told "$path")" ] || atf_fail "$path is listed"
	done
}

atf_init_test_cases()
{
	atf_add_test_case every_field_of_a_bundle_is_in_the_table
	atf_add_test_case the_table_of_fields_gives_a_reason_for_what_is_not_applied
	atf_add_test_case the_table_of_fields_knows_what_it_does_not_list
}
