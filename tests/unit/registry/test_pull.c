/* When images were last pulled, and whose pulls do not count. */
#include "lifecycle_world.h"

#define ME STR("arn:aws:iam::000000000000:user/me")

static int64_t pulled_at(struct world *w, struct digest d)
{
	struct err err;
	ASSERT_DONE(pull_flush(w->core, &err));
	return described(w, "app", d).pulled_at_ms;
}

static void a_pull_is_recorded_by_the_next_flush(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	int64_t before = clock_now_ms();
	assert_int_equal(pulled_at(w, a), 0);
	pull_note(w->core, &w->reg, described(w, "app", a).id, ME);
	assert_int_equal(described(w, "app", a).pulled_at_ms, 0);
	assert_true(pulled_at(w, a) >= before);
	assert_int_equal(status_of(w, "app", a), IMAGE_ACTIVE);
}

static void pulls_within_an_hour_are_one(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	int64_t id = described(w, "app", a).id;
	pull_note(w->core, &w->reg, id, ME);
	int64_t first = pulled_at(w, a);
	clock_shift_ms(HOUR_MS / 2);
	pull_note(w->core, &w->reg, id, ME);
	assert_int_equal(pulled_at(w, a), first);
	clock_shift_ms(HOUR_MS);
	pull_note(w->core, &w->reg, id, ME);
	assert_true(pulled_at(w, a) >= first + HOUR_MS);
}

static void what_was_noted_is_written_at_the_end(void **state)
{
	struct world *w = *state;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	pull_note(w->core, &w->reg, described(w, "app", a).id, ME);
	world_restart(w);
	assert_true(described(w, "app", a).pulled_at_ms > 0);
}

static void a_pull_of_an_image_that_went_is_forgotten(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	pull_note(w->core, &w->reg, described(w, "app", a).id, ME);
	delete_image(w, "app", a);
	ASSERT_DONE(pull_flush(w->core, &err));
	ASSERT_DONE(db_check(w->db, &err));
}

static void pulls_of_an_excluded_principal_do_not_count(void **state)
{
	struct world *w = *state;
	struct err err;
	int64_t at = 0;
	make_repo(w, "app");
	struct digest a = make_image(w, "app", "a");
	int64_t id = described(w, "app", a).id;
	ASSERT_DONE(pull_exclude(w->core, &w->reg, ME, &at, &err));
	assert_true(at > 0);
	pull_note(w->core, &w->reg, id, ME);
	assert_int_equal(pulled_at(w, a), 0);
	/* Nor do they hide the next one's. */
	pull_note(w->core, &w->reg, id, STR("arn:aws:iam::000000000000:user/you"));
	assert_true(pulled_at(w, a) > 0);
	world_restart(w);
	clock_shift_ms(2 * HOUR_MS);
	int64_t before = pulled_at(w, a);
	pull_note(w->core, &w->reg, id, ME);
	assert_int_equal(pulled_at(w, a), before);
	ASSERT_DONE(pull_include(w->core, &w->reg, ME, &err));
	pull_note(w->core, &w->reg, id, ME);
	assert_true(pulled_at(w, a) > before);
}

static void exclusions_are_a_list_of_a_hundred_at_most(void **state)
{
	struct world *w = *state;
	struct err err;
	int64_t at;
	struct pull_exclusion_page page;
	for (int i = 0; i < PULL_EXCLUSIONS_MAX; i++) {
		struct str arn = arena_printf(w->arena, "arn:aws:iam::000000000000:role/r%02d", i);
		ASSERT_DONE(pull_exclude(w->core, &w->reg, arn, &at, &err));
	}
	ASSERT_FAILS(ERR_LIMIT, pull_exclude(w->core, &w->reg, ME, &at, &err));
	ASSERT_FAILS(ERR_EXCLUSION_EXISTS,
		pull_exclude(
			w->core, &w->reg, STR("arn:aws:iam::000000000000:role/r07"), &at, &err));
	ASSERT_FAILS(ERR_EXCLUSION_UNKNOWN, pull_include(w->core, &w->reg, ME, &err));
	ASSERT_DONE(pull_exclusions(w->core, &w->reg, STR(""), 60, w->arena, &page, &err));
	assert_int_equal(page.count, 60);
	assert_true(page.more);
	ASSERT_DONE(pull_exclusions(
		w->core, &w->reg, page.items[59].principal, 60, w->arena, &page, &err));
	assert_int_equal(page.count, 40);
	assert_false(page.more);
	ASSERT_STR(page.items[0].principal, "arn:aws:iam::000000000000:role/r60");
}

static void an_exclusion_of_a_role_covers_its_sessions(void **state UNUSED)
{
	static const struct {
		const char *exclusion, *principal;
		bool covers;
	} rows[] = {
		{ "arn:aws:iam::1:user/a", "arn:aws:iam::1:user/a", true },
		{ "arn:aws:iam::1:user/a", "arn:aws:iam::1:user/ab", false },
		{ "arn:aws:iam::1:role/r", "arn:aws:sts::1:assumed-role/r/session", true },
		{ "arn:aws:iam::1:role/x/y/r", "arn:aws:sts::1:assumed-role/r/session", true },
		{ "arn:aws:iam::1:role/r/x", "arn:aws:sts::1:assumed-role/r/x", false },
		{ "arn:aws:iam::2:role/r", "arn:aws:sts::1:assumed-role/r/session", false },
		{ "arn:aws-cn:iam::1:role/r", "arn:aws:sts::1:assumed-role/r/session", false },
		{ "arn:aws:iam::1:user/r", "arn:aws:sts::1:assumed-role/r/session", false },
		{ "arn:aws:iam::1:role/r", "arn:aws:sts::1:federated-user/r/s", false },
		{ "arn:aws:iam::1:role/r", "arn:aws:sts::1:assumed-role/r", false },
		{ "arn:aws:iam::1:role/r", "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (pull_is_covered(str_from(rows[i].exclusion), str_from(rows[i].principal)) !=
			rows[i].covers)
			fail_msg("%s, %s", rows[i].exclusion, rows[i].principal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exclusion_of_a_role_covers_its_sessions),
		WORLD_TEST(a_pull_is_recorded_by_the_next_flush),
		WORLD_TEST(pulls_within_an_hour_are_one),
		WORLD_TEST(what_was_noted_is_written_at_the_end),
		WORLD_TEST(a_pull_of_an_image_that_went_is_forgotten),
		WORLD_TEST(pulls_of_an_excluded_principal_do_not_count),
		WORLD_TEST(exclusions_are_a_list_of_a_hundred_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
