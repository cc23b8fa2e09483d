#include "meta/image_table.h"

#include "base/buf.h"
#include "meta/table.h"
#include "meta/tag_event_table.h"

#define COLUMNS                                                                                                               \
	"i.id, i.repository_id, i.digest, i.kind, i.media_type, i.artifact_type, i.subject, i.manifest_bytes, i.size_bytes, " \
	"i.pushed_at_ms, i.tags, i.parents, i.form, "                                                                         \
	"(SELECT x.pool_id FROM repository x WHERE x.id = i.repository_id)"
#define COL_MANIFEST 14

static const char sql_add[] =
	"INSERT INTO image (repository_id, digest, kind, media_type, artifact_type, subject, manifest_bytes, size_bytes, "
	"pushed_at_ms, manifest, form) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
static const char sql_find[] =
	"SELECT " COLUMNS " FROM image i WHERE i.repository_id = $1 AND i.digest = $2";
static const char sql_pull_tag[] =
	"SELECT " COLUMNS
	" FROM repository r JOIN tag t ON t.repository_id = r.id AND t.name = $3 JOIN image i ON "
	"i.id = t.image_id WHERE r.registry_id = $1 AND r.name = $2 AND r.state = 1";
static const char sql_pull_tag_bytes[] =
	"SELECT " COLUMNS
	", i.manifest FROM repository r JOIN tag t ON t.repository_id = r.id AND t.name = $3 JOIN image i ON "
	"i.id = t.image_id WHERE r.registry_id = $1 AND r.name = $2 AND r.state = 1";
static const char sql_pull_digest[] =
	"SELECT " COLUMNS
	" FROM repository r JOIN image i ON i.repository_id = r.id AND i.digest = $3 "
	"WHERE r.registry_id = $1 AND r.name = $2 AND r.state = 1";
static const char sql_pull_digest_bytes[] =
	"SELECT " COLUMNS
	", i.manifest FROM repository r JOIN image i ON i.repository_id = r.id AND i.digest = $3 "
	"WHERE r.registry_id = $1 AND r.name = $2 AND r.state = 1";
static const char sql_get[] = "SELECT " COLUMNS " FROM image i WHERE i.id = $1";
static const char sql_get_bytes[] = "SELECT " COLUMNS ", i.manifest FROM image i WHERE i.id = $1";
static const char sql_next_bytes[] =
	"SELECT " COLUMNS ", i.manifest FROM image i WHERE i.id > $1 ORDER BY i.id LIMIT 1";
static const char sql_set_manifest[] =
	"UPDATE image SET manifest = $4, form = $3 WHERE id = $1 AND form = $2";
static const char sql_next_other[] =
	"SELECT " COLUMNS ", i.manifest FROM image i JOIN repository r ON r.id = i.repository_id "
	"WHERE r.pool_id = $1 AND i.form <> $2 AND i.id > $3 ORDER BY i.id LIMIT 1";
static const char sql_newest[] =
	"SELECT " COLUMNS " FROM image i WHERE i.repository_id = $1 ORDER BY i.id DESC LIMIT 1";
static const char sql_remove[] = "DELETE FROM image WHERE id = $1";
static const char sql_remove_needs[] = "DELETE FROM image_need WHERE image_id = $1";
static const char sql_remove_children[] = "DELETE FROM image_child WHERE parent_id = $1";
static const char sql_list[] =
	"SELECT " COLUMNS
	" FROM image i WHERE i.repository_id = $1 AND i.id > $2 ORDER BY i.id LIMIT $3";
static const char sql_list_untagged[] =
	"SELECT " COLUMNS
	" FROM image i WHERE i.repository_id = $1 AND i.id > $2 AND i.tags = 0 ORDER BY i.id LIMIT $3";
static const char sql_referrers[] =
	"SELECT " COLUMNS
	" FROM image i WHERE i.repository_id = $1 AND i.subject = $2 AND i.id > $3 ORDER BY i.id LIMIT $4";
static const char sql_add_parents[] = "UPDATE image SET parents = parents + $2 WHERE id = $1";
static const char sql_add_tags[] = "UPDATE image SET tags = tags + $2 WHERE id = $1";
static const char sql_zero_tags[] = "UPDATE image SET tags = 0 WHERE id = $1";

static const char sql_need_add[] = "INSERT INTO image_need (image_id, blob_id) VALUES ($1, $2)";
static const char sql_need_list[] =
	"SELECT blob_id FROM image_need WHERE image_id = $1 AND blob_id > $2 ORDER BY blob_id LIMIT $3";
static const char sql_child_add[] = "INSERT INTO image_child (parent_id, child_id) VALUES ($1, $2)";
static const char sql_child_list[] =
	"SELECT child_id FROM image_child WHERE parent_id = $1 AND child_id > $2 ORDER BY child_id LIMIT $3";
static const char sql_child_parent[] =
	"SELECT i.digest FROM image_child k JOIN image i ON i.id = k.parent_id WHERE k.child_id = $1 ORDER BY k.parent_id LIMIT 1";

static const char sql_tag_find[] =
	"SELECT image_id FROM tag WHERE repository_id = $1 AND name = $2";
static const char sql_tag_put[] =
	"INSERT INTO tag (repository_id, name, image_id, tagged_at_ms) VALUES ($1, $2, $3, $4) "
	"ON CONFLICT (repository_id, name) DO UPDATE SET image_id = excluded.image_id, tagged_at_ms = excluded.tagged_at_ms";
static const char sql_tag_remove[] = "DELETE FROM tag WHERE repository_id = $1 AND name = $2";
/* Through the primary key: the names come from the index on image_id. */
static const char sql_tag_remove_of_image[] = "DELETE FROM tag WHERE image_id = $1";
/* The first NOT EXISTS is asked once for all rows. */
static const char sql_tag_list[] =
	"SELECT name, image_id FROM tag WHERE repository_id = $1 AND name > $2 AND "
	"(NOT EXISTS (SELECT 1 FROM image_state WHERE status <> 1) OR "
	"NOT EXISTS (SELECT 1 FROM image_state s WHERE s.image_id = tag.image_id AND s.status <> 1)) ORDER BY name LIMIT $3";
static const char sql_tag_of_image[] =
	"SELECT name FROM tag WHERE image_id = $1 AND name > $2 ORDER BY name LIMIT $3";

static bool read_row(struct db_stmt *st, struct buf *manifest, struct arena *arena,
	struct image_row *out, struct err *err)
{
	struct image_row r = {
		.id = db_col_int(st, 0),
		.repository_id = db_col_int(st, 1),
		.kind = (int)db_col_int(st, 3),
		.media_type = table_text(st, 4, arena),
		.artifact_type = table_text(st, 5, arena),
		.has_subject = !db_col_is_null(st, 6),
		.manifest_bytes = (uint64_t)db_col_int(st, 7),
		.size_bytes = (uint64_t)db_col_int(st, 8),
		.pushed_at_ms = db_col_int(st, 9),
		.tags = db_col_int(st, 10),
		.parents = db_col_int(st, 11),
		.form = db_col_int(st, 12),
		.pool_id = db_col_int(st, 13),
	};
	if (!table_digest(st, 2, &r.digest, err) ||
		(r.has_subject && !table_digest(st, 6, &r.subject, err)))
		return false;
	if (!r.media_type.ptr || !r.artifact_type.ptr)
		return table_no_room(arena, err);
	if (manifest) {
		struct str bytes = db_col_str(st, COL_MANIFEST);
		size_t at = manifest->len;
		buf_add_str(manifest, bytes);
		if (!buf_ok(manifest))
			return err_sys(err, ERR_UNAVAILABLE, 0,
				"no memory for a manifest of %zu bytes", bytes.len);
		/* An empty one is damage, for whoever opens it to find, and may have no buf. */
		r.manifest = bytes.len ? (struct str){ manifest->ptr + at, bytes.len } : STR("");
	}
	*out = r;
	return true;
}

static bool read_one(struct db_stmt *st, struct buf *manifest, struct arena *arena,
	struct image_row *out, bool *found, struct err *err)
{
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row && !read_row(st, manifest, arena, out, err))
		return false;
	*found = row;
	return true;
}

static bool read_into(struct db_stmt *st, const struct image_into *into, struct err *err)
{
	return read_one(st, into->manifest, into->arena, into->row, into->found, err);
}

static bool read_many(struct db_stmt *st, const struct page *page, struct image_row *rows,
	size_t *count, struct err *err)
{
	size_t n = 0;
	bool row = false;
	while (n < page->max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		if (!read_row(st, NULL, page->arena, &rows[n], err))
			return false;
		n++;
	}
	*count = n;
	return true;
}

bool image_table_add(struct db_conn *c, const struct image_row *row, int64_t *id, struct err *err)
{
	uint8_t key[DIGEST_KEY_MAX];
	uint8_t subject_key[DIGEST_KEY_MAX];
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_int(st, 1, row->repository_id);
	table_bind_digest(st, 2, &row->digest, key);
	db_bind_int(st, 3, row->kind);
	db_bind_str(st, 4, row->media_type);
	db_bind_str(st, 5, row->artifact_type.ptr ? row->artifact_type : STR(""));
	if (row->has_subject)
		table_bind_digest(st, 6, &row->subject, subject_key);
	else
		db_bind_null(st, 6);
	db_bind_int(st, 7, (int64_t)row->manifest_bytes);
	db_bind_int(st, 8, (int64_t)row->size_bytes);
	db_bind_int(st, 9, row->pushed_at_ms);
	db_bind_blob(st, 10, row->manifest.ptr, row->manifest.len);
	db_bind_int(st, 11, row->form);
	if (!db_run(st, err))
		return false;
	*id = db_last_id(c);
	return true;
}

bool image_table_find(struct db_conn *c, int64_t repository_id, const struct digest *d,
	struct arena *arena, struct image_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_find);
	uint8_t key[DIGEST_KEY_MAX];
	db_bind_int(st, 1, repository_id);
	table_bind_digest(st, 2, d, key);
	return read_one(st, NULL, arena, out, found, err);
}

bool image_table_pull_tag(struct db_conn *c, int64_t registry_id, struct str repo, struct str tag,
	const struct image_into *into, struct err *err)
{
	STMT(st, c, into->manifest ? sql_pull_tag_bytes : sql_pull_tag);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, repo);
	db_bind_str(st, 3, tag);
	return read_into(st, into, err);
}

bool image_table_pull_digest(struct db_conn *c, int64_t registry_id, struct str repo,
	const struct digest *d, const struct image_into *into, struct err *err)
{
	STMT(st, c, into->manifest ? sql_pull_digest_bytes : sql_pull_digest);
	uint8_t key[DIGEST_KEY_MAX];
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, repo);
	table_bind_digest(st, 3, d, key);
	return read_into(st, into, err);
}

bool image_table_get(struct db_conn *c, int64_t id, struct buf *manifest, struct arena *arena,
	struct image_row *out, bool *found, struct err *err)
{
	STMT(st, c, manifest ? sql_get_bytes : sql_get);
	db_bind_int(st, 1, id);
	return read_one(st, manifest, arena, out, found, err);
}

bool image_table_newest(struct db_conn *c, int64_t repository_id, struct arena *arena,
	struct image_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_newest);
	db_bind_int(st, 1, repository_id);
	return read_one(st, NULL, arena, out, found, err);
}

bool image_table_next(struct db_conn *c, int64_t after, struct buf *manifest, struct arena *arena,
	struct image_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_next_bytes);
	db_bind_int(st, 1, after);
	return read_one(st, manifest, arena, out, found, err);
}

static bool run_id(struct db_conn *c, const char *sql, int64_t id, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, id);
	return db_run(st, err);
}

static bool run_two(struct db_conn *c, const char *sql, int64_t a, int64_t b, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, a);
	db_bind_int(st, 2, b);
	return db_run(st, err);
}

bool image_table_remove(struct db_conn *c, int64_t id, struct err *err)
{
	return run_id(c, sql_remove_needs, id, err) && run_id(c, sql_remove_children, id, err) &&
	       run_id(c, sql_remove, id, err);
}

bool image_table_list(struct db_conn *c, int64_t repository_id, bool untagged,
	const struct page *page, struct image_row *rows, size_t *count, struct err *err)
{
	STMT(st, c, untagged ? sql_list_untagged : sql_list);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, page->after_id);
	db_bind_int(st, 3, page->max);
	return read_many(st, page, rows, count, err);
}

bool image_table_referrers(struct db_conn *c, int64_t repository_id, const struct digest *d,
	const struct page *page, struct image_row *rows, size_t *count, struct err *err)
{
	STMT(st, c, sql_referrers);
	uint8_t key[DIGEST_KEY_MAX];
	db_bind_int(st, 1, repository_id);
	table_bind_digest(st, 2, d, key);
	db_bind_int(st, 3, page->after_id);
	db_bind_int(st, 4, page->max);
	return read_many(st, page, rows, count, err);
}

bool image_table_set_manifest(struct db_conn *c, int64_t id, int64_t was_form, int64_t form,
	struct str manifest, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_set_manifest);
	db_bind_int(st, 1, id);
	db_bind_int(st, 2, was_form);
	db_bind_int(st, 3, form);
	db_bind_blob(st, 4, manifest.ptr, manifest.len);
	return db_run(st, err);
}

bool image_table_next_other(struct db_conn *c, int64_t pool_id, int64_t form, int64_t after,
	const struct image_into *into, struct err *err)
{
	STMT(st, c, sql_next_other);
	db_bind_int(st, 1, pool_id);
	db_bind_int(st, 2, form);
	db_bind_int(st, 3, after);
	return read_into(st, into, err);
}

bool image_table_add_parents(struct db_conn *c, int64_t id, int64_t delta, struct err *err)
{
	return run_two(c, sql_add_parents, id, delta, err);
}

bool image_need_table_add(struct db_conn *c, int64_t image_id, int64_t blob_id, struct err *err)
{
	return run_two(c, sql_need_add, image_id, blob_id, err);
}

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

bool image_need_table_list(struct db_conn *c, int64_t image_id, int64_t after, int64_t *blob_ids,
	size_t max, size_t *count, struct err *err)
{
	STMT(st, c, sql_need_list);
	db_bind_int(st, 1, image_id);
	db_bind_int(st, 2, after);
	db_bind_int(st, 3, (int64_t)max);
	return read_ids(st, blob_ids, max, count, err);
}

bool image_child_table_add(struct db_conn *c, int64_t parent_id, int64_t child_id, struct err *err)
{
	return run_two(c, sql_child_add, parent_id, child_id, err) &&
	       image_table_add_parents(c, child_id, 1, err);
}

bool image_child_table_list(struct db_conn *c, int64_t parent_id, int64_t after, int64_t *child_ids,
	size_t max, size_t *count, struct err *err)
{
	STMT(st, c, sql_child_list);
	db_bind_int(st, 1, parent_id);
	db_bind_int(st, 2, after);
	db_bind_int(st, 3, (int64_t)max);
	return read_ids(st, child_ids, max, count, err);
}

bool image_child_table_parent(
	struct db_conn *c, int64_t child_id, struct digest *out, bool *found, struct err *err)
{
	STMT(st, c, sql_child_parent);
	db_bind_int(st, 1, child_id);
	bool row = false;
	if (!db_step(st, &row, err) || (row && !table_digest(st, 0, out, err)))
		return false;
	*found = row;
	return true;
}

bool tag_table_find(struct db_conn *c, int64_t repository_id, struct str name, int64_t *image_id,
	struct err *err)
{
	STMT(st, c, sql_tag_find);
	db_bind_int(st, 1, repository_id);
	db_bind_str(st, 2, name);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*image_id = row ? db_col_int(st, 0) : 0;
	return true;
}

bool tag_table_put(struct db_conn *c, int64_t repository_id, struct str name, int64_t image_id,
	int64_t old_image_id, const struct tag_stamp *stamp, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_tag_put);
	db_bind_int(st, 1, repository_id);
	db_bind_str(st, 2, name);
	db_bind_int(st, 3, image_id);
	db_bind_int(st, 4, stamp->at_ms);
	if (!db_run(st, err))
		return false;
	if (image_id == old_image_id)
		return true;
	struct tag_change change = { repository_id, name, TAG_SET, image_id, old_image_id, stamp };
	return run_two(c, sql_add_tags, image_id, 1, err) &&
	       (!old_image_id || run_two(c, sql_add_tags, old_image_id, -1, err)) &&
	       tag_event_table_add(c, &change, err);
}

bool tag_table_remove(struct db_conn *c, int64_t repository_id, struct str name, int64_t image_id,
	const struct tag_stamp *stamp, struct err *err)
{
	struct tag_change change = { repository_id, name, TAG_REMOVED, image_id, 0, stamp };
	struct db_stmt *st = db_prepare(c, sql_tag_remove);
	db_bind_int(st, 1, repository_id);
	db_bind_str(st, 2, name);
	return db_run(st, err) && run_two(c, sql_add_tags, image_id, -1, err) &&
	       tag_event_table_add(c, &change, err);
}

bool tag_table_remove_of_image(struct db_conn *c, int64_t repository_id, int64_t image_id,
	const struct tag_stamp *stamp, struct err *err)
{
	return tag_event_table_add_removed(c, repository_id, image_id, stamp, err) &&
	       run_id(c, sql_tag_remove_of_image, image_id, err) &&
	       run_id(c, sql_zero_tags, image_id, err);
}

bool tag_table_list(struct db_conn *c, int64_t repository_id, const struct page *page,
	struct tag_row *rows, size_t *count, struct err *err)
{
	STMT(st, c, sql_tag_list);
	db_bind_int(st, 1, repository_id);
	db_bind_str(st, 2, page->after.ptr ? page->after : STR(""));
	db_bind_int(st, 3, page->max);
	size_t n = 0;
	bool row = false;
	while (n < page->max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		rows[n] = (struct tag_row){ table_text(st, 0, page->arena), db_col_int(st, 1) };
		if (!rows[n].name.ptr)
			return table_no_room(page->arena, err);
		n++;
	}
	*count = n;
	return true;
}

bool tag_table_of_image(struct db_conn *c, int64_t image_id, const struct page *page,
	struct str *names, size_t *count, struct err *err)
{
	STMT(st, c, sql_tag_of_image);
	db_bind_int(st, 1, image_id);
	db_bind_str(st, 2, page->after.ptr ? page->after : STR(""));
	db_bind_int(st, 3, page->max);
	size_t n = 0;
	bool row = false;
	while (n < page->max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		names[n] = table_text(st, 0, page->arena);
		if (!names[n].ptr)
			return table_no_room(page->arena, err);
		n++;
	}
	*count = n;
	return true;
}
