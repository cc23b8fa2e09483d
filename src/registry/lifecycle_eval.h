/*
 * lifecycle_eval.h - which images a lifecycle policy acts on. Pure: images in, marks out.
 *
 * The rules are ECR's (user guide, "Automate the cleanup of images by using lifecycle policies"):
 * each rule selects as if it were alone; an image that meets the tag requirements of a rule is out
 * of reach of every rule of lower priority in its storage class, also when the first one keeps it;
 * an image that an index names waits for the index.
 *
 * 48 bytes an image, whatever its tags; time n log n and n for each rule. Threads: one caller.
 */
#ifndef BERTH_REGISTRY_LIFECYCLE_EVAL_H
#define BERTH_REGISTRY_LIFECYCLE_EVAL_H

#include "registry/lifecycle_policy.h"

#define LIFECYCLE_DAY_MS ((int64_t)24 * 3600 * 1000)

struct lifecycle_image {
	int64_t id; /* the order of pushing, where times are equal */
	enum lifecycle_class class;
	int64_t since_ms; /* standard: pushed, or restored if that came later; archive: archived */
	int64_t used_ms;  /* last pull, or since_ms if there was none since */
	bool has_parent;  /* an index names it */
	bool has_active_parent; /* an index that is not archived does */
};

struct lifecycle_mark {
	struct lifecycle_image image; /* as it was added */
	uint64_t tags_hash;           /* lifecycle_tags_hash of its tags */
	int32_t priority;             /* of the rule */
	enum lifecycle_action action;
};

struct lifecycle_eval;

/* Borrows the policy until lifecycle_eval_free. */
struct lifecycle_eval *lifecycle_eval_new(const struct lifecycle_policy *policy);
void lifecycle_eval_free(struct lifecycle_eval *e); /* accepts NULL */
void lifecycle_eval_freep(struct lifecycle_eval **e);

/* An image: begin, each of its tags, end. Errors of end: UNAVAILABLE when memory is gone. */
void lifecycle_eval_begin(struct lifecycle_eval *e, const struct lifecycle_image *image);
void lifecycle_eval_tag(struct lifecycle_eval *e, struct str tag);
MUST_CHECK bool lifecycle_eval_end(struct lifecycle_eval *e, struct err *err);

/* Once, after the last image. */
void lifecycle_eval_run(struct lifecycle_eval *e, int64_t now_ms);

/* Marks in the order in which they are to be carried out: by priority, then oldest first. */
size_t lifecycle_eval_count(const struct lifecycle_eval *e);
struct lifecycle_mark lifecycle_eval_mark(const struct lifecycle_eval *e, size_t i);
/* Images that were due but that an index names ("ImageReferencedByManifestList"). */
size_t lifecycle_eval_waiting(const struct lifecycle_eval *e);
/* When the passing of time alone makes a further image due; INT64_MAX: never. */
int64_t lifecycle_eval_next_ms(const struct lifecycle_eval *e);

/* Of a set of tags, in any order: start with 0, add each. */
uint64_t lifecycle_tags_hash(uint64_t sum, struct str tag);

#endif
