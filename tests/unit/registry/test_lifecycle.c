/* Lifecycle policies carried out: what goes, when, and what never may. */
#include "base/thread.h"
#include "lifecycle_world.h"

static void a_policy_is_kept_told_and_removed(void **state)
{
	struct world *w = *state;
	struct err err;
	struct lifecycle l;
	make_repo(w, "app");
	ASSERT_FAILS(ERR_LIFECYCLE_UNKNOWN,
		lifecycle_get(w->core, &w->reg, STR("app"), w->arena, &l, &err));
	assert_string_equal(err_text(&err),
		"Lifecycle policy does not exist for the repository with name 'app' in the registry with id '000000000000'");
	ASSERT_FAILS(ERR_INVALID, lifecycle_put(w->core, &w->reg, STR("app"), STR("{}"), &err));
	ASSERT_FAILS(ERR_REPO_UNKNOWN,
		lifecycle_put(w->core, &w->reg, STR("none"), str_from(KEEP_ONE), &err));
	set_policy(w, "app", KEEP_ONE);
	ASSERT_DONE(lifecycle_get(w->core, &w->reg, STR("app"), w->arena, &l, &err));
	ASSERT_STR(l.text, KEEP_ONE);
	assert_int_equal(l.evaluated_at_ms, 0);
	live_at(w, clock_now_ms());
	ASSERT_DONE(lifecycle_delete(w->core, &w->reg, STR("app"), w->arena, &l, &err));
	assert_true(l.evaluated_at_ms > 0);
	ASSERT_FAILS(ERR_LIFECYCLE_UNKNOWN,
		lifecycle_delete(w->core, &w->reg, STR("app"), w->arena, &l, &err));
}

static void the_oldest_go_and_shared_layers_stay(void **state)
{
	struct world *w = *state;
	struct err err;
	struct image image;
	make_repo(w, "app");
	make_repo(w, "other");
	struct digest a = push_image(w, "app", "{}", "shared layer", "a");
	struct digest b = make_image(w, "app", "b");
	struct digest c = make_image(w, "app", "c");
	/* The same layer in another repository, without a byte of its own. */
	struct digest layer = digest_of(STR("shared layer"));
	struct digest config = digest_of(STR("{}"));
	ASSERT_OUTCOME(MOUNTED, mount(w, "other", "app", &layer));
	ASSERT_OUTCOME(MOUNTED, mount(w, "other", "app", &config));
	const char *layers[] = { "shared layer" };
	put(w, "other", image_text(w, "{}", layers, 1, NULL), "kept");
	set_policy(w, "app", KEEP_ONE);
	struct lifecycle_report r = live_at(w, clock_now_ms());
	assert_int_equal(r.expired, 2);
	assert_false(has_image(w, "app", a));
	assert_false(has_image(w, "app", b));
	assert_true(has_image(w, "app", c));
	collect_all(w);
	assert_false(holds(w, "app", &layer));
	assert_true(holds(w, "other", &layer));
	assert_true(try_pull(w, "other", by_tag("kept"), &image, &err));
	assert_sound(w);
}

static void a_repository_is_looked_at_when_something_changed(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	make_repo(w, "other");
	make_image(w, "app", "a");
	set_policy(w, "app", KEEP_ONE);
	set_policy(w, "other", KEEP_ONE);
	assert_int_equal(live_at(w, clock_now_ms()).repositories, 2);
	assert_int_equal(live_at(w, LATER).repositories, 0);
	make_image(w, "app", "b");
	struct lifecycle_report r = live_at(w, LATER);
	assert_int_equal(r.repositories, 1);
	assert_int_equal(r.expired, 1);
	/* Moving a tag is a change, too; so are another policy and a deletion. */
	put(w, "app", image_text(w, "{}", (const char *[]){ "layer of b" }, 1, NULL), "v1");
	assert_int_equal(live_at(w, LATER).repositories, 1);
	set_policy(w, "app", KEEP_ONE);
	assert_int_equal(live_at(w, LATER).repositories, 1);
	delete_image(w, "app",
		digest_of(image_text(w, "{}", (const char *[]){ "layer of b" }, 1, NULL)));
	assert_int_equal(live_at(w, LATER).repositories, 1);
	assert_int_equal(live_at(w, LATER).repositories, 0);
}

static void a_change_is_carried_out_after_the_delay(void **state)
{
	struct world *w = *state;
	w->o.lifecycle_delay_ms = 5 * HOUR_MS;
	world_restart(w);
	make_repo(w, "app");
	make_image(w, "app", "a");
	make_image(w, "app", "b");
	int64_t now = clock_now_ms();
	set_policy(w, "app", KEEP_ONE);
	assert_int_equal(live_at(w, now + 4 * HOUR_MS).expired, 0);
	assert_int_equal(live_at(w, now + 6 * HOUR_MS).expired, 1);
}

static void time_alone_makes_images_due(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	int64_t now = clock_now_ms();
	struct digest a = make_image(w, "app", "a");
	clock_shift_ms(DAY_MS);
	struct digest b = make_image(w, "app", "b");
	set_policy(w, "app", POLICY(RULE("1", ANY SINCE("ImagePushed", "2"), EXPIRE)));
	struct lifecycle_report r = live_at(w, now + DAY_MS + HOUR_MS);
	assert_int_equal(r.repositories, 1);
	assert_int_equal(r.expired, 0);
	/* Not looked at before something is due. */
	assert_int_equal(live_at(w, now + 2 * DAY_MS - HOUR_MS).repositories, 0);
	assert_int_equal(live_at(w, now + 2 * DAY_MS + HOUR_MS).expired, 1);
	assert_false(has_image(w, "app", a));
	assert_int_equal(live_at(w, now + 3 * DAY_MS - HOUR_MS).repositories, 0);
	assert_int_equal(live_at(w, now + 3 * DAY_MS + HOUR_MS).expired, 1);
	assert_false(has_image(w, "app", b));
	clock_shift_ms(-DAY_MS);
}

/* The clock was set forward by a month: no image is older than it was. What is due by the clock, as
 * a return from the archive, is done. */
static void images_are_as_old_as_the_second_time_says(void **state)
{
	struct world *w = *state;
	struct err err;
	struct lifecycle_report r = { 0 };
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a"), b = make_image(w, "app", "b");
	int64_t now = clock_now_ms();
	set_policy(w, "app", POLICY(RULE("1", ANY SINCE("ImagePushed", "14"), EXPIRE)));
	move_image(w, "app", a, true);
	move_image(w, "app", a, false);
	ASSERT_DONE(lifecycle_run(w->core, now + 30 * DAY_MS, now + HOUR_MS, 64, &r, &err));
	assert_int_equal(r.expired, 0);
	assert_int_equal(r.restored, 1);
	assert_true(has_image(w, "app", a) && has_image(w, "app", b));
	/* It looks again, and not all the time. */
	ASSERT_DONE(lifecycle_run(w->core, now + 30 * DAY_MS, now + 15 * DAY_MS, 64, &r, &err));
	assert_int_equal(r.expired, 0);
	ASSERT_DONE(lifecycle_run(
		w->core, now + 30 * DAY_MS + 2 * HOUR_MS, now + 15 * DAY_MS, 64, &r, &err));
	assert_int_equal(r.expired, 1); /* the other counts from its return */
	assert_true(has_image(w, "app", a));
}

static void an_index_goes_before_its_images(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	struct digest child = make_image(w, "app", "child");
	struct digest index = make_index(w, "app", child, "index");
	make_image(w, "app", "last");
	set_policy(w, "app", KEEP_ONE);
	struct lifecycle_report r = live_at(w, clock_now_ms());
	assert_int_equal(r.expired, 2);
	assert_int_equal(r.waiting, 1);
	assert_false(has_image(w, "app", child));
	assert_false(has_image(w, "app", index));
	assert_sound(w);
}

static void an_image_of_an_index_that_stays_stays(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	struct digest child = make_image(w, "app", "child");
	make_index(w, "app", child, "index");
	set_policy(
		w, "app", POLICY(RULE("1", TAGGED("\"child\"") SINCE("ImagePushed", "1"), EXPIRE)));
	struct lifecycle_report r = live_at(w, LATER);
	assert_int_equal(r.expired, 0);
	assert_int_equal(r.waiting, 1);
	assert_true(has_image(w, "app", child));
}

static void referrers_live_and_go_with_their_subject(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	struct digest sbom = make_referrer(w, "app", a, "{\"sbom\":1}");
	struct digest signature = make_referrer(w, "app", sbom, "{\"signature\":1}");
	struct digest orphan =
		make_referrer(w, "app", digest_of(STR("never pushed")), "{\"orphan\":1}");
	set_policy(w, "app",
		POLICY(RULE("1", UNTAGGED SINCE("ImagePushed", "1"), EXPIRE) "," RULE(
			"2", ANY SINCE("ImagePushed", "100"), EXPIRE)));
	int64_t now = clock_now_ms();
	assert_int_equal(live_at(w, now + 2 * DAY_MS).expired, 1);
	assert_false(has_image(w, "app", orphan));
	assert_true(has_image(w, "app", sbom));
	assert_true(has_image(w, "app", signature));
	assert_int_equal(live_at(w, now + 101 * DAY_MS).expired, 3);
	assert_false(has_image(w, "app", a));
	assert_false(has_image(w, "app", sbom));
	assert_false(has_image(w, "app", signature));
	collect_all(w);
	assert_sound(w);
	assert_int_equal(objects(w), 0);
}

static void referrers_follow_a_deleted_subject_where_there_is_a_policy(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	make_repo(w, "bare");
	set_policy(w, "app", POLICY(RULE("1", ANY KEEP("100"), EXPIRE)));
	struct digest a = make_image(w, "app", "a");
	struct digest sbom = make_referrer(w, "app", a, "{\"sbom\":1}");
	make_image(w, "bare", "a");
	make_referrer(w, "bare", a, "{\"sbom\":1}");
	delete_image(w, "app", a);
	delete_image(w, "bare", a);
	assert_true(has_image(w, "app", sbom));
	live_at(w, LATER);
	assert_false(has_image(w, "app", sbom));
	assert_true(has_image(w, "bare", sbom));
	/* A subject that was pushed again in time keeps them. */
	make_image(w, "app", "a");
	make_referrer(w, "app", a, "{\"sbom\":1}");
	delete_image(w, "app", a);
	make_image(w, "app", "a");
	live_at(w, LATER);
	assert_true(has_image(w, "app", sbom));
}

static void images_pass_through_the_archive(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a"), b = make_image(w, "app", "b");
	set_policy(w, "app",
		POLICY(RULE("1", ANY SINCE("ImagePulled", "30"), MOVE) "," RULE(
			"2", ARCHIVED ANY SINCE("ImageTransitioned", "90"), EXPIRE)));
	int64_t now = clock_now_ms();
	clock_shift_ms(20 * DAY_MS);
	pull_note(w->core, &w->reg, described(w, "app", b).id, STR("arn"));
	clock_shift_ms(11 * DAY_MS);
	struct lifecycle_report r = live_at(w, now + 31 * DAY_MS);
	assert_int_equal(r.archived, 1);
	assert_int_equal(status_of(w, "app", a), IMAGE_ARCHIVED);
	assert_int_equal(status_of(w, "app", b), IMAGE_ACTIVE);
	/* Restored, it counts from then. */
	move_image(w, "app", a, false);
	live_at(w, clock_now_ms());
	assert_int_equal(status_of(w, "app", a), IMAGE_ACTIVE);
	assert_int_equal(live_at(w, now + 51 * DAY_MS).archived, 1);
	assert_int_equal(status_of(w, "app", b), IMAGE_ARCHIVED);
	r = live_all(w, now + 62 * DAY_MS);
	assert_int_equal(r.archived, 1);
	assert_int_equal(status_of(w, "app", a), IMAGE_ARCHIVED);
	/* Archived now, by the clock; 90 days later it goes. */
	assert_int_equal(live_all(w, clock_now_ms() + 89 * DAY_MS).expired, 0);
	assert_int_equal(live_all(w, clock_now_ms() + 91 * DAY_MS).expired, 2);
	collect_all(w);
	assert_sound(w);
	ASSERT_DONE(db_check(w->db, &err));
	clock_shift_ms(-31 * DAY_MS);
}

static void much_work_is_done_in_small_steps(void **state)
{
	struct world *w = *state;
	struct err err;
	char tag[16];
	make_repo(w, "app");
	for (int i = 0; i < 120; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		make_image(w, "app", tag);
	}
	set_policy(w, "app", KEEP_ONE);
	struct lifecycle_report r = { 0 };
	ASSERT_DONE(lifecycle_run(w->core, clock_now_ms(), clock_now_ms(), 2, &r, &err));
	assert_true(r.more);
	assert_int_equal(r.expired, 50);
	r = live_at(w, clock_now_ms());
	assert_int_equal(r.expired, 69);
	assert_int_equal(get_repo(w, "app").image_count, 1);
	assert_sound(w);
}

static void a_repository_that_was_deleted_has_no_policy(void **state)
{
	struct world *w = *state;
	struct err err;
	struct lifecycle l;
	struct str text;
	make_repo(w, "app");
	make_image(w, "app", "a");
	make_image(w, "app", "b");
	set_policy(w, "app", KEEP_ONE);
	ASSERT_DONE(lifecycle_preview(
		w->core, &w->reg, STR("app"), (struct str){ NULL, 0 }, w->arena, &text, &err));
	live_at(w, clock_now_ms());
	delete_repo(w, "app");
	assert_int_equal(live_at(w, LATER).expired, 0);
	make_repo(w, "app");
	ASSERT_FAILS(ERR_LIFECYCLE_UNKNOWN,
		lifecycle_get(w->core, &w->reg, STR("app"), w->arena, &l, &err));
	collect_all(w);
	live_at(w, LATER);
	ASSERT_DONE(db_check(w->db, &err));
	assert_sound(w);
}

static void on_demand_it_goes_on_until_nothing_is_left(void **state)
{
	struct world *w = *state;
	struct err err;
	struct lifecycle_report r = { 0 };
	w->o.lifecycle_delay_ms = DAY_MS;
	world_restart(w);
	make_repo(w, "app");
	make_repo(w, "other");
	struct digest child = make_image(w, "app", "child");
	make_index(w, "app", child, "index");
	make_image(w, "app", "last");
	make_image(w, "other", "a");
	make_image(w, "other", "b");
	set_policy(w, "app", KEEP_ONE);
	set_policy(w, "other", KEEP_ONE);
	ASSERT_FAILS(ERR_REPO_UNKNOWN,
		lifecycle_run_all(w->core, STR("none"), clock_now_ms(), &r, &err));
	ASSERT_DONE(lifecycle_run_all(w->core, STR("app"), clock_now_ms(), &r, &err));
	assert_int_equal(r.expired, 2);
	assert_int_equal(get_repo(w, "other").image_count, 2);
	r = live_all(w, clock_now_ms());
	assert_int_equal(r.expired, 1);
}

/* --- what happens while a policy is carried out --- */

#define RACED 80

struct tagger {
	struct world w;
	atomic_bool is_done;
};

static void tag_all(void *arg)
{
	struct tagger *t = arg;
	for (int i = 0; i < RACED; i++) {
		char tag[16];
		const char *layer = arena_printf(t->w.arena, "layer of t%d", i).ptr;
		struct err err;
		snprintf(tag, sizeof(tag), "keep%d", i);
		/* The layers are in their grace, so this works also for an image that went. */
		if (!try_put(&t->w, "app", image_text(&t->w, "{}", &layer, 1, NULL), tag, &err))
			abort();
	}
	atomic_store(&t->is_done, true);
}

static void what_is_tagged_meanwhile_stays(void **state)
{
	struct world *w = *state;
	struct tagger t;
	struct thread *thread;
	struct err err;
	char tag[16];
	make_repo(w, "app");
	for (int i = 0; i < RACED; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		make_image(w, "app", tag);
	}
	set_policy(w, "app",
		POLICY(RULE("1", TAGGED("\"keep*\"") KEEP("1000"), EXPIRE) "," RULE(
			"2", ANY SINCE("ImagePushed", "1"), EXPIRE)));
	t.w = *w;
	t.w.arena = arena_new(64 * MIB);
	atomic_init(&t.is_done, false);
	ASSERT_DONE(thread_start("tagger", tag_all, &t, 0, &thread, &err));
	int64_t later = clock_now_ms() + 2 * DAY_MS;
	while (!atomic_load(&t.is_done)) {
		struct lifecycle_report r = { 0 };
		ASSERT_DONE(lifecycle_run(w->core, later, later, 3, &r, &err));
	}
	thread_join(thread);
	arena_free(t.w.arena);
	for (int i = 0; i < RACED; i++) {
		struct image image;
		snprintf(tag, sizeof(tag), "keep%d", i);
		struct image_ref ref = by_tag(tag);
		if (!try_pull(w, "app", ref, &image, &err))
			fail_msg("%s: %s", tag, err_text(&err));
	}
	assert_sound(w);
}

/* --- previews --- */

static struct lifecycle_preview get_preview(struct world *w, struct lifecycle_preview_query q)
{
	struct err err;
	struct lifecycle_preview p;
	q.repo = STR("app");
	q.limit = q.limit ? q.limit : 100;
	ASSERT_DONE(lifecycle_preview_get(w->core, &w->reg, &q, w->arena, &p, &err));
	return p;
}

static void start_preview(struct world *w, const char *policy)
{
	struct err err;
	struct str text = { policy, policy ? strlen(policy) : 0 };
	ASSERT_DONE(lifecycle_preview(w->core, &w->reg, STR("app"), text, w->arena, &text, &err));
}

static void a_preview_changes_nothing(void **state)
{
	struct world *w = *state;
	struct lifecycle_preview_query all = { 0 };
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	make_image(w, "app", "b");
	start_preview(w, KEEP_ONE);
	assert_int_equal(get_preview(w, all).status, LIFECYCLE_PREVIEW_RUNNING);
	assert_int_equal(live_at(w, clock_now_ms()).expired, 0);
	struct lifecycle_preview p = get_preview(w, all);
	assert_int_equal(p.status, LIFECYCLE_PREVIEW_COMPLETE);
	assert_int_equal(p.expiring, 1);
	assert_int_equal(p.moving, 0);
	assert_int_equal(p.count, 1);
	assert_false(p.more);
	ASSERT_STR(p.text, KEEP_ONE);
	assert_true(digest_eq(&p.items[0].image.digest, &a));
	ASSERT_STR(p.items[0].image.tags[0], "a");
	assert_int_equal(p.items[0].priority, 1);
	assert_int_equal(p.items[0].action, LIFECYCLE_EXPIRE);
	assert_true(has_image(w, "app", a));
	/* What goes meanwhile is left out. */
	delete_image(w, "app", a);
	assert_int_equal(get_preview(w, all).count, 0);
}

static void one_preview_at_a_time(void **state)
{
	struct world *w = *state;
	struct err err;
	struct str text;
	struct lifecycle_preview p;
	struct lifecycle_preview_query q = { .repo = STR("app"), .limit = 10 };
	struct str none = { NULL, 0 };
	make_repo(w, "app");
	ASSERT_FAILS(ERR_PREVIEW_UNKNOWN,
		lifecycle_preview_get(w->core, &w->reg, &q, w->arena, &p, &err));
	ASSERT_FAILS(ERR_LIFECYCLE_UNKNOWN,
		lifecycle_preview(w->core, &w->reg, STR("app"), none, w->arena, &text, &err));
	set_policy(w, "app", KEEP_ONE);
	ASSERT_DONE(lifecycle_preview(w->core, &w->reg, STR("app"), none, w->arena, &text, &err));
	ASSERT_STR(text, KEEP_ONE);
	ASSERT_FAILS(ERR_PREVIEW_BUSY,
		lifecycle_preview(w->core, &w->reg, STR("app"), none, w->arena, &text, &err));
	live_at(w, clock_now_ms());
	start_preview(w, POLICY(RULE("9", ANY KEEP("1"), MOVE)));
	live_at(w, clock_now_ms());
	p = get_preview(w, q);
	ASSERT_STR(p.text, POLICY(RULE("9", ANY KEEP("1"), MOVE)));
}

static void results_come_in_pages_and_by_filter(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	push(w, "app", "{}");
	for (int i = 0; i < 7; i++) {
		const char *layer = arena_printf(w->arena, "i%d", i).ptr;
		push(w, "app", layer);
		put(w, "app", image_text(w, "{}", &layer, 1, NULL), i % 2 ? layer : NULL);
	}
	start_preview(w, POLICY(RULE("2", ANY KEEP("1"), MOVE)));
	live_at(w, clock_now_ms());
	struct lifecycle_preview p = get_preview(w, (struct lifecycle_preview_query){ .limit = 4 });
	assert_int_equal(p.moving, 6);
	assert_int_equal(p.expiring, 0);
	assert_int_equal(p.count, 4);
	assert_true(p.more);
	int64_t third = p.items[2].image.id;
	p = get_preview(w, (struct lifecycle_preview_query){ .limit = 4, .after = p.after });
	assert_int_equal(p.count, 2);
	assert_false(p.more);
	p = get_preview(w, (struct lifecycle_preview_query){ .tags = TAGS_TAGGED });
	assert_int_equal(p.count, 3);
	p = get_preview(w, (struct lifecycle_preview_query){ .tags = TAGS_UNTAGGED });
	assert_int_equal(p.count, 3);
	p = get_preview(w, (struct lifecycle_preview_query){ .images = &third, .image_count = 1 });
	assert_int_equal(p.count, 1);
	assert_int_equal(p.items[0].image.id, third);
	p = get_preview(w, (struct lifecycle_preview_query){ .images = &third });
	assert_int_equal(p.count, 0);
}

static void a_preview_expires_after_a_day(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	make_image(w, "app", "a");
	make_image(w, "app", "b");
	start_preview(w, KEEP_ONE);
	live_at(w, clock_now_ms());
	clock_shift_ms(25 * HOUR_MS);
	struct lifecycle_preview p = get_preview(w, (struct lifecycle_preview_query){ 0 });
	assert_int_equal(p.status, LIFECYCLE_PREVIEW_EXPIRED);
	assert_int_equal(p.count, 0);
	live_at(w, clock_now_ms());
	p = get_preview(w, (struct lifecycle_preview_query){ 0 });
	assert_int_equal(p.status, LIFECYCLE_PREVIEW_EXPIRED);
	start_preview(w, KEEP_ONE);
	live_at(w, clock_now_ms());
	p = get_preview(w, (struct lifecycle_preview_query){ 0 });
	assert_int_equal(p.status, LIFECYCLE_PREVIEW_COMPLETE);
	clock_shift_ms(-25 * HOUR_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_policy_is_kept_told_and_removed),
		WORLD_TEST(the_oldest_go_and_shared_layers_stay),
		WORLD_TEST(a_repository_is_looked_at_when_something_changed),
		WORLD_TEST(a_change_is_carried_out_after_the_delay),
		WORLD_TEST(time_alone_makes_images_due),
		WORLD_TEST(images_are_as_old_as_the_second_time_says),
		WORLD_TEST(an_index_goes_before_its_images),
		WORLD_TEST(an_image_of_an_index_that_stays_stays),
		WORLD_TEST(referrers_live_and_go_with_their_subject),
		WORLD_TEST(referrers_follow_a_deleted_subject_where_there_is_a_policy),
		WORLD_TEST(images_pass_through_the_archive),
		WORLD_TEST(much_work_is_done_in_small_steps),
		WORLD_TEST(a_repository_that_was_deleted_has_no_policy),
		WORLD_TEST(on_demand_it_goes_on_until_nothing_is_left),
		WORLD_TEST(what_is_tagged_meanwhile_stays),
		WORLD_TEST(a_preview_changes_nothing),
		WORLD_TEST(one_preview_at_a_time),
		WORLD_TEST(results_come_in_pages_and_by_filter),
		WORLD_TEST(a_preview_expires_after_a_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
