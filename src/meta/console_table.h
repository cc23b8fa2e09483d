/* console_table.h - links into the console that wait to be used; only hashes of them are kept. */
#ifndef BERTH_META_CONSOLE_TABLE_H
#define BERTH_META_CONSOLE_TABLE_H

#include "meta/db.h"

#define CONSOLE_HASH_LEN 32

/* Also removes what has ended. */
MUST_CHECK bool console_table_add(struct db_conn *c, const uint8_t hash[CONSOLE_HASH_LEN],
	struct str account, int64_t ends_at_ms, int64_t now_ms, struct err *err);
/* Removes it: a link is good once. *found false: it is not there, or has ended. */
MUST_CHECK bool console_table_take(struct db_conn *c, const uint8_t hash[CONSOLE_HASH_LEN],
	int64_t now_ms, char account[13], bool *found, struct err *err);
/* Some active key of the account's root. *found false: it has none. */
MUST_CHECK bool console_table_root_key(
	struct db_conn *c, struct str account, char id[33], bool *found, struct err *err);

#endif
