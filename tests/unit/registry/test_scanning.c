#include "registry/scanning.h"
#include "world.h"

static void a_filter_with_a_star_is_a_pattern_and_one_without_is_contained(void **state UNUSED)
{
	static const struct {
		const char *filter, *repo;
		bool matches;
	} table[] = {
		{ "prod", "prod", true },
		{ "prod", "my/production/x", true },
		{ "prod", "pro", false },
		{ "prod", "p", false },
		{ "prod*", "production", true },
		{ "prod*", "my/prod", false },
		{ "*prod", "my/prod", true },
		{ "*prod*", "my/production", true },
		{ "*", "anything", true },
		{ "a*c", "abc", true },
		{ "a*c", "abcd", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (scanning_filter_matches(str_from(table[i].filter), str_from(table[i].repo)) !=
			table[i].matches)
			fail_msg("row %zu: %s on %s", i, table[i].filter, table[i].repo);
	}
}

static void of_several_rules_the_greater_frequency_counts(void **state UNUSED)
{
	struct str first[] = { STR("both"), STR("one") };
	struct str second[] = { STR("both"), STR("two") };
	struct scanning s = { .type = SCAN_ENHANCED,
		.rules = { { SCAN_CONTINUOUS, first, 2 }, { SCAN_ON_PUSH, second, 2 } },
		.rule_count = 2 };
	assert_int_equal(scanning_rule(&s, STR("both"))->frequency, SCAN_CONTINUOUS);
	assert_int_equal(scanning_rule(&s, STR("one"))->frequency, SCAN_CONTINUOUS);
	assert_int_equal(scanning_rule(&s, STR("two"))->frequency, SCAN_ON_PUSH);
	assert_null(scanning_rule(&s, STR("three")));
}

static void a_configuration_is_kept(void **state)
{
	struct world *w = *state;
	struct err err;
	struct scanning got;
	struct str filters[] = { STR("prod*"), STR("x") };
	struct scanning s = { .type = SCAN_BASIC,
		.rules = { { SCAN_ON_PUSH, filters, 2 }, { SCAN_MANUAL, NULL, 0 } },
		.rule_count = 2 };
	ASSERT_DONE(scanning_get(w->core, &w->reg, w->arena, &got, &err));
	assert_int_equal(got.type, SCAN_BASIC);
	assert_int_equal(got.rule_count, 0);
	ASSERT_DONE(scanning_put(w->core, &w->reg, &s, &err));
	ASSERT_DONE(scanning_get(w->core, &w->reg, w->arena, &got, &err));
	assert_int_equal(got.rule_count, 2);
	assert_int_equal(got.rules[0].frequency, SCAN_ON_PUSH);
	assert_int_equal(got.rules[0].filter_count, 2);
	ASSERT_STR(got.rules[0].filters[0], "prod*");
	assert_int_equal(got.rules[1].frequency, SCAN_MANUAL);
	assert_int_equal(got.rules[1].filter_count, 0);
}

static void rules_that_do_not_go_together_are_refused(void **state)
{
	struct world *w = *state;
	struct err err;
	struct str filters[] = { STR("*") };
	struct scanning continuous = {
		.type = SCAN_BASIC, .rules = { { SCAN_CONTINUOUS, filters, 1 } }, .rule_count = 1
	};
	struct scanning twice = { .type = SCAN_ENHANCED,
		.rules = { { SCAN_ON_PUSH, filters, 1 }, { SCAN_ON_PUSH, filters, 1 } },
		.rule_count = 2 };
	ASSERT_FAILS(ERR_INVALID, scanning_put(w->core, &w->reg, &continuous, &err));
	ASSERT_FAILS(ERR_INVALID, scanning_put(w->core, &w->reg, &twice, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_filter_with_a_star_is_a_pattern_and_one_without_is_contained),
		cmocka_unit_test(of_several_rules_the_greater_frequency_counts),
		WORLD_TEST(a_configuration_is_kept),
		WORLD_TEST(rules_that_do_not_go_together_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
