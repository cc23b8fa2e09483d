/* stack.h - database, store and rules over a data folder: opened in this order, closed in reverse.
 */
#ifndef BERTH_APP_STACK_H
#define BERTH_APP_STACK_H

#include "app/config.h"
#include "app/folder.h"
#include "app/keys.h"

struct db;
struct blobstore;
struct core;

struct stack {
	struct db *db;
	struct blobstore *store;
	struct keys keys;
	struct core *core;
};

/* read_only: for tools that only look, also beside a running server. On failure nothing is open.
 * Errors: CONFIG for what the operator has to set right, the root key among it. */
MUST_CHECK bool stack_open(const struct config *c, const struct folder *folder,
	bool mounting_by_default, bool read_only, struct stack *out, struct err *err);
void stack_close(struct stack *s);

#endif
