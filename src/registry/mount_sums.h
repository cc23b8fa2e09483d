/*
 * mount_sums.h - the mount log's sums by days, added up for a batch of rows before they are
 * written: a batch is mostly of one registry, one day, and a few outcomes and targets. For
 * registry/ only.
 */
#ifndef BERTH_REGISTRY_MOUNT_SUMS_H
#define BERTH_REGISTRY_MOUNT_SUMS_H

#include "meta/mount_log_table.h"

struct mount_summing;

struct mount_summing *mount_summing_new(void);
void mount_summing_freep(struct mount_summing **s);
/* Borrows row's texts until the flush. Writes early when there is no place for another sum. */
MUST_CHECK bool mount_summing_add(struct mount_summing *s, struct db_conn *conn,
	const struct mount_log_row *row, bool avoidable, struct err *err);
MUST_CHECK bool mount_summing_flush(struct mount_summing *s, struct db_conn *conn, struct err *err);

#endif
