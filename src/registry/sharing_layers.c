#include "registry/name.h"
#include "registry/sharing_priv.h"

/* Into rows that are in order, dropping the last one when there are too many. */
static void merge(struct layer_walk *w, const struct saving_row *add)
{
	size_t cap = w->limit + 1;
	size_t i = w->count < cap ? w->count : cap;
	while (i > 0 && (w->rows[i - 1].saved_bytes < add->saved_bytes ||
				(w->rows[i - 1].saved_bytes == add->saved_bytes &&
					w->rows[i - 1].id < add->id))) {
		if (i < cap)
			w->rows[i] = w->rows[i - 1];
		i--;
	}
	if (i < cap) {
		w->rows[i] = *add;
		w->count += w->count < cap;
	}
}

bool sharing_walk_layers(struct db_conn *conn, struct layer_walk *w, struct err *err)
{
	struct sharing_place at = { w->from.value, w->from.id };
	size_t cap = w->limit + 1;
	w->count = 0;
	for (size_t p = 0; p < w->pools->count; p++) {
		int64_t pool_id = w->pools->rows[p].id;
		/* What saves less than all that is on the page already need not be read. */
		int64_t floor = w->count == cap ? w->rows[cap - 1].saved_bytes : 0;
		if (w->pool_id && w->pool_id != pool_id)
			continue;
		struct saving_rows found = { w->scratch, cap, 0 };
		if (!sharing_table_layers(conn, pool_id, &at, floor, &found, err))
			return false;
		for (size_t i = 0; i < found.count; i++)
			merge(w, &w->scratch[i]);
	}
	w->more = w->count > w->limit;
	if (w->more)
		w->count = w->limit;
	return true;
}

static void to_layer(
	const struct pool_list *pools, const struct saving_row *row, struct sharing_layer *out)
{
	*out = (struct sharing_layer){
		.digest = row->digest,
		.pool = pool_list_name(pools, row->pool_id),
		.size_bytes = row->size_bytes,
		.holders = row->links,
		.saved_bytes = row->saved_bytes,
		.created_at_ms = row->created_at_ms,
	};
}

struct layers_args {
	int64_t registry_id;
	const struct sharing_layer_query *q;
	struct arena *arena;
	struct pool_list pools;
	struct layer_walk walk;
};

static bool layers_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct layers_args *a = arg;
	const struct pool_name *name = &a->q->pool;
	a->walk.count = 0;
	a->walk.more = false;
	if (!pool_list_read(conn, a->registry_id, a->arena, &a->pools, err))
		return false;
	if (name->enc_type) {
		if (!sharing_table_pool(conn, a->registry_id, (int)name->enc_type, name->kms_key,
			    &a->walk.pool_id, err))
			return false;
		if (!a->walk.pool_id)
			return true;
	}
	a->walk.pools = &a->pools;
	return sharing_walk_layers(conn, &a->walk, err);
}

bool sharing_layers(struct core *c, const struct registry_id *reg,
	const struct sharing_layer_query *q, struct arena *arena, struct sharing_layers *out,
	struct err *err)
{
	struct layers_args a = { .q = q, .arena = arena };
	struct layer_walk *w = &a.walk;
	struct sharing_layers page = { .items = arena_alloc(
					       arena, (q->limit + 1) * sizeof(*page.items)) };
	w->from = q->from;
	w->limit = q->limit;
	w->rows = arena_alloc(arena, (q->limit + 1) * sizeof(*w->rows));
	w->scratch = arena_alloc(arena, (q->limit + 1) * sizeof(*w->scratch));
	if (!page.items || !w->rows || !w->scratch)
		return core_no_memory(arena, err);
	if (!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (a.registry_id && !db_read(c->db, layers_in, &a, err))
		return false;
	for (size_t i = 0; i < w->count; i++)
		to_layer(&a.pools, &w->rows[i], &page.items[i]);
	page.count = w->count;
	page.more = w->more;
	if (w->count)
		page.next = (struct sharing_cursor){ w->rows[w->count - 1].saved_bytes,
			w->rows[w->count - 1].id };
	*out = page;
	return true;
}

/* --- one layer and its holders; a repository and its layers --- */

struct holdings_args {
	const struct registry_id *reg;
	int64_t registry_id;
	const struct digest *digest; /* of a layer; NULL: of a repository */
	struct str repo;
	struct sharing_cursor from;
	struct arena *arena;
	struct pool_list pools;
	struct saving_rows layers; /* the layer in each pool */
	struct holding_rows found; /* one more than the page has, to tell that there are more */
};

/* The holders of the layer, pool after pool. */
static bool read_holders(struct db_conn *conn, struct holdings_args *a, struct err *err)
{
	struct holding_rows *all = &a->found;
	for (size_t i = 0; i < a->layers.count && all->count < all->max; i++) {
		const struct saving_row *layer = &a->layers.rows[i];
		struct holding_rows part = { all->rows + all->count, all->max - all->count, 0 };
		if (layer->pool_id < a->from.value)
			continue;
		int64_t after = layer->pool_id == a->from.value ? a->from.id : 0;
		if (!sharing_table_holders(conn, layer->id, after, a->arena, &part, err))
			return false;
		/* From here on the pool names the blob. */
		for (size_t k = 0; k < part.count; k++)
			part.rows[k].blob_id = layer->pool_id;
		all->count += part.count;
	}
	return true;
}

static bool holdings_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct holdings_args *a = arg;
	struct repo_key key;
	a->found.count = 0;
	if (!pool_list_read(conn, a->registry_id, a->arena, &a->pools, err))
		return false;
	if (a->digest) {
		if (!sharing_table_layer(conn, a->registry_id, a->digest, &a->layers, err))
			return false;
		return read_holders(conn, a, err);
	}
	if (!repo_table_key(conn, a->registry_id, a->repo, &key, err))
		return false;
	if (!key.id)
		return core_repo_unknown(a->reg, a->repo, err);
	return sharing_table_held(conn, key.id, a->from.id, a->arena, &a->found, err);
}

static void to_holding(
	const struct holdings_args *a, const struct holding_row *row, struct sharing_holding *out)
{
	*out = (struct sharing_holding){
		.repo = row->name,
		.digest = row->digest,
		.size_bytes = row->size_bytes,
		.holders = row->links,
		.is_mounted = row->origin == LINK_MOUNTED,
		.source = row->source,
		.linked_at_ms = row->linked_at_ms,
		.is_needed = row->needs > 0,
	};
	if (a->digest)
		out->pool = pool_list_name(&a->pools, row->blob_id);
}

/* The page: what was read, without holders that are being emptied. */
static bool make_page(const struct holdings_args *a, struct sharing_holdings *out, struct err *err)
{
	size_t limit = a->found.max - 1;
	struct sharing_holdings page = {
		.pools = arena_alloc(a->arena, (a->layers.count + 1) * sizeof(*page.pools)),
		.pool_count = a->layers.count,
		.items = arena_alloc(a->arena, (limit + 1) * sizeof(*page.items)),
		.more = a->found.count > limit,
	};
	if (!page.pools || !page.items)
		return core_no_memory(a->arena, err);
	for (size_t i = 0; i < a->layers.count; i++)
		to_layer(&a->pools, &a->layers.rows[i], &page.pools[i]);
	for (size_t i = 0; i < a->found.count && i < limit; i++) {
		const struct holding_row *row = &a->found.rows[i];
		page.next = a->digest ? (struct sharing_cursor){ row->blob_id, row->repository_id }
				      : (struct sharing_cursor){ 0, row->blob_id };
		if (!a->digest || row->is_live)
			to_holding(a, row, &page.items[page.count++]);
	}
	*out = page;
	return true;
}

static bool make_room(struct holdings_args *a, const struct sharing_page *page)
{
	size_t max = (size_t)page->limit + 1;
	a->from = page->from;
	a->found = (struct holding_rows){ arena_alloc(a->arena, max * sizeof(*a->found.rows)), max,
		0 };
	a->layers = (struct saving_rows){ arena_alloc(a->arena,
						  SHARING_POOLS_MAX * sizeof(*a->layers.rows)),
		SHARING_POOLS_MAX, 0 };
	return a->found.rows && a->layers.rows;
}

bool sharing_layer(struct core *c, const struct registry_id *reg, const struct digest *d,
	const struct sharing_page *page, struct arena *arena, struct sharing_holdings *out,
	struct err *err)
{
	struct holdings_args a = { .reg = reg, .digest = d, .arena = arena };
	char text[DIGEST_TEXT_MAX];
	if (!make_room(&a, page))
		return core_no_memory(arena, err);
	if (!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (a.registry_id && !db_read(c->db, holdings_in, &a, err))
		return false;
	if (!a.layers.count)
		return err_set(err, ERR_BLOB_UNKNOWN,
			"The layer with digest '%s' does not exist in the registry with id '%s'",
			digest_text(d, text), reg->account);
	return make_page(&a, out, err);
}

bool sharing_held(struct core *c, const struct registry_id *reg, struct str repo,
	const struct sharing_page *page, struct arena *arena, struct sharing_holdings *out,
	struct err *err)
{
	struct holdings_args a = { .reg = reg, .repo = repo, .arena = arena };
	if (!make_room(&a, page))
		return core_no_memory(arena, err);
	if (!core_check_name(repo, err) || !core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (!a.registry_id)
		return core_repo_unknown(reg, repo, err);
	return db_read(c->db, holdings_in, &a, err) && make_page(&a, out, err);
}
