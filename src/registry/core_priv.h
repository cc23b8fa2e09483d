/* core_priv.h - the core's inside, for the modules of registry/ only. */
#ifndef BERTH_REGISTRY_CORE_PRIV_H
#define BERTH_REGISTRY_CORE_PRIV_H

#include <stdatomic.h>

#include "base/thread.h"
#include "meta/db.h"
#include "registry/core.h"
#include "registry/lifecycle_told.h"
#include "registry/mount.h"
#include "store/blobstore.h"

struct registry_node; /* a registry's id, remembered for ever */
struct session_set; /* uploads that are being written or whose hash is worth keeping (session.h) */
struct mount_entry; /* a mount-log row that is not written yet */

struct core {
	struct db *db;
	struct blobstore *store;
	struct core_options o;
	_Atomic(struct registry_node *) registries;
	struct session_set *sessions;
	struct pull_set *pulls; /* pull.h */
	struct pool_set *pools; /* pool.h */
	lifecycle_told_fn told; /* lifecycle_told.h; NULL: nobody listens */
	void *told_arg;
	struct event_set *events; /* event.h; NULL: nobody is told */

	struct mutex log_mutex; /* guards the three below */
	struct mount_entry *log_first, *log_last;
	unsigned log_count;

	_Atomic uint64_t blobs_pushed, bytes_pushed, bytes_duplicate, bytes_mounted, images_pushed,
		images_deleted;
	_Atomic uint64_t links_collected, blobs_collected, bytes_collected, uploads_expired,
		collect_runs, collect_errors;
	_Atomic uint64_t mounts[MOUNT_OUTCOME_COUNT];
	_Atomic uint64_t policy_generation; /* resource_policy.h */
};

static inline void core_count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* The registry's row id, 0 when it does not exist and create is false. */
MUST_CHECK bool core_registry(
	struct core *c, const struct registry_id *reg, bool create, int64_t *id, struct err *err);

/* Errors in ECR's words; both return false. */
bool core_repo_unknown(const struct registry_id *reg, struct str repo, struct err *err);
/* The arena gave nothing. Errors: UNAVAILABLE where memory was missing, else TOO_LARGE. */
bool core_no_memory(const struct arena *arena, struct err *err);

/* A repository name from outside: NAME_INVALID unless it follows the grammar. */
MUST_CHECK bool core_check_name(struct str repo, struct err *err);

/* What came of a mount, for the log. */
struct mount_entry_of {
	int64_t registry_id;
	enum mount_outcome outcome;
	struct str source; /* ptr NULL: as asked for */
	uint64_t size_bytes;
	bool avoidable; /* off, and would have been mounted */
};

/* Waiting mount-log rows, capped; older ones are dropped first when the database cannot keep up. */
void core_log_mount(
	struct core *c, const struct mount_request *in, const struct mount_entry_of *of);

#endif
