# The documents say what the code says.

top=$(atf_get_srcdir)
confdoc=$top/../../confdoc
runtime=$top/../../reaper-runtime
while [ "$top" != / ] && [ ! -e "$top/GNUmakefile" ]; do
	top=$(dirname "$top")
done

# agrees man|markdown PAGE: it is what confdoc makes of it.
agrees()
{
	atf_check -o file:"$top/$2" "$confdoc" "$1" "$top/sandbox-policies" \
	    <"$top/$2"
}

atf_test_case tables_in_documents_are_those_of_the_code
tables_in_documents_are_those_of_the_code_head()
{
	atf_set descr "As make docs writes them"
}
tables_in_documents_are_those_of_the_code_body()
{
	agrees man unpriv/reaper.conf.5
	agrees man privsep/reaper-privsep.8
	agrees man sandbox-policies/reaper-policy.5
	agrees markdown docs/configuration.md
	agrees markdown SECURITY.md
	for key in REAPER_UID REAPER_FILTER_MODE REAPER_OVERLAY_SIZE; do
		atf_check -o ignore grep -x "\.It Cm $key" \
		    "$top/unpriv/reaper.conf.5"
		atf_check -o ignore grep "^| \`$key\` | " \
		    "$top/docs/configuration.md"
	done
}

atf_test_case tables_without_an_end_are_refused
tables_without_an_end_are_refused_head()
{
	atf_set descr "And names that mean nothing"
}
tables_without_an_end_are_refused_body()
{
	echo '<!-- begin keys -->' >page
	atf_check -s exit:1 -o ignore -e match:"keys does not end" \
	    "$confdoc" markdown . <page
	echo '.\" begin nothing' >page
	atf_check -s exit:1 -o ignore -e match:"nothing is no part" \
	    "$confdoc" man . <page
	atf_check -s exit:2 -e match:usage "$confdoc" html . <page
}

atf_test_case every_operation_and_policy_is_explained
every_operation_and_policy_is_explained_head()
{
	atf_set descr "By the command line and the documents, with every call"
}
every_operation_and_policy_is_explained_body()
{
	atf_check -o save:text "$runtime" explain
	operations=$(sed -n 's/.*{ "\([A-Z]*\)", MSG_\1, .*/\1/p' \
	    "$top/privsep/optab.c")
	[ "$(echo "$operations" | wc -l)" -ge 9 ] || atf_fail "$operations"
	for operation in $operations; do
		for file in text "$top/SECURITY.md" \
		    "$top/privsep/reaper-privsep.8"; do
			grep -qE "^(.It Cm |\| \`)?$operation(\`.*)?\$" \
			    "$file" || atf_fail "no $operation in $file"
		done
	done
	sed -n '/^policies:/,$p' text >policies
	for policy in "$top"/sandbox-policies/*.policy; do
		role=$(basename "$policy" .policy)
		calls=$(awk -v role="$role" '$0 == role { inside = 1; next }
		    inside && $1 == "calls:" { print; exit }' policies)
		for call in $(sed 's/#.*//; s/^deny [A-Z]* //' "$policy" |
		    awk '!/^(default|capabilities|rlimit|last)/ { print $1 }')
		do
			case " $calls " in
			*" $call "*) ;;
			*) atf_fail "$role has not $call: $calls" ;;
			esac
		done
	done
	# Exactly so: of what the state of a container is, not more or less.
	atf_check -o inline:"	of a container that is: not there, prepared
" awk '$0 == "CREATE" { getline; getline; getline; print }' text
}

# examples PAGE PATTERN: its blocks of KEY=VALUE lines and comments, each in a
# file; PATTERN is how a line of one begins, before what is taken.
examples()
{
	awk -v begin="$2" '
		$0 ~ begin "(REAPER_[A-Z_]*=|# )" {
			if (!inside) n++
			inside = 1
			sub(begin, "")
			print >"example." n
			next
		}
		{ inside = 0 }' "$1"
}

atf_test_case examples_in_documents_are_good
examples_in_documents_are_good_head()
{
	atf_set descr "Each is a configuration that would be taken"
}
examples_in_documents_are_good_body()
{
	for page in 'docs/configuration.md ^[ ][ ][ ][ ]' \
	    'unpriv/reaper.conf.5 ^'; do
		rm -f example.*
		examples "$top/${page%% *}" "${page#* }"
		[ -e example.1 ] || atf_fail "$page: no examples"
		for example in example.*; do
			"$runtime" config --check "$example" 2>err && continue
			cat "$example" >&2
			atf_fail "${page%% *}: $(cat err)"
		done
	done
}

atf_test_case manual_pages_are_well_formed
manual_pages_are_well_formed_head()
{
	atf_set descr "groff has nothing to say about them"
	atf_set require.progs groff
}
manual_pages_are_well_formed_body()
{
	for page in "$top"/*/*.[1-8]; do
		atf_check -o match:reaper groff -mandoc -Tascii -ww "$page"
	done
}

atf_init_test_cases()
{
	atf_add_test_case tables_in_documents_are_those_of_the_code
	atf_add_test_case tables_without_an_end_are_refused
	atf_add_test_case every_operation_and_policy_is_explained
	atf_add_test_case examples_in_documents_are_good
	atf_add_test_case manual_pages_are_well_formed
}
