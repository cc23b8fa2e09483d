#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/mem.h"
#include "base/thread.h"

#define QUEUE_MAX      (4 * MIB)
#define LINE_MAX_BYTES (64 * KIB)
#define MESSAGE_MAX    2048
#define BATCH_MS       INT64_C(100)
#define BATCH_BYTES    (64 * KIB)  /* written at once, without waiting for BATCH_MS */
#define KEEP_BYTES     (256 * KIB) /* a buffer that has grown beyond this is given back */

struct log {
	int fd;
	enum log_level level;
	struct mutex mutex; /* guards what follows */
	struct cond wake;
	struct buf queue;
	uint64_t dropped;
	bool is_closing;
	struct thread *thread;
};

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_DEBUG:
		return "debug";
	case LOG_INFO:
		return "info";
	case LOG_WARN:
		return "warn";
	case LOG_ERROR:
		return "error";
	}
	return "error";
}

/* Opens the object and writes the members that every line has. */
static void line_begin(
	struct json_out *o, struct buf *line, enum log_level level, const char *event)
{
	char now[ISO8601_MAX];
	iso8601(clock_now_ms(), now);
	jo_init(o, line);
	jo_object(o, NULL);
	jo_c(o, "time", now);
	jo_c(o, "level", level_name(level));
	jo_c(o, "event", event);
}

static void write_all(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EAGAIN) {
			/* Someone else's non-blocking terminal or pipe. */
			struct pollfd p = { .fd = fd, .events = POLLOUT };
			(void)poll(&p, 1, (int)BATCH_MS);
		} else if (n < 0 && errno != EINTR) {
			return; /* nowhere to report it to */
		} else if (n > 0) {
			bytes = str_sub(bytes, (size_t)n, SIZE_MAX);
		}
	}
}

static void write_dropped(int fd, uint64_t dropped)
{
	struct buf line CLEANUP(buf_fini);
	struct json_out o;
	buf_init(&line, LINE_MAX_BYTES);
	line_begin(&o, &line, LOG_WARN, "log_dropped");
	jo_int(&o, "lines", (int64_t)dropped);
	jo_end(&o, '}');
	buf_add_char(&line, '\n');
	write_all(fd, buf_str(&line));
}

/* Waits until there is something to write, and a little longer for more; then takes it. False:
 * closing and nothing left. */
static bool take_batch(struct log *log, struct buf *batch, uint64_t *dropped)
{
	LOCKED(&log->mutex);
	while (log->queue.len == 0 && !log->is_closing)
		cond_wait(&log->wake, &log->mutex);
	int64_t until_us = clock_mono_us() + BATCH_MS * 1000;
	while (log->queue.len < BATCH_BYTES && !log->is_closing) {
		int64_t left_ms = (until_us - clock_mono_us()) / 1000;
		if (left_ms <= 0 || !cond_wait_ms(&log->wake, &log->mutex, left_ms))
			break;
	}
	struct buf full = log->queue;
	log->queue = *batch;
	*batch = full;
	*dropped = log->dropped;
	log->dropped = 0;
	return full.len != 0 || !log->is_closing;
}

static void writer_main(void *arg)
{
	struct log *log = arg;
	struct buf batch CLEANUP(buf_fini);
	uint64_t dropped;
	buf_init(&batch, QUEUE_MAX);
	while (take_batch(log, &batch, &dropped)) {
		write_all(log->fd, buf_str(&batch));
		if (dropped != 0)
			write_dropped(log->fd, dropped);
		if (batch.cap > KEEP_BYTES)
			buf_fini(&batch);
		buf_reset(&batch);
	}
}

bool log_open(int fd, enum log_level level, struct log **out, struct err *err)
{
	struct log *log = xmalloc(sizeof(*log));
	log->fd = fd;
	log->level = level;
	mutex_init(&log->mutex, "log");
	cond_init(&log->wake);
	buf_init(&log->queue, QUEUE_MAX);
	if (!thread_start("log", writer_main, log, 0, &log->thread, err)) {
		log_close(log);
		return false;
	}
	*out = log;
	return true;
}

void log_close(struct log *log)
{
	if (log == NULL)
		return;
	mutex_lock(&log->mutex);
	log->is_closing = true;
	cond_signal(&log->wake);
	mutex_unlock(&log->mutex);
	thread_join(log->thread);
	buf_fini(&log->queue);
	cond_fini(&log->wake);
	mutex_fini(&log->mutex);
	free(log);
}

bool log_wants(const struct log *log, enum log_level level)
{
	return log != NULL && level >= log->level;
}

void log_line(struct log *log, struct str json)
{
	if (log == NULL)
		return;
	LOCKED(&log->mutex);
	struct buf *queue = &log->queue;
	size_t before = queue->len;
	/* Checked first, so that there is never half a line. */
	if (json.len >= queue->max - before) {
		log->dropped++;
		return;
	}
	buf_add_str(queue, json);
	buf_add_char(queue, '\n');
	if (!buf_ok(queue)) {
		queue->failed = false;
		queue->len = before;
		log->dropped++;
		return;
	}
	/* The writer sleeps in two ways; one wake-up for each is enough. */
	if (before == 0 || (before < BATCH_BYTES && queue->len >= BATCH_BYTES))
		cond_signal(&log->wake);
}

static void finish(struct log *log, struct json_out *o)
{
	jo_end(o, '}');
	if (buf_ok(o->buf))
		log_line(log, buf_str(o->buf));
}

void log_event(struct log *log, enum log_level level, const char *event, const char *fmt, ...)
{
	if (!log_wants(log, level))
		return;
	char message[MESSAGE_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	struct buf line CLEANUP(buf_fini);
	struct json_out o;
	buf_init(&line, LINE_MAX_BYTES);
	line_begin(&o, &line, level, event);
	jo_c(&o, "message", n < 0 ? "" : message);
	finish(log, &o);
}

void log_err(struct log *log, enum log_level level, const char *event, const struct err *err)
{
	if (!log_wants(log, level))
		return;
	struct buf line CLEANUP(buf_fini);
	struct json_out o;
	buf_init(&line, LINE_MAX_BYTES);
	line_begin(&o, &line, level, event);
	jo_c(&o, "kind", err_kind_name(err->kind));
	jo_c(&o, "message", err_text(err));
	if (err->detail[0] != '\0')
		jo_c(&o, "detail", err->detail);
	if (err->file != NULL) {
		jo_c(&o, "file", err->file);
		jo_int(&o, "line", err->line);
	}
	finish(log, &o);
}
