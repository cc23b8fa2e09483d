#include <stdio.h>

#include "../unit.h"
#include "http/range.h"

struct range_case {
	const char *header;
	uint64_t size;
	enum range_result result;
	const char *ranges; /* "first-last ..." */
};

static const struct range_case range_cases[] = {
	{ NULL, 100, RANGE_WHOLE, "" },
	{ "bytes=0-0", 100, RANGE_PARTIAL, "0-0" },
	{ "bytes=0-99", 100, RANGE_PARTIAL, "0-99" },
	{ "bytes=0-100", 100, RANGE_PARTIAL, "0-99" },
	{ "bytes=99-", 100, RANGE_PARTIAL, "99-99" },
	{ "bytes=100-", 100, RANGE_UNSATISFIABLE, "" },
	{ "bytes=100-200", 100, RANGE_UNSATISFIABLE, "" },
	{ "bytes=-1", 100, RANGE_PARTIAL, "99-99" },
	{ "bytes=-100", 100, RANGE_PARTIAL, "0-99" },
	{ "bytes=-101", 100, RANGE_PARTIAL, "0-99" },
	{ "bytes=-0", 100, RANGE_UNSATISFIABLE, "" },
	{ "bytes=-5", 0, RANGE_UNSATISFIABLE, "" },
	{ "bytes=0-", 0, RANGE_UNSATISFIABLE, "" },
	{ "Bytes=1-2", 100, RANGE_PARTIAL, "1-2" },
	{ "bytes = 1-2", 100, RANGE_PARTIAL, "1-2" },
	{ "bytes=1-2, 4-5 ,, 7-", 10, RANGE_PARTIAL, "1-2 4-5 7-9" },
	{ "bytes=1-2,3-4", 10, RANGE_PARTIAL, "1-2 3-4" },
	{ "bytes=1-2,200-300", 10, RANGE_PARTIAL, "1-2" },
	{ "bytes=100-101,200-300", 10, RANGE_UNSATISFIABLE, "" },
	/* overlapping or not ascending: the whole object */
	{ "bytes=1-2,2-4", 10, RANGE_WHOLE, "" },
	{ "bytes=4-5,1-2", 10, RANGE_WHOLE, "" },
	{ "bytes=0-,-1", 10, RANGE_WHOLE, "" },
	/* sixteen, and one more */
	{ "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30",
		100, RANGE_PARTIAL,
		"0-0 2-2 4-4 6-6 8-8 10-10 12-12 14-14 16-16 18-18 20-20 22-22 24-24 26-26 28-28 30-30" },
	{ "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,32-32",
		100, RANGE_WHOLE, "" },
	/* invalid: ignored as a whole */
	{ "", 100, RANGE_WHOLE, "" },
	{ "bytes", 100, RANGE_WHOLE, "" },
	{ "bytes=", 100, RANGE_WHOLE, "" },
	{ "bytes=,", 100, RANGE_WHOLE, "" },
	{ "bytes=-", 100, RANGE_WHOLE, "" },
	{ "bytes=2-1", 100, RANGE_UNSATISFIABLE, "" },
	{ "bytes=1-2,x", 100, RANGE_WHOLE, "" },
	{ "bytes=1-2;3-4", 100, RANGE_WHOLE, "" },
	{ "bytes=1--2", 100, RANGE_WHOLE, "" },
	{ "bytes=+1-2", 100, RANGE_WHOLE, "" },
	{ "bytes=0x1-2", 100, RANGE_WHOLE, "" },
	{ "bytes=1 - 2", 100, RANGE_WHOLE, "" },
	{ "items=0-1", 100, RANGE_WHOLE, "" },
	/* beyond 64 bits */
	{ "bytes=0-99999999999999999999999", 100, RANGE_PARTIAL, "0-99" },
	{ "bytes=99999999999999999999999-", 100, RANGE_UNSATISFIABLE, "" },
	{ "bytes=-99999999999999999999999", 100, RANGE_PARTIAL, "0-99" },
	{ "bytes=18446744073709551614-", UINT64_MAX, RANGE_PARTIAL,
		"18446744073709551614-18446744073709551614" },
};

static void ranges_are_read_as_rfc_9110_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(range_cases); i++) {
		const struct range_case *c = &range_cases[i];
		struct str header = { c->header, c->header != NULL ? strlen(c->header) : 0 };
		struct range ranges[RANGE_MAX];
		size_t count = 0, at = 0;
		char text[512] = "";
		enum range_result result = range_parse(header, c->size, ranges, &count);

		for (size_t j = 0; j < count; j++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%llu-%llu",
				j > 0 ? " " : "", (unsigned long long)ranges[j].first,
				(unsigned long long)ranges[j].last);
		if (result != c->result || strcmp(text, c->ranges) != 0)
			fail_msg("%s of %llu: result %d, ranges %s", c->header,
				(unsigned long long)c->size, (int)result, text);
	}
}

struct tag_case {
	const char *header;
	bool is_weak_match, is_strong_match;
};

static const struct tag_case tag_cases[] = {
	{ "\"a\"", true, true },
	{ "\"b\"", false, false },
	{ "*", true, true },
	{ " * ", true, true },
	{ "W/\"a\"", true, false },
	{ "w/\"a\"", false, false },
	{ "\"b\", \"a\"", true, true },
	{ "\"b\",\"c\" , W/\"a\"", true, false },
	{ "\"b,a\"", false, false },
	{ "a", false, false },
	{ "\"a", false, false },
	{ "", false, false },
	{ ",,\"a\"", true, true },
	{ "\"A\"", false, false },
};

static void entity_tags_are_compared_weakly_and_strongly(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tag_cases); i++) {
		const struct tag_case *c = &tag_cases[i];

		if (range_etag_listed(str_from(c->header), STR("a"), false) != c->is_weak_match ||
			range_etag_listed(str_from(c->header), STR("a"), true) !=
				c->is_strong_match)
			fail_msg("case %zu: %s", i, c->header);
	}
}

static void if_range_wants_the_one_strong_tag(void **state)
{
	(void)state;
	assert_true(range_if_range((struct str){ NULL, 0 }, STR("a")));
	assert_true(range_if_range(STR("\"a\""), STR("a")));
	assert_false(range_if_range(STR("W/\"a\""), STR("a")));
	assert_false(range_if_range(STR("\"b\""), STR("a")));
	assert_false(range_if_range(STR("\"a\", \"b\""), STR("a")));
	assert_false(range_if_range(STR("*"), STR("a")));
	assert_false(range_if_range(STR("Tue, 24 Nov 2026 03:00:00 GMT"), STR("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_read_as_rfc_9110_says),
		cmocka_unit_test(entity_tags_are_compared_weakly_and_strongly),
		cmocka_unit_test(if_range_wants_the_one_strong_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
