/*
 * lines.h - a bounded queue of lines that one background thread hands on in batches, so that
 * nobody who writes a line waits for a terminal or a disk. Under log.h and the audit log.
 */
#ifndef BERTH_BASE_LINES_H
#define BERTH_BASE_LINES_H

#include "base/buf.h"
#include "base/err.h"

struct lines;

/* Called by the queue's thread alone: whole lines, each with its newline, and how many were dropped
 * since the call before. May wait; what comes meanwhile is queued. */
typedef void (*lines_fn)(void *arg, struct str bytes, uint64_t dropped);

/* thread: its name. A line waits at most 100 ms for others; beyond max_bytes further ones are
 * dropped and counted. */
MUST_CHECK bool lines_open(const char *thread, size_t max_bytes, lines_fn fn, void *arg,
	struct lines **out, struct err *err);
/* Hands on what is queued first. Accepts NULL. */
void lines_close(struct lines *l);
/* Without newline. False: dropped. Threads: safe. */
bool lines_add(struct lines *l, struct str line);
/* For fn, between attempts: waits, and tells whether the queue is being closed. */
bool lines_wait(struct lines *l, int64_t ms);

#endif
