/* key_table.h - rows of access keys, and of the few values that belong to the server as a whole. */
#ifndef BERTH_META_KEY_TABLE_H
#define BERTH_META_KEY_TABLE_H

#include "crypt/secret.h"
#include "meta/db.h"

struct key_row {
	char id[33]; /* "AKIA..." */
	char account[13];
	char principal[2049]; /* ARN */
	struct secret secret; /* wiped by the caller */
	bool is_active;
	int64_t created_at_ms;
};

MUST_CHECK bool key_table_add(struct db_conn *c, const struct key_row *row, struct err *err);
/* *found false: out untouched. */
MUST_CHECK bool key_table_find(
	struct db_conn *c, struct str id, struct key_row *out, bool *found, struct err *err);
MUST_CHECK bool key_table_count(struct db_conn *c, uint64_t *out, struct err *err);

/* Named values of the server: "token-key". Errors: INVALID when the value is longer than
 * SECRET_MAX. */
MUST_CHECK bool server_value_get(
	struct db_conn *c, const char *name, struct secret *out, bool *found, struct err *err);
MUST_CHECK bool server_value_put(
	struct db_conn *c, const char *name, const struct secret *value, struct err *err);

#endif
