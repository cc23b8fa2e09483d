/* policy_table.h - documents of resource policies: of repositories, and of registries (repository
 * 0). */
#ifndef BERTH_META_POLICY_TABLE_H
#define BERTH_META_POLICY_TABLE_H

#include "base/arena.h"
#include "meta/db.h"

#define POLICY_OF_REGISTRY 0 /* in place of a repository's id */

/* version: never the same twice in a registry, so that a compiled document can be known by it. */
struct policy_row {
	int64_t version;
	struct str document; /* ptr NULL: there is none */
};

MUST_CHECK bool policy_table_get(struct db_conn *c, int64_t registry_id, int64_t repository_id,
	struct arena *arena, struct policy_row *out, struct err *err);
/* 0: there is none. */
MUST_CHECK bool policy_table_version(struct db_conn *c, int64_t registry_id, int64_t repository_id,
	int64_t *out, struct err *err);
MUST_CHECK bool policy_table_put(struct db_conn *c, int64_t registry_id, int64_t repository_id,
	struct str document, struct err *err);
MUST_CHECK bool policy_table_remove(
	struct db_conn *c, int64_t registry_id, int64_t repository_id, struct err *err);

#endif
