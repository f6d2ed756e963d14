#include <string.h>

#include "shim/metrics.h"
#include "shim/proto/metrics_v1.pb-c.h"
#include "shim/proto/metrics_v2.pb-c.h"
#include "unpriv/cgroup_file.h"

#define FILE_SIZE 8192			/* bytes; memory.stat has some 3 KiB */
#define TICK	  10000000		/* ns; USER_HZ is 100 */
#define V1_MAX	  9223372036854771712ul /* what version 1 has for "max" */

/* The generated types have long names. */
#define V1(name) Io__Containerd__Cgroups__V1__##name
#define V2(name) Io__Containerd__Cgroups__V2__##name

struct v1 {
	V1(Metrics) metrics;
	V1(PidsStat) pids;
	V1(CPUStat) cpu;
	V1(CPUUsage) usage;
	V1(Throttle) throttle;
	V1(MemoryStat) stat;
	V1(MemoryEntry) memory;
	V1(MemoryEntry) swap;
	V1(MemoryEntry) unknown;
	V1(MemoryOomControl) oom;
};

struct v2 {
	V2(Metrics) metrics;
	V2(PidsStat) pids;
	V2(CPUStat) cpu;
	V2(MemoryStat) memory;
	V2(MemoryEvents) events;
};

/*
 * Where a number belongs, counted in units of the file's; several of one field
 * are added.
 */
struct number {
	enum msg_cgroup file;
	const char *key; /* NULL: the file is one number */
	size_t offset;	 /* of the field */
	uint64_t unit;
};

#define WHOLE(file, version, field)                                         \
	{                                                                   \
		MSG_CGROUP_##file, NULL, offsetof(struct version, field), 1 \
	}
#define KEYED(file, key, version, field)                                   \
	{                                                                  \
		MSG_CGROUP_##file, key, offsetof(struct version, field), 1 \
	}
#define TICKS(key, field)                                                   \
	{                                                                   \
		MSG_CGROUP_CPU_TIMES, key, offsetof(struct v1, field), TICK \
	}
#define STAT(key, field)  KEYED(MEMORY_DETAIL, key, v1, stat.field)
#define STAT2(key, field) KEYED(MEMORY_DETAIL, key, v2, memory.field)

static const struct number v1_numbers[] = {
	WHOLE(PIDS, v1, pids.current),
	WHOLE(PIDS_LIMIT, v1, pids.limit),
	WHOLE(CPU_USAGE, v1, usage.total),
	TICKS("user", usage.user),
	TICKS("system", usage.kernel),
	KEYED(CPU, "nr_periods", v1, throttle.periods),
	KEYED(CPU, "nr_throttled", v1, throttle.throttled_periods),
	KEYED(CPU, "throttled_time", v1, throttle.throttled_time),
	WHOLE(MEMORY, v1, memory.usage),
	WHOLE(MEMORY_LIMIT, v1, memory.limit),
	WHOLE(MEMORY_PEAK, v1, memory.max),
	WHOLE(MEMORY_FAILURES, v1, memory.failcnt),
	WHOLE(SWAP, v1, swap.usage),
	WHOLE(SWAP_LIMIT, v1, swap.limit),
	KEYED(MEMORY_OOM, "oom_kill_disable", v1, oom.oom_kill_disable),
	KEYED(MEMORY_OOM, "under_oom", v1, oom.under_oom),
	KEYED(MEMORY_OOM, "oom_kill", v1, oom.oom_kill),
	STAT("cache", cache),
	STAT("rss", rss),
	STAT("rss_huge", rss_huge),
	STAT("mapped_file", mapped_file),
	STAT("dirty", dirty),
	STAT("writeback", writeback),
	STAT("pgpgin", pg_pg_in),
	STAT("pgpgout", pg_pg_out),
	STAT("pgfault", pg_fault),
	STAT("pgmajfault", pg_maj_fault),
	STAT("inactive_anon", inactive_anon),
	STAT("active_anon", active_anon),
	STAT("inactive_file", inactive_file),
	STAT("active_file", active_file),
	STAT("unevictable", unevictable),
	STAT("hierarchical_memory_limit", hierarchical_memory_limit),
	STAT("hierarchical_memsw_limit", hierarchical_swap_limit),
	STAT("total_cache", total_cache),
	STAT("total_rss", total_rss),
	STAT("total_rss_huge", total_rss_huge),
	STAT("total_mapped_file", total_mapped_file),
	STAT("total_dirty", total_dirty),
	STAT("total_writeback", total_writeback),
	STAT("total_pgpgin", total_pg_pg_in),
	STAT("total_pgpgout", total_pg_pg_out),
	STAT("total_pgfault", total_pg_fault),
	STAT("total_pgmajfault", total_pg_maj_fault),
	STAT("total_inactive_anon", total_inactive_anon),
	STAT("total_active_anon", total_active_anon),
	STAT("total_inactive_file", total_inactive_file),
	STAT("total_active_file", total_active_file),
	STAT("total_unevictable", total_unevictable),
};

/* Linux 5.9 has split what concerns the working set. */
static const struct number v2_numbers[] = {
	WHOLE(PIDS, v2, pids.current),
	WHOLE(PIDS_LIMIT, v2, pids.limit),
	KEYED(CPU, "usage_usec", v2, cpu.usage_usec),
	KEYED(CPU, "user_usec", v2, cpu.user_usec),
	KEYED(CPU, "system_usec", v2, cpu.system_usec),
	KEYED(CPU, "nr_periods", v2, cpu.nr_periods),
	KEYED(CPU, "nr_throttled", v2, cpu.nr_throttled),
	KEYED(CPU, "throttled_usec", v2, cpu.throttled_usec),
	WHOLE(MEMORY, v2, memory.usage),
	WHOLE(MEMORY_LIMIT, v2, memory.usage_limit),
	WHOLE(MEMORY_PEAK, v2, memory.max_usage),
	WHOLE(SWAP, v2, memory.swap_usage),
	WHOLE(SWAP_LIMIT, v2, memory.swap_limit),
	KEYED(MEMORY_OOM, "low", v2, events.low),
	KEYED(MEMORY_OOM, "high", v2, events.high),
	KEYED(MEMORY_OOM, "max", v2, events.max),
	KEYED(MEMORY_OOM, "oom", v2, events.oom),
	KEYED(MEMORY_OOM, "oom_kill", v2, events.oom_kill),
	STAT2("anon", anon),
	STAT2("file", file),
	STAT2("kernel_stack", kernel_stack),
	STAT2("slab", slab),
	STAT2("sock", sock),
	STAT2("shmem", shmem),
	STAT2("file_mapped", file_mapped),
	STAT2("file_dirty", file_dirty),
	STAT2("file_writeback", file_writeback),
	STAT2("anon_thp", anon_thp),
	STAT2("inactive_anon", inactive_anon),
	STAT2("active_anon", active_anon),
	STAT2("inactive_file", inactive_file),
	STAT2("active_file", active_file),
	STAT2("unevictable", unevictable),
	STAT2("slab_reclaimable", slab_reclaimable),
	STAT2("slab_unreclaimable", slab_unreclaimable),
	STAT2("pgfault", pgfault),
	STAT2("pgmajfault", pgmajfault),
	STAT2("workingset_refault", workingset_refault),
	STAT2("workingset_refault_anon", workingset_refault),
	STAT2("workingset_refault_file", workingset_refault),
	STAT2("workingset_activate", workingset_activate),
	STAT2("workingset_activate_anon", workingset_activate),
	STAT2("workingset_activate_file", workingset_activate),
	STAT2("workingset_nodereclaim", workingset_nodereclaim),
	STAT2("pgrefill", pgrefill),
	STAT2("pgscan", pgscan),
	STAT2("pgsteal", pgsteal),
	STAT2("pgactivate", pgactivate),
	STAT2("pgdeactivate", pgdeactivate),
	STAT2("pglazyfree", pglazyfree),
	STAT2("pglazyfreed", pglazyfreed),
	STAT2("thp_fault_alloc", thp_fault_alloc),
	STAT2("thp_collapse_alloc", thp_collapse_alloc),
};

/* A table of them, and where its numbers go. */
struct sheet {
	const struct number *numbers;
	size_t count;
	uint64_t max; /* what "max" is */
	char *base;
};

static void
number_add(const struct sheet *sheet, const struct number *number,
    uint64_t value)
{
	uint64_t sum;

	memcpy(&sum, sheet->base + number->offset, sizeof(sum));
	sum += value * number->unit;
	memcpy(sheet->base + number->offset, &sum, sizeof(sum));
}

static int
is_key(const struct number *number, const struct cgroup_line *line)
{
	return (number->key != NULL && strlen(number->key) == line->length &&
	    memcmp(number->key, line->key, line->length) == 0);
}

/* Adds what one file says to what the table has of it. */
static void
file_add(const struct sheet *sheet, enum msg_cgroup which,
    struct cgroup_file *file)
{
	const struct number *number, *end = sheet->numbers + sheet->count;
	struct cgroup_line line;
	uint64_t value;

	for (number = sheet->numbers; number < end; number++) {
		if (number->file != which || number->key != NULL)
			continue;
		if (cgroup_file_number(file, sheet->max, &value) == 0)
			number_add(sheet, number, value);
		return;
	}
	while (cgroup_file_line(file, &line)) {
		for (number = sheet->numbers; number < end; number++) {
			if (number->file == which && is_key(number, &line))
				number_add(sheet, number, line.number);
		}
	}
}

/* Whether the table has anything of a file. */
static int
is_measured(const struct sheet *sheet, enum msg_cgroup which)
{
	size_t i;

	for (i = 0; i < sheet->count; i++) {
		if (sheet->numbers[i].file == which)
			return (1);
	}
	return (0);
}

static void
measure(const struct sheet *sheet, metrics_read *read, void *arg)
{
	char buffer[FILE_SIZE];
	struct cgroup_file file;
	int which;

	for (which = 0; which < MSG_CGROUP_MAX; which++) {
		if (!is_measured(sheet, (enum msg_cgroup)which))
			continue;
		file.text = buffer;
		file.length =
		    read(arg, (enum msg_cgroup)which, buffer, sizeof(buffer));
		file_add(sheet, (enum msg_cgroup)which, &file);
	}
}

static size_t
v1_encode(metrics_read *read, void *arg, uint8_t *buffer)
{
	struct v1 v1;
	const struct sheet sheet = {
		.numbers = v1_numbers,
		.count = sizeof(v1_numbers) / sizeof(v1_numbers[0]),
		.max = V1_MAX,
		.base = (char *)&v1,
	};

	io__containerd__cgroups__v1__metrics__init(&v1.metrics);
	io__containerd__cgroups__v1__pids_stat__init(&v1.pids);
	io__containerd__cgroups__v1__cpustat__init(&v1.cpu);
	io__containerd__cgroups__v1__cpuusage__init(&v1.usage);
	io__containerd__cgroups__v1__throttle__init(&v1.throttle);
	io__containerd__cgroups__v1__memory_stat__init(&v1.stat);
	io__containerd__cgroups__v1__memory_entry__init(&v1.memory);
	io__containerd__cgroups__v1__memory_entry__init(&v1.swap);
	io__containerd__cgroups__v1__memory_entry__init(&v1.unknown);
	io__containerd__cgroups__v1__memory_oom_control__init(&v1.oom);
	v1.metrics.pids = &v1.pids;
	v1.metrics.cpu = &v1.cpu;
	v1.cpu.usage = &v1.usage;
	v1.cpu.throttling = &v1.throttle;
	v1.metrics.memory = &v1.stat;
	v1.stat.usage = &v1.memory;
	v1.stat.swap = &v1.swap;
	/* Clients of containerd's own library expect that it is there. */
	v1.stat.kernel = &v1.unknown;
	v1.stat.kernel_tcp = &v1.unknown;
	v1.metrics.memory_oom_control = &v1.oom;
	measure(&sheet, read, arg);
	return (
	    io__containerd__cgroups__v1__metrics__pack(&v1.metrics, buffer));
}

static size_t
v2_encode(metrics_read *read, void *arg, uint8_t *buffer)
{
	struct v2 v2;
	const struct sheet sheet = {
		.numbers = v2_numbers,
		.count = sizeof(v2_numbers) / sizeof(v2_numbers[0]),
		.max = UINT64_MAX,
		.base = (char *)&v2,
	};

	io__containerd__cgroups__v2__metrics__init(&v2.metrics);
	io__containerd__cgroups__v2__pids_stat__init(&v2.pids);
	io__containerd__cgroups__v2__cpustat__init(&v2.cpu);
	io__containerd__cgroups__v2__memory_stat__init(&v2.memory);
	io__containerd__cgroups__v2__memory_events__init(&v2.events);
	v2.metrics.pids = &v2.pids;
	v2.metrics.cpu = &v2.cpu;
	v2.metrics.memory = &v2.memory;
	v2.metrics.memory_events = &v2.events;
	measure(&sheet, read, arg);
	return (
	    io__containerd__cgroups__v2__metrics__pack(&v2.metrics, buffer));
}

size_t
metrics_encode(int v2, metrics_read *read, void *arg,
    uint8_t buffer[METRICS_SIZE])
{
	return ((v2 ? v2_encode : v1_encode)(read, arg, buffer));
}

const char *
metrics_type(int v2)
{
	return (v2 ? "io.containerd.cgroups.v2.Metrics" :
		     "io.containerd.cgroups.v1.Metrics");
}
