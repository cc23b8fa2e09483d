/*
 * metrics.h - counts requests by operation and status, with their durations and bytes, and renders
 * the Prometheus text format (version 0.0.4). Counting takes no lock and allocates nothing.
 *
 * Threads: safe.
 */
#ifndef BERTH_APP_METRICS_H
#define BERTH_APP_METRICS_H

#include "base/buf.h"

struct http_req;
struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m); /* accepts NULL */
/* Once a request, when it is over. */
void metrics_count(struct metrics *m, const struct http_req *req, int64_t duration_us);
/* What was counted, an entry an operation that had requests (front/status.h); rows holds
 * METRICS_OPS_MAX. */
#define METRICS_OPS_MAX 257
struct status_op;
size_t metrics_read_ops(const struct metrics *m, struct status_op *rows);
void metrics_render_requests(const struct metrics *m, struct buf *out);

/* The heading of a family: type "counter", "gauge" or "histogram". */
void metrics_family(struct buf *out, const char *name, const char *type, const char *help);
/* A family of one sample without labels. */
void metrics_single(
	struct buf *out, const char *name, const char *type, const char *help, uint64_t value);
/* What the kernel says about this process: memory, descriptors, start, processor time. */
void metrics_render_process(struct buf *out);
/* When it started, and its resident memory; zeroes where the kernel does not tell. */
void metrics_read_process(int64_t *started_at_ms, uint64_t *resident_bytes);

#endif
