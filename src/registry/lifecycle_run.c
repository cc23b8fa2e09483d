/* lifecycle_run.c - lifecycle policies carried out. */
#include "base/clock.h"
#include "meta/repo_table.h"
#include "registry/archive_priv.h"
#include "registry/event_priv.h"
#include "registry/lifecycle_priv.h"
#include "registry/pull.h"

#define BATCH     50   /* images a transaction */
#define COST_MAX  2000 /* of a transaction, in rows more or less */
#define DELAY_MIN ((int64_t)60 * 1000)

struct run {
	struct core *core;
	int64_t now_ms;  /* as of which something is due */
	int64_t base_ms; /* the present, from which the next evaluation is planned */
	int64_t ages_ms; /* as of which images are so and so old */
	unsigned steps;  /* transactions left */
	struct lifecycle_report *report;
};

struct eval_args {
	struct run *run;
	int64_t repository_id, pool_id;
	struct arena *arena;
	struct lifecycle_row row;
	bool found;
	const struct lifecycle_eval *eval;
	size_t at; /* marks that are carried out */
	/* of one transaction */
	size_t next;
	uint64_t expired, archived;
	struct lifecycle_bag bag;
	int64_t due_ms;
};

static int64_t delay(const struct core *c)
{
	return c->o.lifecycle_delay_ms > DELAY_MIN ? c->o.lifecycle_delay_ms : DELAY_MIN;
}

bool lifecycle_expire(struct core *c, struct db_conn *conn, int64_t pool_id,
	const struct image_row *row, struct err *err)
{
	struct tag_stamp stamp = { clock_now_ms(), STR(TAG_BY_LIFECYCLE) };
	/* Its referrers go at once (due 0), those of referrers among them. */
	return follow_table_add(
		       conn, row->repository_id, &row->digest, FOLLOW_EXPIRE, false, 0, err) &&
	       event_image_gone(c, conn, row, err) &&
	       image_drop(conn, pool_id, row, &stamp, c->o.collect_grace_ms, err);
}

/* Takes the policy, and puts off the next evaluation: if this one is broken off, another comes. */
static bool take_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct eval_args *a = arg;
	bool is_live = false;
	a->found = false;
	if (!repo_table_is_live(conn, a->repository_id, &is_live, err))
		return false;
	if (!is_live) /* deleted: the collector removes the rest */
		return lifecycle_table_remove(conn, a->repository_id, err);
	return lifecycle_table_get(conn, a->repository_id, a->arena, &a->row, &a->found, err) &&
	       repo_table_pool(conn, a->repository_id, &a->pool_id, err) &&
	       lifecycle_table_defer(
		       conn, a->repository_id, a->run->base_ms + delay(a->run->core), err);
}

/* Is the image as it was when it was marked? */
static bool still_holds(struct db_conn *conn, const struct lifecycle_mark *m,
	const struct image_row *row, bool *holds, struct err *err)
{
	struct lifecycle_image now;
	uint64_t hash = 0;
	bool is_seen = false;
	if (!lifecycle_see(conn, row, &now, &is_seen, err) ||
		!lifecycle_hash(conn, row->id, &hash, err))
		return false;
	bool waits = m->action == LIFECYCLE_EXPIRE ? now.has_parent : now.has_active_parent;
	*holds = is_seen && !waits && hash == m->tags_hash && now.class == m->image.class &&
		 now.since_ms == m->image.since_ms && now.used_ms == m->image.used_ms;
	return true;
}

static bool act_on(struct db_conn *conn, struct eval_args *a, const struct lifecycle_mark *m,
	const struct image_row *row, struct err *err)
{
	bool holds = false;
	if (!still_holds(conn, m, row, &holds, err))
		return false;
	if (!holds)
		return true;
	if (!lifecycle_bag_add(conn, &a->bag, row, m, err))
		return false;
	if (m->action == LIFECYCLE_TRANSITION) {
		a->archived++;
		return archive_put_away(a->run->core, conn, row, clock_now_ms(), err);
	}
	a->expired++;
	return lifecycle_expire(a->run->core, conn, a->pool_id, row, err);
}

static bool act_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct eval_args *a = arg;
	size_t n = lifecycle_eval_count(a->eval);
	size_t i = a->at;
	uint64_t cost = 0;
	struct lifecycle_row now;
	bool is_live = false;
	bool found = false;
	struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
	a->expired = a->archived = 0;
	lifecycle_bag_begin(a->run->core, &a->bag);
	bool ok = repo_table_is_live(conn, a->repository_id, &is_live, err) &&
		  lifecycle_table_get(conn, a->repository_id, arena, &now, &found, err);
	if (!is_live || !found || now.version != a->row.version)
		i = n; /* another policy, or none: it has not this one's leave */
	for (; ok && i < n && i < a->at + BATCH && cost < COST_MAX; i++) {
		struct lifecycle_mark m = lifecycle_eval_mark(a->eval, i);
		struct image_row row;
		ok = image_table_get(conn, m.image.id, NULL, arena, &row, &found, err);
		if (!ok || !found)
			continue;
		/* A manifest has a layer each hundred bytes or so, and each costs some rows. */
		cost += 1 + row.manifest_bytes / 128 + (uint64_t)row.tags;
		ok = act_on(conn, a, &m, &row, err);
	}
	a->next = i;
	arena_free(arena);
	return ok;
}

static bool act(struct eval_args *a, struct err *err)
{
	struct run *r = a->run;
	struct lifecycle_told what = {
		.policy = a->row.policy,
		.version = a->row.version,
		.evaluated_at_ms = a->row.evaluated_at_ms,
	};
	while (a->at < lifecycle_eval_count(a->eval) && r->steps > 0) {
		if (!db_write(r->core->db, act_in, a, err))
			return false;
		a->at = a->next;
		r->steps--;
		r->report->expired += a->expired;
		r->report->archived += a->archived;
		core_count(&r->core->images_deleted, a->expired);
		if (!lifecycle_bag_tell(r->core, &a->bag, a->repository_id, &what, err))
			return false;
	}
	return true;
}

static bool done_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct eval_args *a = arg;
	return lifecycle_table_done(conn, &a->row, a->run->base_ms, a->due_ms, err);
}

/* When to look again, if nothing changes. */
static int64_t next_due(const struct eval_args *a, bool acted)
{
	int64_t now = a->run->base_ms;
	int64_t next = lifecycle_eval_next_ms(a->eval);
	if (a->at < lifecycle_eval_count(a->eval) || (acted && lifecycle_eval_waiting(a->eval) > 0))
		return now; /* more of the same; or an index is gone that others waited for */
	if (next == INT64_MAX)
		return next;
	/* At most one evaluation each delay, however many images fall due one after the other. */
	int64_t soonest = now + delay(a->run->core);
	return next > soonest ? next : soonest;
}

static bool evaluate_policy(struct eval_args *a, bool *acted, struct err *err)
{
	struct run *r = a->run;
	struct lifecycle_policy policy;
	struct lifecycle_eval *eval CLEANUP(lifecycle_eval_freep) = NULL;
	if (!lifecycle_policy_parse(a->row.policy, a->arena, &policy, err) ||
		!lifecycle_load(r->core, a->repository_id, &policy, r->ages_ms, &eval, err))
		return err_wrap(
			err, "lifecycle policy of repository %lld", (long long)a->repository_id);
	uint64_t before = r->report->expired + r->report->archived;
	a->eval = eval;
	if (!act(a, err))
		return false;
	*acted = r->report->expired + r->report->archived != before;
	r->report->waiting += lifecycle_eval_waiting(eval);
	r->report->repositories++;
	a->due_ms = next_due(a, *acted);
	return db_write(r->core->db, done_in, a, err);
}

static bool evaluate(struct run *r, int64_t repository_id, bool *acted, struct err *err)
{
	struct eval_args a = { .run = r, .repository_id = repository_id };
	*acted = false;
	a.arena = arena_new(2 * LIFECYCLE_ARENA_BYTES);
	if (r->steps > 0)
		r->steps--;
	bool ok = db_write(r->core->db, take_in, &a, err) &&
		  (!a.found || evaluate_policy(&a, acted, err));
	lifecycle_bag_fini(&a.bag);
	arena_free(a.arena);
	return ok;
}

/* --- returns from the archive --- */

struct return_args {
	struct run *run;
	size_t done;
};

static bool return_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct return_args *a = arg;
	return archive_end_returns(a->run->core, conn, a->run->now_ms, BATCH, &a->done, err);
}

/* A look without the writer first: mostly there is nothing. */
static bool has_returns_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct return_args *a = arg;
	struct state_due due;
	return state_table_due(conn, a->run->now_ms, &due, 1, &a->done, err);
}

static bool end_returns(struct run *r, struct err *err)
{
	struct return_args a = { .run = r };
	if (!db_read(r->core->db, has_returns_in, &a, err))
		return false;
	while (a.done && r->steps > 0) {
		if (!db_write(r->core->db, return_in, &a, err))
			return false;
		r->steps--;
		r->report->restored += a.done;
		a.done = a.done < BATCH ? 0 : a.done;
	}
	return true;
}

/* --- a round --- */

struct next_args {
	int64_t at; /* time, or id */
	int64_t repository_id;
};

static bool due_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct next_args *a = arg;
	return lifecycle_table_due(conn, a->at, &a->repository_id, err);
}

static bool follow_due(struct run *r, struct err *err)
{
	bool found = true;
	while (found && r->steps > 0) {
		if (!lifecycle_follow(r->core, 0, r->now_ms, r->report, &found, err))
			return false;
		r->steps -= found;
	}
	return true;
}

static bool preview_due(struct run *r, struct err *err)
{
	bool found = true;
	while (found && r->steps > 0) {
		if (!lifecycle_try_out(r->core, r->now_ms, &found, err))
			return false;
		r->steps -= found;
	}
	return true;
}

static bool evaluate_due(struct run *r, struct err *err)
{
	struct next_args next = { .at = r->now_ms };
	bool acted;
	while (r->steps > 0) {
		if (!db_read(r->core->db, due_in, &next, err))
			return false;
		if (!next.repository_id)
			return true;
		if (!evaluate(r, next.repository_id, &acted, err))
			return false;
	}
	return true;
}

bool lifecycle_run(struct core *c, int64_t now_ms, int64_t ages_ms, unsigned steps,
	struct lifecycle_report *report, struct err *err)
{
	struct run r = { c, now_ms, now_ms, ages_ms, steps, report };
	bool found;
	/* Referrers before the policies, lest one that is late be taken for an image of its own;
	 * and after, for those of what went now. */
	if (!pull_flush(c, err) || !end_returns(&r, err) || !follow_due(&r, err) ||
		!preview_due(&r, err) || !evaluate_due(&r, err) || !follow_due(&r, err) ||
		!lifecycle_clean(c, now_ms, &found, err))
		return false;
	report->more = r.steps == 0;
	return true;
}

/* --- on demand --- */

struct all_args {
	struct str name;
	struct next_args next;
	bool is_named; /* the repository has the name that is asked for */
};

static bool next_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct all_args *a = arg;
	struct arena *arena = arena_new(4 * KIB);
	struct str name;
	bool is_live = false;
	bool ok = lifecycle_table_next(conn, a->next.at, &a->next.repository_id, err) &&
		  repo_table_name(conn, a->next.repository_id, arena, &name, &is_live, err);
	a->is_named = ok && is_live && (a->name.len == 0 || str_eq(a->name, name));
	arena_free(arena);
	return ok;
}

/* Referrers, then the policy: as long as one of them finds something. */
static bool run_repository(struct run *r, int64_t repository_id, struct err *err)
{
	bool acted, found;
	do {
		if (!evaluate(r, repository_id, &acted, err))
			return false;
		do {
			if (!lifecycle_follow(
				    r->core, repository_id, r->now_ms, r->report, &found, err))
				return false;
			acted = acted || found;
		} while (found);
	} while (acted);
	return true;
}

bool lifecycle_run_all(struct core *c, struct str repo, int64_t now_ms,
	struct lifecycle_report *report, struct err *err)
{
	struct run r = { c, now_ms, clock_now_ms(), now_ms, UINT32_MAX, report };
	struct all_args a = { .name = repo };
	bool any = false, found = repo.len == 0;
	if (!pull_flush(c, err) || !end_returns(&r, err))
		return false;
	for (;; a.next.at = a.next.repository_id) {
		if (!db_read(c->db, next_in, &a, err))
			return false;
		if (!a.next.repository_id)
			break;
		if (!a.is_named)
			continue;
		any = true;
		r.steps = UINT32_MAX;
		if (!run_repository(&r, a.next.repository_id, err))
			return false;
	}
	/* Those of repositories without a policy. */
	while (found) {
		if (!lifecycle_follow(c, 0, INT64_MAX, report, &found, err))
			return false;
	}
	report->more = false;
	return any || repo.len == 0 ||
	       err_set(err, ERR_REPO_UNKNOWN,
		       "No repository with the name '" STR_FMT "' has a lifecycle policy",
		       STR_ARG(repo));
}
