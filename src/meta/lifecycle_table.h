/* lifecycle_table.h - rows of lifecycle policies and of their previews. */
#ifndef BERTH_META_LIFECYCLE_TABLE_H
#define BERTH_META_LIFECYCLE_TABLE_H

#include "base/arena.h"
#include "meta/db.h"

struct lifecycle_row {
	int64_t repository_id, version, changes;
	int64_t evaluated_at_ms; /* 0: never */
	struct str policy;
};

/* A new policy, or another one: due at once. */
MUST_CHECK bool lifecycle_table_put(struct db_conn *c, int64_t repository_id, struct str policy,
	int64_t due_at_ms, struct err *err);
MUST_CHECK bool lifecycle_table_get(struct db_conn *c, int64_t repository_id, struct arena *arena,
	struct lifecycle_row *out, bool *found, struct err *err);
MUST_CHECK bool lifecycle_table_remove(struct db_conn *c, int64_t repository_id, struct err *err);
/* Something changed in the repository: to be evaluated by then at the latest. Nothing for one
 * without a policy. */
MUST_CHECK bool lifecycle_table_touch(
	struct db_conn *c, int64_t repository_id, int64_t due_at_ms, struct err *err);
/* *repository_id 0: none is due. */
MUST_CHECK bool lifecycle_table_due(
	struct db_conn *c, int64_t now_ms, int64_t *repository_id, struct err *err);
/* Sets aside: not due again before due_at_ms, unless something changes. */
MUST_CHECK bool lifecycle_table_defer(
	struct db_conn *c, int64_t repository_id, int64_t due_at_ms, struct err *err);
/* Evaluated as of row; due_at_ms INT64_MAX: not before something changes. When the repository was
 * touched since row was read, the earlier of the two times stays. */
MUST_CHECK bool lifecycle_table_done(struct db_conn *c, const struct lifecycle_row *row,
	int64_t now_ms, int64_t due_at_ms, struct err *err);
/* The smallest id above after that has a policy; 0 at the end. */
MUST_CHECK bool lifecycle_table_next(
	struct db_conn *c, int64_t after, int64_t *repository_id, struct err *err);

/* Previews. */
enum preview_state {
	PREVIEW_GONE = 0,
	PREVIEW_RUNNING = 1,
	PREVIEW_COMPLETE = 2,
	PREVIEW_EXPIRED = 3,
	PREVIEW_FAILED = 4
}; /* stored */

struct preview_row {
	int64_t id, repository_id;
	enum preview_state state;
	int64_t at_ms; /* started, or done */
	uint64_t expiring, moving;
	struct str policy;
};

struct preview_image {
	int64_t image_id;
	int32_t priority;
	int action; /* enum lifecycle_action */
};

/* Replaces the repository's earlier one. */
MUST_CHECK bool preview_table_add(struct db_conn *c, int64_t repository_id, struct str policy,
	int64_t now_ms, struct err *err);
MUST_CHECK bool preview_table_find(struct db_conn *c, int64_t repository_id, struct arena *arena,
	struct preview_row *out, bool *found, struct err *err);
/* The longest waiting one of a state, last changed before before_ms. */
MUST_CHECK bool preview_table_first(struct db_conn *c, enum preview_state state, int64_t before_ms,
	struct arena *arena, struct preview_row *out, bool *found, struct err *err);
MUST_CHECK bool preview_table_set(struct db_conn *c, int64_t id, enum preview_state state,
	int64_t now_ms, uint64_t expiring, uint64_t moving, struct err *err);
MUST_CHECK bool preview_table_remove(struct db_conn *c, int64_t id, struct err *err);
MUST_CHECK bool preview_image_table_add(
	struct db_conn *c, int64_t preview_id, const struct preview_image *image, struct err *err);
/* At most max of them; *more: some may be left. */
MUST_CHECK bool preview_image_table_clear(
	struct db_conn *c, int64_t preview_id, unsigned max, bool *more, struct err *err);
/* By image id, behind after. */
MUST_CHECK bool preview_image_table_list(struct db_conn *c, int64_t preview_id, int64_t after,
	unsigned max, struct preview_image *rows, size_t *count, struct err *err);

/* All of a deleted repository: policy at once, preview by lifecycle's own steps. */
MUST_CHECK bool lifecycle_table_forget(struct db_conn *c, int64_t repository_id, struct err *err);

#endif
