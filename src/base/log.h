/*
 * log.h - JSON lines on a descriptor, written by one background thread so that no request waits for
 * the terminal. Layers below app/ and the front doors do not log. Threads: safe.
 */
#ifndef BERTH_BASE_LOG_H
#define BERTH_BASE_LOG_H

#include "base/err.h"
#include "base/json.h"

struct log;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Borrows fd. A line waits at most 100 ms; when 4 MiB are queued further lines are counted and
 * dropped (a line says how many). */
MUST_CHECK bool log_open(int fd, enum log_level level, struct log **out, struct err *err);
void log_close(struct log *log); /* writes what is queued; accepts NULL */
bool log_wants(const struct log *log, enum log_level level);
/* One line: {"time":..., "level":..., "event":event, "message":...}. log may be NULL: nothing
 * happens. */
void log_event(struct log *log, enum log_level level, const char *event, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* The same with err's kind, message, detail and origin. */
void log_err(struct log *log, enum log_level level, const char *event, const struct err *err);
/* A line composed by the caller (a JSON object without newline). */
void log_line(struct log *log, struct str json);

#endif
