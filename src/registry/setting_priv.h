/* setting_priv.h - settings read inside another module's transaction. For registry/ only. */
#ifndef BERTH_REGISTRY_SETTING_PRIV_H
#define BERTH_REGISTRY_SETTING_PRIV_H

#include "registry/core_priv.h"

#define SETTING_BLOB_MOUNTING "BLOB_MOUNTING"

MUST_CHECK bool setting_mounting_in(struct core *c, struct db_conn *conn, int64_t registry_id,
	struct arena *arena, bool *enabled, struct err *err);

#endif
