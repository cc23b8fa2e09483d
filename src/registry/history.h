/*
 * history.h - the sums of sharing over time: of a registry, and of each of its pools.
 *
 * A job looks now and then and writes what has changed, so that a registry in which nothing happens
 * costs a look and no row. What is read is a step function: a point holds until the next.
 */
#ifndef BERTH_REGISTRY_HISTORY_H
#define BERTH_REGISTRY_HISTORY_H

#include "registry/sharing.h"

/* Writes the sums that have changed, of every registry; removes what was kept long enough, in
 * bounded steps; the same for the sums of the mount log. */
MUST_CHECK bool history_tick(struct core *c, int64_t now_ms, struct err *err);

struct history_point {
	int64_t at_ms;
	int64_t repositories, images, layers, links, logical_bytes, stored_bytes;
};

struct history_query {
	struct pool_name pool;
	int64_t from_ms, until_ms;
	unsigned points_max; /* 2..1000 */
};

struct history {
	struct history_point *points; /* oldest first */
	size_t count;
};

/* The first point is the state at from_ms, if it is known; the last one is of now, if until_ms is
 * not past. */
MUST_CHECK bool history_read(struct core *c, const struct registry_id *reg,
	const struct history_query *q, int64_t now_ms, struct arena *arena, struct history *out,
	struct err *err);

#endif
