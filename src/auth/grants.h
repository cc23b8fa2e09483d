/*
 * grants.h - what users and roles are granted: their policies, compiled and kept.
 *
 * Invariants: grants are immutable and counted, so that a decision goes on with what it took while
 * IAM changes; nothing is handed out that was read before IAM's generation grew, or more than
 * GRANTS_LIFE_MS ago (another process may have changed it). Threads: safe. The lock is never held
 * over a read of the database or a compilation.
 */
#ifndef BERTH_AUTH_GRANTS_H
#define BERTH_AUTH_GRANTS_H

#include "auth/policy.h"
#include "iam/iam.h"

struct grants_cache;
struct session;

#define GRANTS_MAX     256
#define GRANTS_LIFE_MS 5000

struct grants {
	int64_t entity_id;
	enum iam_type type;
	/* Of the user or role. */
	struct str account, name, uid, arn;
	struct iam_tags tags;
	struct policy_list identity, boundary, session;
	bool reads_resource_tags; /* one of the policies does */
	/* grants.c's own */
	struct arena *arena;
	int references;
};

struct grants_cache *grants_cache_new(struct iam *iam);
void grants_cache_free(struct grants_cache *c); /* accepts NULL; nothing may be taken any more */

/*
 * What the user or role of that row is granted; with a session also its session policies. *out is
 * given back by grants_release. *out NULL: the user or role is gone.
 * Errors: CORRUPT: a stored policy cannot be compiled.
 */
MUST_CHECK bool grants_take(struct grants_cache *c, int64_t entity_id, const struct session *s,
	struct grants **out, struct err *err);
void grants_release(struct grants_cache *c, struct grants *g); /* accepts NULL */

#endif
