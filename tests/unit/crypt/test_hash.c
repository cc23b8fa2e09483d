#include "../unit.h"
#include "base/mem.h"
#include "crypt/hash.h"

#define M448 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define M896                                                       \
	"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn" \
	"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

/* FIPS 180-4 examples, and the empty message. */
static const struct {
	const char *message, *digest;
} vectors[] = {
	{ "", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ M448, "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "", "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ "abc", "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		 "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ M896, "sha512:8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
		"501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909" },
};

static int init(void **state UNUSED)
{
	struct err err;
	return crypt_init(&err) ? 0 : -1;
}

static enum digest_alg alg_of(const char *digest)
{
	return strncmp(digest, "sha512", 6) == 0 ? DIGEST_SHA512 : DIGEST_SHA256;
}

static void messages_of_the_standard_hash_as_it_says(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct digest d;
		struct err err;
		char text[DIGEST_TEXT_MAX];
		ASSERT_DONE(hash_bytes(
			alg_of(vectors[i].digest), str_from(vectors[i].message), &d, &err));
		assert_string_equal(digest_text(&d, text), vectors[i].digest);
	}
}

static void a_stream_hashes_as_the_whole(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct hash *h CLEANUP(hash_freep) = NULL;
		struct digest d;
		struct err err;
		char text[DIGEST_TEXT_MAX];
		ASSERT_DONE(hash_new(alg_of(vectors[i].digest), &h, &err));
		assert_int_equal(hash_alg(h), alg_of(vectors[i].digest));
		for (const char *c = vectors[i].message; *c != '\0'; c++)
			ASSERT_DONE(hash_update(h, c, 1, &err));
		ASSERT_DONE(hash_update(h, NULL, 0, &err));
		ASSERT_DONE(hash_digest(h, &d, &err));
		assert_string_equal(digest_text(&d, text), vectors[i].digest);
	}
}

static void a_stream_goes_on_after_its_digest_was_taken(void **state UNUSED)
{
	struct hash *h CLEANUP(hash_freep) = NULL;
	struct digest d;
	struct err err;
	char text[DIGEST_TEXT_MAX];
	ASSERT_DONE(hash_new(DIGEST_SHA256, &h, &err));
	ASSERT_DONE(hash_digest(h, &d, &err));
	assert_string_equal(digest_text(&d, text), vectors[0].digest);
	ASSERT_DONE(hash_update(h, "ab", 2, &err));
	ASSERT_DONE(hash_digest(h, &d, &err));
	ASSERT_DONE(hash_update(h, "c", 1, &err));
	ASSERT_DONE(hash_digest(h, &d, &err));
	ASSERT_DONE(hash_digest(h, &d, &err));
	assert_string_equal(digest_text(&d, text), vectors[1].digest);
}

static void a_million_letters_hash_as_the_standard_says(void **state UNUSED)
{
	char *letters CLEANUP(freep) = xmalloc(1000000);
	struct digest d;
	struct err err;
	char text[DIGEST_TEXT_MAX];
	memset(letters, 'a', 1000000);
	ASSERT_DONE(hash_bytes(DIGEST_SHA256, (struct str){ letters, 1000000 }, &d, &err));
	assert_string_equal(digest_text(&d, text),
		"sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void preparing_twice_is_harmless(void **state UNUSED)
{
	struct err err;
	ASSERT_DONE(crypt_init(&err));
	ASSERT_DONE(crypt_init(&err));
	hash_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_the_standard_hash_as_it_says),
		cmocka_unit_test(a_stream_hashes_as_the_whole),
		cmocka_unit_test(a_stream_goes_on_after_its_digest_was_taken),
		cmocka_unit_test(a_million_letters_hash_as_the_standard_says),
		cmocka_unit_test(preparing_twice_is_harmless),
	};
	return cmocka_run_group_tests(tests, init, NULL);
}
