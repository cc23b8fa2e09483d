/* setting.h - account settings: BLOB_MOUNTING, BASIC_SCAN_TYPE_VERSION, REGISTRY_POLICY_SCOPE. */
#ifndef BERTH_REGISTRY_SETTING_H
#define BERTH_REGISTRY_SETTING_H

#include "registry/core.h"

/* Errors: INVALID for an unknown name (message in ECR's form). */
MUST_CHECK bool setting_get(struct core *c, const struct registry_id *reg, struct str name,
	struct arena *arena, struct str *value, struct err *err);
/* Takes effect for the next request. Errors: INVALID for an unknown name or a value that the
 * setting does not take. */
MUST_CHECK bool setting_put(struct core *c, const struct registry_id *reg, struct str name,
	struct str value, struct err *err);

#endif
