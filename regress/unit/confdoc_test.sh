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
	atf_check -o file:"$top/$2" "$confdoc" "$1" <"$top/$2"
}

atf_test_case tables_in_documents_are_those_of_the_code
tables_in_documents_are_those_of_the_code_head()
{
	atf_set descr "As make docs writes them"
}
tables_in_documents_are_those_of_the_code_body()
{
	agrees man unpriv/reaper.conf.5
	agrees markdown docs/configuration.md
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
	    "$confdoc" markdown <page
	echo '.\" begin nothing' >page
	atf_check -s exit:1 -o ignore -e match:"nothing is no part" \
	    "$confdoc" man <page
	atf_check -s exit:2 -e match:usage "$confdoc" html <page
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
	atf_add_test_case examples_in_documents_are_good
	atf_add_test_case manual_pages_are_well_formed
}
