/* mount_report.h - the mount log for its reader, and what blob mounting would have saved. */
#ifndef BERTH_REGISTRY_MOUNT_REPORT_H
#define BERTH_REGISTRY_MOUNT_REPORT_H

#include "registry/core.h"

/* Why a mount ended so, in a sentence for people; NULL for an outcome that does not exist. */
const char *mount_outcome_reason(struct str outcome);

struct mount_log_item {
	int64_t at_ms;
	struct str target, digest, outcome, principal;
	struct str source;   /* ptr NULL: none was named */
	uint64_t size_bytes; /* 0: not known */
};

/* Empty texts and 0: any. */
struct mount_log_filter {
	struct str target, source;
	const struct str *outcomes;
	size_t outcome_count;
	int64_t from_ms, until_ms; /* until_ms: not included */
	int64_t before;            /* where the page begins: INT64_MAX, or the last one's next */
	unsigned limit;            /* 1..1000 */
};

struct mount_log_page {
	struct mount_log_item *items; /* newest first */
	size_t count;
	bool more; /* a page looks at a bounded number of rows: it may be short, or empty */
	int64_t next;
};

MUST_CHECK bool mount_log_read(struct core *c, const struct registry_id *reg,
	const struct mount_log_filter *f, struct arena *arena, struct mount_log_page *out,
	struct err *err);

/* Sums of mounts. text: an outcome, or a repository; ptr NULL where it is neither. */
struct mount_sum {
	int64_t day_ms;
	struct str text;
	int64_t mounts, bytes, mounted_bytes, avoidable_mounts, avoidable_bytes;
};

struct mount_estimate {
	int64_t from_ms, until_ms; /* the whole days that are summed up */
	struct mount_sum all;
	int64_t mounted_mounts;
	struct mount_sum *outcomes, *days, *repos; /* repos: most avoidable bytes first */
	size_t outcome_count, day_count, repo_count;
	bool is_partial; /* repos: not all were looked at */
};

struct mount_estimate_query {
	int64_t from_ms, until_ms;
	unsigned repos_max; /* 1..100 */
};

/* At most 400 days are told; of repositories only those of the last 31. */
MUST_CHECK bool mount_estimate_read(struct core *c, const struct registry_id *reg,
	const struct mount_estimate_query *q, struct arena *arena, struct mount_estimate *out,
	struct err *err);

#endif
