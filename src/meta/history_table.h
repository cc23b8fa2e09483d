/* history_table.h - the sums of sharing over time. */
#ifndef BERTH_META_HISTORY_TABLE_H
#define BERTH_META_HISTORY_TABLE_H

#include "meta/db.h"

/* Lengths of slots. Stored. */
enum history_step { HISTORY_5_MINUTES = 1, HISTORY_HOUR = 2, HISTORY_DAY = 3 };

#define HISTORY_STEPS 3

int64_t history_step_ms(enum history_step step);
/* How long slots are kept. */
int64_t history_keep_ms(enum history_step step);

struct history_row {
	int64_t at_ms;
	int64_t repositories, images, blobs, links, logical_bytes;
	int64_t stored_bytes; /* without those that wait for collection */
};

/* A pool's, or, pool_id 0, the registry's. */
struct history_series {
	int64_t registry_id, pool_id;
};

/* Puts the row into its slot of every step. */
MUST_CHECK bool history_table_put(struct db_conn *c, const struct history_series *s,
	const struct history_row *row, struct err *err);
/* The newest slot of the step that begins at or before the time. *found false: none. */
MUST_CHECK bool history_table_last(struct db_conn *c, const struct history_series *s,
	enum history_step step, int64_t before_ms, struct history_row *out, bool *found,
	struct err *err);

/* Slots of one step that begin behind after_ms and not behind until_ms. */
struct history_span {
	struct history_series series;
	enum history_step step;
	int64_t after_ms, until_ms;
};

struct history_rows {
	struct history_row *rows; /* max of them */
	size_t max, count;
};

/* Oldest first. */
MUST_CHECK bool history_table_list(struct db_conn *c, const struct history_span *span,
	struct history_rows *out, struct err *err);
/* Removes at most max slots that have been kept long enough; *more: there are others. */
MUST_CHECK bool history_table_expire(
	struct db_conn *c, int64_t now_ms, unsigned max, bool *more, struct err *err);

#endif
