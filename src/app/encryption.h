/* encryption.h - tells operators who encrypts what is stored, pool by pool. */
#ifndef BERTH_APP_ENCRYPTION_H
#define BERTH_APP_ENCRYPTION_H

#include "app/config.h"

struct core;

/* A line a pool on standard output; as JSON: a list of objects. */
MUST_CHECK bool encryption_print(const struct config *c, struct core *core, struct err *err);
MUST_CHECK bool encryption_print_json(struct core *core, struct err *err);

#endif
