/* repo.h - repositories: create, find, list, change, delete; their AWS tags. */
#ifndef BERTH_REGISTRY_REPO_H
#define BERTH_REGISTRY_REPO_H

#include "registry/core.h"

enum enc_type { ENC_AES256 = 1, ENC_KMS = 2, ENC_KMS_DSSE = 3 }; /* stored: never renumber */

enum mutability {
	MUTABLE = 1,
	IMMUTABLE = 2,
	MUTABLE_WITH_EXCLUSION = 3,
	IMMUTABLE_WITH_EXCLUSION = 4
}; /* stored */

#define REPO_FILTERS_MAX 5
#define REPO_TAGS_MAX    50

struct repo_tag {
	struct str key, value;
};

struct repo_new {
	struct str name;
	enum enc_type enc_type;
	struct str kms_key; /* id, ARN, alias or alias ARN; empty: the managed key alias/aws/ecr */
	enum mutability mutability;
	const struct str
		*filters; /* exclusion filters, WILDCARD; validated by the front's tables */
	size_t filter_count;
	bool scan_on_push;
	const struct repo_tag *tags;
	size_t tag_count;
	struct str policy;    /* its repository policy, checked; empty: none */
	struct str lifecycle; /* its lifecycle policy, checked; empty: none */
};

struct repo {
	int64_t id;
	struct str name;
	int64_t created_at_ms;
	enum mutability mutability;
	struct str filters[REPO_FILTERS_MAX];
	size_t filter_count;
	bool scan_on_push;
	enum enc_type enc_type;
	struct str kms_key; /* resolved ARN; empty for AES256 */
	uint64_t image_count;
	uint64_t logical_bytes; /* sum of the layers it holds */
	uint64_t stored_bytes;  /* of those, what is accounted to it: each stored blob counts in
				   exactly one repository */
};

/* Errors: REPO_EXISTS, QUOTA, LIMIT (tags). */
MUST_CHECK bool repo_create(struct core *c, const struct registry_id *reg,
	const struct repo_new *in, struct arena *arena, struct repo *out, struct err *err);
/* Errors: REPO_UNKNOWN. */
MUST_CHECK bool repo_get(struct core *c, const struct registry_id *reg, struct str name,
	struct arena *arena, struct repo *out, struct err *err);

struct repo_page {
	struct repo *items;
	size_t count;
	bool more; /* the next page starts after the last item's name */
};

/* In byte order of names, those behind `after` (empty: from the start). limit: 1..1000. */
MUST_CHECK bool repo_list(struct core *c, const struct registry_id *reg, struct str after,
	unsigned limit, struct arena *arena, struct repo_page *out, struct err *err);

/* Without force only an empty one. Gone at once for every reader; its rows are removed by the
 * collector in small steps. out: as it was. Errors: REPO_UNKNOWN, REPO_NOT_EMPTY. */
MUST_CHECK bool repo_delete(struct core *c, const struct registry_id *reg, struct str name,
	bool force, struct arena *arena, struct repo *out, struct err *err);

MUST_CHECK bool repo_set_mutability(struct core *c, const struct registry_id *reg, struct str name,
	enum mutability mode, const struct str *filters, size_t filter_count, struct err *err);

MUST_CHECK bool repo_set_scan_on_push(struct core *c, const struct registry_id *reg,
	struct str name, bool scan_on_push, struct err *err);

/* AWS tags of the repository, ordered by key. Errors of put: LIMIT when more than 50 would be
 * there. */
MUST_CHECK bool repo_tags_get(struct core *c, const struct registry_id *reg, struct str name,
	struct arena *arena, struct repo_tag **out, size_t *out_count, struct err *err);
MUST_CHECK bool repo_tags_put(struct core *c, const struct registry_id *reg, struct str name,
	const struct repo_tag *tags, size_t count, struct err *err);
MUST_CHECK bool repo_tags_remove(struct core *c, const struct registry_id *reg, struct str name,
	const struct str *keys, size_t count, struct err *err);

/* Whether an existing tag may be moved or re-pointed under this mode and these filters. Pure. */
bool repo_tag_is_mutable(const struct repo *r, struct str tag);

#endif
