#include "registry/resource_policy.h"

#include "meta/policy_table.h"
#include "meta/repo_table.h"
#include "registry/core_priv.h"

struct policy_args {
	const struct registry_id *reg;
	struct str repo, text;
	struct arena *arena;
	int64_t registry_id, repository_id;
	struct policy_row row;
};

static bool find_owner(struct db_conn *conn, struct policy_args *a, struct err *err)
{
	struct repo_key key = { POLICY_OF_REGISTRY, 0 };
	if (a->repo.ptr) {
		if (!repo_table_key(conn, a->registry_id, a->repo, &key, err))
			return false;
		if (!key.id)
			return core_repo_unknown(a->reg, a->repo, err);
	}
	a->repository_id = key.id;
	return true;
}

static bool find_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct policy_args *a = arg;
	return find_owner(conn, a, err) &&
	       policy_table_get(conn, a->registry_id, a->repository_id, a->arena, &a->row, err);
}

/* The registry's id; 0 only for the policy of a registry that does not exist yet. */
static bool registry_of(struct core *c, struct policy_args *a, bool create, struct err *err)
{
	if (a->repo.ptr && !core_check_name(a->repo, err))
		return false;
	if (!core_registry(c, a->reg, create && !a->repo.ptr, &a->registry_id, err))
		return false;
	return a->registry_id || !a->repo.ptr || core_repo_unknown(a->reg, a->repo, err);
}

bool resource_policy_find(struct core *c, const struct registry_id *reg, struct str repo,
	struct arena *arena, struct str *out, struct err *err)
{
	struct policy_args a = { .reg = reg, .repo = repo, .arena = arena };
	if (!registry_of(c, &a, false, err))
		return false;
	if (a.registry_id && !db_read(c->db, find_in, &a, err))
		return false;
	*out = a.row.document;
	return true;
}

static bool put_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct policy_args *a = arg;
	return find_owner(conn, a, err) &&
	       policy_table_put(conn, a->registry_id, a->repository_id, a->text, err);
}

bool resource_policy_put(struct core *c, const struct registry_id *reg, struct str repo,
	struct str text, struct err *err)
{
	struct policy_args a = { .reg = reg, .repo = repo, .text = text };
	if (!registry_of(c, &a, true, err) || !db_write(c->db, put_in, &a, err))
		return false;
	resource_policy_changed(c);
	return true;
}

static bool remove_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct policy_args *a = arg;
	return find_in(conn, a, err) &&
	       (!a->row.document.ptr ||
		       policy_table_remove(conn, a->registry_id, a->repository_id, err));
}

bool resource_policy_remove(struct core *c, const struct registry_id *reg, struct str repo,
	struct arena *arena, struct str *was, struct err *err)
{
	struct policy_args a = { .reg = reg, .repo = repo, .arena = arena };
	if (!registry_of(c, &a, false, err))
		return false;
	if (a.registry_id && !db_write(c->db, remove_in, &a, err))
		return false;
	resource_policy_changed(c);
	*was = a.row.document;
	return true;
}

uint64_t resource_policy_generation(const struct core *c)
{
	return atomic_load(&c->policy_generation);
}

void resource_policy_changed(struct core *c)
{
	atomic_fetch_add(&c->policy_generation, 1);
}

struct facts_args {
	int64_t registry_id, known_version;
	struct str repo;
	struct arena *arena;
	struct resource_facts facts;
	struct repo_tag_row *rows;
};

static bool facts_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct facts_args *a = arg;
	struct resource_facts f = { 0 };
	struct repo_key key = { POLICY_OF_REGISTRY, 0 };
	if (a->repo.ptr) {
		if (!repo_table_key(conn, a->registry_id, a->repo, &key, err))
			return false;
		if (!key.id)
			return true;
		if (!repo_tag_table_list(
			    conn, key.id, a->arena, a->rows, REPO_TAGS_MAX, &f.tag_count, err))
			return false;
	}
	f.repository_id = key.id;
	if (!policy_table_version(conn, a->registry_id, key.id, &f.version, err))
		return false;
	if (f.version && f.version != a->known_version) {
		struct policy_row row;
		if (!policy_table_get(conn, a->registry_id, key.id, a->arena, &row, err))
			return false;
		f.text = row.document;
	}
	a->facts = f;
	return true;
}

bool resource_policy_facts(struct core *c, const struct registry_id *reg, struct str repo,
	int64_t known_version, struct arena *arena, struct resource_facts *out, struct err *err)
{
	struct facts_args a = { .repo = repo, .known_version = known_version, .arena = arena };
	a.rows = arena_alloc(arena, sizeof(*a.rows) * REPO_TAGS_MAX);
	struct repo_tag *tags = arena_alloc(arena, sizeof(*tags) * REPO_TAGS_MAX);
	if (!a.rows || !tags)
		return core_no_memory(arena, err);
	if (!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (a.registry_id && !db_read(c->db, facts_in, &a, err))
		return false;
	for (size_t i = 0; i < a.facts.tag_count; i++)
		tags[i] = (struct repo_tag){ a.rows[i].key, a.rows[i].value };
	a.facts.tags = tags;
	*out = a.facts;
	return true;
}
