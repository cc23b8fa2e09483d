#include "../unit.h"

static void comparing_is_by_bytes_and_length(void **state UNUSED)
{
	assert_true(str_eq(STR("ab"), STR("ab")));
	assert_false(str_eq(STR("ab"), STR("abc")));
	assert_false(str_eq(STR("ab"), STR("aB")));
	assert_true(str_eq((struct str){ NULL, 0 }, STR("")));
	assert_true(str_eq_c(str_from(NULL), ""));
	assert_true(str_eq_nocase(STR("Content-LENGTH"), STR("content-length")));
	assert_false(str_eq_nocase(STR("a"), STR("b")));
	assert_false(str_eq_nocase(STR("@"), STR("`"))); /* 0x40 and 0x60: not letters */
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("b"), STR("ab")) > 0);
	assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
	assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
	assert_int_equal(str_cmp((struct str){ NULL, 0 }, STR("")), 0);
}

static void prefixes_and_suffixes_are_found(void **state UNUSED)
{
	assert_true(str_starts(STR("sha256:x"), STR("sha256:")));
	assert_false(str_starts(STR("sha"), STR("sha256:")));
	assert_true(str_starts(STR("x"), STR("")));
	assert_true(str_ends(STR("a/tags/list"), STR("/tags/list")));
	assert_false(str_ends(STR("list"), STR("/tags/list")));
	assert_true(str_ends(STR("x"), STR("")));
	assert_true(str_ends(STR(""), STR("")));
}

static void substrings_are_clamped(void **state UNUSED)
{
	ASSERT_STR(str_sub(STR("hello"), 1, 3), "ell");
	ASSERT_STR(str_sub(STR("hello"), 3, SIZE_MAX), "lo");
	ASSERT_STR(str_sub(STR("hello"), 9, 3), "");
	ASSERT_STR(str_trim(STR(" \t a b\t ")), "a b");
	ASSERT_STR(str_trim(STR(" \t ")), "");
	assert_int_equal(str_find_char(STR("abc"), 'c'), 2);
	assert_int_equal(str_find_char(STR("abc"), 'x'), 3);
	assert_int_equal(str_find_char((struct str){ NULL, 0 }, 'x'), 0);
}

static void cutting_splits_at_the_first_character(void **state UNUSED)
{
	struct str head;
	struct str tail;
	assert_true(str_cut(STR("a:b:c"), ':', &head, &tail));
	ASSERT_STR(head, "a");
	ASSERT_STR(tail, "b:c");
	assert_true(str_cut(STR("a:"), ':', &head, &tail));
	ASSERT_STR(head, "a");
	ASSERT_STR(tail, "");
	assert_false(str_cut(STR("abc"), ':', &head, &tail));
	ASSERT_STR(head, "abc");
	ASSERT_STR(tail, "");
	/* The loop that callers write: s is both the input and the tail. */
	struct str s = STR("x,y");
	assert_true(str_cut(s, ',', &head, &s));
	ASSERT_STR(s, "y");
}

static void numbers_are_decimal_and_bounded(void **state UNUSED)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool ok;
		uint64_t value;
	} table[] = {
		{ "0", 10, true, 0 },
		{ "10", 10, true, 10 },
		{ "11", 10, false, 0 },
		{ "007", 10, true, 7 },
		{ "9", 8, false, 0 },
		{ "", 10, false, 0 },
		{ "+1", 10, false, 0 },
		{ "-1", 10, false, 0 },
		{ " 1", 10, false, 0 },
		{ "1 ", 10, false, 0 },
		{ "0x1", 10, false, 0 },
		{ "1a", 100, false, 0 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999999", UINT64_MAX, false, 0 },
		{ "5", 0, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint64_t value = 4711;
		bool ok = str_to_u64(str_from(table[i].text), table[i].max, &value);
		if (ok != table[i].ok || value != (ok ? table[i].value : 4711))
			fail_msg("\"%s\" gave %d, %llu", table[i].text, ok,
				(unsigned long long)value);
	}
}

static void text_for_the_system_holds_no_nul_and_fits(void **state UNUSED)
{
	char dst[5] = "old";
	assert_true(str_to_c(STR("1234"), dst, sizeof(dst)));
	assert_string_equal(dst, "1234");
	assert_false(str_to_c(STR("12345"), dst, sizeof(dst)));
	assert_false(str_to_c(STR("1\0002"), dst, sizeof(dst)));
	assert_string_equal(dst, "1234");
	assert_true(str_to_c((struct str){ NULL, 0 }, dst, sizeof(dst)));
	assert_string_equal(dst, "");
	assert_false(str_to_c(STR(""), dst, 0));
}

static void a_star_stands_for_any_run(void **state UNUSED)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} table[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "a/b", true },
		{ "**", "", true },
		{ "a", "a", true },
		{ "a", "b", false },
		{ "a", "ab", false },
		{ "a*", "a", true },
		{ "a*", "abc", true },
		{ "*c", "abc", true },
		{ "*c", "cab", false },
		{ "a*c", "ac", true },
		{ "a*c", "abcbc", true },
		{ "a*c", "abcb", false },
		{ "*ab*ab", "abab", true },
		{ "*ab*ab", "ab", false },
		{ "*aab", "aaab", true },
		{ "ecr:*Image*", "ecr:BatchGetImage", true },
		{ "ecr:*Image*", "ecr:GetAuthorizationToken", false },
		{ "?", "?", true },
		{ "?", "a", false },
		{ "[a]", "a", false },
		{ "\\*", "\\x", true },
		{ "prod-*-v*", "prod-eu-v1", true },
		{ "prod-*-v*", "prod-v1", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (str_glob(str_from(table[i].pattern), str_from(table[i].text)) !=
			table[i].matches)
			fail_msg("\"%s\" and \"%s\"", table[i].pattern, table[i].text);
	}
}

static void hostile_patterns_take_no_exponential_time(void **state UNUSED)
{
	char pattern[401];
	char text[20000];
	for (size_t i = 0; i < 400; i += 2)
		memcpy(pattern + i, "a*", 2);
	pattern[400] = 'b';
	memset(text, 'a', sizeof(text));
	assert_false(str_glob(
		(struct str){ pattern, sizeof(pattern) }, (struct str){ text, sizeof(text) }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparing_is_by_bytes_and_length),
		cmocka_unit_test(prefixes_and_suffixes_are_found),
		cmocka_unit_test(substrings_are_clamped),
		cmocka_unit_test(cutting_splits_at_the_first_character),
		cmocka_unit_test(numbers_are_decimal_and_bounded),
		cmocka_unit_test(text_for_the_system_holds_no_nul_and_fits),
		cmocka_unit_test(a_star_stands_for_any_run),
		cmocka_unit_test(hostile_patterns_take_no_exponential_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
