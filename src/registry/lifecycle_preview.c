/* lifecycle_preview.c - previews worked out in the background, and their end. */
#include "registry/archive_priv.h"
#include "registry/lifecycle_priv.h"

#define BATCH 500 /* rows a transaction */

struct preview_args {
	struct arena *arena;
	enum preview_state state;
	int64_t before_ms;
	struct preview_row row;
	bool found, more;
	const struct lifecycle_eval *eval;
	size_t at; /* results that are written */
	uint64_t expiring, moving;
	int64_t now_ms;
};

static bool first_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct preview_args *a = arg;
	return preview_table_first(conn, a->state, a->before_ms, a->arena, &a->row, &a->found, err);
}

static bool clear_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct preview_args *a = arg;
	return preview_image_table_clear(conn, a->row.id, BATCH, &a->more, err);
}

static bool finish_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct preview_args *a = arg;
	return preview_table_set(conn, a->row.id, a->state, a->now_ms, a->expiring, a->moving, err);
}

static bool remove_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct preview_args *a = arg;
	return preview_table_remove(conn, a->row.id, err);
}

static bool clear(struct core *c, struct preview_args *a, struct err *err)
{
	do {
		if (!db_write(c->db, clear_in, a, err))
			return false;
	} while (a->more);
	return true;
}

/* A batch of results, while nobody has started another preview. */
static bool results_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct preview_args *a = arg;
	struct preview_row now;
	bool found = false;
	size_t n = lifecycle_eval_count(a->eval);
	if (!preview_table_find(conn, a->row.repository_id, a->arena, &now, &found, err))
		return false;
	a->found = found && now.id == a->row.id;
	for (size_t i = a->at; a->found && i < n && i < a->at + BATCH; i++) {
		struct lifecycle_mark m = lifecycle_eval_mark(a->eval, i);
		struct preview_image image = { m.image.id, m.priority, (int)m.action };
		if (!preview_image_table_add(conn, a->row.id, &image, err))
			return false;
	}
	return true;
}

static bool write_results(struct core *c, struct preview_args *a, struct err *err)
{
	size_t n = lifecycle_eval_count(a->eval);
	for (size_t i = 0; i < n; i++) {
		if (lifecycle_eval_mark(a->eval, i).action == LIFECYCLE_EXPIRE)
			a->expiring++;
		else
			a->moving++;
	}
	for (a->at = 0; a->found && a->at < n; a->at += BATCH) {
		struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
		a->arena = arena;
		bool ok = db_write(c->db, results_in, a, err);
		arena_free(arena);
		if (!ok)
			return false;
	}
	a->state = PREVIEW_COMPLETE;
	return db_write(c->db, finish_in, a, err);
}

static bool try_out(struct core *c, struct preview_args *a, struct arena *arena, struct err *err)
{
	struct lifecycle_policy policy;
	struct lifecycle_eval *eval CLEANUP(lifecycle_eval_freep) = NULL;
	struct err why;
	if (!lifecycle_policy_parse(a->row.policy, arena, &policy, &why)) {
		/* Taken by an earlier version, perhaps. */
		a->state = PREVIEW_FAILED;
		return db_write(c->db, finish_in, a, err);
	}
	/* What an attempt that was broken off has left. */
	if (!clear(c, a, err) ||
		!lifecycle_load(c, a->row.repository_id, &policy, a->now_ms, &eval, err))
		return false;
	a->eval = eval;
	struct lifecycle_told what = { .is_preview = true, .policy = a->row.policy };
	return write_results(c, a, err) &&
	       lifecycle_tell_marks(c, eval, a->row.repository_id, &what, err);
}

bool lifecycle_try_out(struct core *c, int64_t now_ms, bool *found, struct err *err)
{
	struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
	struct preview_args a = {
		.arena = arena, .state = PREVIEW_RUNNING, .before_ms = INT64_MAX, .now_ms = now_ms
	};
	bool ok = db_read(c->db, first_in, &a, err);
	*found = ok && a.found;
	ok = ok && (!*found || try_out(c, &a, arena, err));
	arena_free(arena);
	return ok;
}

/* Of one that was replaced all goes; of one that is old only the results. */
static bool clean(struct core *c, struct preview_args *a, struct err *err)
{
	if (!a->found)
		return true;
	if (!clear(c, a, err))
		return false;
	if (a->state == PREVIEW_GONE)
		return db_write(c->db, remove_in, a, err);
	a->state = PREVIEW_EXPIRED;
	a->expiring = a->row.expiring;
	a->moving = a->row.moving;
	return db_write(c->db, finish_in, a, err);
}

bool lifecycle_clean(struct core *c, int64_t now_ms, bool *found, struct err *err)
{
	static const enum preview_state states[] = { PREVIEW_GONE, PREVIEW_COMPLETE };

	bool ok = true;
	*found = false;
	for (size_t i = 0; ok && i < ARRAY_LEN(states); i++) {
		struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
		struct preview_args a = { .arena = arena, .state = states[i], .now_ms = now_ms };
		a.before_ms =
			states[i] == PREVIEW_GONE ? INT64_MAX : now_ms - LIFECYCLE_PREVIEW_LIFE_MS;
		ok = db_read(c->db, first_in, &a, err);
		*found = *found || (ok && a.found);
		ok = ok && clean(c, &a, err);
		arena_free(arena);
	}
	return ok;
}
