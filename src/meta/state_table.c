#include "meta/state_table.h"

#include "meta/table.h"

/* What an index leads to, itself included (indexes may name indexes). */
#define BELOW                                                                                                \
	"WITH RECURSIVE below (id) AS (VALUES ($1) UNION SELECT k.child_id FROM below b JOIN image_child k " \
	"ON k.parent_id = b.id) "

static const char sql_get[] =
	"SELECT status, pulled_at_ms, archived_at_ms, activated_at_ms FROM image_state WHERE image_id = $1";
static const char sql_archive[] =
	"INSERT INTO image_state (image_id, status, archived_at_ms) VALUES ($1, 2, $2) "
	"ON CONFLICT (image_id) DO UPDATE SET status = 2, archived_at_ms = excluded.archived_at_ms";
static const char sql_activate_later[] = BELOW
	"UPDATE image_state SET status = 3, due_at_ms = $2 WHERE status = 2 AND image_id IN (SELECT id FROM below)";
static const char sql_activate[] =
	"UPDATE image_state SET status = 1, activated_at_ms = $2, due_at_ms = 0 WHERE image_id = $1";
static const char sql_inactive_below[] = BELOW
	"SELECT s.image_id FROM below b JOIN image_state s ON s.image_id = b.id WHERE s.status <> 1 ORDER BY s.image_id LIMIT $2";
static const char sql_forget[] = "DELETE FROM image_state WHERE image_id = $1";
static const char sql_active_parent[] =
	"SELECT 1 FROM image_child k LEFT JOIN image_state s ON s.image_id = k.parent_id "
	"WHERE k.child_id = $1 AND coalesce(s.status, 1) <> 2 LIMIT 1";
static const char sql_has_image[] = "SELECT 1 FROM image WHERE repository_id = $1 AND digest = $2";
static const char sql_due[] =
	"SELECT s.image_id, i.repository_id, i.digest FROM image_state s JOIN image i ON i.id = s.image_id "
	"WHERE s.status = 3 AND s.due_at_ms <= $1 ORDER BY s.due_at_ms, s.image_id LIMIT $2";
static const char sql_pulled[] =
	"INSERT INTO image_state (image_id, pulled_at_ms) SELECT id, $2 FROM image WHERE id = $1 "
	"ON CONFLICT (image_id) DO UPDATE SET pulled_at_ms = max(pulled_at_ms, excluded.pulled_at_ms)";

static const char sql_layers_add[] =
	"INSERT INTO layer_archived (repository_id, blob_id, images) SELECT $1, blob_id, 1 FROM image_need WHERE image_id = $2 "
	"ON CONFLICT (repository_id, blob_id) DO UPDATE SET images = images + 1";
static const char sql_layers_take[] =
	"UPDATE layer_archived SET images = images - 1 WHERE repository_id = $1 AND blob_id IN "
	"(SELECT blob_id FROM image_need WHERE image_id = $2)";
static const char sql_layers_clean[] =
	"DELETE FROM layer_archived WHERE repository_id = $1 AND images <= 0 AND blob_id IN "
	"(SELECT blob_id FROM image_need WHERE image_id = $2)";
static const char sql_layer_is[] =
	"SELECT 1 FROM repository r JOIN blob b ON b.pool_id = r.pool_id AND b.digest = $2 JOIN layer_link l ON "
	"l.repository_id = r.id AND l.blob_id = b.id JOIN layer_archived a ON a.repository_id = r.id AND a.blob_id = b.id "
	"WHERE r.id = $1 AND a.images >= l.needs";
static const char sql_layers_forget[] = "DELETE FROM layer_archived WHERE repository_id = $1";

static const char sql_follow_add[] =
	"INSERT INTO referrer_follow (repository_id, subject, action, due_at_ms) SELECT $1, $2, $3, $4 WHERE EXISTS "
	"(SELECT 1 FROM image WHERE repository_id = $1 AND subject = $2) AND ($5 = 0 OR EXISTS "
	"(SELECT 1 FROM lifecycle_policy WHERE repository_id = $1)) "
	"ON CONFLICT (repository_id, subject) DO UPDATE SET action = excluded.action, due_at_ms = excluded.due_at_ms";
static const char sql_follow_due[] =
	"SELECT id, repository_id, subject, action FROM referrer_follow WHERE due_at_ms <= $1 ORDER BY due_at_ms, id LIMIT 1";
static const char sql_follow_repository[] =
	"SELECT id, repository_id, subject, action FROM referrer_follow WHERE repository_id = $1 LIMIT 1";
static const char sql_follow_remove[] = "DELETE FROM referrer_follow WHERE id = $1";
static const char sql_follow_forget[] = "DELETE FROM referrer_follow WHERE repository_id = $1";

static const char sql_exclusion_add[] =
	"INSERT INTO pull_exclusion (registry_id, principal, created_at_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
static const char sql_exclusion_remove[] =
	"DELETE FROM pull_exclusion WHERE registry_id = $1 AND principal = $2";
static const char sql_exclusion_count[] =
	"SELECT count(*) FROM pull_exclusion WHERE registry_id = $1";
static const char sql_exclusion_list[] =
	"SELECT principal, created_at_ms FROM pull_exclusion WHERE registry_id = $1 AND principal > $2 ORDER BY principal LIMIT $3";
static const char sql_exclusion_each[] =
	"SELECT registry_id, principal FROM pull_exclusion ORDER BY registry_id, principal";

static bool run_one(struct db_conn *c, const char *sql, int64_t a, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, a);
	return db_run(st, err);
}

static bool run_two(struct db_conn *c, const char *sql, int64_t a, int64_t b, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, a);
	db_bind_int(st, 2, b);
	return db_run(st, err);
}

bool state_table_get(struct db_conn *c, int64_t image_id, struct state_row *out, struct err *err)
{
	STMT(st, c, sql_get);
	db_bind_int(st, 1, image_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = (struct state_row){ .state = STATE_ACTIVE };
	if (row)
		*out = (struct state_row){ (enum image_state)db_col_int(st, 0), db_col_int(st, 1),
			db_col_int(st, 2), db_col_int(st, 3) };
	return true;
}

bool state_table_archive(
	struct db_conn *c, int64_t repository_id, int64_t image_id, int64_t now_ms, struct err *err)
{
	return run_two(c, sql_archive, image_id, now_ms, err) &&
	       run_two(c, sql_layers_add, repository_id, image_id, err);
}

bool state_table_activate_later(
	struct db_conn *c, int64_t image_id, int64_t due_at_ms, struct err *err)
{
	return run_two(c, sql_activate_later, image_id, due_at_ms, err);
}

static bool free_layers(struct db_conn *c, int64_t repository_id, int64_t image_id, struct err *err)
{
	return run_two(c, sql_layers_take, repository_id, image_id, err) &&
	       run_two(c, sql_layers_clean, repository_id, image_id, err);
}

bool state_table_activate(
	struct db_conn *c, int64_t repository_id, int64_t image_id, int64_t now_ms, struct err *err)
{
	return run_two(c, sql_activate, image_id, now_ms, err) &&
	       free_layers(c, repository_id, image_id, err);
}

bool state_table_forget(struct db_conn *c, int64_t repository_id, int64_t image_id, struct err *err)
{
	struct state_row row;
	if (!state_table_get(c, image_id, &row, err))
		return false;
	return (row.state == STATE_ACTIVE || free_layers(c, repository_id, image_id, err)) &&
	       run_one(c, sql_forget, image_id, err);
}

bool state_table_inactive_below(struct db_conn *c, int64_t image_id, int64_t *ids, size_t max,
	size_t *count, struct err *err)
{
	STMT(st, c, sql_inactive_below);
	db_bind_int(st, 1, image_id);
	db_bind_int(st, 2, (int64_t)max);
	size_t n = 0;
	bool row = true;
	while (n < max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		ids[n++] = db_col_int(st, 0);
	}
	*count = n;
	return true;
}

bool state_table_has_active_parent(struct db_conn *c, int64_t image_id, bool *out, struct err *err)
{
	STMT(st, c, sql_active_parent);
	db_bind_int(st, 1, image_id);
	return db_step(st, out, err);
}

bool state_table_has_image(struct db_conn *c, int64_t repository_id, const struct digest *d,
	bool *out, struct err *err)
{
	STMT(st, c, sql_has_image);
	uint8_t key[DIGEST_KEY_MAX];
	db_bind_int(st, 1, repository_id);
	table_bind_digest(st, 2, d, key);
	return db_step(st, out, err);
}

bool state_table_due(struct db_conn *c, int64_t now_ms, struct state_due *rows, size_t max,
	size_t *count, struct err *err)
{
	STMT(st, c, sql_due);
	db_bind_int(st, 1, now_ms);
	db_bind_int(st, 2, (int64_t)max);
	size_t n = 0;
	bool row = true;
	while (n < max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		rows[n].image_id = db_col_int(st, 0);
		rows[n].repository_id = db_col_int(st, 1);
		if (!table_digest(st, 2, &rows[n].digest, err))
			return false;
		n++;
	}
	*count = n;
	return true;
}

bool state_table_pulled(struct db_conn *c, int64_t image_id, int64_t at_ms, struct err *err)
{
	return run_two(c, sql_pulled, image_id, at_ms, err);
}

bool layer_archived_table_is(struct db_conn *c, int64_t repository_id, const struct digest *d,
	bool *out, struct err *err)
{
	STMT(st, c, sql_layer_is);
	uint8_t key[DIGEST_KEY_MAX];
	db_bind_int(st, 1, repository_id);
	table_bind_digest(st, 2, d, key);
	return db_step(st, out, err);
}

bool layer_archived_table_forget(struct db_conn *c, int64_t repository_id, struct err *err)
{
	return run_one(c, sql_layers_forget, repository_id, err);
}

bool follow_table_add(struct db_conn *c, int64_t repository_id, const struct digest *subject,
	enum follow_action action, bool only_policy, int64_t due_at_ms, struct err *err)
{
	uint8_t key[DIGEST_KEY_MAX];
	struct db_stmt *st = db_prepare(c, sql_follow_add);
	db_bind_int(st, 1, repository_id);
	table_bind_digest(st, 2, subject, key);
	db_bind_int(st, 3, action);
	db_bind_int(st, 4, due_at_ms);
	db_bind_int(st, 5, only_policy);
	return db_run(st, err);
}

static bool read_follow(struct db_stmt *st, struct follow_row *out, bool *found, struct err *err)
{
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	struct follow_row r = { 0 };
	if (row) {
		r.id = db_col_int(st, 0);
		r.repository_id = db_col_int(st, 1);
		r.action = (enum follow_action)db_col_int(st, 3);
		if (!table_digest(st, 2, &r.subject, err))
			return false;
		*out = r;
	}
	*found = row;
	return true;
}

bool follow_table_due(
	struct db_conn *c, int64_t now_ms, struct follow_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_follow_due);
	db_bind_int(st, 1, now_ms);
	return read_follow(st, out, found, err);
}

bool follow_table_of_repository(struct db_conn *c, int64_t repository_id, struct follow_row *out,
	bool *found, struct err *err)
{
	STMT(st, c, sql_follow_repository);
	db_bind_int(st, 1, repository_id);
	return read_follow(st, out, found, err);
}

bool follow_table_remove(struct db_conn *c, int64_t id, struct err *err)
{
	return run_one(c, sql_follow_remove, id, err);
}

bool follow_table_forget(struct db_conn *c, int64_t repository_id, struct err *err)
{
	return run_one(c, sql_follow_forget, repository_id, err);
}

bool exclusion_table_add(struct db_conn *c, int64_t registry_id, struct str principal,
	int64_t now_ms, bool *added, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_exclusion_add);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, principal);
	db_bind_int(st, 3, now_ms);
	if (!db_run(st, err))
		return false;
	*added = db_changes(c) > 0;
	return true;
}

bool exclusion_table_remove(struct db_conn *c, int64_t registry_id, struct str principal,
	bool *removed, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_exclusion_remove);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, principal);
	if (!db_run(st, err))
		return false;
	*removed = db_changes(c) > 0;
	return true;
}

bool exclusion_table_count(struct db_conn *c, int64_t registry_id, uint64_t *out, struct err *err)
{
	STMT(st, c, sql_exclusion_count);
	db_bind_int(st, 1, registry_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = (uint64_t)db_col_int(st, 0);
	return true;
}

bool exclusion_table_list(struct db_conn *c, const struct exclusion_row *after, unsigned max,
	struct arena *arena, struct exclusion_row *rows, size_t *count, struct err *err)
{
	STMT(st, c, sql_exclusion_list);
	db_bind_int(st, 1, after->registry_id);
	db_bind_str(st, 2, after->principal.ptr ? after->principal : STR(""));
	db_bind_int(st, 3, max);
	size_t n = 0;
	bool row = true;
	while (n < max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		rows[n] = (struct exclusion_row){ after->registry_id, table_text(st, 0, arena),
			db_col_int(st, 1) };
		if (!rows[n].principal.ptr)
			return table_no_room(arena, err);
		n++;
	}
	*count = n;
	return true;
}

bool exclusion_table_each(struct db_conn *c, exclusion_fn fn, void *arg, struct err *err)
{
	STMT(st, c, sql_exclusion_each);
	bool row = false;
	do {
		if (!db_step(st, &row, err))
			return false;
		if (row)
			fn(arg, db_col_int(st, 0), db_col_str(st, 1));
	} while (row);
	return true;
}
