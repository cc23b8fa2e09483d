/*
 * status.h - how the server does, as app/ knows it and a front tells it: fronts may not look into
 * app/.
 */
#ifndef BERTH_FRONT_STATUS_H
#define BERTH_FRONT_STATUS_H

#include "base/arena.h"
#include "base/err.h"

/* Requests of one operation since the start. Times are bounds of buckets: so many were answered
 * within; 0: there were none, or it took longer than the last bucket. */
struct status_op {
	const char *name;
	uint64_t count, failed, rejected; /* answered 5xx, 4xx */
	int64_t p50_us, p90_us, p99_us;
};

struct server_status {
	int64_t started_at_ms;
	struct status_op *ops; /* most requests first */
	size_t op_count;
	uint64_t requests;
	uint64_t disk_bytes, disk_free_bytes, min_free_bytes; /* of the folder of the blobs */
	uint64_t stored_bytes, waiting_bytes;                 /* of all registries */
	uint64_t candidates, trash, collect_runs, collect_errors, collected_bytes;
	uint64_t uploads_active, uploads_open; /* written to now; begun and not ended */
	uint64_t connections, db_queue, memory_bytes;
};

struct front_status {
	bool (*read)(void *arg, struct arena *arena, struct server_status *out, struct err *err);
	void *arg;
};

#endif
