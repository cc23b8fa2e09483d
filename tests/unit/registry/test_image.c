#include "world.h"

static struct image get(struct world *w, const char *repo, struct image_ref ref)
{
	struct err err;
	struct image i;
	struct buf bytes;
	buf_init(&bytes, MANIFEST_MAX_BYTES);
	struct image_want want = { str_from(repo), &ref, &bytes };
	ASSERT_DONE(image_get(w->core, &w->reg, &want, w->arena, &i, &err));
	i.bytes = arena_str(w->arena, i.bytes);
	buf_fini(&bytes);
	return i;
}

static bool exists(struct world *w, const char *repo, struct image_ref ref)
{
	struct err err;
	struct image i;
	struct image_want want = { str_from(repo), &ref, NULL };
	if (image_get(w->core, &w->reg, &want, w->arena, &i, &err))
		return true;
	assert_string_equal(err_kind_name(err.kind), "IMAGE_UNKNOWN");
	return false;
}

static struct image_removed removed;

static bool try_delete(
	struct world *w, const char *repo, struct image_ref ref, bool also_last, struct err *err)
{
	removed = (struct image_removed){ 0 };
	return image_delete(w->core, &w->reg,
		&(struct image_delete){
			.repo = str_from(repo), .ref = &ref, .also_last = also_last },
		w->arena, &removed, err);
}

static void delete (struct world *w, const char *repo, struct image_ref ref, bool also_last)
{
	struct err err;
	ASSERT_DONE(try_delete(w, repo, ref, also_last, &err));
}

static void an_image_is_found_by_tag_and_digest_with_its_very_bytes(void **state)
{
	struct world *w = *state;
	make_repo(w, "r");
	struct digest d = push_image(w, "r", "config", "layer", "v1");
	struct str text = image_text(w, "config", (const char *[]){ "layer" }, 1, NULL);
	struct image i = get(w, "r", by_tag("v1"));
	assert_true(str_eq(i.bytes, text) && digest_eq(&i.digest, &d));
	ASSERT_STR(i.media_type, OCI_MANIFEST);
	ASSERT_STR(i.artifact_type, "application/x.test.config");
	assert_int_equal(i.manifest_bytes, text.len);
	assert_int_equal(i.size_bytes, text.len + 11);
	i = get(w, "r", by_digest_ref(d));
	assert_true(str_eq(i.bytes, text));
	struct image_ref both = by_digest_ref(d);
	both.tag = STR("v1");
	assert_true(exists(w, "r", both));
	both.tag = STR("v2");
	assert_false(exists(w, "r", both) || exists(w, "r", by_tag("v2")));
	assert_int_equal(get_repo(w, "r").image_count, 1);
	assert_int_equal(total(w).images, 1);
	struct err err;
	struct image_ref ref = by_tag("v1");
	struct image_want want = { STR("none"), &ref, NULL };
	ASSERT_FAILS(ERR_REPO_UNKNOWN, image_get(w->core, &w->reg, &want, w->arena, &i, &err));
	assert_sound(w);
}

static void references_are_tags_or_digests(void **state UNUSED)
{
	struct err err;
	struct image_ref r;
	ASSERT_DONE(image_ref_parse(STR("v1"), &r, &err));
	assert_true(!r.has_digest && str_eq_c(r.tag, "v1"));
	ASSERT_DONE(image_ref_parse(
		STR("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), &r,
		&err));
	assert_true(r.has_digest && r.tag.len == 0);
	ASSERT_FAILS(ERR_DIGEST_INVALID, image_ref_parse(STR("sha256:x"), &r, &err));
	ASSERT_FAILS(ERR_DIGEST_INVALID, image_ref_parse(STR("a:b"), &r, &err));
	ASSERT_FAILS(ERR_TAG_INVALID, image_ref_parse(STR(""), &r, &err));
	ASSERT_FAILS(ERR_TAG_INVALID, image_ref_parse(STR(".x"), &r, &err));
}

static bool put_with(struct world *w, const struct image_put *more, struct str text,
	const char *const *tags, struct err *err)
{
	struct str list[IMAGE_PUT_TAGS_MAX + 1];
	struct image_put in = *more;
	struct image_put_result r;
	in.repo = STR("r");
	in.bytes = text;
	in.tag_count = 0;
	for (size_t i = 0; tags && tags[i]; i++)
		list[in.tag_count++] = str_from(tags[i]);
	in.tags = list;
	return any_put(w, &in, w->arena, &r, err);
}

#define TAGS(...)                 \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static void the_same_image_again_is_done_or_refused_as_asked(void **state)
{
	struct world *w = *state;
	struct err err;
	struct image_put polite = { 0 }, strict = { .refuse_repeat = true };
	make_repo(w, "r");
	push_image(w, "r", "c", "l", "v1");
	struct str text = image_text(w, "c", (const char *[]){ "l" }, 1, NULL);
	ASSERT_DONE(put_with(w, &polite, text, TAGS("v1"), &err));
	ASSERT_DONE(put_with(w, &polite, text, NULL, &err));
	ASSERT_FAILS(ERR_IMAGE_EXISTS, put_with(w, &strict, text, TAGS("v1"), &err));
	ASSERT_FAILS(ERR_IMAGE_EXISTS, put_with(w, &strict, text, NULL, &err));
	ASSERT_DONE(put_with(w, &strict, text, TAGS("v2"), &err));
	/* All tags or none. */
	ASSERT_FAILS(ERR_IMAGE_EXISTS, put_with(w, &strict, text, TAGS("v3", "v2"), &err));
	assert_false(exists(w, "r", by_tag("v3")));
	assert_int_equal(get_repo(w, "r").image_count, 1);
	assert_sound(w);
}

static void a_tag_moves_unless_it_is_immutable(void **state)
{
	struct world *w = *state;
	struct err err;
	struct image_put polite = { 0 };
	struct str dev[] = { STR("dev-*") };
	make_repo(w, "r");
	struct digest a = push_image(w, "r", "c", "a", "v1");
	struct digest b = push_image(w, "r", "c", "b", "v1");
	struct image i = get(w, "r", by_tag("v1"));
	assert_true(digest_eq(&i.digest, &b));
	assert_true(exists(w, "r", by_digest_ref(a)));
	struct str text_a = image_text(w, "c", (const char *[]){ "a" }, 1, NULL);
	struct str text_b = image_text(w, "c", (const char *[]){ "b" }, 1, NULL);
	ASSERT_DONE(repo_set_mutability(w->core, &w->reg, STR("r"), IMMUTABLE, NULL, 0, &err));
	ASSERT_FAILS(ERR_TAG_IMMUTABLE, put_with(w, &polite, text_a, TAGS("new", "v1"), &err));
	assert_false(exists(w, "r", by_tag("new")));
	ASSERT_DONE(put_with(w, &polite, text_b, TAGS("v1"), &err)); /* it stands there already */
	ASSERT_DONE(put_with(w, &polite, text_a, TAGS("new"), &err));
	ASSERT_DONE(repo_set_mutability(
		w->core, &w->reg, STR("r"), IMMUTABLE_WITH_EXCLUSION, dev, 1, &err));
	ASSERT_DONE(put_with(w, &polite, text_a, TAGS("dev-1"), &err));
	ASSERT_DONE(put_with(w, &polite, text_b, TAGS("dev-1"), &err));
	ASSERT_FAILS(ERR_TAG_IMMUTABLE, put_with(w, &polite, text_b, TAGS("new"), &err));
	ASSERT_DONE(repo_set_mutability(
		w->core, &w->reg, STR("r"), MUTABLE_WITH_EXCLUSION, dev, 1, &err));
	ASSERT_DONE(put_with(w, &polite, text_b, TAGS("new"), &err));
	ASSERT_FAILS(ERR_TAG_IMMUTABLE, put_with(w, &polite, text_a, TAGS("dev-1"), &err));
	/* A new image under a tag that may not move is not kept either. */
	push(w, "r", "x");
	struct str text_x = image_text(w, "x", NULL, 0, NULL);
	ASSERT_FAILS(ERR_TAG_IMMUTABLE, put_with(w, &polite, text_x, TAGS("dev-1"), &err));
	assert_false(exists(w, "r", by_digest_ref(digest_of(text_x))));
	assert_int_equal(get_repo(w, "r").image_count, 2);
	assert_sound(w);
}

static void what_an_image_needs_must_be_in_its_repository(void **state)
{
	struct world *w = *state;
	struct err err;
	char text[DIGEST_TEXT_MAX];
	make_repo(w, "r");
	make_repo(w, "other");
	push_image(w, "other", "c", "l", "t");
	push(w, "r", "c");
	struct str image = image_text(w, "c", (const char *[]){ "l", "m" }, 2, NULL);
	struct digest l = digest_of(STR("l")), m = digest_of(STR("m"));
	ASSERT_FAILS(ERR_MANIFEST_BLOB_UNKNOWN, try_put(w, "r", image, "t", &err));
	assert_non_null(strstr(err.msg, digest_text(&l, text)));
	assert_non_null(strstr(err.msg, digest_text(&m, text)));
	/* Nor is an index complete without its images, or with those of another repository. */
	struct digest child = digest_of(image_text(w, "c", (const char *[]){ "l" }, 1, NULL));
	ASSERT_FAILS(
		ERR_MANIFEST_CHILD_UNKNOWN, try_put(w, "r", index_text(w, &child, 1), "t", &err));
	assert_non_null(strstr(err.msg, digest_text(&child, text)));
	assert_int_equal(get_repo(w, "r").image_count, 0);
	push(w, "r", "l");
	push(w, "r", "m");
	put(w, "r", image, "t");
	/* A subject may miss. */
	put(w, "r", image_text(w, "c", NULL, 0, &m), "with-subject");
	assert_sound(w);
}

static void a_size_that_is_not_the_layers_is_refused(void **state)
{
	struct world *w = *state;
	struct err err;
	char text[400], hex[DIGEST_TEXT_MAX];
	make_repo(w, "r");
	struct digest d = push(w, "r", "c");
	snprintf(text, sizeof(text),
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x/y\",\"digest\":\"%s\",\"size\":2},"
		"\"layers\":[]}",
		digest_text(&d, hex));
	ASSERT_FAILS(ERR_MANIFEST_INVALID, try_put(w, "r", str_from(text), "t", &err));
}

static void a_digest_that_is_given_must_be_the_manifests(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	push(w, "r", "c");
	struct str text = image_text(w, "c", NULL, 0, NULL);
	struct image_put in = { .has_digest = true, .digest = digest_of(STR("x")) };
	ASSERT_FAILS(ERR_DIGEST_MISMATCH, put_with(w, &in, text, NULL, &err));
	ASSERT_DONE(hash_bytes(DIGEST_SHA512, text, &in.digest, &err));
	ASSERT_DONE(put_with(w, &in, text, TAGS("t"), &err));
	struct image i = get(w, "r", by_tag("t"));
	assert_true(digest_eq(&i.digest, &in.digest));
	assert_sound(w);
}

static void bad_input_is_named(void **state)
{
	struct world *w = *state;
	struct err err;
	struct image_put plain = { 0 };
	make_repo(w, "r");
	push(w, "r", "c");
	struct str text = image_text(w, "c", NULL, 0, NULL);
	ASSERT_FAILS(ERR_TAG_INVALID, put_with(w, &plain, text, TAGS(""), &err));
	ASSERT_FAILS(ERR_TAG_INVALID, put_with(w, &plain, text, TAGS("ok", "-no"), &err));
	ASSERT_FAILS(ERR_MANIFEST_INVALID, put_with(w, &plain, STR("{}"), NULL, &err));
	plain.content_type = STR(OCI_INDEX);
	ASSERT_FAILS(ERR_MANIFEST_INVALID, put_with(w, &plain, text, NULL, &err));
	const char *many[IMAGE_PUT_TAGS_MAX + 2] = { 0 };
	char names[IMAGE_PUT_TAGS_MAX + 1][8];
	for (size_t i = 0; i <= IMAGE_PUT_TAGS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "t%zu", i);
		many[i] = names[i];
	}
	plain.content_type = STR("");
	ASSERT_FAILS(ERR_LIMIT, put_with(w, &plain, text, many, &err));
	many[IMAGE_PUT_TAGS_MAX] = NULL;
	ASSERT_DONE(put_with(w, &plain, text, many, &err));
	struct str big = { xmalloc(MANIFEST_MAX_BYTES + 1), MANIFEST_MAX_BYTES + 1 };
	ASSERT_FAILS(ERR_TOO_LARGE, put_with(w, &plain, big, NULL, &err));
	free((void *)(uintptr_t)big.ptr);
	ASSERT_FAILS(ERR_NAME_INVALID, try_put(w, "No", text, "t", &err));
	ASSERT_FAILS(ERR_REPO_UNKNOWN, try_put(w, "none", text, "t", &err));
}

static void an_index_is_as_large_as_its_largest_image(void **state)
{
	struct world *w = *state;
	struct digest d[2];
	make_repo(w, "r");
	d[0] = push_image(w, "r", "c", "small", NULL);
	d[1] = push_image(w, "r", "c",
		"a layer that is much longer than the text of an index, which has to have an "
		"end somewhere, and so this goes on for quite a while, until it is long enough "
		"that no index of two images could be, with their two digests of some seventy "
		"characters each, and their media types, and all the punctuation that JSON "
		"wants: that should be it, more or less, give or take a word",
		NULL);
	uint64_t largest = get(w, "r", by_digest_ref(d[1])).size_bytes;
	put(w, "r", index_text(w, d, 2), "index");
	assert_int_equal(get(w, "r", by_tag("index")).size_bytes, largest);
	assert_sound(w);
}

static void an_image_of_an_index_cannot_be_deleted(void **state)
{
	struct world *w = *state;
	struct err err;
	char text[DIGEST_TEXT_MAX];
	make_repo(w, "r");
	struct digest a = push_image(w, "r", "c", "a", "a"), b = push_image(w, "r", "c", "b", NULL);
	struct digest both[] = { a, b, a };
	struct digest inner = put(w, "r", index_text(w, both, 3), NULL);
	struct digest outer = put(w, "r", index_text(w, &inner, 1), "outer");
	ASSERT_FAILS(ERR_IMAGE_IN_INDEX, try_delete(w, "r", by_digest_ref(b), true, &err));
	assert_non_null(strstr(err.msg, digest_text(&inner, text)));
	ASSERT_FAILS(ERR_IMAGE_IN_INDEX, try_delete(w, "r", by_digest_ref(inner), true, &err));
	/* The tag may go, the image with its last tag not. */
	ASSERT_FAILS(ERR_IMAGE_IN_INDEX, try_delete(w, "r", by_tag("a"), true, &err));
	delete (w, "r", by_tag("a"), false);
	assert_true(exists(w, "r", by_digest_ref(a)));
	delete (w, "r", by_digest_ref(outer), false);
	delete (w, "r", by_digest_ref(inner), false);
	delete (w, "r", by_digest_ref(a), false);
	delete (w, "r", by_digest_ref(b), false);
	assert_int_equal(get_repo(w, "r").image_count, 0);
	assert_sound(w);
	collect_all(w);
	assert_int_equal(objects(w), 0);
}

static void deleting_tells_what_went(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	struct digest d = push_image(w, "r", "c", "l", "v2");
	struct str text = image_text(w, "c", (const char *[]){ "l" }, 1, NULL);
	put(w, "r", text, "v1");
	put(w, "r", text, "v3");
	/* A tag that is not the last. */
	delete (w, "r", by_tag("v2"), true);
	assert_int_equal(removed.count, 1);
	ASSERT_STR(removed.pairs[0].tag, "v2");
	assert_true(digest_eq(&removed.pairs[0].digest, &d));
	/* By digest: with all tags. */
	delete (w, "r", by_digest_ref(d), true);
	assert_int_equal(removed.count, 2);
	ASSERT_STR(removed.pairs[0].tag, "v1");
	ASSERT_STR(removed.pairs[1].tag, "v3");
	ASSERT_FAILS(ERR_IMAGE_UNKNOWN, try_delete(w, "r", by_digest_ref(d), true, &err));
	ASSERT_FAILS(ERR_IMAGE_UNKNOWN, try_delete(w, "r", by_tag("v1"), true, &err));
	/* The last tag: the image goes with it, or stays untagged. */
	put(w, "r", text, "v1");
	delete (w, "r", by_tag("v1"), false);
	assert_true(exists(w, "r", by_digest_ref(d)));
	delete (w, "r", by_digest_ref(d), false);
	assert_int_equal(removed.count, 1);
	assert_int_equal(removed.pairs[0].tag.len, 0);
	put(w, "r", text, "v1");
	delete (w, "r", by_tag("v1"), true);
	assert_int_equal(removed.count, 1);
	ASSERT_STR(removed.pairs[0].tag, "v1");
	assert_false(exists(w, "r", by_digest_ref(d)));
	/* Tag and digest must agree. */
	put(w, "r", text, "v1");
	struct image_ref both = by_digest_ref(d);
	both.tag = STR("v2");
	ASSERT_FAILS(ERR_IMAGE_UNKNOWN, try_delete(w, "r", both, true, &err));
	both.tag = STR("v1");
	delete (w, "r", both, true);
	assert_int_equal(get_repo(w, "r").image_count, 0);
	assert_sound(w);
}

static void a_layer_is_in_use_while_an_image_needs_it(void **state)
{
	struct world *w = *state;
	struct err err;
	struct blob_info info;
	make_repo(w, "r");
	struct digest l = digest_of(STR("l"));
	struct digest a = push_image(w, "r", "c", "l", "a"), b = push_image(w, "r", "d", "l", "b");
	ASSERT_FAILS(ERR_BLOB_IN_USE, blob_unlink(w->core, &w->reg, STR("r"), &l, &err));
	delete (w, "r", by_digest_ref(a), true);
	ASSERT_FAILS(ERR_BLOB_IN_USE, blob_unlink(w->core, &w->reg, STR("r"), &l, &err));
	ASSERT_DONE(blob_stat(w->core, &w->reg, STR("r"), &l, &info, &err));
	assert_true(info.is_referenced && info.size_bytes == 1);
	delete (w, "r", by_digest_ref(b), true);
	ASSERT_DONE(blob_stat(w->core, &w->reg, STR("r"), &l, &info, &err));
	assert_false(info.is_referenced);
	ASSERT_DONE(blob_unlink(w->core, &w->reg, STR("r"), &l, &err));
	ASSERT_FAILS(ERR_BLOB_UNKNOWN, blob_unlink(w->core, &w->reg, STR("r"), &l, &err));
	ASSERT_FAILS(ERR_REPO_UNKNOWN, blob_unlink(w->core, &w->reg, STR("none"), &l, &err));
	assert_sound(w);
}

static void a_foreign_layer_is_kept_if_it_was_pushed(void **state)
{
	struct world *w = *state;
	make_repo(w, "r");
	struct digest c = push(w, "r", "c"), here = push(w, "r", "here");
	char hex[3][DIGEST_TEXT_MAX], text[1024];
	struct digest away = digest_of(STR("away"));
	snprintf(text, sizeof(text),
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST
		"\",\"config\":{\"digest\":\"%s\",\"size\":1},\"layers\":["
		"{\"mediaType\":\"application/vnd.oci.image.layer.nondistributable.v1.tar\","
		"\"digest\":\"%s\",\"size\":4},"
		"{\"mediaType\":\"application/vnd.oci.image.layer.nondistributable.v1.tar\","
		"\"digest\":\"%s\",\"size\":4}]}",
		digest_text(&c, hex[0]), digest_text(&away, hex[1]), digest_text(&here, hex[2]));
	struct digest d = put(w, "r", str_from(text), "t");
	collect_all(w);
	assert_true(holds(w, "r", &here) && holds(w, "r", &c) && !holds(w, "r", &away));
	assert_sound(w);
	delete (w, "r", by_digest_ref(d), true);
	collect_all(w);
	assert_int_equal(objects(w), 0);
	assert_sound(w);
}

static void an_index_may_name_hundreds_of_images(void **state)
{
	struct world *w = *state;
	struct err err;

	enum { N = 300 };
	struct digest *d = xcalloc(N, sizeof(*d));
	make_repo(w, "r");
	push(w, "r", "c");
	for (size_t i = 0; i < N; i++) {
		char hex[DIGEST_TEXT_MAX], text[512];
		struct digest c = digest_of(STR("c"));
		snprintf(text, sizeof(text),
			"{\"mediaType\":\"x/%0220zu\",\"config\":{\"digest\":\"%s\",\"size\":1}}",
			i, digest_text(&c, hex));
		d[i] = put(w, "r", str_from(text), NULL);
	}
	struct buf b;
	buf_init(&b, MANIFEST_MAX_BYTES);
	buf_addf(&b, "{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\",\"manifests\":[");
	for (size_t i = 0; i < N; i++) {
		char hex[DIGEST_TEXT_MAX];
		buf_addf(&b, "%s{\"digest\":\"%s\",\"size\":1}", i ? "," : "",
			digest_text(&d[i], hex));
	}
	buf_addf(&b, "]}");
	struct digest index = put(w, "r", buf_str(&b), "t");
	ASSERT_FAILS(ERR_IMAGE_IN_INDEX, try_delete(w, "r", by_digest_ref(d[N - 1]), false, &err));
	delete (w, "r", by_digest_ref(index), false);
	delete (w, "r", by_digest_ref(d[N - 1]), false);
	assert_sound(w);
	buf_fini(&b);
	free(d);
}

int main(int argc, char **argv UNUSED)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_are_tags_or_digests),
		WORLD_TEST(an_image_is_found_by_tag_and_digest_with_its_very_bytes),
		WORLD_TEST(the_same_image_again_is_done_or_refused_as_asked),
		WORLD_TEST(a_tag_moves_unless_it_is_immutable),
		WORLD_TEST(what_an_image_needs_must_be_in_its_repository),
		WORLD_TEST(a_size_that_is_not_the_layers_is_refused),
		WORLD_TEST(a_digest_that_is_given_must_be_the_manifests),
		WORLD_TEST(bad_input_is_named),
		WORLD_TEST(an_index_is_as_large_as_its_largest_image),
		WORLD_TEST(an_image_of_an_index_cannot_be_deleted),
		WORLD_TEST(deleting_tells_what_went),
		WORLD_TEST(a_layer_is_in_use_while_an_image_needs_it),
		WORLD_TEST(a_foreign_layer_is_kept_if_it_was_pushed),
		WORLD_TEST(an_index_may_name_hundreds_of_images),
	};
	return RUN_EITHER_WAY(tests, argc);
}
