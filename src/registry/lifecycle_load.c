/* lifecycle_load.c - a repository's images, as the rules of its lifecycle policy see them. */
#include "registry/archive_priv.h"
#include "registry/lifecycle_priv.h"

#define TAGS 256 /* names read at a time */

typedef void (*tag_fn)(void *arg, struct str tag);

/* All tags of an image, however many. */
static bool each_tag(struct db_conn *conn, int64_t image_id, tag_fn fn, void *arg, struct err *err)
{
	struct str names[TAGS];
	char last[256] = "";
	size_t n = 0;
	do {
		struct arena *arena = arena_new(128 * KIB);
		struct page page = { .after = str_from(last), .max = TAGS, .arena = arena };
		bool ok = tag_table_of_image(conn, image_id, &page, names, &n, err);
		for (size_t i = 0; ok && i < n; i++)
			fn(arg, names[i]);
		if (ok && n == TAGS && !str_to_c(names[n - 1], last, sizeof(last)))
			ok = err_sys(err, ERR_CORRUPT, 0, "a tag is too long");
		arena_free(arena);
		if (!ok)
			return false;
	} while (n == TAGS);
	return true;
}

static void add_hash(void *arg, struct str tag)
{
	uint64_t *sum = arg;
	*sum = lifecycle_tags_hash(*sum, tag);
}

bool lifecycle_hash(struct db_conn *conn, int64_t image_id, uint64_t *hash, struct err *err)
{
	uint64_t sum = 0;
	if (!each_tag(conn, image_id, add_hash, &sum, err))
		return false;
	*hash = sum;
	return true;
}

/* Archived and back again counts from when it came back (user guide: "last_activated_at"). */
static void set_times(
	const struct image_row *row, const struct state_row *state, struct lifecycle_image *out)
{
	out->class = state->state == STATE_ARCHIVED ? LIFECYCLE_ARCHIVE : LIFECYCLE_STANDARD;
	if (state->state == STATE_ARCHIVED)
		out->since_ms = state->archived_at_ms;
	else
		out->since_ms = state->activated_at_ms ? state->activated_at_ms : row->pushed_at_ms;
	out->used_ms = state->pulled_at_ms > out->since_ms ? state->pulled_at_ms : out->since_ms;
}

bool lifecycle_see(struct db_conn *conn, const struct image_row *row, struct lifecycle_image *out,
	bool *is_seen, struct err *err)
{
	struct state_row state;
	struct lifecycle_image image = { .id = row->id, .has_parent = row->parents > 0 };
	bool follows = false;
	if (row->has_subject &&
		!state_table_has_image(conn, row->repository_id, &row->subject, &follows, err))
		return false;
	if (!state_table_get(conn, row->id, &state, err) ||
		(row->parents > 0 && !state_table_has_active_parent(
					     conn, row->id, &image.has_active_parent, err)))
		return false;
	set_times(row, &state, &image);
	*is_seen = !follows && state.state != STATE_ACTIVATING;
	*out = image;
	return true;
}

struct load_args {
	struct lifecycle_eval *eval;
	int64_t repository_id, after;
	size_t count;
};

static void add_tag(void *arg, struct str tag)
{
	lifecycle_eval_tag(arg, tag);
}

static bool add_image(struct db_conn *conn, struct lifecycle_eval *eval,
	const struct image_row *row, struct err *err)
{
	struct lifecycle_image image;
	bool is_seen = false;
	if (!lifecycle_see(conn, row, &image, &is_seen, err))
		return false;
	if (!is_seen)
		return true;
	lifecycle_eval_begin(eval, &image);
	return (row->tags == 0 || each_tag(conn, row->id, add_tag, eval, err)) &&
	       lifecycle_eval_end(eval, err);
}

static bool page_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct load_args *a = arg;
	struct image_row rows[LIFECYCLE_SCAN];
	struct arena *arena = arena_new(MIB);
	struct page page = { .after_id = a->after, .max = LIFECYCLE_SCAN, .arena = arena };
	bool ok = image_table_list(conn, a->repository_id, false, &page, rows, &a->count, err);
	for (size_t i = 0; ok && i < a->count; i++) {
		ok = add_image(conn, a->eval, &rows[i], err);
		a->after = rows[i].id;
	}
	arena_free(arena);
	return ok;
}

bool lifecycle_load(struct core *c, int64_t repository_id, const struct lifecycle_policy *policy,
	int64_t now_ms, struct lifecycle_eval **out, struct err *err)
{
	struct lifecycle_eval *eval CLEANUP(lifecycle_eval_freep) = lifecycle_eval_new(policy);
	struct load_args a = { .eval = eval, .repository_id = repository_id };
	do {
		if (!db_read(c->db, page_in, &a, err))
			return false;
	} while (a.count == LIFECYCLE_SCAN);
	lifecycle_eval_run(eval, now_ms);
	*out = eval;
	eval = NULL;
	return true;
}
