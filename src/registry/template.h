/*
 * template.h - repository creation templates: how a repository is made that nobody asked for by
 * name (so far: when an image is pushed to it).
 *
 * A template has a prefix of whole path components: "prod" and "prod/" are the same, and mean
 * "prod/x", not "production". Of the templates for a use, the one with the longest prefix is meant;
 * ROOT means every name that no other has. What a template says is copied at creation: changing it
 * never touches a repository.
 */
#ifndef BERTH_REGISTRY_TEMPLATE_H
#define BERTH_REGISTRY_TEMPLATE_H

#include "registry/repo.h"

#define TEMPLATE_ARENA_BYTES (256 * KIB) /* holds one template */

/* What a template is applied for; stored, as a sum. */
enum template_use {
	TEMPLATE_REPLICATION = 1,
	TEMPLATE_PULL_THROUGH_CACHE = 2,
	TEMPLATE_CREATE_ON_PUSH = 4
};

struct template
{
	struct str prefix; /* as it was given */
	struct str description;
	enum enc_type enc_type;
	struct str kms_key; /* ARN, or empty */
	enum mutability mutability;
	struct str filters[REPO_FILTERS_MAX];
	size_t filter_count;
	const struct repo_tag *tags; /* of the repositories */
	size_t tag_count;
	struct str repository_policy, lifecycle_policy; /* checked by the front; empty: none */
	unsigned uses;                                  /* enum template_use */
	struct str role_arn; /* kept and told; Berth needs no role to create a repository */
	int64_t created_at_ms, updated_at_ms;
};

/* What an update brings: members without their bit stay as they are. */
enum template_member {
	TEMPLATE_DESCRIPTION = 1,
	TEMPLATE_ENCRYPTION = 2,
	TEMPLATE_MUTABILITY = 4, /* with the filters */
	TEMPLATE_TAGS = 8,
	TEMPLATE_REPOSITORY_POLICY = 16,
	TEMPLATE_LIFECYCLE_POLICY = 32,
	TEMPLATE_USES = 64,
	TEMPLATE_ROLE = 128
};

/* Times of in are ignored. Errors: TEMPLATE_EXISTS. */
MUST_CHECK bool template_create(struct core *c, const struct registry_id *reg,
	const struct template *in, struct arena *arena, struct template *out, struct err *err);
/* members: which of in count. Errors: TEMPLATE_UNKNOWN. */
MUST_CHECK bool template_update(struct core *c, const struct registry_id *reg,
	const struct template *in, unsigned members, struct arena *arena, struct template *out,
	struct err *err);
/* out: as it was. Errors: TEMPLATE_UNKNOWN. */
MUST_CHECK bool template_delete(struct core *c, const struct registry_id *reg, struct str prefix,
	struct arena *arena, struct template *out, struct err *err);
/* Errors: TEMPLATE_UNKNOWN. */
MUST_CHECK bool template_get(struct core *c, const struct registry_id *reg, struct str prefix,
	struct arena *arena, struct template *out, struct err *err);

struct template_page {
	struct template *items;
	size_t count;
	bool more;
	struct str last; /* the next page is behind this one */
};

/* In byte order of prefixes. The page ends early when the arena is full. limit: 1..1000. */
MUST_CHECK bool template_list(struct core *c, const struct registry_id *reg, struct str after,
	unsigned limit, struct arena *arena, struct template_page *out, struct err *err);

/* The template by which a repository of this name would be made; out->prefix.ptr NULL: none. */
MUST_CHECK bool template_find(struct core *c, const struct registry_id *reg, struct str repo,
	enum template_use use, struct arena *arena, struct template *out, struct err *err);
/* Makes the repository as t says, whole, or finds that somebody else just did. Errors: those of
 * repo_create but REPO_EXISTS. */
MUST_CHECK bool template_apply(struct core *c, const struct registry_id *reg,
	const struct template *t, struct str repo, struct arena *arena, struct err *err);

#endif
