#include "registry/upload.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crypt/random.h"
#include "meta/blob_table.h"
#include "meta/registry_table.h"
#include "meta/repo_table.h"
#include "meta/upload_table.h"
#include "registry/body.h"
#include "registry/core_priv.h"
#include "registry/session.h"

#define PART_MIN_BYTES (5 * MIB) /* ECR: parts other than the last */

struct upload {
	struct core *core;
	struct registry_id reg;
	struct str repo; /* in repo_text */
	char repo_text[257];
	int64_t registry_id, repository_id, pool_id;
	struct store_key key;
	int64_t short_at, parts;
	struct body *body;
	struct session_state state;
	uint64_t expected_bytes; /* 0: not known */
	bool is_finished;        /* the session is gone: nothing to remember */
};

static bool unknown(struct str id, const struct registry_id *reg, struct str repo, struct err *err)
{
	return err_set(err, ERR_UPLOAD_UNKNOWN,
		"The upload with id '" STR_FMT
		"' does not exist for the repository with name '" STR_FMT
		"' in the registry with id '%s'",
		STR_ARG(str_sub(id, 0, 64)), STR_ARG(repo), reg->account);
}

struct start_args {
	struct core *core;
	const struct registry_id *reg;
	struct str repo;
	int64_t registry_id;
	struct repo_key repo_key; /* as it was when the form was chosen */
	struct upload_row row;
};

static bool find_repo_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct start_args *a = arg;
	if (!repo_table_key(conn, a->registry_id, a->repo, &a->repo_key, err))
		return false;
	return a->repo_key.id || core_repo_unknown(a->reg, a->repo, err);
}

static bool start_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct start_args *a = arg;
	struct repo_key repo;
	int64_t open = 0;
	if (!repo_table_key(conn, a->registry_id, a->repo, &repo, err))
		return false;
	if (repo.id != a->repo_key.id) /* deleted, and perhaps made again, meanwhile */
		return core_repo_unknown(a->reg, a->repo, err);
	if (!registry_table_uploads(conn, a->registry_id, 1, &open, err))
		return false;
	if (open > a->core->o.uploads_max)
		return err_set(err, ERR_LIMIT,
			"The registry already has %u unfinished uploads; finish or cancel some, or wait",
			a->core->o.uploads_max);
	a->row.repository_id = repo.id;
	return upload_table_add(conn, &a->row, err);
}

/* The registry's id for a repository that must exist. */
static bool registry_of(struct core *c, const struct registry_id *reg, struct str repo, int64_t *id,
	struct err *err)
{
	if (!core_check_name(repo, err) || !core_registry(c, reg, false, id, err))
		return false;
	return *id != 0 || core_repo_unknown(reg, repo, err);
}

bool upload_start(struct core *c, const struct registry_id *reg, struct str repo,
	enum digest_alg alg, char id[UUID_TEXT_LEN + 1], struct err *err)
{
	struct start_args a = { .core = c, .reg = reg, .repo = repo };
	struct pool *pool;
	a.row.alg = alg;
	a.row.short_at = -1;
	a.row.created_at_ms = clock_now_ms();
	random_uuid(a.row.key);
	if (!registry_of(c, reg, repo, &a.registry_id, err) ||
		!db_read(c->db, find_repo_in, &a, err) ||
		!pool_find(c, a.repo_key.pool_id, &pool, err) ||
		!pool_form(pool, &a.row.form, err) || !db_write(c->db, start_in, &a, err))
		return false;
	uuid_text(a.row.key, id);
	return true;
}

struct find_args {
	const struct registry_id *reg;
	struct str repo, id;
	int64_t registry_id;
	struct store_key key;
	struct repo_key repo_key;
	struct upload_row row;
};

static bool find_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct find_args *a = arg;
	bool found = false;
	if (!repo_table_key(conn, a->registry_id, a->repo, &a->repo_key, err))
		return false;
	if (!a->repo_key.id)
		return core_repo_unknown(a->reg, a->repo, err);
	if (!upload_table_find(conn, a->key.bytes, &a->row, &found, err))
		return false;
	return (found && a->row.repository_id == a->repo_key.id) ||
	       unknown(a->id, a->reg, a->repo, err);
}

static bool prepare_find(struct core *c, struct find_args *a, struct err *err)
{
	if (!registry_of(c, a->reg, a->repo, &a->registry_id, err))
		return false;
	return uuid_parse(a->id, a->key.bytes) || unknown(a->id, a->reg, a->repo, err);
}

static bool find(struct core *c, struct find_args *a, struct err *err)
{
	return prepare_find(c, a, err) && db_read(c->db, find_in, a, err);
}

bool upload_take(struct core *c, const struct registry_id *reg, struct str repo, struct str id,
	struct upload **out, struct err *err)
{
	struct find_args a = { .reg = reg, .repo = repo, .id = id };
	struct session_state state;
	if (!find(c, &a, err))
		return false;
	if (!session_enter(c->sessions, &a.key, &state))
		return err_set(err, ERR_UPLOAD_BUSY,
			"Another request is writing to this upload; try again when it has ended");
	/* Looked up again now that nobody else can finish it. */
	if (!db_read(c->db, find_in, &a, err)) {
		hash_free(state.hash);
		session_leave(c->sessions, &a.key, NULL);
		return false;
	}
	struct upload *u = xmalloc(sizeof(*u));
	u->core = c;
	u->reg = *reg;
	u->repo = (struct str){ u->repo_text, repo.len };
	memcpy(u->repo_text, repo.ptr, repo.len); /* the grammar bounds it */
	u->registry_id = a.registry_id;
	u->repository_id = a.repo_key.id;
	u->pool_id = a.repo_key.pool_id;
	u->key = a.key;
	u->short_at = a.row.short_at;
	u->parts = a.row.parts;
	u->state = state;
	if (!body_open(c, u->pool_id, &a.row, &u->body, err)) {
		upload_release(u);
		return false;
	}
	uint64_t size = body_size(u->body);
	if (!u->state.hash || u->state.hashed_bytes != size) {
		hash_free(u->state.hash);
		u->state.hash = NULL;
		if (!body_hash(u->body, a.row.alg, &u->state.hash, err)) {
			upload_release(u);
			return false;
		}
		u->state.hashed_bytes = size;
	}
	u->state.durable_bytes = size;
	*out = u;
	return true;
}

void upload_release(struct upload *u)
{
	if (!u)
		return;
	struct core *c = u->core;
	if (!u->is_finished && u->body && body_size(u->body) != u->state.durable_bytes) {
		/* A part that broke off: what came is kept for the client to go on from, so it must
		 * survive. If syncing fails it is cut off when the upload goes on. */
		struct err e;
		err_ignore(upload_sync(u, &e));
	}
	body_close(u->body);
	if (u->is_finished) {
		hash_free(u->state.hash);
		session_leave(c->sessions, &u->key, NULL);
	} else {
		session_leave(c->sessions, &u->key, &u->state);
	}
	free(u);
}

uint64_t upload_size(const struct upload *u)
{
	return body_size(u->body);
}

/* So that who watches sees bytes that no file has yet. */
static void tell(struct upload *u)
{
	struct session_progress now = { body_size(u->body), u->expected_bytes };
	session_tell(u->core->sessions, &u->key, &now);
}

void upload_expect(struct upload *u, uint64_t more_bytes)
{
	if (more_bytes && more_bytes <= u->core->o.layer_max_bytes)
		u->expected_bytes = body_size(u->body) + more_bytes;
	tell(u);
}

bool upload_may_grow(
	const struct core *c, uint64_t size_bytes, uint64_t more_bytes, struct err *err)
{
	uint64_t max = c->o.layer_max_bytes;
	if (size_bytes <= max && more_bytes <= max - size_bytes)
		return true;
	return err_set(err, ERR_TOO_LARGE,
		"The layer is larger than the maximum layer size of %" PRIu64 " bytes", max);
}

bool upload_write(struct upload *u, const void *bytes, size_t len, struct err *err)
{
	if (!upload_may_grow(u->core, body_size(u->body), len, err))
		return false;
	if (!body_write(u->body, bytes, len, err))
		return false;
	if (!hash_update(u->state.hash, bytes, len, err))
		return false;
	/* Not "= size": after a write that broke off in the middle the hash lags for good. */
	u->state.hashed_bytes += len;
	tell(u);
	return true;
}

bool upload_sync(struct upload *u, struct err *err)
{
	if (!body_sync(u->body, err))
		return false;
	u->state.durable_bytes = body_size(u->body);
	session_note(u->core->sessions, &u->key, u->state.durable_bytes);
	return true;
}

bool upload_may_add_part(const struct upload *u, struct err *err)
{
	unsigned max = u->core->o.layer_parts_max;
	return u->parts < (int64_t)max ||
	       err_set(err, ERR_QUOTA,
		       "The layer upload already has the maximum allowed number of layer parts which is '%u'",
		       max);
}

struct part_args {
	struct store_key key;
	int64_t short_at;
};

static bool note_part_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct part_args *a = arg;
	return upload_table_note_part(conn, a->key.bytes, a->short_at, err);
}

bool upload_note_part(struct upload *u, uint64_t part_bytes, struct err *err)
{
	bool is_short = part_bytes < PART_MIN_BYTES && u->short_at < 0;
	struct part_args a = { u->key, is_short ? (int64_t)body_size(u->body) : u->short_at };
	if (!db_write(u->core->db, note_part_in, &a, err))
		return false;
	u->short_at = a.short_at;
	u->parts++;
	return true;
}

struct finish_args {
	struct upload *u;
	const struct digest *digest;
	struct upload_result result;
};

static bool finish_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct finish_args *a = arg;
	struct upload *u = a->u;
	struct blob_row blob = {
		.pool_id = u->pool_id, .digest = *a->digest, .size_bytes = body_size(u->body)
	};
	struct link_row there;
	struct str small;
	bool live = false, removed = false, in_pool = false, linked = false;
	int64_t open = 0;
	int64_t now = clock_now_ms();
	if (!repo_table_is_live(conn, u->repository_id, &live, err))
		return false;
	if (!live)
		return core_repo_unknown(&u->reg, u->repo, err);
	if (!upload_table_remove(conn, u->key.bytes, &removed, err))
		return false;
	if (!removed) {
		char id[UUID_TEXT_LEN + 1];
		uuid_text(u->key.bytes, id);
		return unknown(str_from(id), &u->reg, u->repo, err);
	}
	if (!registry_table_uploads(conn, u->registry_id, -1, &open, err) ||
		!blob_table_find(conn, u->pool_id, a->digest, &blob, &in_pool, err))
		return false;
	bool is_small = body_small(u->body, &small);
	if (in_pool) {
		if (!is_small && !trash_table_add(conn, u->key.bytes, err))
			return false;
	} else {
		memcpy(blob.store_key, u->key.bytes, BLOB_STORE_KEY_LEN);
		blob.form = body_form(u->body);
		blob.created_at_ms = now;
		if (!blob_table_add(conn, &blob, &blob.id, err) ||
			(is_small && !small_object_add(conn, blob.id, small, err)))
			return false;
	}
	if (!link_table_find(conn, u->repository_id, blob.id, &there, &linked, err))
		return false;
	struct link_row link = {
		.repository_id = u->repository_id,
		.blob_id = blob.id,
		.origin = LINK_UPLOADED,
		.linked_at_ms = now,
	};
	struct candidate k = { now + u->core->o.collect_grace_ms, blob.id, u->repository_id };
	/* Pushed again although no image needs it yet: its time begins anew, for the client goes on
	 * to push the image. */
	bool ok = !linked            ? link_table_add(conn, &link, &blob, err)
		  : there.needs == 0 ? link_table_renew(conn, u->repository_id, blob.id, now, err)
				     : true;
	if (!ok || ((!linked || there.needs == 0) && !candidate_table_add(conn, &k, err)))
		return false;
	a->result = (struct upload_result){ body_size(u->body), linked, in_pool };
	return true;
}

bool upload_finish(
	struct upload *u, const struct digest *expected, struct upload_result *out, struct err *err)
{
	struct core *c = u->core;
	struct digest got;
	if (u->short_at >= 0 && (uint64_t)u->short_at < body_size(u->body))
		return err_set(err, ERR_UPLOAD_PART_TOO_SMALL,
			"Layer parts other than the last must have at least %zu bytes",
			PART_MIN_BYTES);
	if (hash_alg(u->state.hash) != expected->alg ||
		u->state.hashed_bytes != body_size(u->body)) {
		struct hash *h = NULL;
		if (!upload_sync(u, err) || !body_hash(u->body, expected->alg, &h, err))
			return false;
		hash_free(u->state.hash);
		u->state.hash = h;
		u->state.hashed_bytes = body_size(u->body);
	}
	if (!hash_digest(u->state.hash, &got, err))
		return false;
	if (!digest_eq(&got, expected)) {
		char want_text[DIGEST_TEXT_MAX];
		char got_text[DIGEST_TEXT_MAX];
		return err_set(err, ERR_DIGEST_MISMATCH,
			"The content has the digest '%s', not '%s'", digest_text(&got, got_text),
			digest_text(expected, want_text));
	}
	if (!body_finish(u->body, err))
		return false;
	struct finish_args a = { .u = u, .digest = expected };
	if (!db_write(c->db, finish_in, &a, err))
		return false;
	u->is_finished = true;
	if (a.result.deduplicated) {
		core_count(&c->bytes_duplicate, a.result.size_bytes);
	} else {
		core_count(&c->blobs_pushed, 1);
		core_count(&c->bytes_pushed, a.result.size_bytes);
	}
	*out = a.result;
	return true;
}

bool upload_status(struct core *c, const struct registry_id *reg, struct str repo, struct str id,
	uint64_t *size_bytes, struct err *err)
{
	struct find_args a = { .reg = reg, .repo = repo, .id = id };
	if (!find(c, &a, err))
		return false;
	if (session_is_busy(c->sessions, &a.key, size_bytes))
		return true;
	/* Telling the client that bytes are there is an acknowledgement: they have to be durable,
	 * as they are in what was just taken. */
	struct upload *u = NULL;
	if (!upload_take(c, reg, repo, id, &u, err))
		return err->kind == ERR_UPLOAD_BUSY && /* somebody went on with it just now */
		       session_is_busy(c->sessions, &a.key, size_bytes);
	assert(u);
	*size_bytes = body_size(u->body);
	upload_release(u);
	return true;
}

static bool cancel_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct find_args *a = arg;
	bool removed = false;
	int64_t open = 0;
	return find_in(conn, a, err) && upload_table_remove(conn, a->key.bytes, &removed, err) &&
	       registry_table_uploads(conn, a->registry_id, -1, &open, err) &&
	       trash_table_add(conn, a->key.bytes, err);
}

bool upload_cancel(struct core *c, const struct registry_id *reg, struct str repo, struct str id,
	struct err *err)
{
	struct find_args a = { .reg = reg, .repo = repo, .id = id };
	struct session_state state;
	if (!find(c, &a, err))
		return false;
	if (!session_enter(c->sessions, &a.key, &state))
		return err_set(err, ERR_UPLOAD_BUSY,
			"Another request is writing to this upload; try again when it has ended");
	hash_free(state.hash);
	bool ok = db_write(c->db, cancel_in, &a, err);
	session_leave(c->sessions, &a.key, NULL);
	return ok;
}
