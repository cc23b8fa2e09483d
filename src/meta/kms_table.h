/* kms_table.h - rows of KMS keys, their material, aliases and tags. */
#ifndef BERTH_META_KMS_TABLE_H
#define BERTH_META_KMS_TABLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "meta/db.h"

#define KMS_DESCRIPTION_MAX 8192 /* characters */

struct kms_row {
	int64_t id;
	uint8_t uuid[16];
	char account[13], region[26];
	int manager, state; /* enum kms_manager, enum kms_state (kms/kms_key.h) */
	struct str description;
	int64_t created_at_ms;
	int64_t delete_at_ms;   /* 0: not to be deleted */
	uint32_t version;       /* of the newest material */
	unsigned rotation_days; /* 0: no automatic rotation */
	int64_t rotate_at_ms;   /* 0: likewise */
	unsigned demanded;
};

/* Adds the row (id and version aside) with its version 1; *id gets the new row's. */
MUST_CHECK bool kms_table_add(struct db_conn *c, const struct kms_row *row, struct str material,
	int64_t *id, struct err *err);
/* description lives in the arena, which may be NULL: it is left empty then. *found false: out
 * untouched. */
MUST_CHECK bool kms_table_find(struct db_conn *c, const uint8_t uuid[16], struct arena *arena,
	struct kms_row *out, bool *found, struct err *err);

/* Where an alias is; name with its "alias/". */
struct kms_alias_at {
	struct str account, region, name;
};

MUST_CHECK bool kms_table_find_alias(struct db_conn *c, const struct kms_alias_at *at,
	struct arena *arena, struct kms_row *out, bool *found, struct err *err);
/* Writes what can change: state, description, times, version and the rest but identity. */
MUST_CHECK bool kms_table_put(struct db_conn *c, const struct kms_row *row, struct err *err);
/* Removes the key with all that belongs to it. */
MUST_CHECK bool kms_table_remove(struct db_conn *c, int64_t id, struct err *err);
/* A key that is to be deleted, or to be rotated, by now_ms; no description. */
MUST_CHECK bool kms_table_next_deletion(
	struct db_conn *c, int64_t now_ms, struct kms_row *out, bool *found, struct err *err);
MUST_CHECK bool kms_table_next_rotation(
	struct db_conn *c, int64_t now_ms, struct kms_row *out, bool *found, struct err *err);

/* Which page of a list: what comes behind `after` in its order (empty: from the start), at most
 * limit. */
struct kms_page {
	struct str account, region;
	struct str after;
	unsigned limit;
};

/* Ids of keys, 16 bytes each, in their order. ids holds page->limit of them. */
MUST_CHECK bool kms_table_list(struct db_conn *c, const struct kms_page *page, uint8_t (*ids)[16],
	size_t *out_n, struct err *err);

/* material is wrapped; *found false: out untouched. */
MUST_CHECK bool kms_table_material(struct db_conn *c, int64_t key_id, uint32_t version,
	struct buf *out, bool *found, struct err *err);
MUST_CHECK bool kms_table_add_version(struct db_conn *c, int64_t key_id, uint32_t version,
	struct str material, bool is_demanded, int64_t now_ms, struct err *err);

struct kms_version_row {
	uint32_t version;
	bool is_demanded;
	int64_t created_at_ms;
};

/* Versions above `after`, ascending; rows holds limit of them. */
MUST_CHECK bool kms_table_versions(struct db_conn *c, int64_t key_id, uint32_t after,
	unsigned limit, struct kms_version_row *rows, size_t *out_n, struct err *err);

struct kms_alias_row {
	struct str name;  /* in the arena */
	uint8_t uuid[16]; /* of its key */
	int64_t created_at_ms, updated_at_ms;
};

/* *added false: there is one of that name. */
MUST_CHECK bool kms_alias_table_add(struct db_conn *c, const struct kms_alias_at *at,
	int64_t key_id, int64_t now_ms, bool *added, struct err *err);
/* *found false: there is no such alias. */
MUST_CHECK bool kms_alias_table_move(struct db_conn *c, const struct kms_alias_at *at,
	int64_t key_id, int64_t now_ms, bool *found, struct err *err);
MUST_CHECK bool kms_alias_table_remove(
	struct db_conn *c, const struct kms_alias_at *at, bool *found, struct err *err);
MUST_CHECK bool kms_alias_table_count(
	struct db_conn *c, int64_t key_id, uint64_t *out, struct err *err);
/* By name. key_id 0: of every key. rows holds page->limit. */
MUST_CHECK bool kms_alias_table_list(struct db_conn *c, const struct kms_page *page, int64_t key_id,
	struct arena *arena, struct kms_alias_row *rows, size_t *out_n, struct err *err);

struct kms_tag_row {
	struct str name, value;
};

MUST_CHECK bool kms_tag_table_put(
	struct db_conn *c, int64_t key_id, const struct kms_tag_row *tag, struct err *err);
MUST_CHECK bool kms_tag_table_remove(
	struct db_conn *c, int64_t key_id, struct str name, struct err *err);
MUST_CHECK bool kms_tag_table_count(
	struct db_conn *c, int64_t key_id, uint64_t *out, struct err *err);
/* By name; of the page, account and Region do not matter. rows holds its limit. */
MUST_CHECK bool kms_tag_table_list(struct db_conn *c, int64_t key_id, const struct kms_page *page,
	struct arena *arena, struct kms_tag_row *rows, size_t *out_n, struct err *err);

#endif
