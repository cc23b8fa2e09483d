#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "app/metrics.h"
#include "base/file.h"

#define STAT_MAX (4 * KIB)

/* Fields of /proc/self/stat, proc(5). */
struct process {
	unsigned long long threads, start_ticks, virtual_bytes, resident_pages;
};

static bool read_stat(struct process *out)
{
	struct buf text CLEANUP(buf_fini);
	struct err e;
	buf_init(&text, STAT_MAX);
	if (!file_read("/proc/self/stat", &text, &e))
		return false;
	/* The second field is the program's name in parentheses, which may hold anything. */
	const char *behind = strrchr(buf_c(&text), ')');
	return behind != NULL &&
	       sscanf(behind,
		       ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
		       "%llu %*d %llu %llu %llu",
		       &out->threads, &out->start_ticks, &out->virtual_bytes,
		       &out->resident_pages) == 4;
}

static uint64_t count_fds(void)
{
	uint64_t n = 0;
	DIR *dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n < 3 ? 0 : n - 3; /* ".", ".." and the folder itself */
}

/* Wall clock of the process's start: the kernel tells ticks since boot. */
static double start_time(const struct process *p)
{
	struct timespec now, boot;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	double boot_time =
		(double)(now.tv_sec - boot.tv_sec) + (double)(now.tv_nsec - boot.tv_nsec) / 1e9;
	return boot_time + (double)p->start_ticks / (double)sysconf(_SC_CLK_TCK);
}

void metrics_render_process(struct buf *out)
{
	struct process p = { 0 };
	struct rusage used = { 0 };
	struct rlimit files = { 0 };
	if (read_stat(&p)) {
		metrics_single(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
			p.resident_pages * (uint64_t)sysconf(_SC_PAGESIZE));
		metrics_single(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
			p.virtual_bytes);
		metrics_single(out, "process_threads", "gauge", "Threads.", p.threads);
		metrics_family(out, "process_start_time_seconds", "gauge",
			"Start of the process, seconds since 1970.");
		buf_addf(out, "process_start_time_seconds %.2f\n", start_time(&p));
	}
	metrics_single(out, "process_open_fds", "gauge", "Open file descriptors.", count_fds());
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
