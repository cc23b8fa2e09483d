/*
 * sharing.h - what is shared, by whom, and what it saves: for those who look at a registry.
 *
 * Sums come from the accounting that every change keeps (savings.h tells the same numbers); lists
 * are pages over indexes, so that a page costs the same in a registry of ten layers and of ten
 * million. What cannot be paged (which repositories share with which) looks at a bounded number of
 * layers and holders and says when there were more.
 */
#ifndef BERTH_REGISTRY_SHARING_H
#define BERTH_REGISTRY_SHARING_H

#include "registry/repo.h"
#include "registry/savings.h"

#define SHARING_POOLS_MAX 1000 /* told of one registry; those that keep most */
#define SHARING_PAGE_MAX  1000

/* A pool as it is named: by its encryption configuration. */
struct pool_name {
	enum enc_type enc_type; /* 0: none is meant, the whole registry */
	struct str kms_key;     /* empty for AES256 */
};

/* Who encrypts what is newly stored in a pool. */
enum encrypted_by { ENCRYPTED_BY_BERTH, ENCRYPTED_BY_KMS, ENCRYPTED_BY_DISK, ENCRYPTED_BY_NOBODY };

struct sharing_pool {
	struct pool_name name;
	enum encrypted_by by;
	struct savings_total sums;
};

struct sharing_summary {
	bool mounting_enabled;
	enum mount_policy policy;
	struct savings_total sums;
	struct sharing_pool *pools;
	size_t pool_count;
	bool more_pools;
};

/* Also of a registry that does not exist yet: zeroes. */
MUST_CHECK bool sharing_summary(struct core *c, const struct registry_id *reg, struct arena *arena,
	struct sharing_summary *out, struct err *err);

/* Where a list in descending order goes on. */
struct sharing_cursor {
	int64_t value, id;
};

#define SHARING_START ((struct sharing_cursor){ INT64_MAX, INT64_MAX })

enum sharing_order { SHARING_BY_LOGICAL, SHARING_BY_STORED, SHARING_BY_SAVED, SHARING_BY_CREATED };

struct sharing_repos {
	struct repo *items;
	size_t count;
	bool more;
	struct sharing_cursor next; /* where the next page begins */
	struct str last;            /* likewise, by name */
};

/* Descending, those whose name contains a text (empty: all). A page looks at a bounded number of
 * repositories, so it may be short, or empty, and have a next one. limit: 1..SHARING_PAGE_MAX. */
struct sharing_repo_query {
	enum sharing_order order;
	struct str contains;
	struct sharing_cursor from;
	struct str after; /* by name: instead of order and from */
	unsigned limit;
};

MUST_CHECK bool sharing_repositories(struct core *c, const struct registry_id *reg,
	const struct sharing_repo_query *q, struct arena *arena, struct sharing_repos *out,
	struct err *err);
/* The same by name, ascending. */
MUST_CHECK bool sharing_repositories_by_name(struct core *c, const struct registry_id *reg,
	const struct sharing_repo_query *q, struct arena *arena, struct sharing_repos *out,
	struct err *err);

struct sharing_layer {
	struct digest digest;
	struct pool_name pool;
	int64_t size_bytes, holders, saved_bytes, created_at_ms;
};

struct sharing_layers {
	struct sharing_layer *items;
	size_t count;
	bool more;
	struct sharing_cursor next;
};

/* Layers that more than one repository holds, those that save most first. */
struct sharing_layer_query {
	struct pool_name pool;
	struct sharing_cursor from;
	unsigned limit;
};

MUST_CHECK bool sharing_layers(struct core *c, const struct registry_id *reg,
	const struct sharing_layer_query *q, struct arena *arena, struct sharing_layers *out,
	struct err *err);

/* How a repository came by a layer. */
struct sharing_holding {
	struct str repo;             /* of holders */
	struct pool_name pool;       /* likewise */
	struct digest digest;        /* of a repository's layers */
	int64_t size_bytes, holders; /* likewise */
	bool is_mounted;             /* else uploaded */
	struct str source;           /* of a mount; may be empty */
	int64_t linked_at_ms;
	bool is_needed; /* by an image of the repository */
};

struct sharing_holdings {
	struct sharing_layer *pools; /* of sharing_layer: the layer in each pool that has it */
	size_t pool_count;
	struct sharing_holding *items;
	size_t count;
	bool more;
	struct sharing_cursor next;
};

/* from: {0, 0}, or the last page's next. limit: 1..SHARING_PAGE_MAX. */
struct sharing_page {
	struct sharing_cursor from;
	unsigned limit;
};

/* One layer, wherever it is in the registry, and who holds it. Errors: BLOB_UNKNOWN. */
MUST_CHECK bool sharing_layer(struct core *c, const struct registry_id *reg, const struct digest *d,
	const struct sharing_page *page, struct arena *arena, struct sharing_holdings *out,
	struct err *err);
/* What one repository holds. Errors: REPO_UNKNOWN. */
MUST_CHECK bool sharing_held(struct core *c, const struct registry_id *reg, struct str repo,
	const struct sharing_page *page, struct arena *arena, struct sharing_holdings *out,
	struct err *err);

/* --- which repositories share with which (sharing_pairs.c) --- */

struct sharing_pair {
	size_t a, b; /* in repos */
	uint64_t bytes, layers;
};

struct sharing_pairs {
	struct repo *repos;
	size_t repo_count;
	struct sharing_pair *items; /* most bytes first */
	size_t count;
	size_t layers; /* that were looked at */
	bool is_partial;
};

/* Among those that share most; or, repo not empty, of that one with others (REPO_UNKNOWN). limit:
 * pairs, 1..500. */
MUST_CHECK bool sharing_find_pairs(struct core *c, const struct registry_id *reg, struct str repo,
	unsigned limit, struct arena *arena, struct sharing_pairs *out, struct err *err);

#endif
