/* scanning_table.h - the scanning configuration of registries. */
#ifndef BERTH_META_SCANNING_TABLE_H
#define BERTH_META_SCANNING_TABLE_H

#include "base/arena.h"
#include "meta/db.h"

struct scanning_row {
	int scan_type;
	struct str rules; /* one a line: its frequency and then its filters, with tabs between */
};

/* *found false: it was never set, out untouched. */
MUST_CHECK bool scanning_table_get(struct db_conn *c, int64_t registry_id, struct arena *arena,
	struct scanning_row *out, bool *found, struct err *err);
MUST_CHECK bool scanning_table_put(
	struct db_conn *c, int64_t registry_id, const struct scanning_row *row, struct err *err);

#endif
