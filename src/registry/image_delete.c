#include "base/buf.h"
#include "base/clock.h"
#include "meta/blob_table.h"
#include "meta/registry_table.h"
#include "meta/repo_table.h"
#include "registry/archive_priv.h"
#include "registry/event_priv.h"
#include "registry/image_priv.h"

#define BATCH    256
#define TOLD_MAX 1000

/* A layer that no image needs any more is kept for the grace time from now on. */
static bool idle_link(struct db_conn *conn, int64_t repository_id, int64_t blob_id, int64_t now_ms,
	int64_t review_at_ms, struct err *err)
{
	struct candidate k = { review_at_ms, blob_id, repository_id };
	return link_table_renew(conn, repository_id, blob_id, now_ms, err) &&
	       candidate_table_add(conn, &k, err);
}

static bool give_up_blobs(struct db_conn *conn, const struct image_row *row, int64_t now_ms,
	int64_t review_at_ms, struct err *err)
{
	int64_t ids[BATCH];
	int64_t after = 0;
	int64_t needs = 0;
	size_t n = 0;
	do {
		if (!image_need_table_list(conn, row->id, after, ids, BATCH, &n, err))
			return false;
		for (size_t i = 0; i < n; i++) {
			if (!link_table_add_needs(
				    conn, row->repository_id, ids[i], -1, &needs, err))
				return false;
			if (needs == 0 && !idle_link(conn, row->repository_id, ids[i], now_ms,
						  review_at_ms, err))
				return false;
			after = ids[i];
		}
	} while (n == BATCH);
	return true;
}

static bool give_up_children(struct db_conn *conn, const struct image_row *row, struct err *err)
{
	int64_t ids[BATCH];
	int64_t after = 0;
	size_t n = 0;
	do {
		if (!image_child_table_list(conn, row->id, after, ids, BATCH, &n, err))
			return false;
		for (size_t i = 0; i < n; i++) {
			if (!image_table_add_parents(conn, ids[i], -1, err))
				return false;
			after = ids[i];
		}
	} while (n == BATCH);
	return true;
}

bool image_drop(struct db_conn *conn, int64_t pool_id, const struct image_row *row,
	const struct tag_stamp *stamp, int64_t grace_ms, struct err *err)
{
	struct pool_delta d = { .images = -1 };
	int64_t now_ms = stamp->at_ms;
	return tag_table_remove_of_image(conn, row->repository_id, row->id, stamp, err) &&
	       state_table_forget(conn, row->repository_id, row->id, err) &&
	       give_up_blobs(conn, row, now_ms, now_ms + grace_ms, err) &&
	       give_up_children(conn, row, err) && image_table_remove(conn, row->id, err) &&
	       repo_table_add_sums(conn, row->repository_id, -1, 0, 0, err) &&
	       pool_table_add(conn, pool_id, &d, err);
}

struct delete_args {
	struct core *core;
	const struct registry_id *reg;
	const struct image_delete *in;
	struct arena *arena; /* of this run's rows */
	struct arena *out_arena;
	struct image_removed *removed;
	int64_t registry_id;
	struct repo_key key;
	bool image_gone;
};

static bool find_row(
	struct db_conn *conn, struct delete_args *a, struct image_row *row, struct err *err)
{
	const struct image_ref *ref = a->in->ref;
	int64_t tagged = 0;
	bool found = false;
	if (!repo_table_key(conn, a->registry_id, a->in->repo, &a->key, err))
		return false;
	if (!a->key.id)
		return core_repo_unknown(a->reg, a->in->repo, err);
	if (ref->tag.len && !tag_table_find(conn, a->key.id, ref->tag, &tagged, err))
		return false;
	if (ref->has_digest) {
		if (!image_table_find(conn, a->key.id, &ref->digest, a->arena, row, &found, err))
			return false;
		found = found && (!ref->tag.len || tagged == row->id);
	} else if (tagged && !image_table_get(conn, tagged, NULL, a->arena, row, &found, err)) {
		return false;
	}
	return found || image_unknown(a->reg, a->in->repo, ref, err);
}

static bool tell(struct delete_args *a, const struct image_row *row, const struct str *tags,
	size_t count, struct err *err)
{
	struct image_removed *r = a->removed;
	if (!r)
		return true;
	size_t n = count ? count : 1;
	r->pairs = arena_alloc(a->out_arena, sizeof(*r->pairs) * n);
	if (!r->pairs)
		return core_no_memory(a->out_arena, err);
	for (size_t i = 0; i < n; i++)
		r->pairs[i] = (struct image_pair){ row->digest, count ? tags[i] : STR("") };
	r->count = n;
	return true;
}

static bool refuse_child(struct db_conn *conn, const struct image_row *row, struct err *err)
{
	struct digest parent;
	char text[DIGEST_TEXT_MAX];
	bool found = false;
	if (!image_child_table_parent(conn, row->id, &parent, &found, err))
		return false;
	return err_set(err, ERR_IMAGE_IN_INDEX, "Requested image referenced by manifest list: [%s]",
		found ? digest_text(&parent, text) : "");
}

static bool delete_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct delete_args *a = arg;
	const struct image_ref *ref = a->in->ref;
	struct tag_stamp stamp = { clock_now_ms(), a->in->principal };
	struct image_row row = { 0 };
	a->image_gone = false;
	if (!find_row(conn, a, &row, err))
		return false;
	bool by_tag = ref->tag.len > 0;
	if (by_tag && !(a->in->also_last && row.tags == 1)) {
		struct str tag = arena_str(a->out_arena, ref->tag);
		return tell(a, &row, &tag, 1, err) &&
		       event_add(a->core, conn, &row, EVENT_DELETE, ref->tag, err) &&
		       tag_table_remove(conn, a->key.id, ref->tag, row.id, &stamp, err) &&
		       lifecycle_touch(a->core, conn, a->key.id, err);
	}
	if (row.parents > 0)
		return refuse_child(conn, &row, err);
	struct str *tags = NULL;
	size_t count = 0;
	if (a->removed) {
		tags = arena_alloc(a->out_arena, sizeof(*tags) * TOLD_MAX);
		if (!tags)
			return core_no_memory(a->out_arena, err);
		struct page page = { .max = TOLD_MAX, .arena = a->out_arena };
		if (!tag_table_of_image(conn, row.id, &page, tags, &count, err))
			return false;
	}
	a->image_gone = true;
	return tell(a, &row, tags, count, err) && event_image_gone(a->core, conn, &row, err) &&
	       lifecycle_image_gone(a->core, conn, &row, err) &&
	       image_drop(conn, a->key.pool_id, &row, &stamp, a->core->o.collect_grace_ms, err);
}

bool image_delete(struct core *c, const struct registry_id *reg, const struct image_delete *in,
	struct arena *arena, struct image_removed *removed, struct err *err)
{
	struct delete_args a = {
		.core = c,
		.reg = reg,
		.in = in,
		.out_arena = arena,
		.removed = removed,
	};
	if (!core_check_name(in->repo, err) || !core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (!a.registry_id)
		return core_repo_unknown(reg, in->repo, err);
	a.arena = arena_new(64 * KIB);
	bool ok = db_write(c->db, delete_in, &a, err);
	arena_free(a.arena);
	if (ok && a.image_gone)
		core_count(&c->images_deleted, 1);
	return ok;
}
