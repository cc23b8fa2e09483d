#include "registry/archive.h"

#include "base/clock.h"
#include "meta/lifecycle_table.h"
#include "meta/repo_table.h"
#include "registry/archive_priv.h"
#include "registry/event_priv.h"

#define BATCH   200
#define AT_ONCE 0 /* due, whatever the time */

_Static_assert((int)IMAGE_ACTIVE == (int)STATE_ACTIVE &&
		       (int)IMAGE_ARCHIVED == (int)STATE_ARCHIVED &&
		       (int)IMAGE_ACTIVATING == (int)STATE_ACTIVATING,
	"rows and rules name states alike");

bool archive_read_state(struct db_conn *conn, struct image *image, struct err *err)
{
	struct state_row row;
	if (!state_table_get(conn, image->id, &row, err))
		return false;
	image->status = (enum image_status)row.state;
	image->pulled_at_ms = row.pulled_at_ms;
	image->archived_at_ms = row.archived_at_ms;
	image->activated_at_ms = row.activated_at_ms;
	return true;
}

bool archive_need_active(struct db_conn *conn, int64_t image_id, struct err *err)
{
	struct state_row row;
	if (!state_table_get(conn, image_id, &row, err))
		return false;
	return row.state == STATE_ACTIVE ||
	       err_set(err, ERR_IMAGE_ARCHIVED,
		       "The image is in the archive; restore it, or push it again");
}

bool archive_put_away(struct core *c, struct db_conn *conn, const struct image_row *row,
	int64_t now_ms, struct err *err)
{
	return state_table_archive(conn, row->repository_id, row->id, now_ms, err) &&
	       event_add(c, conn, row, EVENT_ARCHIVE, STR(""), err) &&
	       follow_table_add(
		       conn, row->repository_id, &row->digest, FOLLOW_ARCHIVE, false, AT_ONCE, err);
}

/* One image is active again: like one that was pushed now. */
static bool activate(struct core *c, struct db_conn *conn, int64_t repository_id, int64_t image_id,
	const struct digest *digest, int64_t now_ms, struct err *err)
{
	return state_table_activate(conn, repository_id, image_id, now_ms, err) &&
	       event_add_id(c, conn, image_id, EVENT_RESTORE, err) &&
	       follow_table_add(conn, repository_id, digest, FOLLOW_RESTORE, false, AT_ONCE, err) &&
	       lifecycle_touch(c, conn, repository_id, err);
}

static bool activate_id(
	struct core *c, struct db_conn *conn, int64_t image_id, int64_t now_ms, struct err *err)
{
	struct arena *arena = arena_new(4 * KIB);
	struct image_row row;
	bool found = false;
	bool ok =
		image_table_get(conn, image_id, NULL, arena, &row, &found, err) &&
		(!found || activate(c, conn, row.repository_id, row.id, &row.digest, now_ms, err));
	arena_free(arena);
	return ok;
}

bool archive_bring_back(struct core *c, struct db_conn *conn, const struct image_row *row,
	int64_t now_ms, bool *was_away, struct err *err)
{
	struct state_row state;
	int64_t ids[BATCH];
	size_t n = 0;
	if (!state_table_get(conn, row->id, &state, err))
		return false;
	*was_away = state.state != STATE_ACTIVE;
	if (!*was_away)
		return true;
	do {
		if (!state_table_inactive_below(conn, row->id, ids, BATCH, &n, err))
			return false;
		for (size_t i = 0; i < n; i++) {
			if (!activate_id(c, conn, ids[i], now_ms, err))
				return false;
		}
	} while (n == BATCH);
	return true;
}

bool archive_end_returns(struct core *c, struct db_conn *conn, int64_t now_ms, size_t max,
	size_t *done, struct err *err)
{
	struct state_due due[BATCH];
	size_t n = 0;
	if (!state_table_due(conn, now_ms, due, max < BATCH ? max : BATCH, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!activate(c, conn, due[i].repository_id, due[i].image_id, &due[i].digest,
			    now_ms, err))
			return false;
	}
	*done = n;
	return true;
}

struct update_args {
	struct core *core;
	const struct registry_id *reg;
	const struct archive_request *in;
	int64_t registry_id;
	struct arena *arena;
	struct archive_result out;
};

static bool find(
	struct db_conn *conn, struct update_args *a, struct image_row *row, struct err *err)
{
	const struct image_ref *ref = &a->in->ref;
	struct repo_key key;
	int64_t tagged = 0;
	bool found = false;
	if (!repo_table_key(conn, a->registry_id, a->in->repo, &key, err))
		return false;
	if (!key.id)
		return core_repo_unknown(a->reg, a->in->repo, err);
	if (ref->tag.len && !tag_table_find(conn, key.id, ref->tag, &tagged, err))
		return false;
	if (ref->has_digest) {
		if (!image_table_find(conn, key.id, &ref->digest, a->arena, row, &found, err))
			return false;
		found = found && (!ref->tag.len || tagged == row->id);
	} else if (tagged && !image_table_get(conn, tagged, NULL, a->arena, row, &found, err)) {
		return false;
	}
	return found || image_unknown(a->reg, a->in->repo, ref, err);
}

static bool to_archive(struct db_conn *conn, struct update_args *a, const struct image_row *row,
	enum image_state state, struct err *err)
{
	bool has_parent = false;
	a->out.status = IMAGE_ARCHIVED;
	if (state == STATE_ARCHIVED)
		return true;
	if (state == STATE_ACTIVATING)
		return err_set(err, ERR_STORAGE_CLASS,
			"The requested image storage class update is not supported: the image is being restored");
	if (!state_table_has_active_parent(conn, row->id, &has_parent, err))
		return false;
	if (has_parent) {
		struct digest parent;
		char text[DIGEST_TEXT_MAX];
		bool found = false;
		if (!image_child_table_parent(conn, row->id, &parent, &found, err))
			return false;
		return err_set(err, ERR_STORAGE_CLASS,
			"The requested image storage class update is not supported: "
			"Requested image referenced by manifest list: [%s]",
			found ? digest_text(&parent, text) : "");
	}
	return archive_put_away(a->core, conn, row, clock_now_ms(), err) &&
	       lifecycle_touch(a->core, conn, row->repository_id, err);
}

static bool update_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct update_args *a = arg;
	struct image_row row = { 0 };
	struct state_row state;
	if (!find(conn, a, &row, err) || !state_table_get(conn, row.id, &state, err))
		return false;
	a->out.digest = row.digest;
	if (a->in->to_archive)
		return to_archive(conn, a, &row, state.state, err);
	a->out.status = state.state == STATE_ACTIVE ? IMAGE_ACTIVE : IMAGE_ACTIVATING;
	return state.state != STATE_ARCHIVED ||
	       state_table_activate_later(
		       conn, row.id, clock_now_ms() + a->core->o.restore_delay_ms, err);
}

bool archive_update(struct core *c, const struct registry_id *reg, const struct archive_request *in,
	struct archive_result *out, struct err *err)
{
	struct update_args a = { .core = c, .reg = reg, .in = in };
	if (!core_check_name(in->repo, err) || !core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (!a.registry_id)
		return core_repo_unknown(reg, in->repo, err);
	a.arena = arena_new(64 * KIB);
	bool ok = db_write(c->db, update_in, &a, err);
	arena_free(a.arena);
	if (ok)
		*out = a.out;
	return ok;
}

struct layer_args {
	int64_t registry_id;
	struct str repo;
	const struct digest *digest;
	bool is_archived;
};

static bool layer_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct layer_args *a = arg;
	struct repo_key key;
	return repo_table_key(conn, a->registry_id, a->repo, &key, err) &&
	       (!key.id || layer_archived_table_is(conn, key.id, a->digest, &a->is_archived, err));
}

bool archive_holds_layer(struct core *c, const struct registry_id *reg, struct str repo,
	const struct digest *d, bool *out, struct err *err)
{
	struct layer_args a = { .repo = repo, .digest = d };
	if (!core_check_name(repo, err) || !core_registry(c, reg, false, &a.registry_id, err) ||
		(a.registry_id && !db_read(c->db, layer_in, &a, err)))
		return false;
	*out = a.is_archived;
	return true;
}

/* --- what lifecycle policies must know of --- */

bool lifecycle_touch(struct core *c, struct db_conn *conn, int64_t repository_id, struct err *err)
{
	return lifecycle_table_touch(
		conn, repository_id, clock_now_ms() + c->o.lifecycle_delay_ms, err);
}

bool lifecycle_image_gone(
	struct core *c, struct db_conn *conn, const struct image_row *row, struct err *err)
{
	return follow_table_add(conn, row->repository_id, &row->digest, FOLLOW_EXPIRE, true,
		       clock_now_ms() + c->o.lifecycle_delay_ms, err) &&
	       lifecycle_touch(c, conn, row->repository_id, err);
}

bool lifecycle_put_in(struct core *c, struct db_conn *conn, int64_t repository_id, struct str text,
	struct err *err)
{
	return lifecycle_table_put(
		conn, repository_id, text, clock_now_ms() + c->o.lifecycle_delay_ms, err);
}
