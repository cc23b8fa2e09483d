/* lifecycle_follow.c - referrers go, are archived and come back after their subject (user guide:
 * within 24 hours of it). */
#include "base/clock.h"
#include "meta/repo_table.h"
#include "registry/archive_priv.h"
#include "registry/lifecycle_priv.h"

#define BATCH 20 /* referrers a transaction */

struct follow_args {
	struct core *core;
	int64_t repository_id, now_ms;
	struct follow_row row;
	bool found;
	int64_t after, last; /* referrers up to here were looked at; in this transaction */
	bool is_done;
	struct lifecycle_report report; /* of one transaction */
};

static bool first_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct follow_args *a = arg;
	return a->repository_id
		       ? follow_table_of_repository(conn, a->repository_id, &a->row, &a->found, err)
		       : follow_table_due(conn, a->now_ms, &a->row, &a->found, err);
}

/* Whether the subject is still as it was when the row was made: it may have been pushed again. */
static bool check_subject(struct db_conn *conn, struct follow_args *a, bool *holds, struct err *err)
{
	struct arena *arena = arena_new(4 * KIB);
	struct image_row subject;
	struct state_row state = { .state = STATE_ACTIVE };
	bool found = false;
	bool ok = image_table_find(conn, a->row.repository_id, &a->row.subject, arena, &subject,
			  &found, err) &&
		  (!found || state_table_get(conn, subject.id, &state, err));
	arena_free(arena);
	switch (a->row.action) {
	case FOLLOW_EXPIRE:
		*holds = !found;
		break;
	case FOLLOW_ARCHIVE:
		*holds = found && state.state == STATE_ARCHIVED;
		break;
	case FOLLOW_RESTORE:
		*holds = found && state.state == STATE_ACTIVE;
		break;
	}
	return ok;
}

static bool follow(struct db_conn *conn, struct follow_args *a, int64_t pool_id,
	const struct image_row *row, struct err *err)
{
	struct state_row state;
	bool has_parent = false, was_away = false;
	if (!state_table_get(conn, row->id, &state, err))
		return false;
	switch (a->row.action) {
	case FOLLOW_EXPIRE:
		if (row->parents > 0)
			return true; /* an index names it: it stays with that */
		a->report.expired++;
		return lifecycle_expire(a->core, conn, pool_id, row, err);
	case FOLLOW_ARCHIVE:
		if (!state_table_has_active_parent(conn, row->id, &has_parent, err))
			return false;
		if (has_parent || state.state != STATE_ACTIVE)
			return true;
		a->report.archived++;
		return archive_put_away(a->core, conn, row, clock_now_ms(), err);
	case FOLLOW_RESTORE:
		if (state.state == STATE_ACTIVE)
			return true;
		a->report.restored++;
		return archive_bring_back(a->core, conn, row, clock_now_ms(), &was_away, err);
	}
	return true;
}

static bool follow_some(
	struct db_conn *conn, struct follow_args *a, int64_t pool_id, struct err *err)
{
	struct image_row rows[BATCH];
	size_t n = 0;
	struct arena *arena = arena_new(64 * KIB);
	struct page page = { .after_id = a->after, .max = BATCH, .arena = arena };
	bool ok = image_table_referrers(
		conn, a->row.repository_id, &a->row.subject, &page, rows, &n, err);
	for (size_t i = 0; ok && i < n; i++)
		ok = follow(conn, a, pool_id, &rows[i], err);
	a->is_done = n < BATCH;
	a->last = n ? rows[n - 1].id : a->after;
	arena_free(arena);
	return ok;
}

static bool follow_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct follow_args *a = arg;
	int64_t pool_id = 0;
	bool is_live = false, holds = false;
	a->report = (struct lifecycle_report){ 0 };
	a->is_done = true;
	if (!repo_table_is_live(conn, a->row.repository_id, &is_live, err) ||
		(is_live && (!repo_table_pool(conn, a->row.repository_id, &pool_id, err) ||
				    !check_subject(conn, a, &holds, err) ||
				    (holds && !follow_some(conn, a, pool_id, err)))))
		return false;
	return !a->is_done || follow_table_remove(conn, a->row.id, err);
}

bool lifecycle_follow(struct core *c, int64_t repository_id, int64_t now_ms,
	struct lifecycle_report *report, bool *found, struct err *err)
{
	struct follow_args a = { .core = c, .repository_id = repository_id, .now_ms = now_ms };
	if (!db_read(c->db, first_in, &a, err))
		return false;
	*found = a.found;
	while (a.found && !a.is_done) {
		if (!db_write(c->db, follow_in, &a, err))
			return false;
		a.after = a.last;
		report->expired += a.report.expired;
		report->archived += a.report.archived;
		report->restored += a.report.restored;
	}
	return true;
}
