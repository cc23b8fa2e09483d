/* Which images a policy takes: ECR's worked examples, and the corners that they leave out. */
#include "../unit.h"
#include "base/arena.h"
#include "base/buf.h"
#include "registry/lifecycle_eval.h"

#define NOW ((int64_t)1790000000000)

struct img {
	const char *tags; /* divided by blanks */
	int days;         /* old, in its class */
	int used;         /* days since it was pulled; 0: never */
	bool is_archived, has_parent, has_active_parent;
};

static void add(struct lifecycle_eval *e, int64_t id, const struct img *img)
{
	struct err err;
	struct str rest = str_from(img->tags), tag;
	struct lifecycle_image i = {
		.id = id,
		.class = img->is_archived ? LIFECYCLE_ARCHIVE : LIFECYCLE_STANDARD,
		.since_ms = NOW - img->days * LIFECYCLE_DAY_MS,
		.has_parent = img->has_parent,
		.has_active_parent = img->has_active_parent,
	};
	i.used_ms = img->used ? NOW - img->used * LIFECYCLE_DAY_MS : i.since_ms;
	lifecycle_eval_begin(e, &i);
	while (rest.len) {
		str_cut(rest, ' ', &tag, &rest);
		lifecycle_eval_tag(e, tag);
	}
	ASSERT_DONE(lifecycle_eval_end(e, &err));
}

/* Of images A, B, C...: "A1 C2" means A by the rule of priority 1; '>' behind it: to the archive.
 */
static const char *run(const char *rules, const struct img *imgs, size_t count, int64_t now_ms,
	int64_t *next_ms, size_t *waiting)
{
	static char out[400];
	struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
	struct lifecycle_policy p;
	struct err err;
	struct str text = arena_printf(arena, "{\"rules\":[%s]}", rules);
	ASSERT_DONE(lifecycle_policy_parse(text, arena, &p, &err));
	struct lifecycle_eval *e = lifecycle_eval_new(&p);
	/* Backwards: the order of adding must not matter. */
	for (size_t i = count; i-- > 0;)
		add(e, (int64_t)i, &imgs[i]);
	lifecycle_eval_run(e, now_ms);
	size_t at = 0;
	out[0] = '\0';
	for (size_t i = 0; i < lifecycle_eval_count(e); i++) {
		struct lifecycle_mark m = lifecycle_eval_mark(e, i);
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%c%d%s", at ? " " : "",
			(char)('A' + m.image.id), m.priority,
			m.action == LIFECYCLE_TRANSITION ? ">" : "");
	}
	*next_ms = lifecycle_eval_next_ms(e);
	*waiting = lifecycle_eval_waiting(e);
	lifecycle_eval_free(e);
	arena_free(arena);
	return out;
}

#define ASSERT_MARKS(rules, imgs, wanted)                                                   \
	do {                                                                                \
		int64_t next_;                                                              \
		size_t waiting_;                                                            \
		assert_string_equal(                                                        \
			run(rules, imgs, ARRAY_LEN(imgs), NOW, &next_, &waiting_), wanted); \
	} while (0)

#define RULE(priority, selection, action) \
	"{\"rulePriority\":" priority ",\"selection\":{" selection "},\"action\":{" action "}}"
#define EXPIRE         "\"type\":\"expire\""
#define MOVE           "\"type\":\"transition\",\"targetStorageClass\":\"archive\""
#define KEEP(n)        "\"countType\":\"imageCountMoreThan\",\"countNumber\":" n
#define SINCE(what, n) "\"countType\":\"since" what "\",\"countUnit\":\"days\",\"countNumber\":" n
#define ANY            "\"tagStatus\":\"any\","
#define UNTAGGED       "\"tagStatus\":\"untagged\","
#define TAGGED(list)   "\"tagStatus\":\"tagged\",\"tagPatternList\":[" list "],"

static const struct img beta_prod[] = { { .tags = "beta-1 prod-1", .days = 10 },
	{ .tags = "beta-2 prod-2", .days = 9 }, { .tags = "beta-3", .days = 8 } };

static void example_a_higher_rule_protects_what_it_keeps(void **state UNUSED)
{
	ASSERT_MARKS(RULE("1", TAGGED("\"prod*\"") KEEP("1"), EXPIRE) "," RULE(
			     "2", TAGGED("\"beta*\"") KEEP("1"), EXPIRE),
		beta_prod, "A1");
}

static void example_the_same_rules_the_other_way_round(void **state UNUSED)
{
	ASSERT_MARKS(RULE("1", TAGGED("\"beta*\"") KEEP("1"), EXPIRE) "," RULE(
			     "2", TAGGED("\"prod*\"") KEEP("1"), EXPIRE),
		beta_prod, "A1 B1");
}

static void example_every_pattern_must_be_met(void **state UNUSED)
{
	static const struct img imgs[] = { { .tags = "alpha-1", .days = 12 },
		{ .tags = "beta-1", .days = 11 }, { .tags = "alpha-2 beta-2", .days = 10 },
		{ .tags = "alpha-3", .days = 4 }, { .tags = "beta-3", .days = 3 },
		{ .tags = "alpha-4 beta-4", .days = 2 } };
	ASSERT_MARKS(RULE("1", TAGGED("\"alpha*\",\"beta*\"") SINCE("ImagePushed", "5"), EXPIRE),
		imgs, "C1");
}

static void example_more_tags_than_patterns(void **state UNUSED)
{
	static const struct img imgs[] = { { .tags = "alpha-1 beta-1 gamma-1", .days = 10 },
		{ .tags = "alpha-2 beta-2", .days = 9 },
		{ .tags = "alpha-3 beta-3 gamma-2", .days = 8 } };
	ASSERT_MARKS(RULE("1", TAGGED("\"alpha*\",\"beta*\"") KEEP("1"), EXPIRE), imgs, "A1 B1");
}

static void example_any_image(void **state UNUSED)
{
	static const struct img imgs[] = { { .tags = "alpha-1", .days = 4 },
		{ .tags = "beta-1", .days = 3 }, { .tags = "", .days = 2 },
		{ .tags = "alpha-2", .days = 1 } };
	ASSERT_MARKS(RULE("1", ANY KEEP("1"), EXPIRE), imgs, "A1 B1 C1");
}

static void example_three_rules_and_a_tie(void **state UNUSED)
{
	static const struct img imgs[] = { { .tags = "alpha-1 beta-1", .days = 4 },
		{ .tags = "", .days = 3 }, { .tags = "alpha-2", .days = 2 },
		{ .tags = "git-hash", .days = 1 }, { .tags = "", .days = 1 } };
	ASSERT_MARKS(RULE("1", TAGGED("\"alpha*\"") KEEP("1"), EXPIRE) "," RULE("2",
			     UNTAGGED SINCE("ImagePushed", "1"),
			     EXPIRE) "," RULE("3", ANY KEEP("1"), EXPIRE),
		imgs, "A1 B2 D3");
}

static void exactly_so_many_days_is_not_more(void **state UNUSED)
{
	static const struct img imgs[] = { { .tags = "", .days = 5 } };
	int64_t next;
	size_t waiting;
	const char *rule = RULE("1", ANY SINCE("ImagePushed", "5"), EXPIRE);
	assert_string_equal(run(rule, imgs, 1, NOW, &next, &waiting), "");
	assert_int_equal(next, NOW + 1);
	assert_string_equal(run(rule, imgs, 1, NOW + 1, &next, &waiting), "A1");
	assert_true(next == INT64_MAX);
}

static void the_next_time_is_the_earliest_of_what_is_left(void **state UNUSED)
{
	static const struct img imgs[] = { { .tags = "a", .days = 1 }, { .tags = "b", .days = 3 },
		{ .tags = "", .days = 9 } };
	int64_t next;
	size_t waiting;
	run(RULE("1", TAGGED("\"b\"") KEEP("1"), EXPIRE) "," RULE(
		    "2", ANY SINCE("ImagePushed", "10"), EXPIRE),
		imgs, 3, NOW, &next, &waiting);
	assert_int_equal(next, NOW + LIFECYCLE_DAY_MS + 1);
	/* b is out of the second rule's reach, so it makes nothing due. */
	run(RULE("1", TAGGED("\"b\"") KEEP("1"), EXPIRE) "," RULE(
		    "2", ANY SINCE("ImagePushed", "10"), EXPIRE),
		imgs, 2, NOW, &next, &waiting);
	assert_int_equal(next, NOW + 9 * LIFECYCLE_DAY_MS + 1);
}

static void each_storage_class_has_its_own_rules(void **state UNUSED)
{
	static const struct img imgs[] = { { .tags = "a", .days = 400, .is_archived = true },
		{ .tags = "b", .days = 100 }, { .tags = "c", .days = 100, .used = 2 },
		{ .tags = "d", .days = 90, .is_archived = true } };
	ASSERT_MARKS(RULE("1", ANY SINCE("ImagePulled", "30"), MOVE) "," RULE("2",
			     "\"storageClass\":\"archive\"," ANY SINCE("ImageTransitioned", "365"),
			     EXPIRE),
		imgs, "B1> A2");
}

static void an_image_waits_for_the_index_that_names_it(void **state UNUSED)
{
	static const struct img imgs[] = {
		{ .tags = "", .days = 9, .has_parent = true, .has_active_parent = true },
		{ .tags = "", .days = 8, .has_parent = true },
		{ .tags = "", .days = 7 },
		{ .tags = "", .days = 1 },
	};
	int64_t next;
	size_t waiting;
	assert_string_equal(
		run(RULE("1", ANY KEEP("1"), EXPIRE), imgs, 4, NOW, &next, &waiting), "C1");
	assert_int_equal(waiting, 2);
	/* To the archive it may follow an index that is there already. */
	assert_string_equal(
		run(RULE("1", ANY KEEP("1"), MOVE), imgs, 4, NOW, &next, &waiting), "B1> C1>");
	assert_int_equal(waiting, 1);
}

static void what_waits_is_still_out_of_reach_of_lower_rules(void **state UNUSED)
{
	static const struct img imgs[] = {
		{ .tags = "a", .days = 9, .has_parent = true, .has_active_parent = false },
		{ .tags = "a", .days = 8 },
	};
	ASSERT_MARKS(RULE("1", TAGGED("\"a\"") SINCE("ImagePushed", "1"), EXPIRE) "," RULE(
			     "2", ANY SINCE("ImagePushed", "1"), MOVE),
		imgs, "B1");
}

static void nothing_in_gives_nothing_out(void **state UNUSED)
{
	int64_t next;
	size_t waiting;
	assert_string_equal(
		run(RULE("1", ANY KEEP("1"), EXPIRE), NULL, 0, NOW, &next, &waiting), "");
	assert_true(next == INT64_MAX);
}

static void a_hash_of_tags_knows_no_order_and_no_duplicates(void **state UNUSED)
{
	uint64_t ab = lifecycle_tags_hash(lifecycle_tags_hash(0, STR("a")), STR("b"));
	assert_true(ab == lifecycle_tags_hash(lifecycle_tags_hash(0, STR("b")), STR("a")));
	assert_true(ab != lifecycle_tags_hash(0, STR("a")));
	assert_true(ab != lifecycle_tags_hash(0, STR("ab")));
	assert_true(lifecycle_tags_hash(0, STR("")) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example_a_higher_rule_protects_what_it_keeps),
		cmocka_unit_test(example_the_same_rules_the_other_way_round),
		cmocka_unit_test(example_every_pattern_must_be_met),
		cmocka_unit_test(example_more_tags_than_patterns),
		cmocka_unit_test(example_any_image),
		cmocka_unit_test(example_three_rules_and_a_tie),
		cmocka_unit_test(exactly_so_many_days_is_not_more),
		cmocka_unit_test(the_next_time_is_the_earliest_of_what_is_left),
		cmocka_unit_test(each_storage_class_has_its_own_rules),
		cmocka_unit_test(an_image_waits_for_the_index_that_names_it),
		cmocka_unit_test(what_waits_is_still_out_of_reach_of_lower_rules),
		cmocka_unit_test(nothing_in_gives_nothing_out),
		cmocka_unit_test(a_hash_of_tags_knows_no_order_and_no_duplicates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
