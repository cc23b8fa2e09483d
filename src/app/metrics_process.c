#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "app/descriptors.h"
#include "app/metrics.h"
#include "base/file.h"

#define STAT_MAX (4 * KIB)

/* Fields of /proc/self/stat, by their numbers in proc(5). */
enum { STATE = 3, THREADS = 20, START_TICKS = 22, VIRTUAL_BYTES = 23, RESIDENT_PAGES = 24, FIELDS };

static bool read_stat(uint64_t fields[FIELDS])
{
	struct buf text CLEANUP(buf_fini);
	struct err e;
	buf_init(&text, STAT_MAX);
	if (!file_read("/proc/self/stat", &text, &e))
		return false;
	/* The second field is the program's name in parentheses, which may hold anything. */
	const char *behind = strrchr(buf_c(&text), ')');
	if (behind == NULL || behind[1] != ' ')
		return false;
	struct str rest = str_from(behind + 2);
	for (int i = STATE; i < FIELDS; i++) {
		struct str field;
		(void)str_cut(rest, ' ', &field, &rest);
		/* The state is a letter and some are negative; none of those is asked for. */
		if (!str_to_u64(field, UINT64_MAX, &fields[i]))
			fields[i] = 0;
	}
	return fields[RESIDENT_PAGES] != 0;
}

/* Wall clock of the process's start: the kernel tells ticks since boot. */
static double start_time(uint64_t start_ticks)
{
	struct timespec now;
	struct timespec boot;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	double boot_time =
		(double)(now.tv_sec - boot.tv_sec) + (double)(now.tv_nsec - boot.tv_nsec) / 1e9;
	return boot_time + (double)start_ticks / (double)sysconf(_SC_CLK_TCK);
}

void metrics_read_process(int64_t *started_at_ms, uint64_t *resident_bytes)
{
	uint64_t stat[FIELDS] = { 0 };
	*started_at_ms = 0;
	*resident_bytes = 0;
	if (!read_stat(stat))
		return;
	*started_at_ms = (int64_t)(start_time(stat[START_TICKS]) * 1000);
	*resident_bytes = stat[RESIDENT_PAGES] * (uint64_t)sysconf(_SC_PAGESIZE);
}

void metrics_render_process(struct buf *out)
{
	uint64_t stat[FIELDS] = { 0 };
	struct rusage used = { 0 };
	struct rlimit files = { 0 };
	if (read_stat(stat)) {
		metrics_single(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
			stat[RESIDENT_PAGES] * (uint64_t)sysconf(_SC_PAGESIZE));
		metrics_single(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
			stat[VIRTUAL_BYTES]);
		metrics_single(out, "process_threads", "gauge", "Threads.", stat[THREADS]);
		metrics_family(out, "process_start_time_seconds", "gauge",
			"Start of the process, seconds since 1970.");
		buf_addf(out, "process_start_time_seconds %.2f\n", start_time(stat[START_TICKS]));
	}
	metrics_single(
		out, "process_open_fds", "gauge", "Open file descriptors.", descriptors_open());
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		metrics_single(out, "process_max_fds", "gauge", "Limit of open file descriptors.",
			files.rlim_cur);
	if (getrusage(RUSAGE_SELF, &used) == 0) {
		metrics_family(out, "process_cpu_seconds_total", "counter",
			"Processor time, user and system.");
		buf_addf(out, "process_cpu_seconds_total %.2f\n",
			(double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
				(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
	}
}
