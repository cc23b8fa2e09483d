#include "../unit.h"
#include "base/codec.h"
#include "crypt/aead.h"
#include "crypt/hash.h"
#include "crypt/hkdf.h"
#include "crypt/random.h"

static int init(void **state UNUSED)
{
	struct err err;
	return crypt_init(&err) ? 0 : -1;
}

static size_t unhex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;
	assert_true(hex_decode(str_from(text), true, out, n));
	return n;
}

static struct secret key_of(const char *text)
{
	struct secret key = { .len = strlen(text) / 2 };
	unhex(text, key.bytes);
	return key;
}

static struct str str_of(const void *bytes, size_t len)
{
	return (struct str){ bytes, len };
}

/* "The Galois/Counter Mode of Operation" (McGrew, Viega), test cases 13 to 16: those with a key of
 * 256 bits and a nonce of 96. */
#define KEY16 "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"

static const struct {
	const char *key, *nonce, *aad, *plain, *sealed, *tag;
} gcm[] = {
	{ "0000000000000000000000000000000000000000000000000000000000000000",
		"000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
	{ "0000000000000000000000000000000000000000000000000000000000000000",
		"000000000000000000000000", "", "00000000000000000000000000000000",
		"cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919" },
	{ KEY16, "cafebabefacedbaddecaf888", "",
		"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
		"b094dac5d93471bdec1a502270e3cc6c" },
	{ KEY16, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
		"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
		"76fc6ece0f4e1768cddf8853bb2d551b" },
};

static void published_vectors_seal_and_open(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(gcm); i++) {
		uint8_t nonce[12], aad[32], plain[64], sealed[64], tag[16], out[64], got[16];
		struct aead *a CLEANUP(aead_freep) = NULL;
		struct err err;
		struct secret key = key_of(gcm[i].key);
		unhex(gcm[i].nonce, nonce);
		struct str more = str_of(aad, unhex(gcm[i].aad, aad));
		size_t len = unhex(gcm[i].plain, plain);
		assert_int_equal(unhex(gcm[i].sealed, sealed), len);
		unhex(gcm[i].tag, tag);
		ASSERT_DONE(aead_new(&key, &a, &err));
		/* In turns: the directions share one expanded key. */
		for (int round = 0; round < 2; round++) {
			aead_seal(a, nonce, more, plain, len, out, got);
			assert_memory_equal(out, sealed, len);
			assert_memory_equal(got, tag, 16);
			assert_true(aead_open(a, nonce, more, sealed, len, tag, out));
			assert_memory_equal(out, plain, len);
			tag[3] ^= 1;
			assert_false(aead_open(a, nonce, more, sealed, len, tag, out));
			tag[3] ^= 1;
		}
	}
}

static void whatever_is_changed_does_not_open_and_leaves_nothing(void **state UNUSED)
{
	static const uint8_t zeros[40];
	uint8_t nonce[12], plain[40], sealed[40], tag[16], out[40];
	char aad[] = "place";
	struct secret key = { .len = AEAD_KEY_LEN };
	struct aead *a CLEANUP(aead_freep) = NULL;
	struct err err;
	random_bytes(key.bytes, key.len);
	random_bytes(nonce, sizeof(nonce));
	random_bytes(plain, sizeof(plain));
	ASSERT_DONE(aead_new(&key, &a, &err));
	aead_seal(a, nonce, STR("place"), plain, 40, sealed, tag);

	struct {
		void *at;
		size_t len;
	} parts[] = { { nonce, 12 }, { aad, 5 }, { sealed, 40 }, { tag, 16 } };

	for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
		for (size_t bit = 0; bit < 8 * parts[p].len; bit++) {
			uint8_t *byte = (uint8_t *)parts[p].at + bit / 8;
			*byte ^= (uint8_t)(1 << bit % 8);
			memset(out, 7, sizeof(out));
			assert_false(aead_open(a, nonce, str_of(aad, 5), sealed, 40, tag, out));
			assert_memory_equal(out, zeros, 40);
			*byte ^= (uint8_t)(1 << bit % 8);
		}
	}
	assert_false(aead_open(a, nonce, str_of(aad, 4), sealed, 40, tag, out));
	assert_false(aead_open(a, nonce, str_of(aad, 5), sealed, 39, tag, out));
	/* And in place it opens. */
	assert_true(aead_open(a, nonce, str_of(aad, 5), sealed, 40, tag, sealed));
	assert_memory_equal(sealed, plain, 40);
}

static void wrapped_secrets_open_only_as_what_they_are(void **state UNUSED)
{
	struct secret key = { .len = AEAD_KEY_LEN };
	struct secret other = { .len = AEAD_KEY_LEN };
	struct secret out;
	struct buf wrapped CLEANUP(buf_fini);
	struct buf plain CLEANUP(buf_fini);
	struct err err;
	random_bytes(key.bytes, key.len);
	random_bytes(other.bytes, other.len);
	buf_init(&wrapped, 100);
	buf_init(&plain, 100);
	buf_add_c(&wrapped, "before");
	ASSERT_DONE(aead_wrap(&key, STR("access-key:AKIA1"), STR("secret"), &wrapped, &err));
	assert_int_equal(wrapped.len, 6 + AEAD_WRAP_LEN + 6);
	struct str w = str_sub(buf_str(&wrapped), 6, SIZE_MAX);
	ASSERT_DONE(aead_unwrap(&key, STR("access-key:AKIA1"), w, &plain, &err));
	ASSERT_STR(buf_str(&plain), "secret");
	ASSERT_DONE(aead_unwrap_secret(&key, STR("access-key:AKIA1"), w, &out, &err));
	assert_true(secret_str_eq(str_of(out.bytes, out.len), STR("secret")));
	ASSERT_FAILS(ERR_CORRUPT, aead_unwrap(&key, STR("access-key:AKIA2"), w, &plain, &err));
	assert_non_null(strstr(err.detail, "access-key:AKIA2"));
	ASSERT_FAILS(ERR_CORRUPT, aead_unwrap(&other, STR("access-key:AKIA1"), w, &plain, &err));
	for (size_t i = 0; i < w.len; i++) {
		wrapped.ptr[6 + i] ^= 4;
		ASSERT_FAILS(ERR_CORRUPT,
			aead_unwrap_secret(&key, STR("access-key:AKIA1"), w, &out, &err));
		wrapped.ptr[6 + i] ^= 4;
		ASSERT_FAILS(ERR_CORRUPT, aead_unwrap_secret(&key, STR("access-key:AKIA1"),
						  str_sub(w, 0, i), &out, &err));
	}
	ASSERT_STR(buf_str(&plain), "secret"); /* failures appended nothing */
	/* The same secret again is other bytes. */
	buf_reset(&plain);
	ASSERT_DONE(aead_wrap(&key, STR("access-key:AKIA1"), STR("secret"), &plain, &err));
	assert_false(str_eq(buf_str(&plain), w));
	/* Nothing at all can be wrapped too, and what does not fit is refused. */
	buf_reset(&plain);
	ASSERT_DONE(aead_wrap(&key, STR("x"), STR(""), &plain, &err));
	ASSERT_DONE(aead_unwrap_secret(&key, STR("x"), buf_str(&plain), &out, &err));
	assert_int_equal(out.len, 0);
	char big[100] = { 0 };
	ASSERT_FAILS(ERR_TOO_LARGE, aead_wrap(&key, STR("x"), str_of(big, 100), &plain, &err));
}

static void keys_are_derived_as_rfc_5869_says(void **state UNUSED)
{
	/* Appendix A.1 to A.3. A.2's inputs are runs of bytes that count upwards. */
	static const struct {
		uint8_t key_from, key_step;
		size_t key_len, salt_len, info_len, len;
		uint8_t salt_from, info_from;
		const char *okm;
	} table[] = {
		{ 0x0b, 0, 22, 13, 10, 42, 0x00, 0xf0,
			"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
		{ 0x00, 1, 80, 80, 80, 82, 0x60, 0xb0,
			"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
			"da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87" },
		{ 0x0b, 0, 22, 0, 0, 42, 0, 0,
			"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct secret key = { .len = table[i].key_len };
		struct secret out;
		uint8_t salt[80], info[80], okm[SECRET_MAX];
		struct err err;
		for (size_t k = 0; k < 80; k++) {
			key.bytes[k] = (uint8_t)(table[i].key_from + k * table[i].key_step);
			salt[k] = (uint8_t)(table[i].salt_from + k);
			info[k] = (uint8_t)(table[i].info_from + k);
		}
		assert_int_equal(unhex(table[i].okm, okm), table[i].len);
		ASSERT_DONE(hkdf_sha256(&key, str_of(salt, table[i].salt_len),
			str_of(info, table[i].info_len), table[i].len, &out, &err));
		assert_int_equal(out.len, table[i].len);
		assert_memory_equal(out.bytes, okm, out.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors_seal_and_open),
		cmocka_unit_test(whatever_is_changed_does_not_open_and_leaves_nothing),
		cmocka_unit_test(wrapped_secrets_open_only_as_what_they_are),
		cmocka_unit_test(keys_are_derived_as_rfc_5869_says),
	};
	return cmocka_run_group_tests(tests, init, NULL);
}
