#include "registry/mount_report.h"

#include "meta/mount_log_table.h"
#include "registry/core_priv.h"

#define LOOK_MAX     20000 /* rows of the log that a page looks at */
#define TARGETS_LOOK 50000 /* rows of targets' sums that an estimate looks at */
#define DAYS_MAX     401

static const char *const reasons[MOUNT_OUTCOME_COUNT] = {
	[MOUNT_MOUNTED] = "The layer was linked from the source repository; no bytes were sent",
	[MOUNT_PRESENT] = "The repository had the layer already",
	[MOUNT_OFF] = "Blob mounting is off in this registry",
	[MOUNT_OTHER_REGISTRY] = "The source is in another registry; layers are shared within one",
	[MOUNT_NO_SOURCE] = "The source repository does not exist",
	[MOUNT_DENIED] = "The caller may not read the source repository "
			 "(ecr:GetDownloadUrlForLayer)",
	[MOUNT_NOT_HELD] = "The source repository does not hold the layer",
	[MOUNT_OTHER_POOL] = "The source repository is encrypted with another configuration",
	[MOUNT_BAD_DIGEST] = "The digest is malformed",
	[MOUNT_UNREFERENCED] = "No image of the source repository names the layer, which the mount "
			       "policy of ECR asks for",
	[MOUNT_CACHED] = "The layer came by a pull-through cache, from which the mount policy of "
			 "ECR does not mount",
	[MOUNT_NOT_FOUND] = "No repository that the caller may read holds the layer",
};

const char *mount_outcome_reason(struct str outcome)
{
	for (unsigned i = 0; i < MOUNT_OUTCOME_COUNT; i++) {
		if (str_eq_c(outcome, mount_outcome_text((enum mount_outcome)i)))
			return reasons[i];
	}
	return NULL;
}

struct log_args {
	struct mount_log_query q;
	struct arena *arena;
	struct mount_log_rows found;
};

static bool log_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct log_args *a = arg;
	return mount_log_table_list(conn, &a->q, a->arena, &a->found, err);
}

bool mount_log_read(struct core *c, const struct registry_id *reg, const struct mount_log_filter *f,
	struct arena *arena, struct mount_log_page *out, struct err *err)
{
	struct log_args a = {
		.q = {
			.target = f->target,
			.source = f->source,
			.outcomes = f->outcomes,
			.outcome_count = f->outcome_count,
			.from_ms = f->from_ms,
			.until_ms = f->until_ms,
			.look = LOOK_MAX,
		},
		.arena = arena,
		.found = { .max = f->limit, .before = f->before },
	};
	struct mount_log_page page = { .items = arena_alloc(
					       arena, (f->limit + 1) * sizeof(*page.items)) };
	a.found.rows = arena_alloc(arena, (f->limit + 1) * sizeof(*a.found.rows));
	if (!page.items || !a.found.rows)
		return core_no_memory(arena, err);
	if (!core_registry(c, reg, false, &a.q.registry_id, err))
		return false;
	if (a.q.registry_id && !db_read(c->db, log_in, &a, err))
		return false;
	for (size_t i = 0; i < a.found.count; i++) {
		const struct mount_log_row *r = &a.found.rows[i];
		page.items[i] = (struct mount_log_item){
			.at_ms = r->at_ms,
			.target = r->target,
			.source = r->source,
			.digest = r->digest,
			.outcome = r->outcome,
			.principal = r->principal,
			.size_bytes = r->size_bytes,
		};
	}
	page.count = a.found.count;
	page.more = a.found.more;
	page.next = a.found.before;
	*out = page;
	return true;
}

/* --- the estimate --- */

struct estimate_args {
	struct mount_days days;
	struct arena *arena;
	struct mount_sums_rows outcomes, by_day, targets;
	uint64_t looked;
};

static bool estimate_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct estimate_args *a = arg;
	return mount_day_table_outcomes(conn, &a->days, a->arena, &a->outcomes, err) &&
	       mount_day_table_days(conn, &a->days, a->arena, &a->by_day, err) &&
	       mount_day_table_targets(
		       conn, &a->days, TARGETS_LOOK, a->arena, &a->targets, &a->looked, err);
}

static void add_sums(struct mount_sum *to, const struct mount_sums *r, bool mounted)
{
	to->mounts += r->mounts;
	to->bytes += r->bytes;
	to->mounted_bytes += mounted ? r->bytes : 0;
	to->avoidable_mounts += r->avoidable_mounts;
	to->avoidable_bytes += r->avoidable_bytes;
}

static bool is_mounted(const struct mount_sums *r)
{
	return str_eq_c(r->text, mount_outcome_text(MOUNT_MOUNTED));
}

static struct mount_sum sum_of(const struct mount_sums *r)
{
	struct mount_sum s = { .day_ms = r->day * MOUNT_DAY_MS, .text = r->text };
	add_sums(&s, r, is_mounted(r));
	return s;
}

/* Rows of one day follow each other. */
static void put_days(const struct estimate_args *a, struct mount_estimate *e)
{
	for (size_t i = 0; i < a->by_day.count; i++) {
		const struct mount_sums *r = &a->by_day.rows[i];
		int64_t day_ms = r->day * MOUNT_DAY_MS;
		if (e->day_count == 0 || e->days[e->day_count - 1].day_ms != day_ms) {
			if (e->day_count == DAYS_MAX)
				return;
			e->days[e->day_count++] = (struct mount_sum){ .day_ms = day_ms };
		}
		add_sums(&e->days[e->day_count - 1], r, is_mounted(r));
	}
}

static bool make_rows(struct arena *arena, size_t max, struct mount_sums_rows *out)
{
	*out = (struct mount_sums_rows){ arena_alloc(arena, max * sizeof(*out->rows)), max, 0 };
	return out->rows != NULL;
}

static bool make_room(struct estimate_args *a, size_t repos_max, struct mount_estimate *e)
{
	e->outcomes = arena_alloc(a->arena, MOUNT_OUTCOME_COUNT * sizeof(*e->outcomes));
	e->days = arena_alloc(a->arena, (size_t)DAYS_MAX * sizeof(*e->days));
	e->repos = arena_alloc(a->arena, repos_max * sizeof(*e->repos));
	return e->outcomes && e->days && e->repos &&
	       make_rows(a->arena, MOUNT_OUTCOME_COUNT, &a->outcomes) &&
	       make_rows(a->arena, (size_t)DAYS_MAX * MOUNT_OUTCOME_COUNT, &a->by_day) &&
	       make_rows(a->arena, repos_max, &a->targets);
}

bool mount_estimate_read(struct core *c, const struct registry_id *reg,
	const struct mount_estimate_query *q, struct arena *arena, struct mount_estimate *out,
	struct err *err)
{
	struct estimate_args a = { .arena = arena };
	struct mount_estimate e = { 0 };
	a.days.last = q->until_ms / MOUNT_DAY_MS;
	a.days.first = q->from_ms / MOUNT_DAY_MS;
	if (a.days.last - a.days.first >= DAYS_MAX)
		a.days.first = a.days.last - DAYS_MAX + 1;
	e.from_ms = a.days.first * MOUNT_DAY_MS;
	e.until_ms = (a.days.last + 1) * MOUNT_DAY_MS;
	if (!make_room(&a, q->repos_max, &e))
		return core_no_memory(arena, err);
	if (!core_registry(c, reg, false, &a.days.registry_id, err))
		return false;
	if (a.days.registry_id && !db_read(c->db, estimate_in, &a, err))
		return false;
	for (size_t i = 0; i < a.outcomes.count; i++) {
		const struct mount_sums *r = &a.outcomes.rows[i];
		e.outcomes[e.outcome_count++] = sum_of(r);
		add_sums(&e.all, r, is_mounted(r));
		e.mounted_mounts += is_mounted(r) ? r->mounts : 0;
	}
	put_days(&a, &e);
	for (size_t i = 0; i < a.targets.count; i++)
		e.repos[e.repo_count++] = sum_of(&a.targets.rows[i]);
	e.is_partial = a.looked >= TARGETS_LOOK;
	*out = e;
	return true;
}
