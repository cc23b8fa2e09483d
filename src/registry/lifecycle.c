#include "registry/lifecycle.h"

#include "base/clock.h"
#include "meta/lifecycle_table.h"
#include "meta/repo_table.h"
#include "registry/archive_priv.h"
#include "registry/lifecycle_priv.h"

#define TAGS_TOLD_MAX 1000

struct args {
	struct core *core;
	const struct registry_id *reg;
	struct str repo;
	struct str text;
	struct arena *arena;
	const struct lifecycle_preview_query *query;
	int64_t registry_id;
	struct repo_key key;
	struct lifecycle_row row;
	struct lifecycle_preview *preview;
};

static bool start(struct args *a, struct err *err)
{
	if (!core_check_name(a->repo, err) ||
		!core_registry(a->core, a->reg, false, &a->registry_id, err))
		return false;
	return a->registry_id || core_repo_unknown(a->reg, a->repo, err);
}

static bool find_repo(struct db_conn *conn, struct args *a, struct err *err)
{
	return repo_table_key(conn, a->registry_id, a->repo, &a->key, err) &&
	       (a->key.id || core_repo_unknown(a->reg, a->repo, err));
}

static bool find_policy(struct db_conn *conn, struct args *a, struct err *err)
{
	bool found = false;
	if (!find_repo(conn, a, err) ||
		!lifecycle_table_get(conn, a->key.id, a->arena, &a->row, &found, err))
		return false;
	return found ||
	       err_set(err, ERR_LIFECYCLE_UNKNOWN,
		       "Lifecycle policy does not exist for the repository with name '" STR_FMT
		       "' in the registry with id '%s'",
		       STR_ARG(a->repo), a->reg->account);
}

/* The text must be a policy; what it compiles to is not needed yet. */
static bool check_text(struct str text, struct err *err)
{
	struct lifecycle_policy policy;
	struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
	bool ok = lifecycle_policy_parse(text, arena, &policy, err);
	arena_free(arena);
	return ok;
}

static bool put_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct args *a = arg;
	return find_repo(conn, a, err) && lifecycle_put_in(a->core, conn, a->key.id, a->text, err);
}

bool lifecycle_put(struct core *c, const struct registry_id *reg, struct str repo, struct str text,
	struct err *err)
{
	struct args a = { .core = c, .reg = reg, .repo = repo, .text = text };
	return start(&a, err) && check_text(text, err) && db_write(c->db, put_in, &a, err);
}

static bool get_in(struct db_conn *conn, void *arg, struct err *err)
{
	return find_policy(conn, arg, err);
}

bool lifecycle_get(struct core *c, const struct registry_id *reg, struct str repo,
	struct arena *arena, struct lifecycle *out, struct err *err)
{
	struct args a = { .core = c, .reg = reg, .repo = repo, .arena = arena };
	if (!start(&a, err) || !db_read(c->db, get_in, &a, err))
		return false;
	*out = (struct lifecycle){ a.row.policy, a.row.evaluated_at_ms };
	return true;
}

static bool delete_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct args *a = arg;
	return find_policy(conn, a, err) && lifecycle_table_remove(conn, a->key.id, err);
}

bool lifecycle_delete(struct core *c, const struct registry_id *reg, struct str repo,
	struct arena *arena, struct lifecycle *out, struct err *err)
{
	struct args a = { .core = c, .reg = reg, .repo = repo, .arena = arena };
	if (!start(&a, err) || !db_write(c->db, delete_in, &a, err))
		return false;
	*out = (struct lifecycle){ a.row.policy, a.row.evaluated_at_ms };
	return true;
}

static bool preview_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct args *a = arg;
	struct preview_row old;
	bool found = false;
	if (a->text.ptr ? !find_repo(conn, a, err) : !find_policy(conn, a, err))
		return false;
	if (!preview_table_find(conn, a->key.id, a->arena, &old, &found, err))
		return false;
	if (found && old.state == PREVIEW_RUNNING)
		return err_set(err, ERR_PREVIEW_BUSY,
			"Lifecycle policy preview is already in progress for the repository with name '" STR_FMT
			"' in the registry with id '%s'",
			STR_ARG(a->repo), a->reg->account);
	return preview_table_add(
		conn, a->key.id, a->text.ptr ? a->text : a->row.policy, clock_now_ms(), err);
}

bool lifecycle_preview(struct core *c, const struct registry_id *reg, struct str repo,
	struct str text, struct arena *arena, struct str *out_text, struct err *err)
{
	struct args a = { .core = c, .reg = reg, .repo = repo, .text = text, .arena = arena };
	if (!start(&a, err) || (text.ptr && !check_text(text, err)) ||
		!db_write(c->db, preview_in, &a, err))
		return false;
	*out_text = text.ptr ? text : a.row.policy;
	return true;
}

/* --- results --- */

static bool is_wanted(const struct lifecycle_preview_query *q, const struct image_row *row)
{
	bool wanted = q->images == NULL;
	for (size_t i = 0; i < q->image_count; i++)
		wanted = wanted || q->images[i] == row->id;
	return wanted && (q->tags == TAGS_ANY || (q->tags == TAGS_TAGGED) == (row->tags > 0));
}

static bool add_result(
	struct db_conn *conn, struct args *a, const struct preview_image *in, struct err *err)
{
	struct image_row row;
	bool found = false;
	if (!image_table_get(conn, in->image_id, NULL, a->arena, &row, &found, err))
		return false;
	if (!found || !is_wanted(a->query, &row))
		return true;
	struct lifecycle_result *r = &a->preview->items[a->preview->count];
	image_from_row(&row, &r->image);
	size_t max = row.tags > TAGS_TOLD_MAX ? TAGS_TOLD_MAX : (size_t)row.tags;
	r->image.tags = arena_alloc(a->arena, (max + 1) * sizeof(struct str));
	if (!r->image.tags)
		return core_no_memory(a->arena, err);
	struct page page = { .max = (unsigned)max, .arena = a->arena };
	if (!archive_read_state(conn, &r->image, err) ||
		!tag_table_of_image(conn, row.id, &page, r->image.tags, &r->image.tag_count, err))
		return false;
	r->priority = in->priority;
	r->action = (enum lifecycle_action)in->action;
	a->preview->count++;
	return true;
}

static bool add_results(struct db_conn *conn, struct args *a, int64_t preview_id, struct err *err)
{
	struct lifecycle_preview *p = a->preview;
	struct preview_image rows[LIFECYCLE_SCAN];
	size_t n = 0;
	size_t i = 0;
	if (!preview_image_table_list(conn, preview_id, p->after, LIFECYCLE_SCAN, rows, &n, err))
		return false;
	for (; i < n && p->count < a->query->limit; i++) {
		if (!add_result(conn, a, &rows[i], err))
			return false;
		p->after = rows[i].image_id;
	}
	p->more = i < n || n == LIFECYCLE_SCAN;
	return true;
}

static enum lifecycle_preview_status status_of(const struct preview_row *row)
{
	switch (row->state) {
	case PREVIEW_RUNNING:
		return LIFECYCLE_PREVIEW_RUNNING;
	case PREVIEW_COMPLETE:
		return row->at_ms + LIFECYCLE_PREVIEW_LIFE_MS < clock_now_ms()
			       ? LIFECYCLE_PREVIEW_EXPIRED
			       : LIFECYCLE_PREVIEW_COMPLETE;
	case PREVIEW_GONE:
	case PREVIEW_EXPIRED:
		return LIFECYCLE_PREVIEW_EXPIRED;
	case PREVIEW_FAILED:
		return LIFECYCLE_PREVIEW_FAILED;
	}
	return LIFECYCLE_PREVIEW_FAILED;
}

static bool results_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct args *a = arg;
	struct lifecycle_preview *p = a->preview;
	struct preview_row row;
	bool found = false;
	if (!find_repo(conn, a, err) ||
		!preview_table_find(conn, a->key.id, a->arena, &row, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_PREVIEW_UNKNOWN,
			"Lifecycle policy preview does not exist for the repository with name '" STR_FMT
			"' in the registry with id '%s'",
			STR_ARG(a->repo), a->reg->account);
	p->status = status_of(&row);
	p->text = row.policy;
	if (p->status != LIFECYCLE_PREVIEW_COMPLETE)
		return true;
	p->expiring = row.expiring;
	p->moving = row.moving;
	return add_results(conn, a, row.id, err);
}

bool lifecycle_preview_get(struct core *c, const struct registry_id *reg,
	const struct lifecycle_preview_query *q, struct arena *arena, struct lifecycle_preview *out,
	struct err *err)
{
	struct lifecycle_preview p = { .after = q->after };
	struct args a = { .core = c, .reg = reg, .repo = q->repo, .arena = arena, .query = q };
	a.preview = &p;
	p.items = arena_alloc(arena, (q->limit + 1) * sizeof(*p.items));
	if (!p.items)
		return core_no_memory(arena, err);
	if (!start(&a, err) || !db_read(c->db, results_in, &a, err))
		return false;
	*out = p;
	return true;
}
