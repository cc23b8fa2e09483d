#include "registry/lifecycle_told.h"

#include "meta/event_table.h"
#include "registry/image_priv.h"
#include "registry/lifecycle_priv.h"

void lifecycle_listen(struct core *c, lifecycle_told_fn fn, void *arg)
{
	c->told = fn;
	c->told_arg = arg;
}

void lifecycle_bag_begin(struct core *c, struct lifecycle_bag *bag)
{
	arena_free(bag->arena);
	*bag = (struct lifecycle_bag){ .arena = c->told ? arena_new(LIFECYCLE_ARENA_BYTES) : NULL };
}

void lifecycle_bag_fini(struct lifecycle_bag *bag)
{
	arena_free(bag->arena);
	bag->arena = NULL;
}

bool lifecycle_bag_add(struct db_conn *conn, struct lifecycle_bag *bag, const struct image_row *row,
	const struct lifecycle_mark *m, struct err *err)
{
	if (!bag->arena || bag->count == LIFECYCLE_BAG_MAX)
		return true;
	struct lifecycle_told_image *to = &bag->items[bag->count];
	struct str *tags = arena_alloc(bag->arena, sizeof(*tags) * LIFECYCLE_TOLD_TAGS);
	size_t n = 0;
	if (!tags)
		return true; /* told without the rest, rather than not done */
	struct page page = { .max = LIFECYCLE_TOLD_TAGS, .arena = bag->arena };
	if (!tag_table_of_image(conn, row->id, &page, tags, &n, err))
		return false;
	*to = (struct lifecycle_told_image){ row->digest, row->pushed_at_ms, m->priority, m->action,
		tags, n };
	bag->count++;
	return true;
}

struct place_args {
	int64_t repository_id;
	struct arena *arena;
	struct event_row row;
	bool found;
};

static bool place_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct place_args *a = arg;
	return event_table_place(conn, a->repository_id, a->arena, &a->row, &a->found, err);
}

bool lifecycle_bag_tell(struct core *c, struct lifecycle_bag *bag, int64_t repository_id,
	const struct lifecycle_told *what, struct err *err)
{
	struct place_args a = { .repository_id = repository_id, .arena = bag->arena };
	if (!bag->arena || bag->count == 0)
		return true;
	if (!db_read(c->db, place_in, &a, err))
		return false;
	if (!a.found) /* deleted meanwhile */
		return true;
	struct lifecycle_told told = *what;
	told.account = a.row.account;
	told.region = a.row.region;
	told.repository = a.row.repository;
	for (size_t i = 0; i < bag->count; i += LIFECYCLE_TOLD_IMAGES) {
		size_t left = bag->count - i;
		told.images = &bag->items[i];
		told.count = left < LIFECYCLE_TOLD_IMAGES ? left : LIFECYCLE_TOLD_IMAGES;
		c->told(c->told_arg, &told);
	}
	return true;
}

/* --- previews: what is marked is still there --- */

struct marks_args {
	const struct lifecycle_eval *eval;
	size_t from, to;
	struct lifecycle_bag bag;
};

static bool marks_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct marks_args *a = arg;
	for (size_t i = a->from; i < a->to; i++) {
		struct lifecycle_mark m = lifecycle_eval_mark(a->eval, i);
		struct image_row row;
		bool found = false;
		if (!image_table_get(conn, m.image.id, NULL, a->bag.arena, &row, &found, err) ||
			(found && !lifecycle_bag_add(conn, &a->bag, &row, &m, err)))
			return false;
	}
	return true;
}

bool lifecycle_tell_marks(struct core *c, const struct lifecycle_eval *eval, int64_t repository_id,
	const struct lifecycle_told *what, struct err *err)
{
	size_t n = lifecycle_eval_count(eval);
	bool ok = true;
	if (!c->told)
		return true;
	for (size_t i = 0; ok && i < n; i += LIFECYCLE_BAG_MAX) {
		struct marks_args a = { .eval = eval, .from = i };
		a.to = n - i < LIFECYCLE_BAG_MAX ? n : i + LIFECYCLE_BAG_MAX;
		lifecycle_bag_begin(c, &a.bag);
		ok = db_read(c->db, marks_in, &a, err) &&
		     lifecycle_bag_tell(c, &a.bag, repository_id, what, err);
		lifecycle_bag_fini(&a.bag);
	}
	return ok;
}
