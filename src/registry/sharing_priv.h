/* sharing_priv.h - what the modules that look at sharing have in common. For registry/ only. */
#ifndef BERTH_REGISTRY_SHARING_PRIV_H
#define BERTH_REGISTRY_SHARING_PRIV_H

#include "meta/sharing_table.h"
#include "registry/core_priv.h"
#include "registry/sharing.h"

/* The pools of a registry, by which rows name theirs. */
struct pool_list {
	struct pool_sums *rows;
	size_t count;
	bool more;
};

MUST_CHECK bool pool_list_read(struct db_conn *conn, int64_t registry_id, struct arena *arena,
	struct pool_list *out, struct err *err);
struct pool_name pool_list_name(const struct pool_list *list, int64_t pool_id);

/* Without what waits for collection. */
void sharing_sums(const struct pool_sums *p, struct savings_total *out);

/* The page of layers that save most, merged over pools: rows of `limit`. pool_id 0: all. */
struct layer_walk {
	const struct pool_list *pools;
	int64_t pool_id;
	struct sharing_cursor from;
	struct saving_row *rows, *scratch; /* limit + 1 each */
	size_t limit, count;
	bool more;
};

MUST_CHECK bool sharing_walk_layers(struct db_conn *conn, struct layer_walk *w, struct err *err);

#endif
