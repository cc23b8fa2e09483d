/* descriptors.h - the file descriptors of this process: how many are open, and how many of those
 * that may be are for connections. */
#ifndef BERTH_APP_DESCRIPTORS_H
#define BERTH_APP_DESCRIPTORS_H

#include <stdint.h>

#include "base/err.h"

struct config;

uint64_t descriptors_open(void); /* 0: unknown */

/* What a server holds without a single connection, of which open_now are open before it listens. */
uint64_t descriptors_own(const struct config *c, uint64_t open_now);

/* How many of limit connections may take: of what the server does not hold itself (own) a quarter,
 * at most 4,096, stays for layers that are read and written. No more than wanted.
 * Errors: CONFIG: the limit is too low to serve anybody. */
MUST_CHECK bool descriptors_share(
	uint64_t limit, uint64_t own, unsigned wanted, unsigned *out_connections, struct err *err);

#endif
