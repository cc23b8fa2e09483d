/*
 * throttle.h - how often an action may be asked of one registry: a token bucket for each (registry,
 * action), as ECR limits each API action by itself, whoever asks and by whichever protocol.
 *
 * A bucket holds the calls of one second and is full at the start. Memory is bounded: the first
 * THROTTLE_REGISTRIES registries have buckets of their own, all others share one set. Threads: safe
 * once rates are set; taking is lock-free.
 */
#ifndef BERTH_FRONT_THROTTLE_H
#define BERTH_FRONT_THROTTLE_H

#include "base/err.h"
#include "registry/core.h"

#define THROTTLE_REGISTRIES 1024
#define THROTTLE_RATE_MAX   1000000

struct throttle;

struct throttle *throttle_new(void);    /* without any rate */
void throttle_free(struct throttle *t); /* accepts NULL */
/* ECR's default quotas. */
void throttle_set_ecr(struct throttle *t);
/* Calls a second of an action ("PutImage"), at most THROTTLE_RATE_MAX; 0: no limit. */
void throttle_set(struct throttle *t, struct str action, unsigned per_second);

/* Takes one call of the action, "PutImage" or "ecr:PutImage". t NULL: no limits. Errors: THROTTLED;
 * after a second it is worth trying again. */
MUST_CHECK bool throttle_take(
	struct throttle *t, const struct registry_id *reg, const char *action, struct err *err);

#endif
