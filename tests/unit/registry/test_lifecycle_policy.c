/* The grammar of lifecycle policies: what is taken, and in which words all else is refused. */
#include "../unit.h"
#include "base/arena.h"
#include "base/buf.h"
#include "registry/lifecycle_policy.h"

#define PREFIX                                                                      \
	"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: " \
	"'Lifecycle policy validation failure: "
#define NO_SCHEMA "instance failed to match exactly one schema (matched 0 out of 2)"
#define RULE(priority, selection, action) \
	"{\"rulePriority\":" priority ",\"selection\":{" selection "},\"action\":{" action "}}"
#define RULES(rules)     "{\"rules\":[" rules "]}"
#define EXPIRE           "\"type\":\"expire\""
#define MOVE             "\"type\":\"transition\",\"targetStorageClass\":\"archive\""
#define COUNT(n)         "\"countType\":\"imageCountMoreThan\",\"countNumber\":" n
#define SINCE(what, n)   "\"countType\":\"" what "\",\"countUnit\":\"days\",\"countNumber\":" n
#define ANY              "\"tagStatus\":\"any\","
#define UNTAGGED         "\"tagStatus\":\"untagged\","
#define TAGGED(patterns) "\"tagStatus\":\"tagged\",\"tagPatternList\":" patterns ","
#define PREFIXED(list)   "\"tagStatus\":\"tagged\",\"tagPrefixList\":" list ","
#define ONE(selection)   RULES(RULE("1", selection, EXPIRE))
#define ARCHIVED         "\"storageClass\":\"archive\","

static bool parse(const char *text, struct err *err)
{
	struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
	struct lifecycle_policy policy;
	bool done = lifecycle_policy_parse(str_from(text), arena, &policy, err);
	arena_free(arena);
	return done;
}

static void policies_in_the_grammar_are_taken(void **state UNUSED)
{
	static const char *const good[] = {
		ONE(ANY COUNT("1")),
		ONE(UNTAGGED SINCE("sinceImagePushed", "2147483647")),
		ONE(TAGGED("[\"*a*b*c*\"]") COUNT("5")),
		ONE(PREFIXED("[\"v\",\"v\",\"rc\"]") COUNT("5")),
		ONE(ARCHIVED ANY SINCE("sinceImageTransitioned", "90")),
		ONE("\"storageClass\":\"standard\"," ANY COUNT("3")),
		RULES(RULE("7", ANY SINCE("sinceImagePulled", "1"), MOVE)),
		RULES(RULE("7", ANY COUNT("1"), MOVE)),
		/* ECR's example of an archive: an ANY rule for each storage class. */
		RULES(RULE("1", ANY SINCE("sinceImagePulled", "90"), MOVE) "," RULE(
			"2", ARCHIVED ANY SINCE("sinceImageTransitioned", "365"), EXPIRE)),
		RULES(RULE("9", ANY COUNT("1"), EXPIRE) "," RULE("3", UNTAGGED COUNT("1"), EXPIRE)),
		/* The same untagged rule in both classes, and like patterns in different lists. */
		RULES(RULE("1", UNTAGGED COUNT("1"), EXPIRE) "," RULE(
			"2", ARCHIVED UNTAGGED SINCE("sinceImageTransitioned", "90"), EXPIRE)),
		RULES(RULE("1", TAGGED("[\"a\",\"b\"]") COUNT("1"), EXPIRE) "," RULE(
			"2", TAGGED("[\"a\"]") COUNT("1"), EXPIRE)),
		"{\"rules\":[{\"description\":\"x\",\"rulePriority\":1,\"selection\":{" ANY COUNT(
			"1") "},\"action\":{" EXPIRE "}}]}",
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct err err;
		if (!parse(good[i], &err))
			fail_msg("%s: %s", good[i], err_text(&err));
	}
}

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "Could not map policyString into LifecyclePolicy." },
	{ "{", "Could not map policyString into LifecyclePolicy." },
	{ "[]", "Could not map policyString into LifecyclePolicy." },
	{ "\"rules\"", "Could not map policyString into LifecyclePolicy." },
	{ "{}", "object has missing required properties ([\"rules\"])" },
	{ "{\"rules\":{}}", "object has missing required properties ([\"rules\"])" },
	{ "{\"rules\":[]}",
		"array is too short: must have at least 1 elements but instance has 0 elements" },
	{ "{\"rules\":[1]}",
		"instance type (integer) does not match any allowed primitive type (allowed: [\"object\"])" },
	{ "{\"rules\":[null]}",
		"instance type (null) does not match any allowed primitive type (allowed: [\"object\"])" },
	{ "{\"rules\":[{}]}",
		"object has missing required properties ([\"action\", \"rulePriority\", \"selection\"])" },
	{ "{\"rules\":[{\"rulePriority\":1,\"action\":{}}]}",
		"object has missing required properties ([\"selection\"])" },
	{ "{\"Version\":1,\"rules\":[" RULE("1", ANY COUNT("1"), EXPIRE) "]}",
		"object instance has properties which are not allowed by the schema: ([\"Version\"])" },
	{ RULES("{\"x\":1,\"rulePriority\":1,\"selection\":{" ANY COUNT("1") "},\"action\":{" EXPIRE
									     "}}"),
		"object instance has properties which are not allowed by the schema: ([\"x\"])" },
	{ RULES("{\"description\":5,\"rulePriority\":1,\"selection\":{" ANY COUNT(
		  "1") "},\"action\":{" EXPIRE "}}"),
		"instance type (integer) does not match any allowed primitive type (allowed: [\"string\"])" },
	{ RULES(RULE("0", ANY COUNT("1"), EXPIRE)),
		"numeric instance is lower than the required minimum (minimum: 1, found: 0)" },
	{ RULES(RULE("\"1\"", ANY COUNT("1"), EXPIRE)),
		"instance type (string) does not match any allowed primitive type (allowed: [\"integer\"])" },
	{ RULES(RULE("1.5", ANY COUNT("1"), EXPIRE)),
		"instance type (number) does not match any allowed primitive type (allowed: [\"integer\"])" },
	{ RULES(RULE("2147483648", ANY COUNT("1"), EXPIRE)),
		"Could not map policyString into LifecyclePolicy." },
	/* action */
	{ RULES(RULE("1", ANY COUNT("1"), "")),
		"object has missing required properties ([\"type\"])" },
	{ RULES(RULE("1", ANY COUNT("1"), "\"type\":\"keep\"")),
		"instance value (keep) not found in enum (possible values: [\"expire\", \"transition\"])" },
	{ RULES(RULE("1", ANY COUNT("1"), EXPIRE ",\"when\":1")),
		"object instance has properties which are not allowed by the schema: ([\"when\"])" },
	{ RULES(RULE("1", ANY COUNT("1"), EXPIRE ",\"targetStorageClass\":null")), NO_SCHEMA },
	{ RULES(RULE("1", ANY COUNT("1"), "\"type\":\"transition\"")), NO_SCHEMA },
	{ RULES(RULE("1", ANY COUNT("1"),
		  "\"type\":\"transition\",\"targetStorageClass\":\"standard\"")),
		NO_SCHEMA },
	/* selection */
	{ ONE(""),
		"object has missing required properties ([\"countNumber\", \"countType\", \"tagStatus\"])" },
	{ ONE(ANY COUNT("1") ",\"tags\":1"),
		"object instance has properties which are not allowed by the schema: ([\"tags\"])" },
	{ ONE("\"tagStatus\":\"Any\"," COUNT("1")),
		"instance value (Any) not found in enum (possible values: [\"any\", \"tagged\", \"untagged\"])" },
	{ ONE("\"tagStatus\":\"tagged\"," COUNT("1")),
		"Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED." },
	{ ONE(UNTAGGED "\"tagPrefixList\":[\"a\"]," COUNT("1")),
		"tagPrefixList and tagPatternList can only be specified when tagStatus=TAGGED." },
	{ ONE(ANY "\"tagPatternList\":[]," COUNT("1")),
		"tagPrefixList and tagPatternList can only be specified when tagStatus=TAGGED." },
	{ ONE(TAGGED("[\"a\"]") "\"tagPrefixList\":[\"a\"]," COUNT("1")),
		"tagPrefixList and tagPatternList cannot be specified together." },
	{ ONE(TAGGED("[]") COUNT("1")),
		"array is too short: must have at least 1 elements but instance has 0 elements" },
	{ ONE(TAGGED("\"a\"") COUNT("1")),
		"instance type (string) does not match any allowed primitive type (allowed: [\"array\"])" },
	{ ONE(TAGGED("[1]") COUNT("1")),
		"instance type (integer) does not match any allowed primitive type (allowed: [\"string\"])" },
	{ ONE(TAGGED("[\"\"]") COUNT("1")),
		"string \"\" is too short (length: 0, required minimum: 1)" },
	{ ONE(TAGGED("[\"*t*1*2*3*\"]") COUNT("1")),
		"A tag pattern can have at most 4 wildcards: *t*1*2*3*" },
	{ ONE("\"storageClass\":\"cold\"," ANY COUNT("1")),
		"instance value (cold) not found in enum (possible values: [\"archive\", \"standard\"])" },
	/* counts */
	{ ONE(ANY COUNT("0")),
		"numeric instance is lower than the required minimum (minimum: 1, found: 0)" },
	{ ONE(ANY COUNT("-1")),
		"numeric instance is lower than the required minimum (minimum: 1, found: -1)" },
	{ ONE(ANY "\"countType\":\"imageCount\",\"countNumber\":1"), NO_SCHEMA },
	{ ONE(ANY COUNT("1") ",\"countUnit\":\"days\""), NO_SCHEMA },
	{ ONE(ANY "\"countType\":\"sinceImagePushed\",\"countNumber\":1"), NO_SCHEMA },
	{ ONE(ANY "\"countType\":\"sinceImagePushed\",\"countUnit\":\"weeks\",\"countNumber\":1"),
		"instance value (weeks) not found in enum (possible values: [\"days\"])" },
	{ ONE(ANY SINCE("sinceImagePulled", "1")),
		"sinceImagePulled can only be used with the action transition." },
	{ ONE(ANY SINCE("sinceImageTransitioned", "90")),
		"sinceImageTransitioned can only be used when storageClass=ARCHIVE." },
	{ ONE(ARCHIVED ANY SINCE("sinceImageTransitioned", "89")),
		"countNumber must be at least 90 for sinceImageTransitioned: images stay in the archive for 90 days." },
	{ RULES(RULE("1", ARCHIVED ANY SINCE("sinceImageTransitioned", "90"), MOVE)),
		"Images in the archive can only be expired." },
	{ ONE(ARCHIVED ANY COUNT("1")),
		"imageCountMoreThan can only be used when storageClass=STANDARD." },
	{ ONE(ARCHIVED ANY SINCE("sinceImagePushed", "100")),
		"sinceImagePushed can only be used when storageClass=STANDARD." },
	/* between rules */
	{ RULES(RULE("1", UNTAGGED COUNT("1"), EXPIRE) "," RULE("1", ANY COUNT("1"), EXPIRE)),
		"Rules must have unique priorities: 1 is used twice." },
	{ RULES(RULE("1", ANY COUNT("1"), EXPIRE) "," RULE("2", UNTAGGED COUNT("1"), EXPIRE)),
		"Rule for tagStatus=ANY must have the lowest priority per storage class." },
	{ RULES(RULE("1", ANY COUNT("1"), EXPIRE) "," RULE("2", ANY COUNT("2"), EXPIRE)),
		"Rule for tagStatus=ANY must have the lowest priority per storage class." },
	{ RULES(RULE("1", UNTAGGED COUNT("1"), EXPIRE) "," RULE("2", UNTAGGED COUNT("2"), MOVE)),
		"Only one rule can select Untagged images per storage class." },
	{ RULES(RULE("1", TAGGED("[\"b\",\"a*\"]") COUNT("1"), EXPIRE) "," RULE(
		  "2", TAGGED("[\"a*\",\"b\",\"b\"]") COUNT("2"), EXPIRE)),
		"Rules 1 and 2 select the same tags in one storage class." },
	{ RULES(RULE("4", PREFIXED("[\"a\"]") COUNT("1"), EXPIRE) "," RULE(
		  "2", TAGGED("[\"a*\"]") COUNT("2"), EXPIRE)),
		"Rules 2 and 4 select the same tags in one storage class." },
};

static void all_else_is_refused_in_words(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char want[700];
		struct err err;
		snprintf(want, sizeof(want), "%s%s'", PREFIX, bad[i].why);
		if (parse(bad[i].text, &err))
			fail_msg("taken: %s", bad[i].text);
		assert_string_equal(err_kind_name(err.kind), "INVALID");
		if (strcmp(want, err_text(&err)) != 0)
			fail_msg("%s: \"%s\" is not \"%s\"", bad[i].text, err_text(&err), want);
	}
}

static void fifty_rules_are_taken_and_one_more_is_not(void **state UNUSED)
{
	struct buf text;
	struct err err;
	for (int n = 50; n <= 51; n++) {
		buf_init(&text, 64 * KIB);
		buf_add_c(&text, "{\"rules\":[");
		for (int i = 1; i <= n; i++)
			buf_addf(&text, "%s" RULE("%d", TAGGED("[\"t%d\"]") COUNT("1"), EXPIRE),
				i > 1 ? "," : "", i, i);
		buf_add_c(&text, "]}");
		assert_int_equal(parse(buf_c(&text), &err), n == 50);
		buf_fini(&text);
	}
	assert_non_null(strstr(err_text(&err),
		"array is too long: must have at most 50 elements but instance has 51 elements"));
}

static void rules_come_out_by_priority(void **state UNUSED)
{
	struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
	struct lifecycle_policy p;
	struct err err;
	struct str text = str_from(RULES(RULE(
		"900", ANY SINCE("sinceImagePulled", "3"), MOVE) "," RULE("5",
		ARCHIVED PREFIXED("[\"z\",\"b\"]") SINCE("sinceImageTransitioned", "91"), EXPIRE)));
	ASSERT_DONE(lifecycle_policy_parse(text, arena, &p, &err));
	assert_int_equal(p.rule_count, 2);
	assert_int_equal(p.pattern_count, 2);
	assert_int_equal(p.rules[0].priority, 5);
	assert_int_equal(p.rules[0].class, LIFECYCLE_ARCHIVE);
	assert_int_equal(p.rules[0].number, 91);
	ASSERT_STR(p.rules[0].patterns[0], "b*");
	assert_int_equal(p.rules[1].action, LIFECYCLE_TRANSITION);
	assert_int_equal(p.rules[1].count, LIFECYCLE_SINCE_PULLED);
	arena_free(arena);
}

static void a_star_in_a_prefix_stands_for_itself(void **state UNUSED)
{
	static const struct {
		const char *selection, *tag;
		bool meets;
	} rows[] = {
		{ PREFIXED("[\"v\"]") COUNT("1"), "v1", true },
		{ PREFIXED("[\"v\"]") COUNT("1"), "v", true },
		{ PREFIXED("[\"v\"]") COUNT("1"), "xv", false },
		{ PREFIXED("[\"v*\"]") COUNT("1"), "v1", false },
		{ TAGGED("[\"v*\"]") COUNT("1"), "v1", true },
		{ TAGGED("[\"v\"]") COUNT("1"), "v1", false },
		{ TAGGED("[\"*-rc*\"]") COUNT("1"), "1.2-rc3", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
		struct lifecycle_policy p;
		struct err err;
		struct buf text;
		buf_init(&text, KIB);
		buf_addf(&text, RULES(RULE("1", "%s", EXPIRE)), rows[i].selection);
		ASSERT_DONE(lifecycle_policy_parse(buf_str(&text), arena, &p, &err));
		assert_int_equal(
			lifecycle_rule_meets(p.rules, 0, str_from(rows[i].tag)), rows[i].meets);
		buf_fini(&text);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_in_the_grammar_are_taken),
		cmocka_unit_test(all_else_is_refused_in_words),
		cmocka_unit_test(fifty_rules_are_taken_and_one_more_is_not),
		cmocka_unit_test(rules_come_out_by_priority),
		cmocka_unit_test(a_star_in_a_prefix_stands_for_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
