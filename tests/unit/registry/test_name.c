#include "../unit.h"
#include "registry/core.h"
#include "registry/name.h"

static void repository_names_follow_the_grammar(void **state UNUSED)
{
	static const struct {
		const char *name;
		bool good;
	} table[] = {
		{ "a", true },
		{ "ab", true },
		{ "a0", true },
		{ "0", true },
		{ "a/b", true },
		{ "a/b/c/d/e", true },
		{ "a.b", true },
		{ "a_b", true },
		{ "a__b", true },
		{ "a-b", true },
		{ "a--b", true },
		{ "a------b", true },
		{ "a.b_c__d-e/f", true },
		{ "0.0", true },
		{ "library/nginx", true },
		{ "", false },
		{ "/", false },
		{ "a/", false },
		{ "/a", false },
		{ "a//b", false },
		{ "A", false },
		{ "aB", false },
		{ ".a", false },
		{ "a.", false },
		{ "_a", false },
		{ "a_", false },
		{ "-a", false },
		{ "a-", false },
		{ "a..b", false },
		{ "a___b", false },
		{ "a._b", false },
		{ "a-.b", false },
		{ "a_-b", false },
		{ "a.-b", false },
		{ "a/.b", false },
		{ "a./b", false },
		{ "a/-", false },
		{ "a b", false },
		{ "a\tb", false },
		{ "a:b", false },
		{ "a@b", false },
		{ "a\nb", false },
		{ "ä", false },
		{ "a%2fb", false },
		{ "a\\b", false },
		{ "..", false },
		{ "a/../b", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (name_is_repository(str_from(table[i].name)) != table[i].good)
			fail_msg("\"%s\"", table[i].name);
	}
	assert_false(name_is_repository((struct str){ "a\0b", 3 }));
}

static void names_end_at_256_characters_and_tags_at_128(void **state UNUSED)
{
	char name[300];
	memset(name, 'a', sizeof(name));
	assert_true(name_is_repository((struct str){ name, 256 }));
	assert_false(name_is_repository((struct str){ name, 257 }));
	assert_true(name_is_tag((struct str){ name, 128 }));
	assert_false(name_is_tag((struct str){ name, 129 }));
}

static void tags_follow_the_grammar(void **state UNUSED)
{
	static const struct {
		const char *tag;
		bool good;
	} table[] = {
		{ "latest", true },
		{ "v1.2.3", true },
		{ "_", true },
		{ "A", true },
		{ "9", true },
		{ "a-b_c.D", true },
		{ "a..", true },
		{ "a--", true },
		{ "_.-", true },
		{ "", false },
		{ ".a", false },
		{ "-a", false },
		{ "a:b", false },
		{ "a/b", false },
		{ "a b", false },
		{ "a\n", false },
		{ "ä", false },
		{ "a+b", false },
		{ "sha256:aa", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (name_is_tag(str_from(table[i].tag)) != table[i].good)
			fail_msg("\"%s\"", table[i].tag);
	}
}

static void a_registry_is_twelve_digits_and_a_region(void **state UNUSED)
{
	static const struct {
		const char *account, *region;
		bool good;
	} table[] = {
		{ "000000000000", "eu-west-1", true },
		{ "123456789012", "us-gov-west-1", true },
		{ "123456789012", "xx", true },
		{ "123456789012", "aaaaaaaaaaaaaaaaaaaaaaaaa", true },
		{ "12345678901", "eu-west-1", false },
		{ "1234567890123", "eu-west-1", false },
		{ "12345678901a", "eu-west-1", false },
		{ "123456789012", "x", false },
		{ "123456789012", "aaaaaaaaaaaaaaaaaaaaaaaaaa", false },
		{ "123456789012", "EU-west-1", false },
		{ "123456789012", "eu_west", false },
		{ "", "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct registry_id reg = { .account = "kept" };
		bool good = registry_id_make(
			str_from(table[i].account), str_from(table[i].region), &reg);
		if (good != table[i].good)
			fail_msg("%s %s", table[i].account, table[i].region);
		assert_string_equal(reg.account, good ? table[i].account : "kept");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repository_names_follow_the_grammar),
		cmocka_unit_test(names_end_at_256_characters_and_tags_at_128),
		cmocka_unit_test(tags_follow_the_grammar),
		cmocka_unit_test(a_registry_is_twelve_digits_and_a_region),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
