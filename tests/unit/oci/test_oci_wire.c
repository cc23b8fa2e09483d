/* Content-Range of chunks, page sizes, Link, entity tags. */
#include "../unit.h"
#include "oci/oci_wire.h"

static void a_chunk_range_is_read_with_and_without_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t first, last;
	} cases[] = {
		{ "0-1023", 0, 1023 },
		{ "1024-1024", 1024, 1024 },
		{ " 0-9 ", 0, 9 },
		{ "bytes 0-9/10", 0, 9 },
		{ "bytes 5-9/*", 5, 9 },
		{ "bytes 5-9", 5, 9 },
		{ "bytes=5-9", 5, 9 },
		{ "0-9223372036854775807", 0, INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t first = 77;
		uint64_t last = 77;
		if (!oci_chunk_range_parse(str_from(cases[i].text), &first, &last))
			fail_msg("%s was refused", cases[i].text);
		assert_int_equal(first, cases[i].first);
		assert_int_equal(last, cases[i].last);
	}
}

static void a_malformed_chunk_range_is_refused_and_leaves_the_outputs(void **state)
{
	static const char *const cases[] = {
		"",
		"-",
		"0",
		"0-",
		"-5",
		"5-4",
		"a-b",
		"0-9x",
		"0 - 9",
		"0--9",
		"+0-9",
		"0x0-0x9",
		"bytes",
		"bytes ",
		"bytes */10",
		"bytes 0-9/x",
		"lines 0-9/10",
		"0-9/10",
		"0-9223372036854775808",
		"0-99999999999999999999999",
		"0-1,2-3",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t first = 77;
		uint64_t last = 78;
		if (oci_chunk_range_parse(str_from(cases[i]), &first, &last))
			fail_msg("%s was taken", cases[i]);
		assert_int_equal(first, 77);
		assert_int_equal(last, 78);
	}
}

static void a_page_size_is_a_number_and_clamps(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
		unsigned n;
	} cases[] = {
		{ "0", true, 0 },
		{ "1", true, 1 },
		{ "007", true, 7 },
		{ "1000", true, 1000 },
		{ "1001", true, 1000 },
		{ "99999999999999999999999999", true, 1000 },
		{ "", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ "1.5", false, 0 },
		{ "ten", false, 0 },
		{ " 1", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned n = 77;
		if (oci_page_size_parse(str_from(cases[i].text), 1000, &n) != cases[i].is_good)
			fail_msg("'%s'", cases[i].text);
		assert_int_equal(n, cases[i].is_good ? cases[i].n : 77);
	}
}

static void a_link_names_the_next_page_and_encodes_the_last_name(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 1000);
	oci_link_next(&b, STR("/v2/app/tags/list"), STR(""), 2, STR("v1.0"));
	assert_string_equal(buf_c(&b), "</v2/app/tags/list?n=2&last=v1.0>; rel=\"next\"");
	buf_reset(&b);
	oci_link_next(&b, STR("/v2/_catalog"), STR("x=y&"), 1000, STR("team/a>b&c"));
	assert_string_equal(
		buf_c(&b), "</v2/_catalog?x=y&n=1000&last=team%2Fa%3Eb%26c>; rel=\"next\"");
	buf_fini(&b);
}

static void entity_tags_match_by_weak_comparison(void **state)
{
	static const struct {
		const char *header;
		bool is_listed;
	} cases[] = {
		{ "\"sha256:ab\"", true },
		{ "W/\"sha256:ab\"", true },
		{ "\"x\", \"sha256:ab\"", true },
		{ "\"x\",W/\"sha256:ab\" ,\"y\"", true },
		{ "*", true },
		{ "", false },
		{ "sha256:ab", false },
		{ "\"sha256:a\"", false },
		{ "\"sha256:abc\"", false },
		{ "w/\"sha256:ab\"", false },
		{ "\"sha256:ab", false },
		{ "\"*\"", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (oci_etag_is_listed(str_from(cases[i].header), STR("sha256:ab")) !=
			cases[i].is_listed)
			fail_msg("%s", cases[i].header);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chunk_range_is_read_with_and_without_a_unit),
		cmocka_unit_test(a_malformed_chunk_range_is_refused_and_leaves_the_outputs),
		cmocka_unit_test(a_page_size_is_a_number_and_clamps),
		cmocka_unit_test(a_link_names_the_next_page_and_encodes_the_last_name),
		cmocka_unit_test(entity_tags_match_by_weak_comparison),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
