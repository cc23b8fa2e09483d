#include "registry/repo.h"

#include "base/buf.h"
#include "base/clock.h"
#include "kms/kms.h"
#include "meta/lifecycle_table.h"
#include "meta/policy_table.h"
#include "meta/registry_table.h"
#include "meta/repo_table.h"
#include "registry/core_priv.h"
#include "registry/repo_priv.h"
#include "registry/resource_policy.h"

/* Splits the stored filters, one a line. */
size_t repo_split_filters(struct str text, struct str out[REPO_FILTERS_MAX])
{
	struct str rest = text;
	size_t count = 0;
	while (rest.len && count < REPO_FILTERS_MAX)
		(void)str_cut(rest, '\n', &out[count++], &rest);
	return count;
}

struct str repo_join_filters(struct arena *arena, const struct str *filters, size_t count)
{
	size_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += filters[i].len + 1;
	char *p = arena_alloc(arena, len + 1);
	if (!p)
		return (struct str){ NULL, 0 };
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		if (i)
			p[at++] = '\n';
		memcpy(p + at, filters[i].ptr, filters[i].len);
		at += filters[i].len;
	}
	return (struct str){ p, at };
}

void repo_from_row(const struct repo_row *row, struct repo *out)
{
	*out = (struct repo){
		.id = row->id,
		.name = row->name,
		.created_at_ms = row->created_at_ms,
		.mutability = (enum mutability)row->mutability,
		.scan_on_push = row->scan_on_push,
		.enc_type = (enum enc_type)row->enc_type,
		.kms_key = row->key_arn,
		.image_count = (uint64_t)row->images,
		.logical_bytes = (uint64_t)row->logical_bytes,
		.stored_bytes = (uint64_t)row->stored_bytes,
	};
	out->filter_count = repo_split_filters(row->filters, out->filters);
}

/* ECR asks KMS once, at creation, and remembers the ARN: the pool's identity, whatever name the key
 * was given by. */
static bool resolve_key(struct core *c, const struct registry_id *reg, const struct repo_new *in,
	struct arena *arena, struct str *out, struct err *err)
{
	struct kms_realm realm = { str_from(reg->account), str_from(reg->region) };
	if (in->enc_type == ENC_AES256) {
		*out = STR("");
		return true;
	}
	if (!c->o.kms)
		return err_set(err, ERR_KMS_UNAVAILABLE, "This server has no KMS");
	return kms_resolve(c->o.kms, &realm, in->kms_key, arena, out, err);
}

struct create_args {
	struct core *core;
	const struct registry_id *reg;
	const struct repo_new *in;
	struct arena *arena;
	struct str key_arn, filters;
	int64_t registry_id;
	struct repo_row row;
};

static bool create_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct create_args *a = arg;
	const struct repo_new *in = a->in;
	struct repo_key there;
	int64_t pool_id = 0;
	int64_t id = 0;
	int64_t count = 0;
	bool found = false;
	if (!repo_table_key(conn, a->registry_id, in->name, &there, err))
		return false;
	if (there.id)
		return err_set(err, ERR_REPO_EXISTS,
			"The repository with name '" STR_FMT
			"' already exists in the registry with id '%s'",
			STR_ARG(in->name), a->reg->account);
	if (!registry_table_repositories(conn, a->registry_id, 1, &count, err))
		return false;
	if (count > (int64_t)a->core->o.repositories_max)
		return err_set(err, ERR_QUOTA,
			"The registry with id '%s' already has the maximum allowed number of repositories which is '%u'",
			a->reg->account, a->core->o.repositories_max);
	if (!pool_table_ensure(conn, a->registry_id, (int)in->enc_type, a->key_arn, &pool_id, err))
		return false;
	struct repo_row row = {
		.registry_id = a->registry_id,
		.pool_id = pool_id,
		.name = in->name,
		.created_at_ms = clock_now_ms(),
		.mutability = (int)in->mutability,
		.filters = a->filters,
		.scan_on_push = in->scan_on_push,
	};
	if (!repo_table_add(conn, &row, &id, err))
		return false;
	for (size_t i = 0; i < in->tag_count; i++) {
		if (!repo_tag_table_put(conn, id, in->tags[i].key, in->tags[i].value, err))
			return false;
	}
	if (in->policy.len && !policy_table_put(conn, a->registry_id, id, in->policy, err))
		return false;
	if (in->lifecycle.len &&
		!lifecycle_table_put(conn, id, in->lifecycle, row.created_at_ms, err))
		return false;
	return repo_table_find(conn, a->registry_id, in->name, a->arena, &a->row, &found, err);
}

bool repo_create(struct core *c, const struct registry_id *reg, const struct repo_new *in,
	struct arena *arena, struct repo *out, struct err *err)
{
	if (!core_check_name(in->name, err))
		return false;
	if (in->tag_count > REPO_TAGS_MAX)
		return err_set(err, ERR_LIMIT,
			"The list of tags on the repository is over the limit of %d",
			REPO_TAGS_MAX);
	struct create_args a = { .core = c, .reg = reg, .in = in, .arena = arena };
	a.filters = repo_join_filters(arena, in->filters, in->filter_count);
	if (!a.filters.ptr)
		return core_no_memory(arena, err);
	if (!resolve_key(c, reg, in, arena, &a.key_arn, err))
		return false;
	if (!core_registry(c, reg, true, &a.registry_id, err) ||
		!db_write(c->db, create_in, &a, err))
		return false;
	resource_policy_changed(c);
	repo_from_row(&a.row, out);
	return true;
}

struct find_args {
	const struct registry_id *reg;
	struct str name;
	struct arena *arena;
	int64_t registry_id;
	struct repo_row row;
};

static bool find_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct find_args *a = arg;
	bool found = false;
	if (!repo_table_find(conn, a->registry_id, a->name, a->arena, &a->row, &found, err))
		return false;
	return found || core_repo_unknown(a->reg, a->name, err);
}

/* The registry's id for a repository that must exist. */
static bool registry_of(struct core *c, const struct registry_id *reg, struct str name, int64_t *id,
	struct err *err)
{
	if (!core_check_name(name, err) || !core_registry(c, reg, false, id, err))
		return false;
	return *id != 0 || core_repo_unknown(reg, name, err);
}

bool repo_get(struct core *c, const struct registry_id *reg, struct str name, struct arena *arena,
	struct repo *out, struct err *err)
{
	struct find_args a = { .reg = reg, .name = name, .arena = arena };
	if (!registry_of(c, reg, name, &a.registry_id, err) || !db_read(c->db, find_in, &a, err))
		return false;
	repo_from_row(&a.row, out);
	return true;
}

struct list_args {
	int64_t registry_id;
	struct str after;
	unsigned limit;
	struct arena *arena;
	struct repo_row *rows;
	size_t count;
};

static bool list_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct list_args *a = arg;
	struct page page = { .after = a->after, .max = a->limit + 1, .arena = a->arena };
	return repo_table_list(conn, a->registry_id, &page, a->rows, &a->count, err);
}

bool repo_list(struct core *c, const struct registry_id *reg, struct str after, unsigned limit,
	struct arena *arena, struct repo_page *out, struct err *err)
{
	struct list_args a = { .after = after, .limit = limit, .arena = arena };
	if (!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	struct repo_page page = { .items = arena_alloc(arena, sizeof(struct repo) * (limit + 1)) };
	a.rows = arena_alloc(arena, sizeof(struct repo_row) * (limit + 1));
	if (!page.items || !a.rows)
		return core_no_memory(arena, err);
	if (a.registry_id && !db_read(c->db, list_in, &a, err))
		return false;
	page.more = a.count > limit;
	page.count = page.more ? limit : a.count;
	for (size_t i = 0; i < page.count; i++)
		repo_from_row(&a.rows[i], &page.items[i]);
	*out = page;
	return true;
}

struct delete_args {
	struct find_args find;
	bool force;
};

static bool delete_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct delete_args *a = arg;
	int64_t count = 0;
	if (!find_in(conn, &a->find, err))
		return false;
	if (!a->force && a->find.row.images > 0)
		return err_set(err, ERR_REPO_NOT_EMPTY,
			"The repository with name '" STR_FMT
			"' in registry with id '%s' cannot be deleted because it still contains "
			"images",
			STR_ARG(a->find.name), a->find.reg->account);
	return repo_table_set_dying(conn, a->find.row.id, err) &&
	       policy_table_remove(conn, a->find.registry_id, a->find.row.id, err) &&
	       registry_table_repositories(conn, a->find.registry_id, -1, &count, err);
}

bool repo_delete(struct core *c, const struct registry_id *reg, struct str name, bool force,
	struct arena *arena, struct repo *out, struct err *err)
{
	struct delete_args a = { .find = { .reg = reg, .name = name, .arena = arena },
		.force = force };
	if (!registry_of(c, reg, name, &a.find.registry_id, err) ||
		!db_write(c->db, delete_in, &a, err))
		return false;
	resource_policy_changed(c);
	repo_from_row(&a.find.row, out);
	return true;
}

struct change_args {
	struct find_args find;
	enum mutability mode;
	struct str filters;
	const struct repo_tag *tags;
	const struct str *keys;
	size_t count;
	bool scan_on_push;
};

static bool set_mutability_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct change_args *a = arg;
	return find_in(conn, &a->find, err) &&
	       repo_table_set_mutability(conn, a->find.row.id, (int)a->mode, a->filters, err);
}

struct tags_args {
	struct find_args find;
	struct repo_tag_row *rows;
	size_t count;
};

static bool tags_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct tags_args *a = arg;
	return find_in(conn, &a->find, err) &&
	       repo_tag_table_list(
		       conn, a->find.row.id, a->find.arena, a->rows, REPO_TAGS_MAX, &a->count, err);
}

bool repo_tags_get(struct core *c, const struct registry_id *reg, struct str name,
	struct arena *arena, struct repo_tag **out, size_t *out_count, struct err *err)
{
	struct tags_args a = { .find = { .reg = reg, .name = name, .arena = arena } };
	a.rows = arena_alloc(arena, sizeof(*a.rows) * REPO_TAGS_MAX);
	struct repo_tag *tags = arena_alloc(arena, sizeof(*tags) * REPO_TAGS_MAX);
	if (!a.rows || !tags)
		return core_no_memory(arena, err);
	if (!registry_of(c, reg, name, &a.find.registry_id, err) ||
		!db_read(c->db, tags_in, &a, err))
		return false;
	for (size_t i = 0; i < a.count; i++)
		tags[i] = (struct repo_tag){ a.rows[i].key, a.rows[i].value };
	*out = tags;
	*out_count = a.count;
	return true;
}

static bool tags_put_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct change_args *a = arg;
	uint64_t now = 0;
	if (!find_in(conn, &a->find, err))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!repo_tag_table_put(
			    conn, a->find.row.id, a->tags[i].key, a->tags[i].value, err))
			return false;
	}
	if (!repo_tag_table_count(conn, a->find.row.id, &now, err))
		return false;
	if (now > REPO_TAGS_MAX)
		return err_set(err, ERR_LIMIT,
			"The list of tags on the repository is over the limit of %d",
			REPO_TAGS_MAX);
	return true;
}

static bool tags_remove_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct change_args *a = arg;
	if (!find_in(conn, &a->find, err))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!repo_tag_table_remove(conn, a->find.row.id, a->keys[i], err))
			return false;
	}
	return true;
}

static bool change(struct core *c, struct change_args *a, db_fn fn, struct err *err)
{
	struct arena *arena = arena_new(64 * KIB);
	a->find.arena = arena;
	bool ok = registry_of(c, a->find.reg, a->find.name, &a->find.registry_id, err) &&
		  db_write(c->db, fn, a, err);
	arena_free(arena);
	/* Conditions of policies read tags. */
	if (ok && (fn == tags_put_in || fn == tags_remove_in))
		resource_policy_changed(c);
	return ok;
}

bool repo_set_mutability(struct core *c, const struct registry_id *reg, struct str name,
	enum mutability mode, const struct str *filters, size_t filter_count, struct err *err)
{
	struct arena *arena = arena_new(16 * KIB);
	struct change_args a = { .find = { .reg = reg, .name = name }, .mode = mode };
	a.filters = repo_join_filters(arena, filters, filter_count);
	bool ok =
		a.filters.ptr ? change(c, &a, set_mutability_in, err) : core_no_memory(arena, err);
	arena_free(arena);
	return ok;
}

static bool set_scan_on_push_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct change_args *a = arg;
	return find_in(conn, &a->find, err) &&
	       repo_table_set_scan_on_push(conn, a->find.row.id, a->scan_on_push, err);
}

bool repo_set_scan_on_push(struct core *c, const struct registry_id *reg, struct str name,
	bool scan_on_push, struct err *err)
{
	struct change_args a = { .find = { .reg = reg, .name = name },
		.scan_on_push = scan_on_push };
	return change(c, &a, set_scan_on_push_in, err);
}

bool repo_tags_put(struct core *c, const struct registry_id *reg, struct str name,
	const struct repo_tag *tags, size_t count, struct err *err)
{
	struct change_args a = {
		.find = { .reg = reg, .name = name }, .tags = tags, .count = count
	};
	return change(c, &a, tags_put_in, err);
}

bool repo_tags_remove(struct core *c, const struct registry_id *reg, struct str name,
	const struct str *keys, size_t count, struct err *err)
{
	struct change_args a = {
		.find = { .reg = reg, .name = name }, .keys = keys, .count = count
	};
	return change(c, &a, tags_remove_in, err);
}

/* facts: IMMUTABLE_WITH_EXCLUSION is immutable except for matching tags, MUTABLE_WITH_EXCLUSION
 * mutable except for them. */
bool repo_tag_is_mutable(const struct repo *r, struct str tag)
{
	bool excluded = false;
	for (size_t i = 0; i < r->filter_count; i++)
		excluded = excluded || str_glob(r->filters[i], tag);
	switch (r->mutability) {
	case MUTABLE:
		return true;
	case IMMUTABLE:
		return false;
	case MUTABLE_WITH_EXCLUSION:
		return !excluded;
	case IMMUTABLE_WITH_EXCLUSION:
		return excluded;
	}
	return false;
}
