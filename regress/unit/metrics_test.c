/*
 * The files of a cgroup, and what is made of them: texts of real kernels.
 */
#include <atf-c.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "shim/metrics.h"
#include "shim/proto/metrics_v1.pb-c.h"
#include "shim/proto/metrics_v2.pb-c.h"
#include "unpriv/cgroup_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define V1(name)     Io__Containerd__Cgroups__V1__##name
#define V2(name)     Io__Containerd__Cgroups__V2__##name

static struct cgroup_file
file_of(const char *text)
{
	const struct cgroup_file file = { text, strlen(text) };

	return (file);
}

ATF_TC_WITHOUT_HEAD(a_file_of_one_number_is_read_exactly);
ATF_TC_BODY(a_file_of_one_number_is_read_exactly, tc)
{
	static const struct {
		const char *text;
		uint64_t number;
	} good[] = {
		{ "0\n", 0 },
		{ "42", 42 },
		{ "18446744073709551615\n", UINT64_MAX },
		{ "00000000000000000000000000007\n", 7 },
		{ "max\n", 77 },
		{ "max", 77 },
	};
	static const char *const bad[] = { "", "\n", "-1\n",
		"18446744073709551616\n", "99999999999999999999999\n", "1 2\n",
		"1\n2\n", " 1\n", "1 \n", "maximum\n", "ma", "0x10\n",
		"1\n\n" };
	struct cgroup_file file;
	uint64_t number;
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		file = file_of(good[i].text);
		ATF_CHECK_EQ(cgroup_file_number(&file, 77, &number), 0);
		ATF_CHECK_EQ_MSG(number, good[i].number, "%s", good[i].text);
	}
	for (i = 0; i < COUNT(bad); i++) {
		file = file_of(bad[i]);
		number = 5;
		ATF_CHECK_EQ_MSG(cgroup_file_number(&file, 77, &number),
		    -EBADMSG, "%s", bad[i]);
		ATF_CHECK_EQ(number, 5);
	}
}

ATF_TC_WITHOUT_HEAD(lines_of_another_form_are_passed_over);
ATF_TC_BODY(lines_of_another_form_are_passed_over, tc)
{
	struct cgroup_file file = file_of("a 1\n"
					  "\n"
					  "b\n"
					  " 2\n"
					  "c -3\n"
					  "d 18446744073709551616\n"
					  "e 4 5\n"
					  "f max\n"
					  "some avg10=0.00 total=0\n"
					  "g_h 18446744073709551615\n"
					  "cut 12");
	struct cgroup_line line;

	ATF_REQUIRE_EQ(cgroup_file_line(&file, &line), 1);
	ATF_CHECK_EQ(line.length, 1);
	ATF_CHECK_EQ(line.key[0], 'a');
	ATF_CHECK_EQ(line.number, 1);
	ATF_REQUIRE_EQ(cgroup_file_line(&file, &line), 1);
	ATF_CHECK_EQ(line.length, 3);
	ATF_CHECK(memcmp(line.key, "g_h", 3) == 0);
	ATF_CHECK_EQ(line.number, UINT64_MAX);
	ATF_CHECK_EQ(cgroup_file_line(&file, &line), 0);
	ATF_CHECK_EQ(cgroup_file_line(&file, &line), 0);
}

ATF_TC_WITHOUT_HEAD(a_process_is_not_known_before_its_line_ends);
ATF_TC_BODY(a_process_is_not_known_before_its_line_ends, tc)
{
	struct cgroup_file file = file_of(
	    "1\n0\n2147483648\n-5\nx\n\n2147483647\n12");
	uint32_t pid;

	ATF_REQUIRE_EQ(cgroup_file_pid(&file, &pid), 1);
	ATF_CHECK_EQ(pid, 1);
	ATF_REQUIRE_EQ(cgroup_file_pid(&file, &pid), 1);
	ATF_CHECK_EQ(pid, 2147483647);
	ATF_CHECK_EQ(cgroup_file_pid(&file, &pid), 0);
	ATF_CHECK_EQ(file.length, 2);
	ATF_CHECK(memcmp(file.text, "12", 2) == 0);
}

/* The files of a cgroup; NULL: not there. */
struct node {
	const char *files[MSG_CGROUP_MAX];
	int reads[MSG_CGROUP_MAX];
};

static size_t
node_read(void *arg, enum msg_cgroup file, char *buffer, size_t size)
{
	struct node *node = arg;
	const char *text = node->files[file];
	size_t length;

	node->reads[file]++;
	if (text == NULL)
		return (0);
	length = strlen(text);
	if (length > size)
		length = size;
	memcpy(buffer, text, length);
	return (length);
}

static const uint8_t *
encode(int v2, const struct node *files, size_t *length)
{
	static uint8_t bytes[METRICS_SIZE];
	struct node node = *files;
	int i;

	*length = metrics_encode(v2, node_read, &node, bytes);
	ATF_REQUIRE(*length <= sizeof(bytes));
	for (i = 0; i < MSG_CGROUP_MAX; i++)
		ATF_CHECK(node.reads[i] <= 1);
	return (bytes);
}

static V1(Metrics) * v1_of(const struct node *node)
{
	const uint8_t *bytes;
	V1(Metrics) * metrics;
	size_t length;

	bytes = encode(0, node, &length);
	metrics =
	    io__containerd__cgroups__v1__metrics__unpack(NULL, length, bytes);
	ATF_REQUIRE(metrics != NULL && metrics->base.n_unknown_fields == 0);
	return (metrics);
}

static V2(Metrics) * v2_of(const struct node *node)
{
	const uint8_t *bytes;
	V2(Metrics) * metrics;
	size_t length;

	bytes = encode(1, node, &length);
	metrics =
	    io__containerd__cgroups__v2__metrics__unpack(NULL, length, bytes);
	ATF_REQUIRE(metrics != NULL && metrics->base.n_unknown_fields == 0);
	return (metrics);
}

#define NO_LIMIT "9223372036854771712\n"

static const struct node
    v1_node = { .files = {
		    [MSG_CGROUP_PROCS] = "1\n",
		    [MSG_CGROUP_CPU_USAGE] = "2070635020830\n",
		    [MSG_CGROUP_CPU_TIMES] = "user 121897\nsystem 85166\n",
		    [MSG_CGROUP_CPU] =
			"nr_periods 5\nnr_throttled 3\nthrottled_time 700\n"
			"nr_bursts 0\nburst_time 0\n",
		    [MSG_CGROUP_MEMORY] = "123456789\n",
		    [MSG_CGROUP_MEMORY_LIMIT] = NO_LIMIT,
		    [MSG_CGROUP_MEMORY_PEAK] = "223456789\n",
		    [MSG_CGROUP_MEMORY_FAILURES] = "9\n",
		    [MSG_CGROUP_MEMORY_DETAIL] =
			"cache 1\nrss 2\nrss_huge 3\nshmem 99\nmapped_file 4\ndirty 5\n"
			"writeback 6\nworkingset_refault_anon 99\n"
			"workingset_refault_file 2101\nswap 99\nswapcached 99\npgpgin 7\n"
			"pgpgout 8\npgfault 9\npgmajfault 10\ninactive_anon 11\n"
			"active_anon 12\ninactive_file 13\nactive_file 14\nunevictable 15\n"
			"hierarchical_memory_limit " NO_LIMIT
			"hierarchical_memsw_limit " NO_LIMIT
			"total_cache 18\ntotal_rss 19\ntotal_rss_huge 20\ntotal_shmem 99\n"
			"total_mapped_file 21\ntotal_dirty 22\ntotal_writeback 23\n"
			"total_swap 99\ntotal_pgpgin 24\ntotal_pgpgout 25\n"
			"total_pgfault 26\ntotal_pgmajfault 27\ntotal_inactive_anon 28\n"
			"total_active_anon 29\ntotal_inactive_file 30\n"
			"total_active_file 31\ntotal_unevictable 32\n",
		    [MSG_CGROUP_MEMORY_OOM] =
			"oom_kill_disable 1\nunder_oom 2\noom_kill 3\n",
		    [MSG_CGROUP_SWAP] = "333\n",
		    [MSG_CGROUP_SWAP_LIMIT] = NO_LIMIT,
		    [MSG_CGROUP_PIDS] = "17\n",
		    [MSG_CGROUP_PIDS_LIMIT] = "max\n",
		} };

ATF_TC_WITHOUT_HEAD(all_of_version_1_arrives);
ATF_TC_BODY(all_of_version_1_arrives, tc)
{
	static const uint64_t huge = 9223372036854771712u;
	V1(Metrics) *metrics = v1_of(&v1_node);
	const V1(MemoryStat) *memory = metrics->memory;

	ATF_CHECK_STREQ(metrics_type(0), "io.containerd.cgroups.v1.Metrics");
	ATF_CHECK_EQ(metrics->pids->current, 17);
	ATF_CHECK_EQ(metrics->pids->limit, huge);
	ATF_CHECK_EQ(metrics->cpu->usage->total, 2070635020830);
	ATF_CHECK_EQ(metrics->cpu->usage->user, 1218970000000);
	ATF_CHECK_EQ(metrics->cpu->usage->kernel, 851660000000);
	ATF_CHECK_EQ(metrics->cpu->throttling->periods, 5);
	ATF_CHECK_EQ(metrics->cpu->throttling->throttled_periods, 3);
	ATF_CHECK_EQ(metrics->cpu->throttling->throttled_time, 700);
	ATF_CHECK_EQ(memory->usage->usage, 123456789);
	ATF_CHECK_EQ(memory->usage->limit, huge);
	ATF_CHECK_EQ(memory->usage->max, 223456789);
	ATF_CHECK_EQ(memory->usage->failcnt, 9);
	ATF_CHECK_EQ(memory->swap->usage, 333);
	ATF_CHECK_EQ(memory->swap->limit, huge);
	ATF_CHECK(memory->kernel != NULL && memory->kernel_tcp != NULL);
	ATF_CHECK_EQ(memory->cache, 1);
	ATF_CHECK_EQ(memory->rss, 2);
	ATF_CHECK_EQ(memory->rss_huge, 3);
	ATF_CHECK_EQ(memory->mapped_file, 4);
	ATF_CHECK_EQ(memory->dirty, 5);
	ATF_CHECK_EQ(memory->writeback, 6);
	ATF_CHECK_EQ(memory->pg_pg_in, 7);
	ATF_CHECK_EQ(memory->pg_pg_out, 8);
	ATF_CHECK_EQ(memory->pg_fault, 9);
	ATF_CHECK_EQ(memory->pg_maj_fault, 10);
	ATF_CHECK_EQ(memory->inactive_anon, 11);
	ATF_CHECK_EQ(memory->active_anon, 12);
	ATF_CHECK_EQ(memory->inactive_file, 13);
	ATF_CHECK_EQ(memory->active_file, 14);
	ATF_CHECK_EQ(memory->unevictable, 15);
	ATF_CHECK_EQ(memory->hierarchical_memory_limit, huge);
	ATF_CHECK_EQ(memory->hierarchical_swap_limit, huge);
	ATF_CHECK_EQ(memory->total_cache, 18);
	ATF_CHECK_EQ(memory->total_rss, 19);
	ATF_CHECK_EQ(memory->total_rss_huge, 20);
	ATF_CHECK_EQ(memory->total_mapped_file, 21);
	ATF_CHECK_EQ(memory->total_dirty, 22);
	ATF_CHECK_EQ(memory->total_writeback, 23);
	ATF_CHECK_EQ(memory->total_pg_pg_in, 24);
	ATF_CHECK_EQ(memory->total_pg_pg_out, 25);
	ATF_CHECK_EQ(memory->total_pg_fault, 26);
	ATF_CHECK_EQ(memory->total_pg_maj_fault, 27);
	ATF_CHECK_EQ(memory->total_inactive_anon, 28);
	ATF_CHECK_EQ(memory->total_active_anon, 29);
	ATF_CHECK_EQ(memory->total_inactive_file, 30);
	ATF_CHECK_EQ(memory->total_active_file, 31);
	ATF_CHECK_EQ(memory->total_unevictable, 32);
	ATF_CHECK_EQ(metrics->memory_oom_control->oom_kill_disable, 1);
	ATF_CHECK_EQ(metrics->memory_oom_control->under_oom, 2);
	ATF_CHECK_EQ(metrics->memory_oom_control->oom_kill, 3);
	io__containerd__cgroups__v1__metrics__free_unpacked(metrics, NULL);
}

static const struct node
    v2_node = { .files = {
		    [MSG_CGROUP_PROCS] = "1\n",
		    [MSG_CGROUP_CPU] =
			"usage_usec 31\nuser_usec 32\nsystem_usec 33\n"
			"core_sched.force_idle_usec 99\nnr_periods 34\n"
			"nr_throttled 35\nthrottled_usec 36\nnr_bursts 99\n",
		    [MSG_CGROUP_MEMORY] = "41\n",
		    [MSG_CGROUP_MEMORY_LIMIT] = "max\n",
		    [MSG_CGROUP_MEMORY_PEAK] = "43\n",
		    [MSG_CGROUP_MEMORY_DETAIL] =
			"anon 1\nfile 2\nkernel 99\nkernel_stack 3\npagetables 99\n"
			"sec_pagetables 99\npercpu 99\nsock 5\nvmalloc 99\nshmem 6\n"
			"zswap 99\nzswapped 99\nfile_mapped 7\nfile_dirty 8\n"
			"file_writeback 9\nswapcached 99\nanon_thp 10\nfile_thp 99\n"
			"shmem_thp 99\ninactive_anon 11\nactive_anon 12\ninactive_file 13\n"
			"active_file 14\nunevictable 15\nslab_reclaimable 16\n"
			"slab_unreclaimable 17\nslab 4\nworkingset_refault_anon 9\n"
			"workingset_refault_file 11\nworkingset_activate_anon 1\n"
			"workingset_activate_file 20\nworkingset_restore_anon 99\n"
			"workingset_restore_file 99\nworkingset_nodereclaim 22\npgscan 24\n"
			"pgsteal 25\npgscan_kswapd 99\npgfault 18\npgmajfault 19\n"
			"pgrefill 23\npgactivate 26\npgdeactivate 27\npglazyfree 28\n"
			"pglazyfreed 29\nthp_fault_alloc 30\nthp_collapse_alloc 31\n",
		    [MSG_CGROUP_MEMORY_OOM] =
			"low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\n"
			"oom_group_kill 99\n",
		    [MSG_CGROUP_SWAP] = "51\n",
		    [MSG_CGROUP_SWAP_LIMIT] = "max\n",
		    [MSG_CGROUP_PIDS] = "17\n",
		    [MSG_CGROUP_PIDS_LIMIT] = "100\n",
		} };

ATF_TC_WITHOUT_HEAD(all_of_version_2_arrives);
ATF_TC_BODY(all_of_version_2_arrives, tc)
{
	V2(Metrics) *metrics = v2_of(&v2_node);
	const V2(MemoryStat) *memory = metrics->memory;

	ATF_CHECK_STREQ(metrics_type(1), "io.containerd.cgroups.v2.Metrics");
	ATF_CHECK_EQ(metrics->pids->current, 17);
	ATF_CHECK_EQ(metrics->pids->limit, 100);
	ATF_CHECK_EQ(metrics->cpu->usage_usec, 31);
	ATF_CHECK_EQ(metrics->cpu->user_usec, 32);
	ATF_CHECK_EQ(metrics->cpu->system_usec, 33);
	ATF_CHECK_EQ(metrics->cpu->nr_periods, 34);
	ATF_CHECK_EQ(metrics->cpu->nr_throttled, 35);
	ATF_CHECK_EQ(metrics->cpu->throttled_usec, 36);
	ATF_CHECK_EQ(memory->usage, 41);
	ATF_CHECK_EQ(memory->usage_limit, UINT64_MAX);
	ATF_CHECK_EQ(memory->max_usage, 43);
	ATF_CHECK_EQ(memory->swap_usage, 51);
	ATF_CHECK_EQ(memory->swap_limit, UINT64_MAX);
	ATF_CHECK_EQ(memory->anon, 1);
	ATF_CHECK_EQ(memory->file, 2);
	ATF_CHECK_EQ(memory->kernel_stack, 3);
	ATF_CHECK_EQ(memory->slab, 4);
	ATF_CHECK_EQ(memory->sock, 5);
	ATF_CHECK_EQ(memory->shmem, 6);
	ATF_CHECK_EQ(memory->file_mapped, 7);
	ATF_CHECK_EQ(memory->file_dirty, 8);
	ATF_CHECK_EQ(memory->file_writeback, 9);
	ATF_CHECK_EQ(memory->anon_thp, 10);
	ATF_CHECK_EQ(memory->inactive_anon, 11);
	ATF_CHECK_EQ(memory->active_anon, 12);
	ATF_CHECK_EQ(memory->inactive_file, 13);
	ATF_CHECK_EQ(memory->active_file, 14);
	ATF_CHECK_EQ(memory->unevictable, 15);
	ATF_CHECK_EQ(memory->slab_reclaimable, 16);
	ATF_CHECK_EQ(memory->slab_unreclaimable, 17);
	ATF_CHECK_EQ(memory->pgfault, 18);
	ATF_CHECK_EQ(memory->pgmajfault, 19);
	ATF_CHECK_EQ(memory->workingset_refault, 20);
	ATF_CHECK_EQ(memory->workingset_activate, 21);
	ATF_CHECK_EQ(memory->workingset_nodereclaim, 22);
	ATF_CHECK_EQ(memory->pgrefill, 23);
	ATF_CHECK_EQ(memory->pgscan, 24);
	ATF_CHECK_EQ(memory->pgsteal, 25);
	ATF_CHECK_EQ(memory->pgactivate, 26);
	ATF_CHECK_EQ(memory->pgdeactivate, 27);
	ATF_CHECK_EQ(memory->pglazyfree, 28);
	ATF_CHECK_EQ(memory->pglazyfreed, 29);
	ATF_CHECK_EQ(memory->thp_fault_alloc, 30);
	ATF_CHECK_EQ(memory->thp_collapse_alloc, 31);
	ATF_CHECK_EQ(metrics->memory_events->low, 1);
	ATF_CHECK_EQ(metrics->memory_events->high, 2);
	ATF_CHECK_EQ(metrics->memory_events->max, 3);
	ATF_CHECK_EQ(metrics->memory_events->oom, 4);
	ATF_CHECK_EQ(metrics->memory_events->oom_kill, 5);
	io__containerd__cgroups__v2__metrics__free_unpacked(metrics, NULL);
}

ATF_TC_WITHOUT_HEAD(what_is_not_there_is_zero_but_its_message_is_there);
ATF_TC_BODY(what_is_not_there_is_zero_but_its_message_is_there, tc)
{
	const struct node none = { .files = { NULL } };
	V1(Metrics) *v1 = v1_of(&none);
	V2(Metrics) *v2 = v2_of(&none);

	ATF_REQUIRE(v1->pids != NULL && v1->cpu != NULL && v1->memory != NULL);
	ATF_REQUIRE(v1->cpu->usage != NULL && v1->cpu->throttling != NULL);
	ATF_REQUIRE(v1->memory->usage != NULL && v1->memory->swap != NULL);
	ATF_CHECK_EQ(v1->cpu->usage->total, 0);
	ATF_CHECK_EQ(v1->memory->usage->usage, 0);
	ATF_REQUIRE(v2->pids != NULL && v2->cpu != NULL && v2->memory != NULL);
	ATF_REQUIRE(v2->memory_events != NULL);
	ATF_CHECK_EQ(v2->cpu->usage_usec, 0);
	ATF_CHECK_EQ(v2->memory->usage, 0);
	io__containerd__cgroups__v1__metrics__free_unpacked(v1, NULL);
	io__containerd__cgroups__v2__metrics__free_unpacked(v2, NULL);
}

/* A text with each key of a real one and the highest number. */
static void
fill(char *text, size_t size, const char *from)
{
	struct cgroup_file file = file_of(from);
	struct cgroup_line line;
	size_t n = 0;

	while (cgroup_file_line(&file, &line))
		n += (size_t)snprintf(text + n, size - n,
		    "%.*s 18446744073709551615\n", (int)line.length, line.key);
	ATF_REQUIRE(n < size);
	if (n == 0)
		snprintf(text, size, "18446744073709551615\n");
}

static void
check_fits(int v2, const struct node *from)
{
	static char texts[MSG_CGROUP_MAX][4096];
	struct node node = { .files = { NULL } };
	size_t length;
	int i;

	for (i = 0; i < MSG_CGROUP_MAX; i++) {
		if (from->files[i] == NULL)
			continue;
		fill(texts[i], sizeof(texts[i]), from->files[i]);
		node.files[i] = texts[i];
	}
	encode(v2, &node, &length);
	ATF_CHECK(length > 400);
}

ATF_TC_WITHOUT_HEAD(the_highest_numbers_fit_into_the_space_for_them);
ATF_TC_BODY(the_highest_numbers_fit_into_the_space_for_them, tc)
{
	check_fits(0, &v1_node);
	check_fits(1, &v2_node);
}

ATF_TC_WITHOUT_HEAD(a_file_that_is_cut_gives_its_whole_lines);
ATF_TC_BODY(a_file_that_is_cut_gives_its_whole_lines, tc)
{
	static char text[16384] = "anon 1\n";
	struct node node = { .files = { NULL } };
	size_t length = strlen(text);
	V2(Metrics) * metrics;

	while (length < 10000)
		length += (size_t)sprintf(text + length, "unknown 1\n");
	strcpy(text + length, "file 2\n");
	node.files[MSG_CGROUP_MEMORY_DETAIL] = text;
	metrics = v2_of(&node);
	ATF_CHECK_EQ(metrics->memory->anon, 1);
	ATF_CHECK_EQ(metrics->memory->file, 0);
	io__containerd__cgroups__v2__metrics__free_unpacked(metrics, NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_file_of_one_number_is_read_exactly);
	ATF_TP_ADD_TC(tp, lines_of_another_form_are_passed_over);
	ATF_TP_ADD_TC(tp, a_process_is_not_known_before_its_line_ends);
	ATF_TP_ADD_TC(tp, all_of_version_1_arrives);
	ATF_TP_ADD_TC(tp, all_of_version_2_arrives);
	ATF_TP_ADD_TC(tp, what_is_not_there_is_zero_but_its_message_is_there);
	ATF_TP_ADD_TC(tp, the_highest_numbers_fit_into_the_space_for_them);
	ATF_TP_ADD_TC(tp, a_file_that_is_cut_gives_its_whole_lines);
	return (atf_no_error());
}
