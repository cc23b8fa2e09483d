#include <stdlib.h>

#include "registry/repo_priv.h"
#include "registry/sharing_priv.h"

/* What is looked at, at most. */
#define TOP_LAYERS    200          /* that save most */
#define TOP_HOLDERS   64           /* of each, to find who shares most */
#define TOP_REPOS     ((size_t)48) /* among whom pairs are sought */
#define OWN_LAYERS    1000         /* of the one repository that is asked about */
#define OWN_HOLDERS   200          /* of each */
#define CANDIDATES    8192         /* repositories that are added up; a power of two */
#define HOLDERS_BATCH 200

/* Bytes that a repository shares, as far as they were seen. */
struct candidate_sum {
	int64_t repository_id; /* 0: the place is free */
	uint64_t bytes, layers;
};

struct pairs_args {
	const struct registry_id *reg;
	int64_t registry_id;
	struct str repo;
	struct arena *arena;
	struct pool_list pools;
	struct layer_walk walk;
	struct candidate_sum *sums; /* CANDIDATES */
	size_t sum_count;
	struct candidate_sum *order; /* those that share most, first */
	size_t order_max, order_count;
	struct repo_row *repos;
	size_t repo_count;
	struct sharing_pair *pairs;
	size_t pair_count;
	size_t layers;
	bool is_partial;
};

static void add_candidate(struct pairs_args *a, int64_t repository_id, int64_t bytes)
{
	uint64_t h = (uint64_t)repository_id * 0x9e3779b97f4a7c15ULL >> 40;
	for (;; h++) {
		struct candidate_sum *s = &a->sums[h % CANDIDATES];
		if (s->repository_id != repository_id && s->repository_id != 0)
			continue;
		if (s->repository_id == 0) {
			if (a->sum_count == CANDIDATES / 2) {
				a->is_partial = true;
				return;
			}
			s->repository_id = repository_id;
			a->sum_count++;
		}
		s->bytes += (uint64_t)bytes;
		s->layers++;
		return;
	}
}

/* Adds up the holders of a layer, but for the one that layer->repository_id names. */
static bool add_holders(struct db_conn *conn, struct pairs_args *a, const struct holding_row *layer,
	size_t max, struct err *err)
{
	int64_t ids[HOLDERS_BATCH + 1];
	size_t n = 0;
	if (!link_table_holders(conn, layer->blob_id, 0, ids, max + 1, &n, err))
		return false;
	if (n > max) {
		a->is_partial = true;
		n = max;
	}
	for (size_t i = 0; i < n; i++) {
		if (ids[i] != layer->repository_id)
			add_candidate(a, ids[i], layer->size_bytes);
	}
	return true;
}

static int by_bytes(const void *x, const void *y)
{
	const struct candidate_sum *a = x;
	const struct candidate_sum *b = y;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return a->repository_id < b->repository_id ? -1 : a->repository_id > b->repository_id;
}

/* The candidates that share most, with their rows; those that are being emptied are left out. */
static bool choose(struct db_conn *conn, struct pairs_args *a, struct err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < CANDIDATES; i++) {
		if (a->sums[i].repository_id)
			a->sums[n++] = a->sums[i];
	}
	qsort(a->sums, n, sizeof(*a->sums), by_bytes);
	for (size_t i = 0; i < n && a->order_count < a->order_max; i++) {
		bool found = false;
		if (!sharing_table_repository(conn, a->sums[i].repository_id, a->arena,
			    &a->repos[a->repo_count], &found, err))
			return false;
		if (!found)
			continue;
		a->order[a->order_count++] = a->sums[i];
		a->repo_count++;
	}
	a->is_partial = a->is_partial || n > a->order_max;
	return true;
}

/* --- among those that share most --- */

/* Adds a layer to the pairs of the chosen repositories that hold it. */
static bool add_layer(struct db_conn *conn, struct pairs_args *a, const struct saving_row *layer,
	struct sharing_pair *matrix, struct err *err)
{
	size_t held[TOP_REPOS];
	size_t n = 0;
	for (size_t i = 0; i < a->repo_count; i++) {
		bool holds = false;
		if (a->repos[i].pool_id != layer->pool_id)
			continue;
		if (!sharing_table_holds(conn, a->repos[i].id, layer->id, &holds, err))
			return false;
		if (holds)
			held[n++] = i;
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			struct sharing_pair *p = &matrix[held[i] * TOP_REPOS + held[k]];
			p->bytes += (uint64_t)layer->size_bytes;
			p->layers++;
		}
	}
	return true;
}

static bool find_among(struct db_conn *conn, struct pairs_args *a, struct err *err)
{
	struct sharing_pair *matrix =
		arena_alloc(a->arena, TOP_REPOS * TOP_REPOS * sizeof(*matrix));
	if (!matrix)
		return core_no_memory(a->arena, err);
	if (!sharing_walk_layers(conn, &a->walk, err))
		return false;
	a->is_partial = a->walk.more;
	a->layers = a->walk.count;
	for (size_t i = 0; i < a->walk.count; i++) {
		struct holding_row layer = { .blob_id = a->walk.rows[i].id,
			.size_bytes = a->walk.rows[i].size_bytes };
		if (!add_holders(conn, a, &layer, TOP_HOLDERS, err))
			return false;
	}
	if (!choose(conn, a, err))
		return false;
	for (size_t i = 0; i < a->walk.count; i++) {
		if (!add_layer(conn, a, &a->walk.rows[i], matrix, err))
			return false;
	}
	for (size_t i = 0; i < a->repo_count; i++) {
		for (size_t k = i + 1; k < a->repo_count; k++) {
			const struct sharing_pair *p = &matrix[i * TOP_REPOS + k];
			if (p->layers)
				a->pairs[a->pair_count++] =
					(struct sharing_pair){ i, k, p->bytes, p->layers };
		}
	}
	return true;
}

/* --- of one repository --- */

static bool find_of_one(struct db_conn *conn, struct pairs_args *a, struct err *err)
{
	struct holding_rows own = { arena_alloc(a->arena, (OWN_LAYERS + 1) * sizeof(*own.rows)),
		OWN_LAYERS + 1, 0 };
	bool found = false;
	if (!own.rows)
		return core_no_memory(a->arena, err);
	if (!repo_table_find(conn, a->registry_id, a->repo, a->arena, &a->repos[0], &found, err))
		return false;
	if (!found)
		return core_repo_unknown(a->reg, a->repo, err);
	a->repo_count = 1;
	if (!sharing_table_held(conn, a->repos[0].id, 0, a->arena, &own, err))
		return false;
	a->is_partial = own.count > OWN_LAYERS;
	a->layers = own.count > OWN_LAYERS ? OWN_LAYERS : own.count;
	for (size_t i = 0; i < a->layers; i++) {
		if (own.rows[i].links > 1 && !add_holders(conn, a, &own.rows[i], OWN_HOLDERS, err))
			return false;
	}
	if (!choose(conn, a, err))
		return false;
	for (size_t i = 0; i < a->order_count; i++)
		a->pairs[a->pair_count++] =
			(struct sharing_pair){ 0, i + 1, a->order[i].bytes, a->order[i].layers };
	return true;
}

static bool pairs_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct pairs_args *a = arg;
	a->walk.pools = &a->pools;
	if (a->repo.len)
		return find_of_one(conn, a, err);
	return pool_list_read(conn, a->registry_id, a->arena, &a->pools, err) &&
	       find_among(conn, a, err);
}

static int by_pair_bytes(const void *x, const void *y)
{
	const struct sharing_pair *a = x;
	const struct sharing_pair *b = y;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return a->b < b->b ? -1 : a->b > b->b;
}

static bool make_room(struct pairs_args *a, size_t limit)
{
	size_t repos = limit + 1 > TOP_REPOS ? limit + 1 : TOP_REPOS;
	size_t pairs = limit > TOP_REPOS * TOP_REPOS / 2 ? limit : TOP_REPOS * TOP_REPOS / 2;
	a->order_max = a->repo.len ? limit : TOP_REPOS;
	a->sums = arena_alloc(a->arena, CANDIDATES * sizeof(*a->sums));
	a->order = arena_alloc(a->arena, (a->order_max + 1) * sizeof(*a->order));
	a->repos = arena_alloc(a->arena, (repos + 1) * sizeof(*a->repos));
	a->pairs = arena_alloc(a->arena, pairs * sizeof(*a->pairs));
	a->walk.limit = TOP_LAYERS;
	a->walk.from = SHARING_START;
	a->walk.rows = arena_alloc(a->arena, (TOP_LAYERS + 1) * sizeof(*a->walk.rows));
	a->walk.scratch = arena_alloc(a->arena, (TOP_LAYERS + 1) * sizeof(*a->walk.scratch));
	return a->sums && a->order && a->repos && a->pairs && a->walk.rows && a->walk.scratch;
}

bool sharing_find_pairs(struct core *c, const struct registry_id *reg, struct str repo,
	unsigned limit, struct arena *arena, struct sharing_pairs *out, struct err *err)
{
	struct pairs_args a = { .reg = reg, .repo = repo, .arena = arena };
	if (repo.len && !core_check_name(repo, err))
		return false;
	if (!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (!a.registry_id && repo.len)
		return core_repo_unknown(reg, repo, err);
	if (!make_room(&a, limit))
		return core_no_memory(arena, err);
	if (a.registry_id && !db_read(c->db, pairs_in, &a, err))
		return false;
	qsort(a.pairs, a.pair_count, sizeof(*a.pairs), by_pair_bytes);
	struct sharing_pairs found = {
		.repos = arena_alloc(arena, (a.repo_count + 1) * sizeof(*found.repos)),
		.repo_count = a.repo_count,
		.items = a.pairs,
		.count = a.pair_count > limit ? limit : a.pair_count,
		.layers = a.layers,
		.is_partial = a.is_partial || a.pair_count > limit,
	};
	if (!found.repos)
		return core_no_memory(arena, err);
	for (size_t i = 0; i < a.repo_count; i++)
		repo_from_row(&a.repos[i], &found.repos[i]);
	*out = found;
	return true;
}
