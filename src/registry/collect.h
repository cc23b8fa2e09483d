/*
 * collect.h - background work in small steps: unneeded layers, unreferenced blobs, removed bytes,
 * deleted repositories, expired uploads, old mount-log rows. Every step can be rerun; the cost
 * follows the garbage, never what is kept.
 */
#ifndef BERTH_REGISTRY_COLLECT_H
#define BERTH_REGISTRY_COLLECT_H

#include "registry/core.h"

struct collect_report {
	uint64_t links, blobs, bytes, uploads, images, repositories;
	bool more; /* work that is due was left over */
};

/* One bounded round (at most about steps transactions of at most 500 rows). now_ms: normally
 * clock_now_ms(), or base/due's. Adds to *report. */
MUST_CHECK bool collect_run(struct core *c, int64_t now_ms, unsigned steps,
	struct collect_report *report, struct err *err);
/* Writes the queued mount-log rows. Called each second by a job, and by core_close. */
MUST_CHECK bool collect_flush_log(struct core *c, struct err *err);

/* Candidates waiting and bytes waiting for removal, for metrics. */
struct collect_backlog {
	uint64_t candidates, trash;
};

MUST_CHECK bool collect_backlog(struct core *c, struct collect_backlog *out, struct err *err);

#endif
