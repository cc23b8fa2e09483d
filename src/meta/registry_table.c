#include "meta/registry_table.h"

#include <inttypes.h>

#include "meta/table.h"

static const char sql_registry_find[] =
	"SELECT id FROM registry WHERE account = $1 AND region = $2";
static const char sql_registry_add[] =
	"INSERT INTO registry (account, region, created_at_ms) VALUES ($1, $2, $3)";
static const char sql_registry_uploads[] =
	"UPDATE registry SET uploads = uploads + $2 WHERE id = $1 RETURNING uploads";
static const char sql_registry_repositories[] =
	"UPDATE registry SET repositories = repositories + $2 WHERE id = $1 RETURNING repositories";
static const char sql_setting_get[] =
	"SELECT value FROM setting WHERE registry_id = $1 AND name = $2";
static const char sql_setting_put[] =
	"INSERT INTO setting (registry_id, name, value) VALUES ($1, $2, $3) "
	"ON CONFLICT (registry_id, name) DO UPDATE SET value = excluded.value";
static const char sql_pool_find[] =
	"SELECT id FROM pool WHERE registry_id = $1 AND enc_type = $2 AND key_arn = $3";
static const char sql_pool_add[] =
	"INSERT INTO pool (registry_id, enc_type, key_arn) VALUES ($1, $2, $3)";
static const char sql_pool_sums[] =
	"UPDATE pool SET blobs = blobs + $2, links = links + $3, logical_bytes = logical_bytes + $4, "
	"stored_bytes = stored_bytes + $5, waiting_bytes = waiting_bytes + $6, images = images + $7 WHERE id = $1";
static const char sql_registry_next[] =
	"SELECT r.id, r.account, r.region, r.repositories, r.uploads, "
	"coalesce(sum(p.images), 0), coalesce(sum(p.blobs), 0), coalesce(sum(p.links), 0), coalesce(sum(p.logical_bytes), 0), "
	"coalesce(sum(p.stored_bytes), 0), coalesce(sum(p.waiting_bytes), 0) "
	"FROM registry r LEFT JOIN pool p ON p.registry_id = r.id WHERE r.id > $1 GROUP BY r.id ORDER BY r.id LIMIT 1";

/* Each query gives one line of text a deviation. */
static const char *const sql_recount[] = {
	"SELECT 'pool ' || p.id || ': blobs, stored or waiting bytes differ from its blobs' FROM pool p LEFT JOIN "
	"(SELECT pool_id, count(*) n, sum(size_bytes) s, sum(CASE WHEN links = 0 THEN size_bytes ELSE 0 END) w FROM blob GROUP BY "
	"pool_id) b ON b.pool_id = p.id WHERE p.blobs <> coalesce(b.n, 0) OR p.stored_bytes <> coalesce(b.s, 0) OR "
	"p.waiting_bytes <> coalesce(b.w, 0)",
	"SELECT 'pool ' || p.id || ': links or logical bytes differ from its links' FROM pool p LEFT JOIN "
	"(SELECT b.pool_id, count(*) n, sum(b.size_bytes) s FROM layer_link l JOIN blob b ON b.id = l.blob_id GROUP BY b.pool_id) x "
	"ON x.pool_id = p.id WHERE p.links <> coalesce(x.n, 0) OR p.logical_bytes <> coalesce(x.s, 0)",
	"SELECT 'pool ' || p.id || ': image count differs from its images' FROM pool p LEFT JOIN "
	"(SELECT r.pool_id, count(*) n FROM image i JOIN repository r ON r.id = i.repository_id GROUP BY r.pool_id) x "
	"ON x.pool_id = p.id WHERE p.images <> coalesce(x.n, 0)",
	"SELECT 'pool ' || p.id || ': repository count differs from its repositories' FROM pool p WHERE p.repositories <> "
	"(SELECT count(*) FROM repository r WHERE r.pool_id = p.id AND r.state = 1)",
	"SELECT 'blob ' || b.id || ': link count differs from its links' FROM blob b WHERE b.links <> "
	"(SELECT count(*) FROM layer_link l WHERE l.blob_id = b.id)",
	"SELECT 'blob ' || b.id || ': accounted to a repository that does not hold it' FROM blob b WHERE (b.payer IS NULL) <> "
	"(b.links = 0) OR (b.payer IS NOT NULL AND NOT EXISTS (SELECT 1 FROM layer_link l WHERE l.repository_id = b.payer AND "
	"l.blob_id = b.id))",
	"SELECT 'repository ' || r.name || ': logical bytes differ from its links' FROM repository r LEFT JOIN "
	"(SELECT l.repository_id rid, sum(b.size_bytes) s FROM layer_link l JOIN blob b ON b.id = l.blob_id GROUP BY l.repository_id) "
	"x ON x.rid = r.id WHERE r.logical_bytes <> coalesce(x.s, 0)",
	"SELECT 'repository ' || r.name || ': stored bytes differ from the blobs accounted to it' FROM repository r LEFT JOIN "
	"(SELECT payer, sum(size_bytes) s FROM blob WHERE payer IS NOT NULL GROUP BY payer) x ON x.payer = r.id "
	"WHERE r.stored_bytes <> coalesce(x.s, 0)",
	"SELECT 'repository ' || r.name || ': image count differs from its images' FROM repository r LEFT JOIN "
	"(SELECT repository_id rid, count(*) n FROM image GROUP BY repository_id) x ON x.rid = r.id WHERE r.images <> coalesce(x.n, 0)",
	"SELECT 'image ' || i.id || ': tag count differs from its tags' FROM image i WHERE i.tags <> "
	"(SELECT count(*) FROM tag t WHERE t.image_id = i.id)",
	"SELECT 'image ' || i.id || ': parent count differs from the indexes that name it' FROM image i WHERE i.parents <> "
	"(SELECT count(*) FROM image_child k WHERE k.child_id = i.id)",
	"SELECT 'link of blob ' || l.blob_id || ' in repository ' || l.repository_id || ': need count differs from its images' "
	"FROM layer_link l LEFT JOIN (SELECT i.repository_id rid, n.blob_id bid, count(*) k FROM image_need n JOIN image i ON "
	"i.id = n.image_id GROUP BY i.repository_id, n.blob_id) x ON x.rid = l.repository_id AND x.bid = l.blob_id "
	"WHERE l.needs <> coalesce(x.k, 0)",
	"SELECT 'image ' || i.id || ': layer of blob ' || n.blob_id || ' is not linked in its repository' FROM image_need n JOIN image "
	"i ON i.id = n.image_id LEFT JOIN layer_link l ON l.repository_id = i.repository_id AND l.blob_id = n.blob_id "
	"WHERE l.blob_id IS NULL",
	"SELECT DISTINCT 'repository ' || repository_id || ': archived images of a layer differ from those that are counted' FROM "
	"(SELECT repository_id, blob_id, images k FROM layer_archived UNION ALL SELECT i.repository_id, n.blob_id, -1 FROM "
	"image_state s JOIN image i ON i.id = s.image_id JOIN image_need n ON n.image_id = i.id WHERE s.status <> 1) "
	"GROUP BY repository_id, blob_id HAVING sum(k) <> 0",
	"SELECT 'policy of repository ' || p.repository_id || ': there is no such repository' FROM resource_policy p WHERE "
	"p.repository_id <> 0 AND NOT EXISTS (SELECT 1 FROM repository r WHERE r.id = p.repository_id AND r.state = 1)",
	"SELECT 'registry ' || r.account || '/' || r.region || ': repository or upload count is off' FROM registry r WHERE "
	"r.repositories <> (SELECT count(*) FROM repository x WHERE x.registry_id = r.id AND x.state = 1) OR r.uploads <> "
	"(SELECT count(*) FROM upload u JOIN repository x ON x.id = u.repository_id WHERE x.registry_id = r.id)",
};

bool registry_table_find(
	struct db_conn *c, struct str account, struct str region, int64_t *id, struct err *err)
{
	STMT(st, c, sql_registry_find);
	db_bind_str(st, 1, account);
	db_bind_str(st, 2, region);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*id = row ? db_col_int(st, 0) : 0;
	return true;
}

bool registry_table_ensure(struct db_conn *c, struct str account, struct str region, int64_t now_ms,
	int64_t *id, struct err *err)
{
	int64_t found = 0;
	if (!registry_table_find(c, account, region, &found, err))
		return false;
	if (!found) {
		struct db_stmt *st = db_prepare(c, sql_registry_add);
		db_bind_str(st, 1, account);
		db_bind_str(st, 2, region);
		db_bind_int(st, 3, now_ms);
		if (!db_run(st, err))
			return false;
		found = db_last_id(c);
	}
	*id = found;
	return true;
}

static bool count_add(struct db_conn *c, const char *sql, int64_t id, int64_t delta, int64_t *now,
	struct err *err)
{
	STMT(st, c, sql);
	db_bind_int(st, 1, id);
	db_bind_int(st, 2, delta);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*now = row ? db_col_int(st, 0) : 0;
	return true;
}

bool registry_table_uploads(
	struct db_conn *c, int64_t id, int64_t delta, int64_t *now, struct err *err)
{
	return count_add(c, sql_registry_uploads, id, delta, now, err);
}

bool registry_table_repositories(
	struct db_conn *c, int64_t id, int64_t delta, int64_t *now, struct err *err)
{
	return count_add(c, sql_registry_repositories, id, delta, now, err);
}

bool setting_table_get(struct db_conn *c, int64_t registry_id, struct str name, struct arena *arena,
	struct str *out, struct err *err)
{
	STMT(st, c, sql_setting_get);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, name);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = row ? table_text(st, 0, arena) : (struct str){ NULL, 0 };
	return true;
}

bool setting_table_put(
	struct db_conn *c, int64_t registry_id, struct str name, struct str value, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_setting_put);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, name);
	db_bind_str(st, 3, value);
	return db_run(st, err);
}

bool pool_table_ensure(struct db_conn *c, int64_t registry_id, int enc_type, struct str key_arn,
	int64_t *id, struct err *err)
{
	STMT(st, c, sql_pool_find);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, enc_type);
	db_bind_str(st, 3, key_arn);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row) {
		*id = db_col_int(st, 0);
		return true;
	}
	struct db_stmt *add = db_prepare(c, sql_pool_add);
	db_bind_int(add, 1, registry_id);
	db_bind_int(add, 2, enc_type);
	db_bind_str(add, 3, key_arn);
	if (!db_run(add, err))
		return false;
	*id = db_last_id(c);
	return true;
}

bool pool_table_add(struct db_conn *c, int64_t id, const struct pool_delta *d, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_pool_sums);
	db_bind_int(st, 1, id);
	db_bind_int(st, 2, d->blobs);
	db_bind_int(st, 3, d->links);
	db_bind_int(st, 4, d->logical_bytes);
	db_bind_int(st, 5, d->stored_bytes);
	db_bind_int(st, 6, d->waiting_bytes);
	db_bind_int(st, 7, d->images);
	return db_run(st, err);
}

bool registry_table_next(
	struct db_conn *c, int64_t after, struct registry_sums *out, bool *found, struct err *err)
{
	STMT(st, c, sql_registry_next);
	db_bind_int(st, 1, after);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*found = row;
	if (!row)
		return true;
	struct registry_sums s = { .id = db_col_int(st, 0) };
	if (!str_to_c(db_col_str(st, 1), s.account, sizeof(s.account)) ||
		!str_to_c(db_col_str(st, 2), s.region, sizeof(s.region)))
		return err_sys(err, ERR_CORRUPT, 0, "registry row %" PRId64 " is malformed", s.id);
	s.repositories = (uint64_t)db_col_int(st, 3);
	s.uploads = (uint64_t)db_col_int(st, 4);
	s.images = (uint64_t)db_col_int(st, 5);
	s.blobs = (uint64_t)db_col_int(st, 6);
	s.links = (uint64_t)db_col_int(st, 7);
	s.logical_bytes = (uint64_t)db_col_int(st, 8);
	s.stored_bytes = (uint64_t)db_col_int(st, 9);
	s.waiting_bytes = (uint64_t)db_col_int(st, 10);
	*out = s;
	return true;
}

bool registry_table_recount(struct db_conn *c, table_miscount_fn report, void *arg, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(sql_recount); i++) {
		STMT(st, c, sql_recount[i]);
		bool row = false;
		do {
			if (!db_step(st, &row, err))
				return false;
			if (row)
				report(arg, db_col_str(st, 0));
		} while (row);
	}
	return true;
}
