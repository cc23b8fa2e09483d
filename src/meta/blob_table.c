#include "meta/blob_table.h"

#include "base/buf.h"
#include "meta/registry_table.h"
#include "meta/repo_table.h"
#include "meta/table.h"

#define COLUMNS \
	"b.id, b.pool_id, b.digest, b.size_bytes, b.store_key, b.links, b.payer, b.created_at_ms, b.form"

static const char sql_find[] =
	"SELECT " COLUMNS " FROM blob b WHERE b.pool_id = $1 AND b.digest = $2";
static const char sql_get[] = "SELECT " COLUMNS " FROM blob b WHERE b.id = $1";
static const char sql_next[] =
	"SELECT " COLUMNS " FROM blob b WHERE b.id > $1 ORDER BY b.id LIMIT 1";
static const char sql_add[] =
	"INSERT INTO blob (pool_id, digest, size_bytes, store_key, created_at_ms, form) "
	"VALUES ($1, $2, $3, $4, $5, $6)";
static const char sql_remove[] = "DELETE FROM blob WHERE id = $1";
static const char sql_move[] =
	"UPDATE blob SET store_key = $3, form = $4 WHERE id = $1 AND store_key = $2";
static const char sql_next_other[] =
	"SELECT " COLUMNS
	" FROM blob b WHERE b.pool_id = $1 AND b.id > $3 AND b.form <> $2 ORDER BY b.id LIMIT 1";
static const char sql_forms[] =
	"SELECT coalesce(sum(form = 0), 0), coalesce(sum(CASE WHEN form = 0 THEN size_bytes END), 0), "
	"coalesce(sum(form <> 0), 0), coalesce(sum(CASE WHEN form <> 0 THEN size_bytes END), 0) "
	"FROM blob WHERE pool_id = $1";
static const char sql_has_key[] = "SELECT 1 FROM blob WHERE store_key = $1";
static const char sql_totals[] =
	"SELECT coalesce(sum(blobs), 0), coalesce(sum(stored_bytes), 0), coalesce(sum(links), 0) FROM pool";
static const char sql_set_links[] = "UPDATE blob SET links = $2, payer = $3 WHERE id = $1";

static const char sql_small_add[] = "INSERT INTO small_object (blob_id, bytes) VALUES ($1, $2)";
static const char sql_small_get[] =
	"SELECT s.bytes FROM blob b JOIN small_object s ON s.blob_id = b.id WHERE b.store_key = $1";
static const char sql_small_count[] = "SELECT count(*) FROM small_object";
static const char sql_small_remove[] = "DELETE FROM small_object WHERE blob_id = $1";

static const char sql_link_find[] =
	"SELECT origin, linked_at_ms, needs FROM layer_link WHERE repository_id = $1 AND blob_id = $2";
static const char sql_link_find_digest[] =
	"SELECT " COLUMNS
	", l.needs FROM blob b JOIN layer_link l ON l.repository_id = $1 AND l.blob_id = b.id "
	"WHERE b.pool_id = $2 AND b.digest = $3";
static const char sql_link_add[] =
	"INSERT INTO layer_link (repository_id, blob_id, origin, source, linked_at_ms) "
	"VALUES ($1, $2, $3, $4, $5)";
static const char sql_link_remove[] =
	"DELETE FROM layer_link WHERE repository_id = $1 AND blob_id = $2";
static const char sql_link_renew[] =
	"UPDATE layer_link SET linked_at_ms = $3 WHERE repository_id = $1 AND blob_id = $2";
static const char sql_link_needs[] =
	"UPDATE layer_link SET needs = needs + $3 WHERE repository_id = $1 AND blob_id = $2 RETURNING needs";
static const char sql_link_holders[] =
	"SELECT repository_id FROM layer_link WHERE blob_id = $1 AND repository_id > $2 ORDER BY repository_id LIMIT $3";
static const char sql_link_of_repository[] =
	"SELECT blob_id FROM layer_link WHERE repository_id = $1 LIMIT $2";

static const char sql_candidate_add[] =
	"INSERT INTO candidate (review_at_ms, blob_id, repository_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
static const char sql_candidate_due[] =
	"SELECT review_at_ms, blob_id, repository_id FROM candidate WHERE review_at_ms <= $1 "
	"ORDER BY review_at_ms LIMIT $2";
static const char sql_candidate_remove[] =
	"DELETE FROM candidate WHERE review_at_ms = $1 AND blob_id = $2 AND repository_id = $3";
static const char sql_candidate_count[] =
	"SELECT count(*) FROM (SELECT 1 FROM candidate LIMIT 100000)";

static const char sql_trash_add[] =
	"INSERT INTO trash (store_key) VALUES ($1) ON CONFLICT DO NOTHING";
static const char sql_trash_list[] = "SELECT store_key FROM trash LIMIT $1";
static const char sql_trash_remove[] = "DELETE FROM trash WHERE store_key = $1";
static const char sql_trash_has[] = "SELECT 1 FROM trash WHERE store_key = $1";
static const char sql_trash_count[] = "SELECT count(*) FROM (SELECT 1 FROM trash LIMIT 100000)";

static bool copy_key(struct db_stmt *st, int col, uint8_t out[BLOB_STORE_KEY_LEN], struct err *err)
{
	struct str key = db_col_str(st, col);
	if (key.len != BLOB_STORE_KEY_LEN)
		return err_sys(err, ERR_CORRUPT, 0, "a store key has %zu bytes", key.len);
	memcpy(out, key.ptr, BLOB_STORE_KEY_LEN);
	return true;
}

static bool read_row(struct db_stmt *st, struct blob_row *out, struct err *err)
{
	struct blob_row r = {
		.id = db_col_int(st, 0),
		.pool_id = db_col_int(st, 1),
		.size_bytes = (uint64_t)db_col_int(st, 3),
		.links = db_col_int(st, 5),
		.payer = db_col_int(st, 6),
		.created_at_ms = db_col_int(st, 7),
		.form = db_col_int(st, 8),
	};
	if (!table_digest(st, 2, &r.digest, err) || !copy_key(st, 4, r.store_key, err))
		return false;
	*out = r;
	return true;
}

/* Steps once; reads the row if there is one. */
static bool read_one(struct db_stmt *st, struct blob_row *out, bool *found, struct err *err)
{
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row && !read_row(st, out, err))
		return false;
	*found = row;
	return true;
}

bool blob_table_find(struct db_conn *c, int64_t pool_id, const struct digest *d,
	struct blob_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_find);
	uint8_t key[DIGEST_KEY_MAX];
	db_bind_int(st, 1, pool_id);
	table_bind_digest(st, 2, d, key);
	return read_one(st, out, found, err);
}

bool blob_table_get(
	struct db_conn *c, int64_t id, struct blob_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_get);
	db_bind_int(st, 1, id);
	return read_one(st, out, found, err);
}

bool blob_table_next(
	struct db_conn *c, int64_t after, struct blob_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_next);
	db_bind_int(st, 1, after);
	return read_one(st, out, found, err);
}

bool blob_table_add(struct db_conn *c, const struct blob_row *row, int64_t *id, struct err *err)
{
	uint8_t key[DIGEST_KEY_MAX];
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_int(st, 1, row->pool_id);
	table_bind_digest(st, 2, &row->digest, key);
	db_bind_int(st, 3, (int64_t)row->size_bytes);
	db_bind_blob(st, 4, row->store_key, BLOB_STORE_KEY_LEN);
	db_bind_int(st, 5, row->created_at_ms);
	db_bind_int(st, 6, row->form);
	if (!db_run(st, err))
		return false;
	int64_t new_id = db_last_id(c);
	struct pool_delta d = { .blobs = 1,
		.stored_bytes = (int64_t)row->size_bytes,
		.waiting_bytes = (int64_t)row->size_bytes };
	if (!pool_table_add(c, row->pool_id, &d, err))
		return false;
	*id = new_id;
	return true;
}

bool small_object_add(struct db_conn *c, int64_t blob_id, struct str bytes, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_small_add);
	db_bind_int(st, 1, blob_id);
	db_bind_blob(st, 2, bytes.len ? bytes.ptr : "", bytes.len);
	return db_run(st, err);
}

bool small_object_get(struct db_conn *c, const uint8_t key[BLOB_STORE_KEY_LEN], struct buf *out,
	bool *found, struct err *err)
{
	STMT(st, c, sql_small_get);
	db_bind_blob(st, 1, key, BLOB_STORE_KEY_LEN);
	if (!db_step(st, found, err))
		return false;
	if (*found)
		buf_add_str(out, db_col_str(st, 0));
	return buf_ok(out) || err_sys(err, ERR_UNAVAILABLE, 0, "no memory for a small object");
}

/* What held the blob's bytes goes: its row now, or its object as the trash is emptied. */
static bool drop_object(struct db_conn *c, const struct blob_row *row, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_small_remove);
	db_bind_int(st, 1, row->id);
	return db_run(st, err) && (db_changes(c) > 0 || trash_table_add(c, row->store_key, err));
}

bool blob_table_remove(struct db_conn *c, const struct blob_row *row, struct err *err)
{
	if (!drop_object(c, row, err))
		return false;
	struct db_stmt *st = db_prepare(c, sql_remove);
	db_bind_int(st, 1, row->id);
	struct pool_delta d = { .blobs = -1,
		.stored_bytes = -(int64_t)row->size_bytes,
		.waiting_bytes = -(int64_t)row->size_bytes };
	return db_run(st, err) && pool_table_add(c, row->pool_id, &d, err);
}

bool blob_table_move(struct db_conn *c, const struct blob_row *row,
	const uint8_t new_key[BLOB_STORE_KEY_LEN], int64_t new_form, bool *done, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_move);
	db_bind_int(st, 1, row->id);
	db_bind_blob(st, 2, row->store_key, BLOB_STORE_KEY_LEN);
	db_bind_blob(st, 3, new_key, BLOB_STORE_KEY_LEN);
	db_bind_int(st, 4, new_form);
	if (!db_run(st, err))
		return false;
	*done = db_changes(c) > 0;
	return !*done || drop_object(c, row, err);
}

bool blob_table_next_other(struct db_conn *c, int64_t pool_id, int64_t form, int64_t after,
	struct blob_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_next_other);
	db_bind_int(st, 1, pool_id);
	db_bind_int(st, 2, form);
	db_bind_int(st, 3, after);
	return read_one(st, out, found, err);
}

bool blob_table_forms(struct db_conn *c, int64_t pool_id, struct form_sums *out, struct err *err)
{
	STMT(st, c, sql_forms);
	db_bind_int(st, 1, pool_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = (struct form_sums){
		.plain_blobs = (uint64_t)db_col_int(st, 0),
		.plain_bytes = (uint64_t)db_col_int(st, 1),
		.sealed_blobs = (uint64_t)db_col_int(st, 2),
		.sealed_bytes = (uint64_t)db_col_int(st, 3),
	};
	return true;
}

static bool has_key(struct db_conn *c, const char *sql, const uint8_t key[BLOB_STORE_KEY_LEN],
	bool *out, struct err *err)
{
	STMT(st, c, sql);
	db_bind_blob(st, 1, key, BLOB_STORE_KEY_LEN);
	return db_step(st, out, err);
}

bool blob_table_has_key(
	struct db_conn *c, const uint8_t key[BLOB_STORE_KEY_LEN], bool *out, struct err *err)
{
	return has_key(c, sql_has_key, key, out, err);
}

bool blob_table_totals(
	struct db_conn *c, uint64_t *blobs, uint64_t *bytes, uint64_t *links, struct err *err)
{
	STMT(st, c, sql_totals);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*blobs = (uint64_t)db_col_int(st, 0);
	*bytes = (uint64_t)db_col_int(st, 1);
	*links = (uint64_t)db_col_int(st, 2);
	return true;
}

bool link_table_find(struct db_conn *c, int64_t repository_id, int64_t blob_id,
	struct link_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_link_find);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, blob_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row)
		*out = (struct link_row){
			.repository_id = repository_id,
			.blob_id = blob_id,
			.origin = (enum link_origin)db_col_int(st, 0),
			.linked_at_ms = db_col_int(st, 1),
			.needs = db_col_int(st, 2),
		};
	*found = row;
	return true;
}

bool link_table_find_digest(struct db_conn *c, const struct repo_key *repo, const struct digest *d,
	struct blob_row *blob, int64_t *needs, bool *found, struct err *err)
{
	STMT(st, c, sql_link_find_digest);
	uint8_t key[DIGEST_KEY_MAX];
	db_bind_int(st, 1, repo->id);
	db_bind_int(st, 2, repo->pool_id);
	table_bind_digest(st, 3, d, key);
	if (!read_one(st, blob, found, err))
		return false;
	if (*found)
		*needs = db_col_int(st, 9);
	return true;
}

static bool set_links(
	struct db_conn *c, int64_t blob_id, int64_t links, int64_t payer, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_set_links);
	db_bind_int(st, 1, blob_id);
	db_bind_int(st, 2, links);
	if (payer)
		db_bind_int(st, 3, payer);
	else
		db_bind_null(st, 3);
	return db_run(st, err);
}

bool link_table_add(
	struct db_conn *c, const struct link_row *row, const struct blob_row *blob, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_link_add);
	db_bind_int(st, 1, row->repository_id);
	db_bind_int(st, 2, row->blob_id);
	db_bind_int(st, 3, row->origin);
	db_bind_str(st, 4, row->source);
	db_bind_int(st, 5, row->linked_at_ms);
	int64_t size = (int64_t)blob->size_bytes;
	bool pays = blob->payer == 0;
	struct pool_delta d = {
		.links = 1, .logical_bytes = size, .waiting_bytes = blob->links == 0 ? -size : 0
	};
	return db_run(st, err) &&
	       set_links(c, blob->id, blob->links + 1, pays ? row->repository_id : blob->payer,
		       err) &&
	       repo_table_add_sums(c, row->repository_id, 0, size, pays ? size : 0, err) &&
	       pool_table_add(c, blob->pool_id, &d, err);
}

bool link_table_remove(struct db_conn *c, int64_t repository_id, const struct blob_row *blob,
	int64_t review_at_ms, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_link_remove);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, blob->id);
	if (!db_run(st, err))
		return false;
	int64_t size = (int64_t)blob->size_bytes;
	int64_t payer = blob->payer;
	bool paid = payer == repository_id, last = blob->links == 1;
	if (paid) {
		size_t n = 0;
		payer = 0;
		if (!link_table_holders(c, blob->id, 0, &payer, 1, &n, err))
			return false;
		if (n && !repo_table_add_sums(c, payer, 0, 0, size, err))
			return false;
	}
	struct pool_delta d = {
		.links = -1, .logical_bytes = -size, .waiting_bytes = last ? size : 0
	};
	struct candidate k = { review_at_ms, blob->id, 0 };
	return set_links(c, blob->id, blob->links - 1, payer, err) &&
	       repo_table_add_sums(c, repository_id, 0, -size, paid ? -size : 0, err) &&
	       pool_table_add(c, blob->pool_id, &d, err) &&
	       (!last || candidate_table_add(c, &k, err));
}

bool link_table_renew(
	struct db_conn *c, int64_t repository_id, int64_t blob_id, int64_t now_ms, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_link_renew);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, blob_id);
	db_bind_int(st, 3, now_ms);
	return db_run(st, err);
}

bool link_table_add_needs(struct db_conn *c, int64_t repository_id, int64_t blob_id, int64_t delta,
	int64_t *now, struct err *err)
{
	STMT(st, c, sql_link_needs);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, blob_id);
	db_bind_int(st, 3, delta);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (!row)
		return err_sys(err, ERR_CORRUPT, 0, "a needed layer is not linked");
	*now = db_col_int(st, 0);
	return true;
}

/* Collects a column of ids. */
static bool read_ids(struct db_stmt *st, int64_t *ids, size_t max, size_t *count, struct err *err)
{
	size_t n = 0;
	bool row = false;
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

bool link_table_holders(struct db_conn *c, int64_t blob_id, int64_t after, int64_t *ids, size_t max,
	size_t *count, struct err *err)
{
	STMT(st, c, sql_link_holders);
	db_bind_int(st, 1, blob_id);
	db_bind_int(st, 2, after);
	db_bind_int(st, 3, (int64_t)max);
	return read_ids(st, ids, max, count, err);
}

bool link_table_of_repository(struct db_conn *c, int64_t repository_id, int64_t *blob_ids,
	size_t max, size_t *count, struct err *err)
{
	STMT(st, c, sql_link_of_repository);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, (int64_t)max);
	return read_ids(st, blob_ids, max, count, err);
}

static void bind_candidate(struct db_stmt *st, const struct candidate *k)
{
	db_bind_int(st, 1, k->review_at_ms);
	db_bind_int(st, 2, k->blob_id);
	db_bind_int(st, 3, k->repository_id);
}

bool candidate_table_add(struct db_conn *c, const struct candidate *k, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_candidate_add);
	bind_candidate(st, k);
	return db_run(st, err);
}

bool candidate_table_due(struct db_conn *c, int64_t now_ms, struct candidate *out, size_t max,
	size_t *count, struct err *err)
{
	STMT(st, c, sql_candidate_due);
	db_bind_int(st, 1, now_ms);
	db_bind_int(st, 2, (int64_t)max);
	size_t n = 0;
	bool row = false;
	while (n < max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		out[n++] = (struct candidate){ db_col_int(st, 0), db_col_int(st, 1),
			db_col_int(st, 2) };
	}
	*count = n;
	return true;
}

bool candidate_table_remove(struct db_conn *c, const struct candidate *k, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_candidate_remove);
	bind_candidate(st, k);
	return db_run(st, err);
}

static bool read_count(struct db_conn *c, const char *sql, uint64_t *out, struct err *err)
{
	STMT(st, c, sql);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = (uint64_t)db_col_int(st, 0);
	return true;
}

bool candidate_table_count(struct db_conn *c, uint64_t *out, struct err *err)
{
	return read_count(c, sql_candidate_count, out, err);
}

static bool run_key(
	struct db_conn *c, const char *sql, const uint8_t key[BLOB_STORE_KEY_LEN], struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_blob(st, 1, key, BLOB_STORE_KEY_LEN);
	return db_run(st, err);
}

bool trash_table_add(struct db_conn *c, const uint8_t key[BLOB_STORE_KEY_LEN], struct err *err)
{
	return run_key(c, sql_trash_add, key, err);
}

bool trash_table_list(struct db_conn *c, uint8_t (*keys)[BLOB_STORE_KEY_LEN], size_t max,
	size_t *count, struct err *err)
{
	STMT(st, c, sql_trash_list);
	db_bind_int(st, 1, (int64_t)max);
	size_t n = 0;
	bool row = false;
	while (n < max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		if (!copy_key(st, 0, keys[n], err))
			return false;
		n++;
	}
	*count = n;
	return true;
}

bool trash_table_remove(struct db_conn *c, const uint8_t key[BLOB_STORE_KEY_LEN], struct err *err)
{
	return run_key(c, sql_trash_remove, key, err);
}

bool trash_table_has(
	struct db_conn *c, const uint8_t key[BLOB_STORE_KEY_LEN], bool *out, struct err *err)
{
	return has_key(c, sql_trash_has, key, out, err);
}

bool trash_table_count(struct db_conn *c, uint64_t *out, struct err *err)
{
	return read_count(c, sql_trash_count, out, err);
}

bool small_object_count(struct db_conn *c, uint64_t *out, struct err *err)
{
	return read_count(c, sql_small_count, out, err);
}
