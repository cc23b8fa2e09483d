/* sequence_model.h - what must be there after a sequence of operations, and the looks that compare
 * it with what is. */
#ifndef BERTH_TESTS_SEQUENCE_MODEL_H
#define BERTH_TESTS_SEQUENCE_MODEL_H

#include "sequence_world.h"

/* --- the model --- */

/* What the collector may have taken, or a call that failed may have done, is MAYBE until somebody
 * looks. */
enum there { NO, YES, MAYBE };

struct model_repo {
	enum there is, blobs[BLOBS], images[IMAGES];
	enum image_status status[IMAGES]; /* of those that are there */
	bool status_maybe[IMAGES];
	int tags[TAGS]; /* an image, or -1 */
	bool tags_maybe;
	enum enc_type enc;
	enum mutability mutability;
	unsigned policy; /* of policies[], or POLICIES: none */
	bool settings_maybe;
};

struct model_upload {
	enum there is;
	unsigned repo, blob;
	size_t size; /* acknowledged */
	char id[UUID_TEXT_LEN + 1];
};

static struct model {
	struct model_repo repos[REPOS];
	struct model_upload uploads[UPLOADS];
	bool is_mounting;
	bool may_fail; /* a fault is waiting for its call */
} m;

static void forget_contents(struct model_repo *r)
{
	memset(r, 0, sizeof(*r));
	for (size_t t = 0; t < TAGS; t++)
		r->tags[t] = -1;
	r->mutability = MUTABLE;
	r->policy = POLICIES;
}

static bool needs(const struct shape_of *s, int blob)
{
	for (size_t i = 0; s->blobs[i] >= 0; i++)
		if (s->blobs[i] == blob)
			return true;
	return false;
}

static bool lists(const struct shape_of *s, int child)
{
	for (size_t i = 0; s->children[i] >= 0; i++)
		if (s->children[i] == child)
			return true;
	return false;
}

static bool is_needed(const struct model_repo *r, int blob, enum there least)
{
	for (size_t i = 0; i < IMAGES; i++)
		if (needs(&shapes[i], blob) &&
			(r->images[i] == YES || (least == MAYBE && r->images[i] == MAYBE)))
			return true;
	return false;
}

static void all_maybe(struct model_repo *r)
{
	r->is = MAYBE;
	r->tags_maybe = r->settings_maybe = true;
	for (size_t i = 0; i < BLOBS; i++)
		r->blobs[i] = MAYBE;
	for (size_t i = 0; i < IMAGES; i++) {
		r->images[i] = MAYBE;
		r->status_maybe[i] = true;
	}
}

/* --- looking --- */

static void settle(enum there *is, bool found)
{
	CHECK(*is == MAYBE || (*is == YES) == found);
	*is = found ? YES : NO;
}

static bool reads(unsigned r, int blob)
{
	char bytes[64];
	struct err err;
	struct blob_info info;
	struct blob_reader *reader = NULL;
	size_t n = 0;
	struct str text = text_of(blob);
	if (!blob_open(w.core, &w.reg, repo_of(r), &w.blobs[blob], &info, &reader, &err)) {
		CHECK(err.kind == ERR_BLOB_UNKNOWN);
		return false;
	}
	CHECK(blob_reader_pread(reader, bytes, sizeof(bytes), 0, &n, &err));
	CHECK(info.size_bytes == text.len && n == text.len && memcmp(bytes, text.ptr, n) == 0);
	blob_reader_close(reader);
	return true;
}

/* The image that a reference finds, or -1. One that is not active is described, but not pulled. */
static int find_image(unsigned r, const struct image_ref *ref, enum image_status *out_status)
{
	struct err err;
	struct image image, pulled;
	struct buf bytes CLEANUP(buf_fini);
	buf_init(&bytes, 4 * MIB);
	struct image_want want = { repo_of(r), ref, &bytes };
	if (!image_describe_one(w.core, &w.reg, repo_of(r), ref, w.arena, &image, &err)) {
		CHECK(err.kind == ERR_IMAGE_UNKNOWN);
		CHECK(!image_get(w.core, &w.reg, &want, w.arena, &image, &err));
		CHECK(err.kind == ERR_IMAGE_UNKNOWN);
		return -1;
	}
	bool done = image_get(w.core, &w.reg, &want, w.arena, &pulled, &err);
	CHECK(done == (image.status == IMAGE_ACTIVE));
	CHECK(done || err.kind == ERR_IMAGE_ARCHIVED);
	*out_status = image.status;
	for (size_t i = 0; i < IMAGES; i++)
		if (digest_eq(&image.digest, &w.images[i])) {
			CHECK(!done || str_eq(pulled.bytes, w.manifests[i]));
			return (int)i;
		}
	abort();
}

static void look_at_tags(unsigned r)
{
	struct model_repo *repo = &m.repos[r];
	for (size_t t = 0; t < TAGS; t++) {
		struct image_ref ref = { .tag = str_from(tag_names[t]) };
		enum image_status unused;
		int found = find_image(r, &ref, &unused);
		CHECK(repo->tags_maybe || found == repo->tags[t]);
		CHECK(found < 0 || repo->images[found] == YES);
		repo->tags[t] = found;
	}
	repo->tags_maybe = false;
}

static void look_at_images(unsigned r)
{
	struct model_repo *repo = &m.repos[r];
	for (size_t i = 0; i < IMAGES; i++) {
		enum image_status status = IMAGE_ACTIVE;
		struct image_ref ref = {
			.tag = STR(""), .has_digest = true, .digest = w.images[i]
		};
		settle(&repo->images[i], find_image(r, &ref, &status) == (int)i);
		CHECK(repo->images[i] == NO || repo->status_maybe[i] || repo->status[i] == status);
		repo->status[i] = status;
		repo->status_maybe[i] = false;
	}
	for (size_t i = 0; i < IMAGES; i++) {
		for (int b = 0; b < BLOBS; b++)
			CHECK(repo->images[i] == NO || !needs(&shapes[i], b) ||
				repo->blobs[b] == YES);
		for (size_t c = 0; c < IMAGES; c++)
			CHECK(repo->images[i] == NO || !lists(&shapes[i], (int)c) ||
				(repo->images[c] == YES &&
					(repo->status[i] != IMAGE_ACTIVE ||
						repo->status[c] == IMAGE_ACTIVE)));
	}
}

static void look_at_settings(unsigned r, const struct repo *got)
{
	struct err err;
	struct lifecycle lifecycle;
	struct model_repo *repo = &m.repos[r];
	unsigned policy = 0;
	if (lifecycle_get(w.core, &w.reg, repo_of(r), w.arena, &lifecycle, &err)) {
		while (policy < POLICIES && !str_eq(lifecycle.text, str_from(policies[policy])))
			policy++;
		CHECK(policy < POLICIES);
	} else {
		CHECK(err.kind == ERR_LIFECYCLE_UNKNOWN);
		policy = POLICIES;
	}
	CHECK(repo->settings_maybe ||
		(got->enc_type == repo->enc && got->mutability == repo->mutability &&
			policy == repo->policy));
	repo->enc = got->enc_type;
	repo->mutability = got->mutability;
	repo->policy = policy;
	repo->settings_maybe = false;
}

static void look(unsigned r)
{
	struct model_repo *repo = &m.repos[r];
	struct err err;
	struct repo got;
	bool found = repo_get(w.core, &w.reg, repo_of(r), w.arena, &got, &err);
	CHECK(found || err.kind == ERR_REPO_UNKNOWN);
	settle(&repo->is, found);
	if (!found) {
		forget_contents(repo);
		return;
	}
	for (int b = 0; b < BLOBS; b++)
		settle(&repo->blobs[b], reads(r, b));
	look_at_settings(r, &got);
	look_at_images(r);
	look_at_tags(r);
}

/* A call failed although the model knows no reason: only a fault may be one, and then what it was
 * about is looked up. Returns false, for the caller to go. */
static bool excused(const struct err *err, unsigned r)
{
	CHECK(m.may_fail);
	CHECK(err->kind == ERR_UNAVAILABLE || err->kind == ERR_STORAGE_FULL);
	m.may_fail = false;
	db_fault_set(w.db, 0, DB_FAULT_IO, DB_FAULT_AT_ANY);
	store_fault_set(w.store, 0, ERR_UNAVAILABLE);
	all_maybe(&m.repos[r]);
	look(r);
	return false;
}

static bool is_fault(const struct err *err)
{
	return err->kind == ERR_UNAVAILABLE || err->kind == ERR_STORAGE_FULL;
}

/* Whether the call went as the model says: done, or refused with this kind. */
static bool expect(bool done, const struct err *err, bool should, enum err_kind kind, unsigned r)
{
	if (!done && is_fault(err))
		return excused(err, r);
	CHECK(done == should);
	CHECK(done || err->kind == kind);
	return done;
}

#endif
