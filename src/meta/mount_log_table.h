/* mount_log_table.h - rows of the mount log, newest first, and its sums by days. (Adding and
 * trimming rows of the log itself: upload_table.h.) */
#ifndef BERTH_META_MOUNT_LOG_TABLE_H
#define BERTH_META_MOUNT_LOG_TABLE_H

#include "base/arena.h"
#include "meta/upload_table.h"

#define MOUNT_DAY_MS ((int64_t)24 * 60 * 60 * 1000)

/* What is wanted; empty texts and 0 mean: any. */
struct mount_log_query {
	int64_t registry_id;
	struct str target, source;
	const struct str *outcomes;
	size_t outcome_count;
	int64_t from_ms, until_ms; /* until_ms: not included */
	unsigned look;             /* rows that are looked at, at most */
};

/* A page of them. */
struct mount_log_rows {
	struct mount_log_row *rows; /* max of them */
	size_t max, count;
	int64_t before; /* where it begins: INT64_MAX, or what the last page left here */
	bool more;      /* there may be others behind it */
};

/* Newest first. */
MUST_CHECK bool mount_log_table_list(struct db_conn *c, const struct mount_log_query *q,
	struct arena *arena, struct mount_log_rows *page, struct err *err);

/* Sums. text: an outcome, or the target's name. */
struct mount_sums {
	int64_t day;
	struct str text;
	int64_t mounts, bytes, avoidable_mounts, avoidable_bytes;
};

/* Adds to the day's sums of an outcome. */
MUST_CHECK bool mount_day_table_add(
	struct db_conn *c, int64_t registry_id, const struct mount_sums *add, struct err *err);
/* Adds the avoidable ones to the day's sums of a target. */
MUST_CHECK bool mount_day_table_add_target(
	struct db_conn *c, int64_t registry_id, const struct mount_sums *add, struct err *err);

struct mount_sums_rows {
	struct mount_sums *rows; /* max of them */
	size_t max, count;
};

struct mount_days {
	int64_t registry_id, first, last;
};

/* By outcome over all the days (day is 0). */
MUST_CHECK bool mount_day_table_outcomes(struct db_conn *c, const struct mount_days *days,
	struct arena *arena, struct mount_sums_rows *out, struct err *err);
/* By day and outcome, oldest first. */
MUST_CHECK bool mount_day_table_days(struct db_conn *c, const struct mount_days *days,
	struct arena *arena, struct mount_sums_rows *out, struct err *err);
/* The targets with most avoidable bytes, of the newest `look` rows; *looked: how many there were.
 */
MUST_CHECK bool mount_day_table_targets(struct db_conn *c, const struct mount_days *days,
	unsigned look, struct arena *arena, struct mount_sums_rows *out, uint64_t *looked,
	struct err *err);
/* Removes at most max rows of each table: of outcomes before one day, of targets before another.
 * *more: there are others. */
MUST_CHECK bool mount_day_table_expire(struct db_conn *c, int64_t outcomes_before,
	int64_t targets_before, unsigned max, bool *more, struct err *err);

#endif
