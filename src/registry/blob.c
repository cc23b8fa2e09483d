#include "registry/blob.h"

#include "base/clock.h"
#include "meta/blob_table.h"
#include "meta/repo_table.h"
#include "registry/core_priv.h"
#include "registry/pool.h"
#include "registry/small_store.h"

_Static_assert(STORE_KEY_LEN == BLOB_STORE_KEY_LEN, "rows and store name objects alike");

struct blob_args {
	struct core *core;
	const struct registry_id *reg;
	struct str repo;
	const struct digest *digest;
	int64_t registry_id;
	struct repo_key repo_key;
	struct blob_row row;
	int64_t needs;
	struct buf *small; /* NULL: the bytes are not wanted */
	bool is_small;     /* they are a row's, and in `small` */
};

static bool find_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct blob_args *a = arg;
	bool found = false;
	char text[DIGEST_TEXT_MAX];
	if (!repo_table_key(conn, a->registry_id, a->repo, &a->repo_key, err))
		return false;
	if (!a->repo_key.id)
		return core_repo_unknown(a->reg, a->repo, err);
	if (!link_table_find_digest(conn, &a->repo_key, a->digest, &a->row, &a->needs, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_BLOB_UNKNOWN,
			"The layer with digest '%s' does not exist in the repository with name '" STR_FMT
			"' in the registry with id '%s'",
			digest_text(a->digest, text), STR_ARG(a->repo), a->reg->account);
	if (!a->small || a->row.size_bytes > SMALL_OBJECT_MAX)
		return true;
	buf_reset(a->small);
	return small_object_get(conn, a->row.store_key, a->small, &a->is_small, err);
}

static bool prepare(struct blob_args *a, struct err *err)
{
	if (!core_check_name(a->repo, err) ||
		!core_registry(a->core, a->reg, false, &a->registry_id, err))
		return false;
	return a->registry_id != 0 || core_repo_unknown(a->reg, a->repo, err);
}

static void to_info(const struct blob_args *a, struct blob_info *out)
{
	*out = (struct blob_info){ .digest = a->row.digest,
		.size_bytes = a->row.size_bytes,
		.is_referenced = a->needs > 0,
		.pool_id = a->row.pool_id,
		.form = a->row.form };
	memcpy(out->key.bytes, a->row.store_key, STORE_KEY_LEN);
}

static bool look_up(struct blob_args *a, struct blob_info *out, struct err *err)
{
	if (!prepare(a, err) || !db_read(a->core->db, find_in, a, err))
		return false;
	to_info(a, out);
	return true;
}

bool blob_stat(struct core *c, const struct registry_id *reg, struct str repo,
	const struct digest *d, struct blob_info *out, struct err *err)
{
	struct blob_args a = { .core = c, .reg = reg, .repo = repo, .digest = d };
	return look_up(&a, out, err);
}

static bool open_object(
	struct blob_args *a, const struct blob_info *i, struct blob_reader **out, struct err *err)
{
	if (!a->is_small)
		return blobstore_open(a->core->store, &i->key, out, err);
	*out = small_store_reader(a->core->store, a->small);
	return true;
}

bool blob_open(struct core *c, const struct registry_id *reg, struct str repo,
	const struct digest *d, struct blob_info *info, struct blob_reader **out, struct err *err)
{
	struct blob_info i;
	struct blob_info again;
	struct blob_reader *r CLEANUP(blob_reader_closep) = NULL;
	struct buf small CLEANUP(buf_fini);
	buf_init(&small, SMALL_OBJECT_MAX);
	struct blob_args a = { .core = c, .reg = reg, .repo = repo, .digest = d, .small = &small };
	if (!look_up(&a, &i, err))
		return false;
	char text[DIGEST_TEXT_MAX];
	while (!open_object(&a, &i, &r, err)) {
		/* Collected between the look-up and now (and perhaps pushed again, as another
		 * object), or lost: the row tells which. */
		if (err->kind != ERR_BLOB_UNKNOWN || !look_up(&a, &again, err))
			return false;
		if (memcmp(again.key.bytes, i.key.bytes, STORE_KEY_LEN) == 0)
			return err_sys(err, ERR_CORRUPT, 0, "the bytes of layer %s are missing",
				digest_text(d, text));
		i = again;
	}
	struct pool *pool;
	if (!pool_find(c, i.pool_id, &pool, err) ||
		!pool_open(pool, i.form, &i.key, i.size_bytes, &r, out, err))
		return err_wrap(err, "layer %s", digest_text(d, text));
	*info = i;
	return true;
}

static bool unlink_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct blob_args *a = arg;
	char text[DIGEST_TEXT_MAX];
	if (!find_in(conn, a, err))
		return false;
	if (a->needs > 0)
		return err_set(err, ERR_BLOB_IN_USE,
			"The layer with digest '%s' is needed by an image in the repository with name '" STR_FMT
			"'; delete the image first",
			digest_text(a->digest, text), STR_ARG(a->repo));
	return link_table_remove(
		conn, a->repo_key.id, &a->row, clock_now_ms() + a->core->o.collect_grace_ms, err);
}

bool blob_unlink(struct core *c, const struct registry_id *reg, struct str repo,
	const struct digest *d, struct err *err)
{
	struct blob_args a = { .core = c, .reg = reg, .repo = repo, .digest = d };
	return prepare(&a, err) && db_write(c->db, unlink_in, &a, err);
}
