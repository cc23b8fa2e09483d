#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/lines.h"
#include "base/mem.h"

#define QUEUE_MAX      (4 * MIB)
#define LINE_MAX_BYTES (64 * KIB)
#define MESSAGE_MAX    2048
#define POLL_MS        100

struct log {
	int fd;
	enum log_level level;
	struct lines *lines;
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
			(void)poll(&p, 1, POLL_MS);
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

static void write_lines(void *arg, struct str bytes, uint64_t dropped)
{
	const struct log *log = arg;
	write_all(log->fd, bytes);
	if (dropped != 0)
		write_dropped(log->fd, dropped);
}

bool log_open(int fd, enum log_level level, struct log **out, struct err *err)
{
	struct log *log = xmalloc(sizeof(*log));
	log->fd = fd;
	log->level = level;
	if (!lines_open("log", QUEUE_MAX, write_lines, log, &log->lines, err)) {
		free(log);
		return false;
	}
	*out = log;
	return true;
}

void log_close(struct log *log)
{
	if (log == NULL)
		return;
	lines_close(log->lines);
	free(log);
}

bool log_wants(const struct log *log, enum log_level level)
{
	return log != NULL && level >= log->level;
}

void log_line(struct log *log, struct str json)
{
	if (log != NULL)
		(void)lines_add(log->lines, json);
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
