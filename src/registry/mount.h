/* mount.h - adding a layer to a repository because another repository of the same pool has it.
 * DESIGN: mount rules. */
#ifndef BERTH_REGISTRY_MOUNT_H
#define BERTH_REGISTRY_MOUNT_H

#include "registry/core.h"

enum mount_outcome {

#define MOUNT_OUTCOME(name, text) MOUNT_##name,
#include "registry/mount_outcome.def"
#undef MOUNT_OUTCOME
	MOUNT_OUTCOME_COUNT
};

const char *mount_outcome_text(enum mount_outcome o); /* "mounted", "other-pool", ... */

struct mount_request {
	struct str target;
	struct str source;    /* `from`; ptr NULL: none given */
	struct str digest;    /* as sent */
	struct str principal; /* ARN, for the mount log */
	/* Whether the caller may ecr:GetDownloadUrlForLayer on a repository of this registry. Must
	 * not block for long. */
	bool (*may_read)(void *arg, struct str repository);
	void *may_read_arg;
};

struct mount_result {
	enum mount_outcome outcome;
	struct digest digest; /* valid for mounted and present */
	uint64_t size_bytes;  /* likewise */
	struct str source;    /* the repository it was mounted from, if mounted */
};

/* Decides, and on success has linked durably. Every refusal is an outcome, not an error; counters
 * and mount log are kept here. Errors: only for the target (NAME_INVALID, REPO_UNKNOWN) and the
 * shared ones. */
MUST_CHECK bool mount_try(struct core *c, const struct registry_id *reg,
	const struct mount_request *in, struct arena *arena, struct mount_result *out,
	struct err *err);

/*
 * The same in steps, for callers that may not wait, where the client names a source that it may
 * read; NULL: it does not, or something else is unusual. All lives in the arena, in too.
 */
struct mount_attempt;
struct mount_attempt *mount_begin(struct core *c, const struct registry_id *reg,
	const struct mount_request *in, struct arena *arena);
/* done is called once, on any thread, and must not wait. */
void mount_start(struct mount_attempt *m, void (*done)(void *arg), void *arg);
/* After done: whether mount_end need not wait for anything. */
bool mount_is_over(const struct mount_attempt *m);
/* As mount_try; once. */
MUST_CHECK bool mount_end(struct mount_attempt *m, struct mount_result *out, struct err *err);

/* The pure decision, of facts that were looked up; for tests and readers. */
struct mount_facts {
	bool digest_is_valid, setting_enabled, policy_is_ecr;
	bool target_holds;
	bool source_given, source_is_other_registry, source_exists, may_read, source_same_pool,
		source_holds;
	bool source_references, source_cached;
};
enum mount_outcome mount_decide(const struct mount_facts *f);

/* Mounts so far, by outcome. */
void mount_counters(struct core *c, uint64_t out[MOUNT_OUTCOME_COUNT]);

#endif
