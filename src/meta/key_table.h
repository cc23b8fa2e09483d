/* key_table.h - rows of access keys, and of the few values that belong to the server as a whole. */
#ifndef BERTH_META_KEY_TABLE_H
#define BERTH_META_KEY_TABLE_H

#include "crypt/secret.h"
#include "meta/db.h"

struct key_row {
	char id[33]; /* "AKIA..." */
	char account[13];
	char principal[2049]; /* ARN */
	struct secret secret; /* wiped by the caller; as it stands in the row */
	bool is_active;
	int64_t created_at_ms;
	int64_t user_id; /* row of the IAM user that owns it; 0: the account's root */
	/* Only read: of that user (principal is made of them then), and of its last use. */
	char user_name[65], user_uid[33];
	int64_t used_at_ms; /* 0: never */
	char used_service[65], used_region[33];
};

MUST_CHECK bool key_table_add(struct db_conn *c, const struct key_row *row, struct err *err);
/* *found false: out untouched. */
MUST_CHECK bool key_table_find(
	struct db_conn *c, struct str id, struct key_row *out, bool *found, struct err *err);
MUST_CHECK bool key_table_count(struct db_conn *c, uint64_t *out, struct err *err);

/* Whose keys: of an account's user, or, user_id 0, of its root. */
struct key_owner {
	struct str account;
	int64_t user_id;
};

struct key_meta {
	char id[33];
	bool is_active;
	int64_t created_at_ms;
};

/* By id, those behind `after`; rows holds limit. */
MUST_CHECK bool key_table_list(struct db_conn *c, const struct key_owner *owner, struct str after,
	unsigned limit, struct key_meta *rows, size_t *out_n, struct err *err);
/* *found false: the owner has no such key. */
MUST_CHECK bool key_table_set_active(struct db_conn *c, const struct key_owner *owner,
	struct str id, bool is_active, bool *found, struct err *err);
MUST_CHECK bool key_table_remove(struct db_conn *c, const struct key_owner *owner, struct str id,
	bool *found, struct err *err);
/* Remembers a use, unless a later one is known. */
MUST_CHECK bool key_table_touch(struct db_conn *c, struct str id, int64_t at_ms, struct str service,
	struct str region, struct err *err);

/* Named values of the server: "token-key". Errors: INVALID when the value is longer than
 * SECRET_MAX. */
MUST_CHECK bool server_value_get(
	struct db_conn *c, const char *name, struct secret *out, bool *found, struct err *err);
MUST_CHECK bool server_value_put(
	struct db_conn *c, const char *name, const struct secret *value, struct err *err);

#endif
