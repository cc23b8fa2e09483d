/* Storage classes: what an archived image still is, who follows it, and how it comes back. */
#include "lifecycle_world.h"

static size_t listed(struct world *w, const char *repo, enum status_filter status)
{
	struct err err;
	struct image_page page, described_page;
	struct image_query q = { .repo = str_from(repo), .status = status, .limit = 100 };
	ASSERT_DONE(image_list(w->core, &w->reg, &q, w->arena, &page, &err));
	ASSERT_DONE(image_describe(w->core, &w->reg, &q, w->arena, &described_page, &err));
	assert_int_equal(page.count, described_page.count);
	return page.count;
}

static size_t tag_count(struct world *w, const char *repo)
{
	struct err err;
	struct tag_page page;
	struct tag_query q = { .repo = str_from(repo), .limit = 100 };
	ASSERT_DONE(image_tags(w->core, &w->reg, &q, w->arena, &page, &err));
	return page.count;
}

static size_t referrer_count(
	struct world *w, const char *repo, struct digest subject, enum status_filter status)
{
	struct err err;
	struct image_page page;
	struct referrer_query q = {
		.repo = str_from(repo), .subject = subject, .status = status, .limit = 100
	};
	ASSERT_DONE(image_referrers(w->core, &w->reg, &q, w->arena, &page, &err));
	return page.count;
}

static bool layer_is_archived(struct world *w, const char *repo, const char *text)
{
	struct err err;
	bool is = false;
	struct digest d = digest_of(str_from(text));
	ASSERT_DONE(archive_holds_layer(w->core, &w->reg, str_from(repo), &d, &is, &err));
	return is;
}

static void an_archived_image_is_kept_but_not_pulled(void **state)
{
	struct world *w = *state;
	struct err err;
	struct image image;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	make_image(w, "app", "b");
	int64_t before = clock_now_ms();
	assert_int_equal(move_image(w, "app", a, true), IMAGE_ARCHIVED);
	ASSERT_FAILS(ERR_IMAGE_ARCHIVED, try_pull(w, "app", by_digest_ref(a), &image, &err));
	ASSERT_FAILS(ERR_IMAGE_ARCHIVED, try_pull(w, "app", by_tag("a"), &image, &err));
	assert_true(try_pull(w, "app", by_tag("b"), &image, &err));
	image = described(w, "app", a);
	assert_int_equal(image.status, IMAGE_ARCHIVED);
	assert_true(image.archived_at_ms >= before);
	assert_int_equal(image.activated_at_ms, 0);
	assert_int_equal(listed(w, "app", STATUS_ACTIVE), 1);
	assert_int_equal(listed(w, "app", STATUS_ARCHIVED), 1);
	assert_int_equal(listed(w, "app", STATUS_ACTIVATING), 0);
	assert_int_equal(listed(w, "app", STATUS_ANY), 2);
	assert_int_equal(tag_count(w, "app"), 1);
	/* Its bytes are needed as before. */
	collect_all(w);
	assert_sound(w);
}

static void the_way_back_takes_its_time(void **state)
{
	struct world *w = *state;
	struct err err;
	struct image image;
	w->o.restore_delay_ms = 20 * 60 * 1000;
	world_restart(w);
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	move_image(w, "app", a, true);
	int64_t now = clock_now_ms();
	assert_int_equal(move_image(w, "app", a, false), IMAGE_ACTIVATING);
	assert_int_equal(move_image(w, "app", a, false), IMAGE_ACTIVATING);
	ASSERT_FAILS(ERR_IMAGE_ARCHIVED, try_pull(w, "app", by_tag("a"), &image, &err));
	assert_int_equal(listed(w, "app", STATUS_ACTIVATING), 1);
	assert_int_equal(live_at(w, now + 19 * 60 * 1000).restored, 0);
	assert_int_equal(live_at(w, now + 21 * 60 * 1000).restored, 1);
	assert_true(try_pull(w, "app", by_tag("a"), &image, &err));
	image = described(w, "app", a);
	assert_int_equal(image.status, IMAGE_ACTIVE);
	assert_true(image.activated_at_ms > 0);
	assert_int_equal(move_image(w, "app", a, false), IMAGE_ACTIVE);
}

static void on_its_way_back_it_cannot_turn_round(void **state)
{
	struct world *w = *state;
	struct err err;
	struct archive_result r;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	assert_int_equal(move_image(w, "app", a, true), IMAGE_ARCHIVED);
	assert_int_equal(move_image(w, "app", a, true), IMAGE_ARCHIVED);
	move_image(w, "app", a, false);
	ASSERT_FAILS(ERR_STORAGE_CLASS, try_move(w, "app", a, true, &r, &err));
}

static void what_is_not_there_cannot_be_moved(void **state)
{
	struct world *w = *state;
	struct err err;
	struct archive_result r;
	make_repo(w, "app");
	ASSERT_FAILS(
		ERR_IMAGE_UNKNOWN, try_move(w, "app", digest_of(STR("nothing")), true, &r, &err));
	ASSERT_FAILS(
		ERR_REPO_UNKNOWN, try_move(w, "none", digest_of(STR("nothing")), true, &r, &err));
}

static void an_index_goes_before_what_it_names(void **state)
{
	struct world *w = *state;
	struct err err;
	struct archive_result r;
	make_repo(w, "app");
	struct digest child = make_image(w, "app", "child");
	struct digest index = make_index(w, "app", child, "index");
	ASSERT_FAILS(ERR_STORAGE_CLASS, try_move(w, "app", child, true, &r, &err));
	assert_non_null(strstr(err_text(&err), "Requested image referenced by manifest list"));
	move_image(w, "app", index, true);
	move_image(w, "app", child, true);
	/* And comes back together with it. */
	move_image(w, "app", index, false);
	assert_int_equal(status_of(w, "app", child), IMAGE_ACTIVATING);
	assert_int_equal(live_at(w, LATER).restored, 2);
	assert_int_equal(status_of(w, "app", child), IMAGE_ACTIVE);
	assert_int_equal(status_of(w, "app", index), IMAGE_ACTIVE);
	assert_sound(w);
}

static void an_index_cannot_name_what_is_archived(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "app");
	struct digest child = make_image(w, "app", "child");
	move_image(w, "app", child, true);
	ASSERT_FAILS(ERR_MANIFEST_CHILD_UNKNOWN,
		try_put(w, "app", index_text(w, &child, 1), "index", &err));
}

static void a_push_brings_it_back_at_once(void **state)
{
	struct world *w = *state;
	struct err err;
	struct image image;
	struct image_put_result r;
	const char *layer = "layer";
	make_repo(w, "app");
	struct digest a = push_image(w, "app", "{}", layer, "a");
	struct digest index = make_index(w, "app", a, "all");
	struct str tags[1] = { STR("all") };
	struct image_put in = { .repo = STR("app"),
		.bytes = index_text(w, &a, 1),
		.tags = tags,
		.tag_count = 1,
		.refuse_repeat = true };
	ASSERT_FAILS(ERR_IMAGE_EXISTS, any_put(w, &in, w->arena, &r, &err));
	move_image(w, "app", index, true);
	move_image(w, "app", a, true);
	/* The same image under the same tag is no repetition now. */
	ASSERT_DONE(any_put(w, &in, w->arena, &r, &err));
	assert_int_equal(status_of(w, "app", index), IMAGE_ACTIVE);
	assert_int_equal(status_of(w, "app", a), IMAGE_ACTIVE);
	assert_true(try_pull(w, "app", by_tag("all"), &image, &err));
	ASSERT_FAILS(ERR_IMAGE_EXISTS, any_put(w, &in, w->arena, &r, &err));
	assert_sound(w);
}

static void a_layer_is_archived_while_no_active_image_needs_it(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	make_repo(w, "other");
	struct digest a = push_image(w, "app", "{}", "shared", "a");
	struct digest b = push_image(w, "app", "{\"b\":1}", "shared", "b");
	push_image(w, "other", "{}", "shared", "a");
	push(w, "app", "loose");
	assert_false(layer_is_archived(w, "app", "shared"));
	move_image(w, "app", a, true);
	assert_false(layer_is_archived(w, "app", "shared"));
	move_image(w, "app", b, true);
	assert_true(layer_is_archived(w, "app", "shared"));
	assert_false(layer_is_archived(w, "other", "shared"));
	assert_false(layer_is_archived(w, "app", "loose"));
	assert_false(layer_is_archived(w, "app", "unknown"));
	assert_false(layer_is_archived(w, "none", "shared"));
	push_image(w, "app", "{\"c\":1}", "shared", "c");
	assert_false(layer_is_archived(w, "app", "shared"));
	/* Until it is back, an image does not count. */
	delete_image(w, "app", described(w, "app", b).digest);
	move_image(w, "app", a, false);
	live_at(w, LATER);
	assert_false(layer_is_archived(w, "app", "shared"));
	assert_sound(w);
}

static void archived_images_can_be_deleted(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	move_image(w, "app", a, true);
	delete_image(w, "app", a);
	assert_false(has_image(w, "app", a));
	collect_all(w);
	assert_sound(w);
	assert_int_equal(objects(w), 0);
	/* And a repository with archived images. */
	a = make_image(w, "app", "a");
	move_image(w, "app", a, true);
	delete_repo(w, "app");
	collect_all(w);
	assert_sound(w);
	assert_int_equal(objects(w), 0);
}

static void referrers_go_and_come_with_their_subject(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	struct digest sbom = make_referrer(w, "app", a, "{\"sbom\":1}");
	struct digest signature = make_referrer(w, "app", sbom, "{\"signature\":1}");
	move_image(w, "app", a, true);
	assert_int_equal(status_of(w, "app", sbom), IMAGE_ACTIVE);
	assert_int_equal(live_at(w, clock_now_ms()).archived, 2);
	assert_int_equal(status_of(w, "app", sbom), IMAGE_ARCHIVED);
	assert_int_equal(status_of(w, "app", signature), IMAGE_ARCHIVED);
	assert_int_equal(referrer_count(w, "app", a, STATUS_ACTIVE), 0);
	assert_int_equal(referrer_count(w, "app", a, STATUS_ARCHIVED), 1);
	assert_int_equal(referrer_count(w, "app", a, STATUS_ANY), 1);
	move_image(w, "app", a, false);
	live_at(w, LATER);
	assert_int_equal(status_of(w, "app", a), IMAGE_ACTIVE);
	assert_int_equal(status_of(w, "app", sbom), IMAGE_ACTIVE);
	assert_int_equal(status_of(w, "app", signature), IMAGE_ACTIVE);
	assert_int_equal(referrer_count(w, "app", a, STATUS_ACTIVE), 1);
}

static void a_subject_that_came_back_first_keeps_its_referrers(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	struct digest sbom = make_referrer(w, "app", a, "{\"sbom\":1}");
	move_image(w, "app", a, true);
	make_image(w, "app", "a"); /* pushed again before the background's turn */
	assert_int_equal(live_at(w, LATER).archived, 0);
	assert_int_equal(status_of(w, "app", sbom), IMAGE_ACTIVE);
}

int main(int argc, char **argv UNUSED)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(an_archived_image_is_kept_but_not_pulled),
		WORLD_TEST(the_way_back_takes_its_time),
		WORLD_TEST(on_its_way_back_it_cannot_turn_round),
		WORLD_TEST(what_is_not_there_cannot_be_moved),
		WORLD_TEST(an_index_goes_before_what_it_names),
		WORLD_TEST(an_index_cannot_name_what_is_archived),
		WORLD_TEST(a_push_brings_it_back_at_once),
		WORLD_TEST(a_layer_is_archived_while_no_active_image_needs_it),
		WORLD_TEST(archived_images_can_be_deleted),
		WORLD_TEST(referrers_go_and_come_with_their_subject),
		WORLD_TEST(a_subject_that_came_back_first_keeps_its_referrers),
	};
	return RUN_EITHER_WAY(tests, argc);
}
