#include "registry/history.h"

#include "meta/history_table.h"
#include "meta/mount_log_table.h"
#include "meta/registry_table.h"
#include "registry/sharing_priv.h"

#define EXPIRE_BATCH 500
#define EXPIRE_STEPS 8
#define POOLS_ARENA  (4 * MIB)
#define DAYS_KEPT    400
#define TARGETS_KEPT 32 /* one more than can be asked for */
#define ROWS_MAX     1000

/* --- writing --- */

static void from_sums(const struct savings_total *t, int64_t at_ms, struct history_row *out)
{
	*out = (struct history_row){
		.at_ms = at_ms,
		.repositories = (int64_t)t->repositories,
		.images = (int64_t)t->images,
		.blobs = (int64_t)t->blobs,
		.links = (int64_t)t->links,
		.logical_bytes = (int64_t)t->logical_bytes,
		.stored_bytes = (int64_t)t->stored_bytes,
	};
}

static bool is_same(const struct history_row *a, const struct history_row *b)
{
	return a->repositories == b->repositories && a->images == b->images &&
	       a->blobs == b->blobs && a->links == b->links &&
	       a->logical_bytes == b->logical_bytes && a->stored_bytes == b->stored_bytes;
}

struct tick_args {
	int64_t now_ms, after, registry_id;
	struct arena *arena;
	struct pool_list pools;
	struct history_row *rows; /* of the registry, then of its pools */
	bool *changed;
	bool found, any;
};

/* Whether this is news. The newest row of the longest step is the last that was written. */
static bool has_changed(struct db_conn *conn, const struct history_series *s,
	const struct history_row *now, bool *out, struct err *err)
{
	struct history_row last;
	bool found = false;
	if (!history_table_last(conn, s, HISTORY_DAY, now->at_ms, &last, &found, err))
		return false;
	*out = !found || !is_same(&last, now);
	return true;
}

static int64_t series_pool(const struct tick_args *a, size_t i)
{
	return i == 0 ? 0 : a->pools.rows[i - 1].id;
}

/* The registry's sums are those of its pools: its repositories are counted there too. */
static bool look_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct tick_args *a = arg;
	struct registry_sums sums;
	a->any = false;
	if (!registry_table_next(conn, a->after, &sums, &a->found, err))
		return false;
	if (!a->found)
		return true;
	a->registry_id = sums.id;
	if (!pool_list_read(conn, sums.id, a->arena, &a->pools, err))
		return false;
	a->rows = arena_alloc(a->arena, (a->pools.count + 1) * sizeof(*a->rows));
	a->changed = arena_alloc(a->arena, (a->pools.count + 1) * sizeof(*a->changed));
	if (!a->rows || !a->changed)
		return core_no_memory(a->arena, err);
	a->rows[0] = (struct history_row){
		.at_ms = a->now_ms,
		.repositories = (int64_t)sums.repositories,
		.images = (int64_t)sums.images,
		.blobs = (int64_t)sums.blobs,
		.links = (int64_t)sums.links,
		.logical_bytes = (int64_t)sums.logical_bytes,
		.stored_bytes = (int64_t)(sums.stored_bytes - sums.waiting_bytes),
	};
	for (size_t i = 0; i <= a->pools.count; i++) {
		struct history_series s = { sums.id, series_pool(a, i) };
		struct savings_total t;
		if (i > 0) {
			sharing_sums(&a->pools.rows[i - 1], &t);
			from_sums(&t, a->now_ms, &a->rows[i]);
		}
		if (!has_changed(conn, &s, &a->rows[i], &a->changed[i], err))
			return false;
		a->any = a->any || a->changed[i];
	}
	return true;
}

static bool write_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct tick_args *a = arg;
	for (size_t i = 0; i <= a->pools.count; i++) {
		struct history_series s = { a->registry_id, series_pool(a, i) };
		if (a->changed[i] && !history_table_put(conn, &s, &a->rows[i], err))
			return false;
	}
	return true;
}

struct expire_args {
	int64_t now_ms;
	bool more_history, more_days;
};

static bool expire_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct expire_args *a = arg;
	int64_t day = a->now_ms / MOUNT_DAY_MS;
	return history_table_expire(conn, a->now_ms, EXPIRE_BATCH, &a->more_history, err) &&
	       mount_day_table_expire(
		       conn, day - DAYS_KEPT, day - TARGETS_KEPT, EXPIRE_BATCH, &a->more_days, err);
}

static bool tick_one(struct core *c, struct tick_args *a, struct err *err)
{
	a->arena = arena_new(POOLS_ARENA);
	bool done = db_read(c->db, look_in, a, err) &&
		    (!a->found || !a->any || db_write(c->db, write_in, a, err));
	arena_free(a->arena);
	return done;
}

bool history_tick(struct core *c, int64_t now_ms, struct err *err)
{
	struct tick_args a = { .now_ms = now_ms, .found = true };
	struct expire_args e = { .now_ms = now_ms, .more_history = true };
	while (a.found) {
		if (!tick_one(c, &a, err))
			return false;
		a.after = a.registry_id;
	}
	for (unsigned i = 0; i < EXPIRE_STEPS && (e.more_history || e.more_days); i++) {
		if (!db_write(c->db, expire_in, &e, err))
			return false;
	}
	return true;
}

/* --- reading --- */

struct read_args {
	int64_t registry_id;
	const struct history_query *q;
	int64_t now_ms;
	enum history_step step;
	struct history_rows found;
	struct history_row before, now;
	bool has_before, has_now;
};

/* The shortest step that is kept for so long and has no more slots than can be read. */
static enum history_step choose_step(const struct history_query *q, int64_t now_ms)
{
	for (int s = HISTORY_5_MINUTES; s < HISTORY_DAY; s++) {
		enum history_step step = (enum history_step)s;
		if (q->from_ms >= now_ms - history_keep_ms(step) &&
			(q->until_ms - q->from_ms) / history_step_ms(step) < ROWS_MAX)
			return step;
	}
	return HISTORY_DAY;
}

static bool read_now(struct db_conn *conn, struct read_args *a, int64_t pool_id, struct err *err)
{
	struct registry_sums r;
	struct pool_sums p;
	struct savings_total t = { 0 };
	a->has_now = false;
	if (pool_id) {
		if (!sharing_table_pool_sums(conn, pool_id, &p, &a->has_now, err))
			return false;
		sharing_sums(&p, &t);
	} else {
		if (!registry_table_next(conn, a->registry_id - 1, &r, &a->has_now, err))
			return false;
		t = (struct savings_total){ r.repositories, r.images, r.blobs, r.links,
			r.logical_bytes, r.stored_bytes - r.waiting_bytes, r.waiting_bytes };
	}
	from_sums(&t, a->now_ms, &a->now);
	return true;
}

static bool read_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct read_args *a = arg;
	const struct history_query *q = a->q;
	struct history_series s = { a->registry_id, 0 };
	a->found.count = 0;
	a->has_before = a->has_now = false;
	if (q->pool.enc_type) {
		if (!sharing_table_pool(conn, a->registry_id, (int)q->pool.enc_type,
			    q->pool.kms_key, &s.pool_id, err))
			return false;
		if (!s.pool_id)
			return true;
	}
	/* A step that is longer is kept longer: what was before may only be there. */
	for (int step = (int)a->step; step <= HISTORY_DAY && !a->has_before; step++) {
		enum history_step h = (enum history_step)step;
		if (!history_table_last(conn, &s, h, q->from_ms - history_step_ms(h), &a->before,
			    &a->has_before, err))
			return false;
	}
	struct history_span span = {
		.series = s,
		.step = a->step,
		.after_ms = q->from_ms - history_step_ms(a->step),
		.until_ms = q->until_ms,
	};
	if (!history_table_list(conn, &span, &a->found, err))
		return false;
	return q->until_ms < a->now_ms || read_now(conn, a, s.pool_id, err);
}

static void to_point(const struct history_row *r, int64_t at_ms, struct history_point *out)
{
	*out = (struct history_point){
		.at_ms = at_ms,
		.repositories = r->repositories,
		.images = r->images,
		.layers = r->blobs,
		.links = r->links,
		.logical_bytes = r->logical_bytes,
		.stored_bytes = r->stored_bytes,
	};
}

/* At most so many points of those in between, each the last of its share of the time. */
static size_t thin(const struct read_args *a, size_t max, struct history_point *out)
{
	int64_t from = a->q->from_ms;
	int64_t span = a->q->until_ms - from + 1;
	size_t n = 0;
	int64_t last_share = -1;
	for (size_t i = 0; i < a->found.count; i++) {
		const struct history_row *r = &a->found.rows[i];
		if (r->at_ms < from || r->at_ms > a->q->until_ms)
			continue;
		int64_t share = (r->at_ms - from) / ((span + (int64_t)max - 1) / (int64_t)max);
		n += share != last_share;
		last_share = share;
		to_point(r, r->at_ms, &out[n - 1]);
	}
	return n;
}

bool history_read(struct core *c, const struct registry_id *reg, const struct history_query *q,
	int64_t now_ms, struct arena *arena, struct history *out, struct err *err)
{
	struct read_args a = { .q = q, .now_ms = now_ms, .step = choose_step(q, now_ms) };
	struct history h = { .points = arena_alloc(
				     arena, ((size_t)q->points_max + 2) * sizeof(*h.points)) };
	a.found.rows = arena_alloc(arena, ROWS_MAX * sizeof(*a.found.rows));
	a.found.max = ROWS_MAX;
	if (!h.points || !a.found.rows)
		return core_no_memory(arena, err);
	if (!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (a.registry_id && !db_read(c->db, read_in, &a, err))
		return false;
	/* The slot that from_ms is in may begin before it: what was seen before is the state then.
	 */
	for (size_t i = 0; i < a.found.count && a.found.rows[i].at_ms <= q->from_ms; i++) {
		a.before = a.found.rows[i];
		a.has_before = true;
	}
	if (a.has_before)
		to_point(&a.before, q->from_ms, &h.points[h.count++]);
	size_t ends = (size_t)a.has_before + a.has_now;
	size_t max = q->points_max > ends ? q->points_max - ends : 1;
	h.count += thin(&a, max, h.points + h.count);
	if (a.has_now)
		to_point(&a.now, now_ms, &h.points[h.count++]);
	*out = h;
	return true;
}
