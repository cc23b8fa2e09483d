/* image.h - images and tags: push, pull, list, describe, delete, referrers. */
#ifndef BERTH_REGISTRY_IMAGE_H
#define BERTH_REGISTRY_IMAGE_H

#include "registry/core.h"
#include "registry/manifest.h"

/* Stored. */
enum image_status { IMAGE_ACTIVE = 1, IMAGE_ARCHIVED = 2, IMAGE_ACTIVATING = 3 };

struct image {
	int64_t id; /* also the order of pushing */
	struct digest digest;
	struct str media_type, artifact_type;
	struct str bytes; /* the manifest; ptr NULL where the function says so */
	uint64_t manifest_bytes;
	uint64_t size_bytes; /* manifest and layers; of an index: the largest of its images */
	int64_t pushed_at_ms;
	bool has_subject;
	struct digest subject;
	struct str annotations; /* of referrers: JSON object or empty */
	struct str *tags;       /* where asked for */
	size_t tag_count;
	/* of lists and descriptions; times are 0 where the thing never happened */
	enum image_status status;
	int64_t pulled_at_ms, archived_at_ms, activated_at_ms;
};

/* Names an image: by tag, by digest, or both (then they must agree). */
struct image_ref {
	struct str tag; /* empty: not by tag */
	bool has_digest;
	struct digest digest;
};

/* From a manifests/<reference> path part: with ':' a digest, else a tag. Errors: DIGEST_INVALID,
 * TAG_INVALID. */
MUST_CHECK bool image_ref_parse(struct str text, struct image_ref *out, struct err *err);

#define IMAGE_PUT_TAGS_MAX 100

struct image_put {
	struct str repo;
	struct str bytes;
	struct str content_type; /* may be empty */
	bool has_digest; /* the digest that the client names it by; its algorithm names the image */
	struct digest digest;
	const struct str *tags; /* none: untagged */
	size_t tag_count;
	struct str principal; /* ARN, for the history of tags; may be empty */
	bool refuse_repeat;   /* ECR's PutImage: the same image with the same tag again is
				 IMAGE_EXISTS */
};

struct image_put_result {
	struct digest digest;
	struct str media_type;
	bool has_subject;
	struct digest subject;
};

/* Errors: TOO_LARGE, MANIFEST_INVALID, DIGEST_MISMATCH, MANIFEST_BLOB_UNKNOWN,
 * MANIFEST_CHILD_UNKNOWN, TAG_INVALID, TAG_IMMUTABLE, IMAGE_EXISTS, REPO_UNKNOWN, LIMIT (more than
 * IMAGE_PUT_TAGS_MAX tags). All tags are set, or none. */
MUST_CHECK bool image_put(struct core *c, const struct registry_id *reg, const struct image_put *in,
	struct arena *arena, struct image_put_result *out, struct err *err);

/*
 * The same in steps, for callers that may not wait, of an image that the repository has, in a pool
 * whose key is at hand: one more tag. NULL: something else. All lives in the arena, in too.
 */
struct image_again;
struct image_again *image_put_begin(struct core *c, const struct registry_id *reg,
	const struct image_put *in, struct arena *arena);
/* done is called once, on any thread, and must not wait. */
void image_put_start(struct image_again *p, void (*done)(void *arg), void *arg);
/* After done: whether image_put_end need not wait for anything. */
bool image_put_is_over(const struct image_again *p);
/* As image_put; once. */
MUST_CHECK bool image_put_end(struct image_again *p, struct image_put_result *out, struct err *err);

struct buf;

struct image_want {
	struct str repo;
	const struct image_ref *ref;
	/* NULL: without out->bytes. They may be up to 4 MiB, more than arenas hold: an empty buf of
	 * at least MANIFEST_STORED_MAX. */
	struct buf *bytes;
};

/* Errors: REPO_UNKNOWN, IMAGE_UNKNOWN, IMAGE_ARCHIVED. */
MUST_CHECK bool image_get(struct core *c, const struct registry_id *reg,
	const struct image_want *want, struct arena *arena, struct image *out, struct err *err);

/* By tag: removes the tag; with also_last (ECR's BatchDeleteImage) the image goes with its last
 * tag. By digest: image and all its tags. Errors: IMAGE_UNKNOWN, IMAGE_IN_INDEX ("Requested image
 * referenced by manifest list: [sha256:...]"). removed: the (digest, tag) pairs that went, a pair
 * without tag for an untagged image; may be NULL. At most 1,000 are told. */
struct image_pair {
	struct digest digest;
	struct str tag;
};

struct image_removed {
	struct image_pair *pairs;
	size_t count;
};

struct image_delete {
	struct str repo;
	const struct image_ref *ref;
	bool also_last;
	struct str principal; /* ARN, for the history of tags; may be empty */
};

MUST_CHECK bool image_delete(struct core *c, const struct registry_id *reg,
	const struct image_delete *in, struct arena *arena, struct image_removed *removed,
	struct err *err);

/* Tags in byte order, those behind `last` (need not exist). limit 0..10,000: 0 gives none and more
 * = false. */
struct tag_query {
	struct str repo, last;
	unsigned limit;
};

struct tag_page {
	struct str *tags;
	size_t count;
	bool more;
};

MUST_CHECK bool image_tags(struct core *c, const struct registry_id *reg, const struct tag_query *q,
	struct arena *arena, struct tag_page *out, struct err *err);

/* Images by order of pushing, for ListImages and DescribeImages. A page looks at a bounded number
 * of rows, and ends when the arena is full, so it may hold fewer than limit items (even none) and
 * still say more. */
#define IMAGE_PAGE_ARENA_BYTES \
	(8 * MIB) /* what the arena of a page of images should be allowed to hold */

enum tag_filter { TAGS_ANY, TAGS_TAGGED, TAGS_UNTAGGED };

enum status_filter { STATUS_ACTIVE, STATUS_ARCHIVED, STATUS_ACTIVATING, STATUS_ANY };

struct image_cursor {
	int64_t image_id; /* 0, "" : from the start */
	char tag[129];
};

struct image_page {
	struct image *items; /* ListImages: one item a (image, tag), with at most one tag;
				DescribeImages: one an image with its tags (at most 1,000) */
	size_t count;
	bool more;
	struct image_cursor next;
};

struct image_query {
	struct str repo;
	enum tag_filter tags;
	enum status_filter status;
	struct image_cursor from;
	unsigned limit;
};

MUST_CHECK bool image_list(struct core *c, const struct registry_id *reg,
	const struct image_query *q, struct arena *arena, struct image_page *out, struct err *err);
MUST_CHECK bool image_describe(struct core *c, const struct registry_id *reg,
	const struct image_query *q, struct arena *arena, struct image_page *out, struct err *err);
/* One image with its tags. Errors: IMAGE_UNKNOWN. */
MUST_CHECK bool image_describe_one(struct core *c, const struct registry_id *reg, struct str repo,
	const struct image_ref *ref, struct arena *arena, struct image *out, struct err *err);

/* Images whose subject is the digest, by order of pushing, behind image id `after`. types: only
 * these artifact types (none: all). Unlike the others an unknown repository is no error: an empty
 * page (OCI distribution spec 1.1, "Listing Referrers"). */
struct referrer_query {
	struct str repo;
	struct digest subject;
	const struct str *types;
	size_t type_count;
	enum status_filter status;
	int64_t after;
	unsigned limit;       /* 1..1000 */
	bool repo_must_exist; /* ECR's ListImageReferrers */
};

/* The page ends early (more, next.image_id) when the arena is full or enough manifests were read:
 * annotations may be megabytes. */
MUST_CHECK bool image_referrers(struct core *c, const struct registry_id *reg,
	const struct referrer_query *q, struct arena *arena, struct image_page *out,
	struct err *err);

#endif
