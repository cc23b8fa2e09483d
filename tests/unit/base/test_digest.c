#include "../unit.h"
#include "base/digest.h"

#define E256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define A512                                                               \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static void only_canonical_digests_of_known_algorithms_parse(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
	} table[] = {
		{ "sha256:" E256, true },
		{ "sha512:" A512, true },
		{ "", false },
		{ ":", false },
		{ "sha256", false },
		{ "sha256:", false },
		{ E256, false },
		{ ":" E256, false },
		{ "SHA256:" E256, false },
		{ "sha256: " E256, false },
		{ " sha256:" E256, false },
		{ "sha256:" E256 " ", false },
		{ "sha256:" E256 "00", false },
		{ "sha256::" E256, false },
		{ "sha256:E3B0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			false },
		{ "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85", false },
		{ "sha256:g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			false },
		{ "sha256:../../../../../../../../../../../../../../../../../../../etc/passwd",
			false },
		{ "sha256:" A512, false },
		{ "sha512:" E256, false },
		{ "sha384:" E256, false },
		{ "md5:d41d8cd98f00b204e9800998ecf8427e", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct digest d;
		struct err err;
		bool ok = digest_parse(str_from(table[i].text), &d, &err);
		if (ok != table[i].ok)
			fail_msg("\"%s\"", table[i].text);
		if (!ok)
			assert_int_equal(err.kind, ERR_DIGEST_INVALID);
		char text[DIGEST_TEXT_MAX];
		if (ok)
			assert_string_equal(digest_text(&d, text), table[i].text);
	}
}

static void a_nul_in_a_digest_is_refused(void **state UNUSED)
{
	char text[] = "sha256:" E256;
	struct digest d;
	struct err err;
	text[20] = '\0';
	ASSERT_FAILS(
		ERR_DIGEST_INVALID, digest_parse((struct str){ text, sizeof(text) - 1 }, &d, &err));
}

static void a_refused_digest_leaves_the_output_alone(void **state UNUSED)
{
	struct digest d = { .alg = DIGEST_SHA512, .hash = { 1 } };
	struct err err;
	ASSERT_FAILS(ERR_DIGEST_INVALID, digest_parse(STR("sha256:00"), &d, &err));
	assert_int_equal(d.alg, DIGEST_SHA512);
	assert_int_equal(d.hash[0], 1);
}

static void digests_compare_by_algorithm_and_hash(void **state UNUSED)
{
	struct digest a;
	struct digest b;
	struct err err;
	ASSERT_DONE(digest_parse(STR("sha256:" E256), &a, &err));
	b = a;
	assert_true(digest_eq(&a, &b));
	b.hash[31] ^= 1;
	assert_false(digest_eq(&a, &b));
	b = a;
	b.alg = DIGEST_SHA512;
	assert_false(digest_eq(&a, &b));
	assert_int_equal(a.hash[32], 0);
	assert_int_equal(a.hash[63], 0);
}

static void keys_lead_back_to_the_digest(void **state UNUSED)
{
	static const char *const texts[] = { "sha256:" E256, "sha512:" A512 };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct digest d;
		struct digest back;
		struct err err;
		uint8_t key[DIGEST_KEY_MAX];
		ASSERT_DONE(digest_parse(str_from(texts[i]), &d, &err));
		size_t len = digest_to_key(&d, key);
		assert_int_equal(len, 1 + digest_hash_len(d.alg));
		ASSERT_DONE(digest_from_key(key, len, &back, &err));
		assert_memory_equal(&d, &back, sizeof(d));
		ASSERT_FAILS(ERR_CORRUPT, digest_from_key(key, len - 1, &back, &err));
		key[0] = 3;
		ASSERT_FAILS(ERR_CORRUPT, digest_from_key(key, len, &back, &err));
		key[0] = 0;
		ASSERT_FAILS(ERR_CORRUPT, digest_from_key(key, len, &back, &err));
		ASSERT_FAILS(ERR_CORRUPT, digest_from_key(key, 0, &back, &err));
	}
}

static void stored_numbers_of_algorithms_never_change(void **state UNUSED)
{
	enum digest_alg alg = DIGEST_SHA512;
	assert_int_equal(DIGEST_SHA256, 1);
	assert_int_equal(DIGEST_SHA512, 2);
	assert_true(digest_alg_parse(STR("sha256"), &alg));
	assert_int_equal(alg, DIGEST_SHA256);
	assert_false(digest_alg_parse(STR("sha"), &alg));
	ASSERT_STR(digest_alg_name(DIGEST_SHA512), "sha512");
	assert_int_equal(digest_hash_len(DIGEST_SHA256), 32);
	assert_int_equal(digest_hash_len(DIGEST_SHA512), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_canonical_digests_of_known_algorithms_parse),
		cmocka_unit_test(a_nul_in_a_digest_is_refused),
		cmocka_unit_test(a_refused_digest_leaves_the_output_alone),
		cmocka_unit_test(digests_compare_by_algorithm_and_hash),
		cmocka_unit_test(keys_lead_back_to_the_digest),
		cmocka_unit_test(stored_numbers_of_algorithms_never_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
