/* repo_row.h - a repository's row as every query of it reads it. For meta/ only. */
#ifndef BERTH_META_REPO_ROW_H
#define BERTH_META_REPO_ROW_H

#include "meta/repo_table.h"

/* Of "repository r JOIN pool p". */
#define REPO_COLUMNS                                                                                                     \
	"r.id, r.registry_id, r.pool_id, r.name, r.created_at_ms, r.mutability, r.filters, r.scan_on_push, p.enc_type, " \
	"p.key_arn, r.images, r.logical_bytes, r.stored_bytes"
#define REPO_COLUMN_NAME  3
#define REPO_COLUMN_COUNT 13

/* The statement stands on a row whose first columns are these. */
MUST_CHECK bool repo_row_read(
	struct db_stmt *st, struct arena *arena, struct repo_row *out, struct err *err);

#endif
