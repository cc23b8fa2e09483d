#include "registry/template.h"

#include "base/clock.h"
#include "meta/template_table.h"
#include "registry/core_priv.h"
#include "registry/repo_priv.h"

#define ROOT "ROOT" /* no repository name has capitals, so it is no prefix of one */

/* --- rows --- */

static struct str key_of(struct str prefix)
{
	return str_ends(prefix, STR("/")) ? str_sub(prefix, 0, prefix.len - 1) : prefix;
}

/* Key, value, key, ...: one a line. Neither holds a line break: the front refuses control
 * characters in tags. */
static struct str join_tags(struct arena *arena, const struct repo_tag *tags, size_t count)
{
	size_t len = 1;
	for (size_t i = 0; i < count; i++)
		len += tags[i].key.len + tags[i].value.len + 2;
	char *p = arena_alloc(arena, len);
	if (!p)
		return (struct str){ NULL, 0 };
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		struct str parts[2] = { tags[i].key, tags[i].value };
		for (size_t k = 0; k < 2; k++) {
			if (parts[k].len)
				memcpy(p + at, parts[k].ptr, parts[k].len);
			at += parts[k].len;
			p[at++] = '\n';
		}
	}
	return (struct str){ p, at };
}

static bool split_tags(struct str text, struct arena *arena, struct template *out, struct err *err)
{
	struct repo_tag *tags = arena_alloc(arena, sizeof(*tags) * REPO_TAGS_MAX);
	struct str rest = text;
	if (!tags)
		return core_no_memory(arena, err);
	size_t n = 0;
	while (rest.len && n < REPO_TAGS_MAX) {
		(void)str_cut(rest, '\n', &tags[n].key, &rest);
		(void)str_cut(rest, '\n', &tags[n].value, &rest);
		n++;
	}
	out->tags = tags;
	out->tag_count = n;
	return true;
}

static bool from_row(
	const struct template_row *row, struct arena *arena, struct template *out, struct err *err)
{
	struct template t = {
		.prefix = row->prefix,
		.description = row->description,
		.enc_type = (enum enc_type)row->enc_type,
		.kms_key = row->kms_key,
		.mutability = (enum mutability)row->mutability,
		.repository_policy = row->repository_policy,
		.lifecycle_policy = row->lifecycle_policy,
		.uses = (unsigned)row->applied_for,
		.role_arn = row->role_arn,
		.created_at_ms = row->created_at_ms,
		.updated_at_ms = row->updated_at_ms,
	};
	t.filter_count = repo_split_filters(row->filters, t.filters);
	if (!split_tags(row->tags, arena, &t, err))
		return false;
	*out = t;
	return true;
}

static struct str or_empty(struct str s)
{
	return s.ptr ? s : STR("");
}

/* Puts the members of in that count into row. */
static bool set_members(struct template_row *row, const struct template *in, unsigned members,
	struct arena *arena, struct err *err)
{
	if (members & TEMPLATE_DESCRIPTION)
		row->description = or_empty(in->description);
	if (members & TEMPLATE_ENCRYPTION) {
		row->enc_type = (int)in->enc_type;
		row->kms_key = or_empty(in->kms_key);
	}
	if (members & TEMPLATE_MUTABILITY) {
		row->mutability = (int)in->mutability;
		row->filters = repo_join_filters(arena, in->filters, in->filter_count);
	}
	if (members & TEMPLATE_TAGS)
		row->tags = join_tags(arena, in->tags, in->tag_count);
	if (members & TEMPLATE_REPOSITORY_POLICY)
		row->repository_policy = or_empty(in->repository_policy);
	if (members & TEMPLATE_LIFECYCLE_POLICY)
		row->lifecycle_policy = or_empty(in->lifecycle_policy);
	if (members & TEMPLATE_USES)
		row->applied_for = (int)in->uses;
	if (members & TEMPLATE_ROLE)
		row->role_arn = or_empty(in->role_arn);
	return (row->filters.ptr && row->tags.ptr) || core_no_memory(arena, err);
}

/* --- the five operations --- */

struct template_args {
	const struct registry_id *reg;
	const struct template *in;
	struct str prefix;
	unsigned members;
	struct arena *arena;
	int64_t registry_id;
	struct template_row row;
};

static bool unknown(const struct template_args *a, struct err *err)
{
	return err_set(err, ERR_TEMPLATE_UNKNOWN,
		"The repository creation template with prefix '" STR_FMT
		"' does not exist in the registry with id '%s'",
		STR_ARG(a->prefix), a->reg->account);
}

static bool find_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct template_args *a = arg;
	bool found = false;
	return template_table_find(
		       conn, a->registry_id, key_of(a->prefix), a->arena, &a->row, &found, err) &&
	       (found || unknown(a, err));
}

static bool create_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct template_args *a = arg;
	struct template_row there;
	bool found = false;
	if (!template_table_find(
		    conn, a->registry_id, a->row.prefix_key, a->arena, &there, &found, err))
		return false;
	if (found)
		return err_set(err, ERR_TEMPLATE_EXISTS,
			"The repository creation template with prefix '" STR_FMT
			"' already exists in the registry with id '%s'",
			STR_ARG(a->row.prefix), a->reg->account);
	return template_table_add(conn, a->registry_id, &a->row, err);
}

bool template_create(struct core *c, const struct registry_id *reg, const struct template *in,
	struct arena *arena, struct template *out, struct err *err)
{
	int64_t now = clock_now_ms();
	struct template_args a = {
		.reg = reg,
		.arena = arena,
		.row = { .prefix_key = key_of(in->prefix),
			.prefix = in->prefix,
			.created_at_ms = now,
			.updated_at_ms = now },
	};
	return set_members(&a.row, in, ~0U, arena, err) &&
	       core_registry(c, reg, true, &a.registry_id, err) &&
	       db_write(c->db, create_in, &a, err) && from_row(&a.row, arena, out, err);
}

static bool update_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct template_args *a = arg;
	if (!find_in(conn, a, err) || !set_members(&a->row, a->in, a->members, a->arena, err))
		return false;
	a->row.updated_at_ms = clock_now_ms();
	return template_table_change(conn, a->registry_id, &a->row, err);
}

static bool delete_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct template_args *a = arg;
	return find_in(conn, a, err) &&
	       template_table_remove(conn, a->registry_id, a->row.prefix_key, err);
}

static bool open_registry(struct core *c, struct template_args *a, struct err *err)
{
	return core_registry(c, a->reg, false, &a->registry_id, err) &&
	       (a->registry_id || unknown(a, err));
}

bool template_update(struct core *c, const struct registry_id *reg, const struct template *in,
	unsigned members, struct arena *arena, struct template *out, struct err *err)
{
	struct template_args a = {
		.reg = reg, .in = in, .prefix = in->prefix, .members = members, .arena = arena
	};
	return open_registry(c, &a, err) && db_write(c->db, update_in, &a, err) &&
	       from_row(&a.row, arena, out, err);
}

bool template_delete(struct core *c, const struct registry_id *reg, struct str prefix,
	struct arena *arena, struct template *out, struct err *err)
{
	struct template_args a = { .reg = reg, .prefix = prefix, .arena = arena };
	return open_registry(c, &a, err) && db_write(c->db, delete_in, &a, err) &&
	       from_row(&a.row, arena, out, err);
}

bool template_get(struct core *c, const struct registry_id *reg, struct str prefix,
	struct arena *arena, struct template *out, struct err *err)
{
	struct template_args a = { .reg = reg, .prefix = prefix, .arena = arena };
	return open_registry(c, &a, err) && db_read(c->db, find_in, &a, err) &&
	       from_row(&a.row, arena, out, err);
}

/* --- lists --- */

struct list_args {
	int64_t registry_id;
	struct str after;
	unsigned limit;
	struct arena *arena;
	struct template_page page;
};

/* One row at a time, because a page of the largest templates is larger than any arena. One item
 * more than wanted tells that there is more. */
static bool list_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct list_args *a = arg;
	struct template_page *page = &a->page;
	page->count = 0;
	page->more = false;
	page->last = or_empty(a->after);
	for (;;) {
		struct template_row row;
		bool found = false;
		struct err e;
		bool fits = template_table_next(
			conn, a->registry_id, page->last, a->arena, &row, &found, &e);
		if (fits && !found)
			return true;
		page->more = page->count == a->limit;
		if (page->more)
			return true;
		fits = fits && from_row(&row, a->arena, &page->items[page->count], &e);
		if (!fits) {
			page->more = e.kind == ERR_TOO_LARGE && page->count > 0;
			if (!page->more)
				*err = e;
			return page->more;
		}
		page->last = row.prefix_key;
		page->count++;
	}
}

bool template_list(struct core *c, const struct registry_id *reg, struct str after, unsigned limit,
	struct arena *arena, struct template_page *out, struct err *err)
{
	struct list_args a = { .after = after, .limit = limit, .arena = arena };
	a.page.items = arena_alloc(arena, sizeof(*a.page.items) * limit);
	a.page.last = or_empty(after);
	if (!a.page.items)
		return core_no_memory(arena, err);
	if (!core_registry(c, reg, false, &a.registry_id, err) ||
		(a.registry_id && !db_read(c->db, list_in, &a, err)))
		return false;
	*out = a.page;
	return true;
}

/* --- creating repositories --- */

struct match_args {
	int64_t registry_id;
	struct str repo;
	enum template_use use;
	struct arena *arena;
	struct template_row row;
	bool found;
};

static bool try_key(struct db_conn *conn, struct match_args *a, struct str key, struct err *err)
{
	struct template_row row;
	bool found = false;
	if (!template_table_find(conn, a->registry_id, key, a->arena, &row, &found, err))
		return false;
	a->found = found && (row.applied_for & (int)a->use) != 0;
	if (a->found)
		a->row = row;
	return true;
}

/* From the longest prefix to the shortest; a name has at most 128 of them, each a look at one row.
 */
static bool match_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct match_args *a = arg;
	a->found = false;
	for (size_t len = a->repo.len; len > 1 && !a->found; len--) {
		if (a->repo.ptr[len - 1] == '/' &&
			!try_key(conn, a, str_sub(a->repo, 0, len - 1), err))
			return false;
	}
	return a->found || try_key(conn, a, STR(ROOT), err);
}

bool template_find(struct core *c, const struct registry_id *reg, struct str repo,
	enum template_use use, struct arena *arena, struct template *out, struct err *err)
{
	struct match_args a = { .repo = repo, .use = use, .arena = arena };
	struct template t = { .prefix = { NULL, 0 } };
	if (!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (a.registry_id && !db_read(c->db, match_in, &a, err))
		return false;
	if (a.found && !from_row(&a.row, arena, &t, err))
		return false;
	*out = t;
	return true;
}

bool template_apply(struct core *c, const struct registry_id *reg, const struct template *t,
	struct str repo, struct arena *arena, struct err *err)
{
	struct repo made;
	struct err e;
	struct repo_new in = {
		.name = repo,
		.enc_type = t->enc_type,
		.kms_key = t->kms_key,
		.mutability = t->mutability,
		.filters = t->filters,
		.filter_count = t->filter_count,
		.tags = t->tags,
		.tag_count = t->tag_count,
		.policy = t->repository_policy,
		.lifecycle = t->lifecycle_policy,
	};
	if (repo_create(c, reg, &in, arena, &made, &e) || e.kind == ERR_REPO_EXISTS)
		return true;
	*err = e;
	return false;
}
