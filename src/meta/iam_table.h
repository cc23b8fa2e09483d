/*
 * iam_table.h - rows of IAM: entities (users, groups, roles, policies, OIDC providers), what each
 * has several of (tags, policies, versions), and who is in which group.
 *
 * Lists go by a cursor: what comes behind `after` in the list's order (empty: from its start), at
 * most `limit` rows. Texts of rows live in the given arena; INTERNAL when that is used up.
 */
#ifndef BERTH_META_IAM_TABLE_H
#define BERTH_META_IAM_TABLE_H

#include "base/arena.h"
#include "meta/db.h"

enum iam_kind { IAM_USER = 1, IAM_GROUP, IAM_ROLE, IAM_POLICY, IAM_OIDC };

struct iam_row {
	int64_t id;
	enum iam_kind kind;
	struct str account;
	struct str name_key, name, path;
	struct str uid; /* "AIDA..." */
	struct str description;
	struct str document; /* a role's trust policy */
	struct str boundary; /* ARN of the permissions boundary, or empty */
	int64_t max_session_s;
	int64_t version, last_version;
	int64_t created_at_ms, updated_at_ms;
};

/* *added false: there is one of that kind and name_key. *id gets the new row's. */
MUST_CHECK bool iam_table_add(
	struct db_conn *c, const struct iam_row *row, int64_t *id, bool *added, struct err *err);

/* What is there once. */
struct iam_name {
	struct str account;
	enum iam_kind kind;
	struct str name_key;
};

/* *found false: out untouched. */
MUST_CHECK bool iam_table_find(struct db_conn *c, const struct iam_name *name, struct arena *arena,
	struct iam_row *out, bool *found, struct err *err);
MUST_CHECK bool iam_table_find_id(struct db_conn *c, int64_t id, struct arena *arena,
	struct iam_row *out, bool *found, struct err *err);
/* Writes what can change: all but id, account, kind, uid and creation. */
MUST_CHECK bool iam_table_put(struct db_conn *c, const struct iam_row *row, struct err *err);
/* Removes the row with its items and memberships; keys must be gone. */
MUST_CHECK bool iam_table_remove(struct db_conn *c, int64_t id, struct err *err);
MUST_CHECK bool iam_table_count(
	struct db_conn *c, struct str account, enum iam_kind kind, uint64_t *out, struct err *err);

struct iam_page {
	struct str account;
	enum iam_kind kind;
	struct str path_prefix; /* of those only; empty: all */
	struct str after;       /* a name_key */
	unsigned limit;
	struct str policy_arn; /* of iam_table_list_attached */
	bool is_boundary;      /* likewise: by permissions boundary */
};

/* By name. rows holds page->limit. */
MUST_CHECK bool iam_table_list(struct db_conn *c, const struct iam_page *page, struct arena *arena,
	struct iam_row *rows, size_t *out_n, struct err *err);
/* Those to which page->policy_arn is attached, or whose permissions boundary it is. */
MUST_CHECK bool iam_table_list_attached(struct db_conn *c, const struct iam_page *page,
	struct arena *arena, struct iam_row *rows, size_t *out_n, struct err *err);
MUST_CHECK bool iam_table_count_attached(struct db_conn *c, struct str account,
	struct str policy_arn, bool boundary, uint64_t *out, struct err *err);

/* Members of a group (IAM_USER), or groups of a user (IAM_GROUP): page->kind says which are
 * listed; id is that of the other side. */
MUST_CHECK bool iam_member_table_list(struct db_conn *c, const struct iam_page *page, int64_t id,
	struct arena *arena, struct iam_row *rows, size_t *out_n, struct err *err);
/* Adding twice is no failure. */
MUST_CHECK bool iam_member_table_add(
	struct db_conn *c, int64_t group_id, int64_t user_id, struct err *err);
/* *found false: was no member. */
MUST_CHECK bool iam_member_table_remove(
	struct db_conn *c, int64_t group_id, int64_t user_id, bool *found, struct err *err);
MUST_CHECK bool iam_member_table_count(
	struct db_conn *c, enum iam_kind side, int64_t id, uint64_t *out, struct err *err);

enum iam_item_kind {
	IAM_TAG = 1,
	IAM_INLINE,
	IAM_ATTACHED,
	IAM_VERSION,
	IAM_CLIENT,
	IAM_THUMBPRINT
};

/* Which items: those of a kind that an entity has. */
struct iam_items {
	int64_t entity_id;
	enum iam_item_kind kind;
};

struct iam_item_row {
	struct str name, value;
	int64_t at_ms;
};

/* Adds it, or replaces the value of one of that name (its time stays). */
MUST_CHECK bool iam_item_table_put(struct db_conn *c, int64_t entity_id, enum iam_item_kind kind,
	const struct iam_item_row *item, struct err *err);
MUST_CHECK bool iam_item_table_find(struct db_conn *c, const struct iam_items *of, struct str name,
	struct arena *arena, struct iam_item_row *out, bool *found, struct err *err);
MUST_CHECK bool iam_item_table_remove(struct db_conn *c, int64_t entity_id, enum iam_item_kind kind,
	struct str name, bool *found, struct err *err);

struct iam_item_page {
	struct iam_items of;
	struct str after;
	unsigned limit;
};

/* By name. rows holds page->limit. */
MUST_CHECK bool iam_item_table_list(struct db_conn *c, const struct iam_item_page *page,
	struct arena *arena, struct iam_item_row *rows, size_t *out_n, struct err *err);
/* Also the sum of the values' lengths, in bytes. */
MUST_CHECK bool iam_item_table_count(struct db_conn *c, int64_t entity_id, enum iam_item_kind kind,
	uint64_t *out, uint64_t *out_bytes, struct err *err);

#endif
