/* lifecycle_world.h - steps that tests of lifecycle policies, storage classes and pulls share. */
#ifndef BERTH_TESTS_REGISTRY_LIFECYCLE_WORLD_H
#define BERTH_TESTS_REGISTRY_LIFECYCLE_WORLD_H

#include "registry/archive.h"
#include "registry/lifecycle.h"
#include "registry/pull.h"
#include "world.h"

#define DAY_MS (24 * HOUR_MS)
#define RULE(priority, selection, action) \
	"{\"rulePriority\":" priority ",\"selection\":{" selection "},\"action\":{" action "}}"
#define POLICY(rules)  "{\"rules\":[" rules "]}"
#define EXPIRE         "\"type\":\"expire\""
#define MOVE           "\"type\":\"transition\",\"targetStorageClass\":\"archive\""
#define KEEP(n)        "\"countType\":\"imageCountMoreThan\",\"countNumber\":" n
#define SINCE(what, n) "\"countType\":\"since" what "\",\"countUnit\":\"days\",\"countNumber\":" n
#define ANY            "\"tagStatus\":\"any\","
#define UNTAGGED       "\"tagStatus\":\"untagged\","
#define TAGGED(list)   "\"tagStatus\":\"tagged\",\"tagPatternList\":[" list "],"
#define ARCHIVED       "\"storageClass\":\"archive\","
#define KEEP_ONE       POLICY(RULE("1", ANY KEEP("1"), EXPIRE))

static inline UNUSED void set_policy(struct world *w, const char *repo, const char *text)
{
	struct err err;
	ASSERT_DONE(lifecycle_put(w->core, &w->reg, str_from(repo), str_from(text), &err));
}

/* Rounds of the background's, until nothing is due at that time. */
static inline UNUSED struct lifecycle_report live_at(struct world *w, int64_t now_ms)
{
	struct err err;
	struct lifecycle_report r = { 0 };
	do {
		ASSERT_DONE(lifecycle_run(w->core, now_ms, now_ms, 64, &r, &err));
	} while (r.more);
	return r;
}

static inline UNUSED struct lifecycle_report live_all(struct world *w, int64_t now_ms)
{
	struct err err;
	struct lifecycle_report r = { 0 };
	ASSERT_DONE(lifecycle_run_all(w->core, STR(""), now_ms, &r, &err));
	return r;
}

static inline UNUSED bool try_pull(
	struct world *w, const char *repo, struct image_ref ref, struct image *out, struct err *err)
{
	struct buf bytes;
	struct image_want want = { str_from(repo), &ref, &bytes };
	buf_init(&bytes, MANIFEST_STORED_MAX);
	bool ok = image_get(w->core, &w->reg, &want, w->arena, out, err);
	buf_fini(&bytes);
	return ok;
}

static inline UNUSED bool has_image(struct world *w, const char *repo, struct digest d)
{
	struct err err;
	struct image image = { 0 };
	struct image_ref ref = by_digest_ref(d);
	if (image_describe_one(w->core, &w->reg, str_from(repo), &ref, w->arena, &image, &err))
		return true;
	assert_string_equal(err_kind_name(err.kind), "IMAGE_UNKNOWN");
	return false;
}

static inline UNUSED struct image described(struct world *w, const char *repo, struct digest d)
{
	struct err err;
	struct image image = { 0 };
	struct image_ref ref = by_digest_ref(d);
	ASSERT_DONE(
		image_describe_one(w->core, &w->reg, str_from(repo), &ref, w->arena, &image, &err));
	return image;
}

static inline UNUSED enum image_status status_of(struct world *w, const char *repo, struct digest d)
{
	return described(w, repo, d).status;
}

static inline UNUSED bool try_move(struct world *w, const char *repo, struct digest d,
	bool to_archive, struct archive_result *out, struct err *err)
{
	struct archive_request in = {
		.repo = str_from(repo), .ref = by_digest_ref(d), .to_archive = to_archive
	};
	return archive_update(w->core, &w->reg, &in, out, err);
}

static inline UNUSED enum image_status move_image(
	struct world *w, const char *repo, struct digest d, bool to_archive)
{
	struct err err;
	struct archive_result r;
	ASSERT_DONE(try_move(w, repo, d, to_archive, &r, &err));
	return r.status;
}

/* An image that has one of its own layer, of its name. */
static inline UNUSED struct digest make_image(struct world *w, const char *repo, const char *tag)
{
	struct str layer = arena_printf(w->arena, "layer of %s", tag);
	return push_image(w, repo, "{}", layer.ptr, tag);
}

static inline UNUSED struct digest make_index(
	struct world *w, const char *repo, struct digest child, const char *tag)
{
	return put(w, repo, index_text(w, &child, 1), tag);
}

/* A signature or the like. */
static inline UNUSED struct digest make_referrer(
	struct world *w, const char *repo, struct digest subject, const char *config)
{
	push(w, repo, config);
	return put(w, repo, image_text(w, config, NULL, 0, &subject), NULL);
}

static inline UNUSED void delete_image(struct world *w, const char *repo, struct digest d)
{
	struct err err;
	struct image_ref ref = by_digest_ref(d);
	ASSERT_DONE(image_delete(w->core, &w->reg,
		&(struct image_delete){ .repo = str_from(repo), .ref = &ref }, w->arena, NULL,
		&err));
}

#endif
