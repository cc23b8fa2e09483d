#include "../unit.h"
#include "app/units.h"

static void sizes_need_a_whole_number_and_a_known_unit(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t bytes;
	} table[] = {
		{ "0", true, 0 },
		{ "1", true, 1 },
		{ "12B", true, 12 },
		{ "64MiB", true, 64ULL << 20 },
		{ "64 MiB", true, 64ULL << 20 },
		{ "64mib", true, 64ULL << 20 },
		{ "1KiB", true, 1024 },
		{ "1kB", true, 1000 },
		{ "10GB", true, 10000000000ULL },
		{ "52000MiB", true, 52000ULL << 20 },
		{ "2TiB", true, 2ULL << 40 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "16777216TiB", false, 0 },
		{ "16777215TiB", true, 16777215ULL << 40 },
		{ "", false, 0 },
		{ "MiB", false, 0 },
		{ "1K", false, 0 },
		{ "1M", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ "1.5MiB", false, 0 },
		{ "1MiBB", false, 0 },
		{ "1 2", false, 0 },
		{ "0x10", false, 0 },
		{ " 1", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint64_t bytes = 77;
		bool ok = units_parse_bytes(str_from(table[i].text), &bytes);
		if (ok != table[i].ok || bytes != (ok ? table[i].bytes : 77))
			fail_msg("\"%s\": %d, %llu", table[i].text, ok, (unsigned long long)bytes);
	}
}

static void durations_need_units_which_may_follow_one_another(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t ms;
	} table[] = {
		{ "0", true, 0 },
		{ "0s", true, 0 },
		{ "500ms", true, 500 },
		{ "30s", true, 30000 },
		{ "5m", true, 300000 },
		{ "24h", true, 86400000 },
		{ "7d", true, 604800000 },
		{ "1h30m", true, 5400000 },
		{ "1d1h1m1s1ms", true, 90061001 },
		{ "36500d", true, 3153600000000 },
		{ "1", false, 0 },
		{ "30", false, 0 },
		{ "", false, 0 },
		{ "s", false, 0 },
		{ "-1s", false, 0 },
		{ "1.5h", false, 0 },
		{ "1h 30m", false, 0 },
		{ "1w", false, 0 },
		{ "40000d", false, 0 },
		{ "36600d36600d", false, 0 },
		{ "99999999999999999999s", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int64_t ms = 77;
		bool ok = units_parse_duration(str_from(table[i].text), &ms);
		if (ok != table[i].ok || ms != (ok ? table[i].ms : 77))
			fail_msg("\"%s\": %d, %lld", table[i].text, ok, (long long)ms);
	}
}

static void switches_know_four_pairs_of_words(void **state UNUSED)
{
	static const char *const on[] = { "on", "ON", "true", "yes", "1" };
	static const char *const off[] = { "off", "False", "no", "0" };
	static const char *const neither[] = { "", "o", "onn", "2", "enabled" };
	bool value = false;
	for (size_t i = 0; i < ARRAY_LEN(on); i++)
		assert_true(units_parse_switch(str_from(on[i]), &value) && value);
	for (size_t i = 0; i < ARRAY_LEN(off); i++)
		assert_true(units_parse_switch(str_from(off[i]), &value) && !value);
	for (size_t i = 0; i < ARRAY_LEN(neither); i++)
		assert_false(units_parse_switch(str_from(neither[i]), &value));
}

static void sizes_are_told_in_a_few_characters(void **state UNUSED)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} table[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 102348, "99.9 KiB" },
		{ 102400, "100 KiB" },
		{ 1048575, "1.0 MiB" },
		{ 20971520, "20.0 MiB" },
		{ 52000ULL << 20, "50.8 GiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};

	char text[UNITS_TEXT_MAX];
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_string_equal(units_bytes(table[i].bytes, text), table[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_need_a_whole_number_and_a_known_unit),
		cmocka_unit_test(durations_need_units_which_may_follow_one_another),
		cmocka_unit_test(switches_know_four_pairs_of_words),
		cmocka_unit_test(sizes_are_told_in_a_few_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
