#include "registry/sharing.h"

#include <ctype.h>

#include "registry/repo_priv.h"
#include "registry/setting_priv.h"
#include "registry/sharing_priv.h"

/* Repositories that a page of a search looks at. */
#define LOOK_MAX 20000

bool pool_list_read(struct db_conn *conn, int64_t registry_id, struct arena *arena,
	struct pool_list *out, struct err *err)
{
	struct pool_list list = { .rows = arena_alloc(
					  arena, (SHARING_POOLS_MAX + 1) * sizeof(*list.rows)) };
	if (!list.rows)
		return core_no_memory(arena, err);
	if (!sharing_table_pools(
		    conn, registry_id, arena, list.rows, SHARING_POOLS_MAX + 1, &list.count, err))
		return false;
	list.more = list.count > SHARING_POOLS_MAX;
	if (list.more)
		list.count = SHARING_POOLS_MAX;
	*out = list;
	return true;
}

struct pool_name pool_list_name(const struct pool_list *list, int64_t pool_id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->rows[i].id == pool_id)
			return (struct pool_name){ (enum enc_type)list->rows[i].enc_type,
				list->rows[i].key_arn };
	}
	return (struct pool_name){ 0 };
}

void sharing_sums(const struct pool_sums *p, struct savings_total *out)
{
	*out = (struct savings_total){
		.repositories = p->repositories,
		.images = p->images,
		.blobs = p->blobs,
		.links = p->links,
		.logical_bytes = p->logical_bytes,
		.stored_bytes = p->stored_bytes - p->waiting_bytes,
		.waiting_bytes = p->waiting_bytes,
	};
}

/* --- the summary --- */

static enum encrypted_by encrypted_by(const struct core *c, int enc_type)
{
	if (c->o.disk_is_encrypted)
		return ENCRYPTED_BY_DISK;
	if (!c->o.managed_key)
		return ENCRYPTED_BY_NOBODY;
	return enc_type == ENC_AES256 ? ENCRYPTED_BY_BERTH : ENCRYPTED_BY_KMS;
}

struct summary_args {
	struct core *core;
	int64_t registry_id;
	struct arena *arena;
	struct pool_list pools;
	bool mounting;
};

static bool summary_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct summary_args *a = arg;
	return pool_list_read(conn, a->registry_id, a->arena, &a->pools, err) &&
	       setting_mounting_in(a->core, conn, a->registry_id, a->arena, &a->mounting, err);
}

bool sharing_summary(struct core *c, const struct registry_id *reg, struct arena *arena,
	struct sharing_summary *out, struct err *err)
{
	struct summary_args a = { .core = c, .arena = arena };
	if (!core_registry(c, reg, false, &a.registry_id, err) ||
		!db_read(c->db, summary_in, &a, err))
		return false;
	struct sharing_summary s = {
		.mounting_enabled = a.mounting,
		.policy = c->o.mount_policy,
		.pools = arena_alloc(arena, (a.pools.count + 1) * sizeof(*s.pools)),
		.more_pools = a.pools.more,
	};
	if (!s.pools)
		return core_no_memory(arena, err);
	if (!savings_total(c, reg, &s.sums, err))
		return false;
	for (size_t i = 0; i < a.pools.count; i++) {
		const struct pool_sums *p = &a.pools.rows[i];
		if (!p->repositories && !p->blobs)
			continue;
		struct sharing_pool *to = &s.pools[s.pool_count++];
		to->name = (struct pool_name){ (enum enc_type)p->enc_type, p->key_arn };
		to->by = encrypted_by(c, p->enc_type);
		sharing_sums(p, &to->sums);
	}
	*out = s;
	return true;
}

/* --- repositories in an order --- */

static enum repo_order order_of(enum sharing_order order)
{
	switch (order) {
	case SHARING_BY_LOGICAL:
		return REPOS_BY_LOGICAL;
	case SHARING_BY_STORED:
		return REPOS_BY_STORED;
	case SHARING_BY_SAVED:
		return REPOS_BY_SAVED;
	case SHARING_BY_CREATED:
		break;
	}
	return REPOS_BY_CREATED;
}

/* Names have no upper case. */
static struct str lower(struct arena *arena, struct str s)
{
	char *p = arena_alloc(arena, s.len + 1);
	if (!p)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < s.len; i++)
		p[i] = (char)tolower((unsigned char)s.ptr[i]);
	return (struct str){ p, s.len };
}

struct repos_args {
	struct repo_order_query q;
	bool by_name;
	struct arena *arena;
	struct repo_rows found;
};

static bool repos_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct repos_args *a = arg;
	return a->by_name ? sharing_table_by_name(conn, &a->q, a->arena, &a->found, err)
			  : sharing_table_repositories(conn, &a->q, a->arena, &a->found, err);
}

/* A page, as the arguments say. */
static bool read_repos(struct core *c, const struct registry_id *reg, struct repos_args *a,
	struct sharing_repos *out, struct err *err)
{
	struct sharing_repos page = { 0 };
	size_t max = a->found.max;
	a->q.contains = lower(a->arena, a->q.contains);
	a->q.look = LOOK_MAX;
	a->found.rows = arena_alloc(a->arena, (max + 1) * sizeof(*a->found.rows));
	page.items = arena_alloc(a->arena, (max + 1) * sizeof(*page.items));
	if (!a->found.rows || !page.items || !a->q.contains.ptr)
		return core_no_memory(a->arena, err);
	if (!core_registry(c, reg, false, &a->q.registry_id, err))
		return false;
	if (a->q.registry_id && !db_read(c->db, repos_in, a, err))
		return false;
	for (size_t i = 0; i < a->found.count; i++)
		repo_from_row(&a->found.rows[i], &page.items[i]);
	page.count = a->found.count;
	page.more = a->found.more;
	page.next = (struct sharing_cursor){ a->found.at.value, a->found.at.id };
	page.last = a->found.last;
	*out = page;
	return true;
}

bool sharing_repositories(struct core *c, const struct registry_id *reg,
	const struct sharing_repo_query *q, struct arena *arena, struct sharing_repos *out,
	struct err *err)
{
	struct repos_args a = {
		.q = { .order = order_of(q->order), .contains = q->contains },
		.arena = arena,
		.found = { .max = q->limit, .at = { q->from.value, q->from.id } },
	};
	return read_repos(c, reg, &a, out, err);
}

bool sharing_repositories_by_name(struct core *c, const struct registry_id *reg,
	const struct sharing_repo_query *q, struct arena *arena, struct sharing_repos *out,
	struct err *err)
{
	struct repos_args a = {
		.q = { .contains = q->contains },
		.by_name = true,
		.arena = arena,
		.found = { .max = q->limit, .last = q->after },
	};
	return read_repos(c, reg, &a, out, err);
}
