#include "app/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/audit_record.h"
#include "app/metrics.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/mem.h"
#include "http/http.h"

#define QUEUE_MAX (4 * MIB)
#define RETRY_MS  1000
#define POLL_MS   100

struct audit {
	struct lines *lines;
	struct log *log;
	const char *path; /* NULL: standard output */
	const char *account, *region;
	uint64_t max_bytes;
	unsigned keep;
	atomic_bool wants_reopen;
	/* of the thread alone, once it runs */
	int fd;
	uint64_t size_bytes;
	_Atomic bool is_failing;
	_Atomic uint64_t records, dropped;
};

/* --- the file --- */

static bool open_file(struct audit *a, struct err *err)
{
	struct stat st;
	int fd CLEANUP(fd_closep) =
		open(a->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(err, file_err_kind(errno), errno, "open %s", a->path);
	fd_closep(&a->fd);
	a->fd = take_fd(&fd);
	a->size_bytes = S_ISREG(st.st_mode) && st.st_size > 0 ? (uint64_t)st.st_size : 0;
	return true;
}

/* FILE.2 to FILE.3, FILE.1 to FILE.2, FILE to FILE.1; with keep 0 FILE goes. Failures show when the
 * file is opened, or leave it to grow, which loses nothing. */
static void shift_files(const struct audit *a)
{
	char from[PATH_MAX];
	char to[PATH_MAX];
	if (a->keep == 0)
		(void)unlink(a->path);
	for (unsigned i = a->keep; i > 0; i--) {
		int n = i == 1 ? snprintf(from, sizeof(from), "%s", a->path)
			       : snprintf(from, sizeof(from), "%s.%u", a->path, i - 1);
		int m = snprintf(to, sizeof(to), "%s.%u", a->path, i);
		if (n < 0 || m < 0 || (size_t)n >= sizeof(from) || (size_t)m >= sizeof(to))
			return;
		(void)rename(from, to);
	}
}

static bool prepare_file(struct audit *a, size_t len, struct err *err)
{
	bool wants_reopen = atomic_exchange(&a->wants_reopen, false);
	if (a->path == NULL)
		return true;
	if (a->fd >= 0 && a->size_bytes != 0 && a->size_bytes + len > a->max_bytes) {
		(void)fsync(a->fd);
		shift_files(a);
		wants_reopen = true;
	}
	if ((a->fd >= 0 && !wants_reopen) || open_file(a, err))
		return true;
	atomic_store(&a->wants_reopen, true); /* not into the file of before */
	return false;
}

/* *bytes: what is left of them. */
static bool write_some(struct audit *a, struct str *bytes, struct err *err)
{
	while (bytes->len > 0) {
		ssize_t n = write(a->fd, bytes->ptr, bytes->len);
		if (n > 0) {
			*bytes = str_sub(*bytes, (size_t)n, SIZE_MAX);
			a->size_bytes += (uint64_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			/* Someone else's non-blocking terminal or pipe. */
			struct pollfd p = { .fd = a->fd, .events = POLLOUT };
			(void)poll(&p, 1, POLL_MS);
		} else if (n < 0 && errno != EINTR) {
			return err_sys(err, file_err_kind(errno), errno, "write %s",
				a->path != NULL ? a->path : "standard output");
		}
	}
	return true;
}

static uint64_t count_lines(struct str bytes)
{
	uint64_t n = 0;
	for (size_t i = 0; i < bytes.len; i++)
		n += bytes.ptr[i] == '\n';
	return n;
}

static void lose(struct audit *a, uint64_t lines)
{
	atomic_fetch_add(&a->dropped, lines);
	log_event(a->log, LOG_ERROR, "audit", "%llu audit records were lost",
		(unsigned long long)lines);
}

static void write_lines(void *arg, struct str bytes, uint64_t dropped)
{
	struct audit *a = arg;
	struct err err;
	bool is_prepared = false;
	atomic_fetch_add(&a->records, count_lines(bytes));
	if (dropped != 0)
		lose(a, dropped);
	for (;;) {
		/* A record that was begun goes on in its file. */
		is_prepared = is_prepared || prepare_file(a, bytes.len, &err);
		if (is_prepared && write_some(a, &bytes, &err))
			break;
		if (!atomic_exchange(&a->is_failing, true))
			log_err(a->log, LOG_ERROR, "audit", &err);
		if (lines_wait(a->lines, RETRY_MS)) {
			lose(a, count_lines(bytes));
			return;
		}
	}
	if (atomic_exchange(&a->is_failing, false))
		log_event(a->log, LOG_WARN, "audit", "audit records are written again");
}

/* --- life --- */

bool audit_open(const struct config *c, const char *account, const char *region, struct log *log,
	struct audit **out, struct err *err)
{
	*out = NULL;
	if (strcmp(c->audit, "off") == 0)
		return true;
	bool is_stdout = strcmp(c->audit, "stdout") == 0;
	struct audit *a = xmalloc(sizeof(*a));
	a->log = log;
	a->path = is_stdout ? NULL : c->audit;
	a->account = account;
	a->region = region;
	a->max_bytes = c->audit_max_size;
	a->keep = c->audit_keep;
	a->fd = is_stdout ? STDOUT_FILENO : -1;
	if ((!is_stdout && !open_file(a, err)) ||
		!lines_open("audit", QUEUE_MAX, write_lines, a, &a->lines, err)) {
		err_ignore(err_set(err, ERR_CONFIG, "--audit %s: cannot be written: %s", c->audit,
			err->detail));
		audit_close(a);
		return false;
	}
	*out = a;
	return true;
}

void audit_close(struct audit *a)
{
	if (a == NULL)
		return;
	lines_close(a->lines);
	if (a->path != NULL) {
		if (a->fd >= 0)
			(void)fsync(a->fd);
		fd_closep(&a->fd);
	}
	free(a);
}

void audit_reopen(struct audit *a)
{
	if (a != NULL)
		atomic_store(&a->wants_reopen, true);
}

static void add_record(struct audit *a, const struct buf *record)
{
	if (buf_ok(record))
		(void)lines_add(a->lines, buf_str(record));
	else
		lose(a, 1);
}

void audit_request(struct audit *a, const struct http_req *req)
{
	struct buf record CLEANUP(buf_fini) = { 0 };
	if (a == NULL || req->audit == NULL)
		return;
	struct audit_context context = {
		.now_ms = clock_now_ms(),
		.user_agent = http_header(req, "User-Agent"),
		.account = str_from(a->account),
		.region = str_from(a->region),
	};
	buf_init(&record, AUDIT_RECORD_MAX);
	audit_record_request(&record, req, &context);
	add_record(a, &record);
}

void audit_lifecycle(void *arg, const struct lifecycle_told *told)
{
	struct audit *a = arg;
	struct buf record CLEANUP(buf_fini) = { 0 };
	/* Ten images with a hundred tags each are more than a request ever says. */
	buf_init(&record, 4 * AUDIT_RECORD_MAX);
	audit_record_lifecycle(&record, told, clock_now_ms());
	add_record(a, &record);
}

void audit_render_metrics(const struct audit *a, struct buf *out)
{
	if (a == NULL)
		return;
	metrics_single(out, "berth_audit_records_total", "counter",
		"Audit records taken up for writing.", atomic_load(&a->records));
	metrics_single(out, "berth_audit_dropped_total", "counter", "Audit records that were lost.",
		atomic_load(&a->dropped));
	metrics_single(out, "berth_audit_failing", "gauge",
		"1 while the audit file cannot be written.", atomic_load(&a->is_failing));
}
