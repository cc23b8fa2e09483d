/*
 * lifecycle.h - lifecycle policies of repositories: kept, tried out, carried out.
 *
 * A repository is looked at when something in it changed (the change's own transaction says by
 * when) or when time alone makes an image due (the last evaluation said when); nobody sweeps over
 * repositories or images. An evaluation reads in pages and acts in small transactions, each of
 * which looks again at the image it takes: what was tagged, pulled or restored meanwhile stays.
 *
 * Referrers follow their subject: while it is there no rule selects them; they go, are archived and
 * come back after it. One whose subject was never there is an image like others.
 */
#ifndef BERTH_REGISTRY_LIFECYCLE_H
#define BERTH_REGISTRY_LIFECYCLE_H

#include "registry/image.h"
#include "registry/lifecycle_policy.h"

struct lifecycle {
	struct str text;
	int64_t evaluated_at_ms; /* 0: never */
};

/* Errors: REPO_UNKNOWN; INVALID in ECR's words. */
MUST_CHECK bool lifecycle_put(struct core *c, const struct registry_id *reg, struct str repo,
	struct str text, struct err *err);
/* Errors: REPO_UNKNOWN, LIFECYCLE_UNKNOWN. */
MUST_CHECK bool lifecycle_get(struct core *c, const struct registry_id *reg, struct str repo,
	struct arena *arena, struct lifecycle *out, struct err *err);
/* out: as it was. Errors: REPO_UNKNOWN, LIFECYCLE_UNKNOWN. */
MUST_CHECK bool lifecycle_delete(struct core *c, const struct registry_id *reg, struct str repo,
	struct arena *arena, struct lifecycle *out, struct err *err);

/* Has the policy (ptr NULL: the repository's own) tried out in the background; nothing is changed.
 * Errors: REPO_UNKNOWN, INVALID, LIFECYCLE_UNKNOWN, PREVIEW_BUSY. */
MUST_CHECK bool lifecycle_preview(struct core *c, const struct registry_id *reg, struct str repo,
	struct str text, struct arena *arena, struct str *out_text, struct err *err);

enum lifecycle_preview_status {
	LIFECYCLE_PREVIEW_RUNNING,
	LIFECYCLE_PREVIEW_COMPLETE,
	LIFECYCLE_PREVIEW_EXPIRED,
	LIFECYCLE_PREVIEW_FAILED
};

struct lifecycle_result {
	struct image image; /* with its tags */
	int32_t priority;
	enum lifecycle_action action;
};

struct lifecycle_preview {
	enum lifecycle_preview_status status;
	struct str text;
	uint64_t expiring, moving; /* in all */
	struct lifecycle_result *items;
	size_t count;
	bool more; /* the next page starts behind after */
	int64_t after;
};

struct lifecycle_preview_query {
	struct str repo;
	enum tag_filter tags;
	const int64_t *images; /* ids: only these; NULL: all */
	size_t image_count;
	int64_t after;
	unsigned limit; /* 1..100 */
};

/* Results by order of pushing; images that went since are left out. Errors: REPO_UNKNOWN,
 * PREVIEW_UNKNOWN. */
MUST_CHECK bool lifecycle_preview_get(struct core *c, const struct registry_id *reg,
	const struct lifecycle_preview_query *q, struct arena *arena, struct lifecycle_preview *out,
	struct err *err);

struct lifecycle_report {
	uint64_t repositories; /* evaluated */
	uint64_t expired, archived, restored, waiting;
	bool more; /* work that is due was left over */
};

/* What is due, in at most about steps small transactions. ages_ms: as of when images are as old as
 * policies say; the same, or earlier when the clock was set. Adds to *report. */
MUST_CHECK bool lifecycle_run(struct core *c, int64_t now_ms, int64_t ages_ms, unsigned steps,
	struct lifecycle_report *report, struct err *err);
/* Everything, due or not, until nothing is left to do; repo empty: in all repositories, else in
 * those of this name in any registry. Errors: REPO_UNKNOWN when no repository of that name has a
 * policy. */
MUST_CHECK bool lifecycle_run_all(struct core *c, struct str repo, int64_t now_ms,
	struct lifecycle_report *report, struct err *err);

#endif
