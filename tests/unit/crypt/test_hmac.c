#include "../unit.h"
#include "base/codec.h"
#include "crypt/hash.h"
#include "crypt/hmac.h"
#include "crypt/random.h"
#include "crypt/secret.h"

static int init(void **state UNUSED)
{
	struct err err;
	return crypt_init(&err) ? 0 : -1;
}

/* RFC 4231 section 4. A message of one character stands for a run of 50 of it. */
static const struct {
	int key_byte;
	size_t key_len;
	const char *key, *message, *mac;
} vectors[] = {
	{ 0x0b, 20, NULL, "Hi There",
		"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ 0, 4, "Jefe", "what do ya want for nothing?",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ 0xaa, 20, NULL, "\xdd",
		"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ 0, 25,
		"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19",
		"\xcd", "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
	{ 0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
		"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ 0xaa, 131, NULL,
		"This is a test using a larger than block-size key and a larger than block-size data. "
		"The key needs to be hashed before being used by the HMAC algorithm.",
		"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
	/* No key and no message: Python's hmac module, openssl mac. */
	{ 0, 0, "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
};

static void messages_of_the_rfc_authenticate_as_it_says(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		uint8_t key[131];
		char run[50];
		uint8_t mac[HMAC_LEN];
		char text[2 * HMAC_LEN];
		struct str message = str_from(vectors[i].message);
		memset(key, vectors[i].key_byte, sizeof(key));
		if (vectors[i].key != NULL)
			memcpy(key, vectors[i].key, vectors[i].key_len);
		if (message.len == 1) {
			memset(run, message.ptr[0], sizeof(run));
			message = (struct str){ run, sizeof(run) };
		}
		hmac_sha256(key, vectors[i].key_len, message, mac);
		hex_encode(mac, HMAC_LEN, text);
		ASSERT_STR(((struct str){ text, sizeof(text) }), vectors[i].mac);
	}
}

static void uuids_are_of_version_four_and_differ(void **state UNUSED)
{
	uint8_t a[16];
	uint8_t b[16];
	for (int i = 0; i < 100; i++) {
		random_uuid(a);
		random_uuid(b);
		assert_int_equal(a[6] >> 4, 4);
		assert_int_equal(a[8] >> 6, 2);
		assert_memory_not_equal(a, b, 16);
	}
}

static void random_text_uses_every_letter_evenly(void **state UNUSED)
{
	static const char alphabet[] = "abc";
	unsigned counts[3] = { 0 };
	char text[3000];
	random_text(text, sizeof(text), alphabet);
	for (size_t i = 0; i < sizeof(text); i++) {
		assert_true(text[i] >= 'a' && text[i] <= 'c');
		counts[text[i] - 'a']++;
	}
	/* 1000 expected, standard deviation 26: ten deviations never happen. */
	for (size_t i = 0; i < 3; i++)
		assert_in_range(counts[i], 740, 1260);
	random_text(text, 0, alphabet);
	random_bytes(text, 0);
}

static void secrets_are_bounded_wiped_and_compared(void **state UNUSED)
{
	struct secret s;
	uint8_t bytes[SECRET_MAX + 1];
	memset(bytes, 7, sizeof(bytes));
	memset(&s, 0xFF, sizeof(s));
	assert_true(secret_set(&s, bytes, SECRET_MAX));
	assert_int_equal(s.len, SECRET_MAX);
	assert_true(secret_eq(s.bytes, bytes, SECRET_MAX));
	assert_false(secret_set(&s, bytes, SECRET_MAX + 1));
	assert_int_equal(s.len, 0);
	assert_int_equal(s.bytes[0], 0);
	assert_true(secret_set(&s, "key", 3));
	secret_wipe(&s);
	for (size_t i = 0; i < SECRET_MAX; i++)
		assert_int_equal(s.bytes[i], 0);
	assert_true(secret_set(&s, NULL, 0));
	assert_true(secret_str_eq(STR("token"), STR("token")));
	assert_false(secret_str_eq(STR("token"), STR("tokem")));
	assert_false(secret_str_eq(STR("token"), STR("toke")));
	assert_true(secret_str_eq(STR(""), (struct str){ NULL, 0 }));
	assert_false(secret_eq("ab", "bb", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_the_rfc_authenticate_as_it_says),
		cmocka_unit_test(uuids_are_of_version_four_and_differ),
		cmocka_unit_test(random_text_uses_every_letter_evenly),
		cmocka_unit_test(secrets_are_bounded_wiped_and_compared),
	};
	return cmocka_run_group_tests(tests, init, NULL);
}
