/* template_table.h - rows of repository creation templates. */
#ifndef BERTH_META_TEMPLATE_TABLE_H
#define BERTH_META_TEMPLATE_TABLE_H

#include "base/arena.h"
#include "meta/db.h"

/* Texts are never NULL. */
struct template_row {
	struct str prefix_key; /* the prefix without a slash at its end, or ROOT */
	struct str prefix;     /* as it was given */
	struct str description;
	int enc_type;
	struct str kms_key;
	int mutability;
	struct str filters; /* one a line */
	struct str tags;    /* key, value, key, ...: one a line */
	struct str repository_policy, lifecycle_policy;
	int applied_for; /* bits */
	struct str role_arn;
	int64_t created_at_ms, updated_at_ms;
};

/* The caller has checked that the key is free. */
MUST_CHECK bool template_table_add(
	struct db_conn *c, int64_t registry_id, const struct template_row *row, struct err *err);
/* All but key, prefix and created_at_ms. */
MUST_CHECK bool template_table_change(
	struct db_conn *c, int64_t registry_id, const struct template_row *row, struct err *err);
MUST_CHECK bool template_table_remove(
	struct db_conn *c, int64_t registry_id, struct str prefix_key, struct err *err);
MUST_CHECK bool template_table_find(struct db_conn *c, int64_t registry_id, struct str prefix_key,
	struct arena *arena, struct template_row *out, bool *found, struct err *err);
/* The first behind `after` in byte order of keys. */
MUST_CHECK bool template_table_next(struct db_conn *c, int64_t registry_id, struct str after,
	struct arena *arena, struct template_row *out, bool *found, struct err *err);

#endif
