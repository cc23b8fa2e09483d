#include <sys/stat.h>

#include "../unit.h"
#include "base/file.h"
#include "crypt/aead.h"
#include "crypt/hash.h"
#include "crypt/root_key.h"

static char root[256];

static int set_up(void **state UNUSED)
{
	struct err err;
	make_temp_folder(root);
	return crypt_init(&err) ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
	remove_temp_folder(root);
	return 0;
}

static const char *at(const char *name)
{
	static char path[512];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
	struct err err;
	ASSERT_DONE(file_write_atomic(at(name), str_from(text), mode, &err));
}

#define DIGITS "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void a_missing_key_is_made_only_when_allowed_and_stays(void **state UNUSED)
{
	struct root_key first, second;
	struct err err;
	struct stat st;
	bool made = false;
	ASSERT_FAILS(ERR_CONFIG, root_key_from_file(at("made"), false, &first, &made, &err));
	assert_non_null(strstr(err.msg, "is missing"));
	assert_false(file_exists(at("made")));
	ASSERT_DONE(root_key_from_file(at("made"), true, &first, &made, &err));
	assert_true(made);
	assert_int_equal(stat(at("made"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ASSERT_DONE(root_key_from_file(at("made"), true, &second, &made, &err));
	assert_false(made);
	assert_int_equal(first.secret.len, ROOT_KEY_LEN);
	assert_true(secret_eq(first.secret.bytes, second.secret.bytes, ROOT_KEY_LEN));
	assert_memory_equal(first.id, second.id, ROOT_KEY_ID_LEN);
	ASSERT_DONE(root_key_from_file(at("made2"), true, &second, &made, &err));
	assert_false(secret_eq(first.secret.bytes, second.secret.bytes, ROOT_KEY_LEN));
	ASSERT_FAILS(ERR_INTERNAL, root_key_from_file(at("no/made"), true, &second, &made, &err));
}

static void the_text_form_has_no_variants(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool is_good;
	} table[] = {
		{ "berth root key v1\n" DIGITS "\n", true },
		{ "berth root key v1\n" DIGITS, true },
		{ "berth root key v1\n" DIGITS "\n\n", false },
		{ "berth root key v1\n" DIGITS " \n", false },
		{ "berth root key v1\n" DIGITS "0\n", false },
		{ "berth root key v1\n" DIGITS "00\n", false },
		{ "berth root key v1\r\n" DIGITS "\r\n", false },
		{ "berth root key v2\n" DIGITS "\n", false },
		{ "\n" DIGITS "\n", false },
		{ DIGITS "\n", false },
		{ "berth root key v1\n000102\n", false },
		{ "berth root key v1\n", false },
		{ "berth root key v1\n000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n",
			false },
		{ "berth root key v1\n00010203040506070809xxxx0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
			false },
		{ "", false },
	};

	/* Python: hashlib.sha256(b"berth root key id" + bytes(range(32))).digest()[:8] */
	static const uint8_t id[] = { 0x2d, 0xe7, 0x8e, 0x8c, 0xb4, 0xa7, 0xa8, 0xf9 };
	struct root_key key;
	struct err err;
	bool made = true;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		put("text", table[i].text, 0600);
		if (table[i].is_good) {
			ASSERT_DONE(root_key_from_file(at("text"), true, &key, &made, &err));
			assert_false(made);
			for (size_t k = 0; k < ROOT_KEY_LEN; k++)
				assert_int_equal(key.secret.bytes[k], k);
			assert_memory_equal(key.id, id, ROOT_KEY_ID_LEN);
		} else {
			ASSERT_FAILS(ERR_CONFIG,
				root_key_from_file(at("text"), true, &key, &made, &err));
			assert_non_null(strstr(err.msg, "malformed"));
			assert_null(strstr(err.msg, "0001")); /* tells nothing of the content */
		}
	}
	char big[1000];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	put("text", big, 0600);
	ASSERT_FAILS(ERR_CONFIG, root_key_from_file(at("text"), true, &key, &made, &err));
	ASSERT_FAILS(ERR_CONFIG, root_key_from_file(root, true, &key, &made, &err));
	assert_non_null(strstr(err.msg, "is not a file"));
}

static void a_file_that_others_may_read_is_refused(void **state UNUSED)
{
	static const struct {
		mode_t mode;
		bool is_good;
	} table[] = { { 0600, true }, { 0400, true }, { 0640, false }, { 0604, false },
		{ 0620, false }, { 0644, false } };
	struct root_key key;
	struct err err;
	bool made;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		put("mode", "berth root key v1\n" DIGITS "\n", table[i].mode);
		if (table[i].is_good) {
			ASSERT_DONE(root_key_from_file(at("mode"), false, &key, &made, &err));
			continue;
		}
		ASSERT_FAILS(ERR_CONFIG, root_key_from_file(at("mode"), false, &key, &made, &err));
		assert_non_null(strstr(err.msg, "chmod 600"));
	}
}

static void a_credential_is_read_and_never_made(void **state UNUSED)
{
	struct root_key key;
	struct err err;
	ASSERT_DONE(file_mkdirs(at("credentials"), &err));
	char folder[512];
	snprintf(folder, sizeof(folder), "%s", at("credentials"));
	ASSERT_FAILS(ERR_CONFIG, root_key_from_credential(folder, &key, &err));
	assert_non_null(strstr(err.msg, "LoadCredential"));
	/* systemd gives the file to the service's user by an ACL, whose mask shows as the group's
	 * mode. */
	put("credentials/root-key", "berth root key v1\n" DIGITS "\n", 0440);
	ASSERT_DONE(root_key_from_credential(folder, &key, &err));
	assert_int_equal(key.secret.bytes[31], 31);
	put("credentials/root-key", "something else\n", 0440);
	ASSERT_FAILS(ERR_CONFIG, root_key_from_credential(folder, &key, &err));
	assert_non_null(strstr(err.msg, "malformed"));
}

static void purposes_have_keys_of_their_own(void **state UNUSED)
{
	/* Python: HKDF(SHA256, 32, None, b"berth root v1:secrets").derive(bytes(range(32))) */
	static const uint8_t expected[] = { 0x12, 0xf9, 0x67, 0x36, 0x8a, 0x96, 0x65, 0xff, 0xb7,
		0xba, 0x73, 0xc8, 0x52, 0x30, 0xd2, 0xa6, 0x18, 0x8e, 0x46, 0x50, 0xbe, 0x73, 0xe9,
		0x71, 0x8d, 0xdf, 0x2b, 0x03, 0x35, 0x91, 0x1e, 0xf0 };
	struct root_key key;
	struct secret a, b;
	struct err err;
	bool made;
	put("derive", "berth root key v1\n" DIGITS "\n", 0600);
	ASSERT_DONE(root_key_from_file(at("derive"), false, &key, &made, &err));
	ASSERT_DONE(root_key_derive(&key, STR("secrets"), &a, &err));
	ASSERT_DONE(root_key_derive(&key, STR("managed-kek"), &b, &err));
	assert_int_equal(a.len, 32);
	assert_memory_equal(a.bytes, expected, 32);
	assert_memory_not_equal(a.bytes, b.bytes, 32);
	assert_memory_not_equal(a.bytes, key.secret.bytes, 32);
}

static void another_root_key_is_told_apart_from_damage(void **state UNUSED)
{
	struct root_key one, two;
	struct err err;
	struct buf value CLEANUP(buf_fini);
	bool made;
	buf_init(&value, 64);
	ASSERT_DONE(root_key_from_file(at("one"), true, &one, &made, &err));
	ASSERT_DONE(root_key_from_file(at("two"), true, &two, &made, &err));
	ASSERT_DONE(root_key_check_value(&one, &value, &err));
	ASSERT_DONE(root_key_verify(&one, buf_str(&value), &err));
	ASSERT_FAILS(ERR_CONFIG, root_key_verify(&two, buf_str(&value), &err));
	assert_non_null(strstr(err.msg, "another root key"));
	for (size_t i = 0; i < value.len; i++) {
		value.ptr[i] ^= 2;
		ASSERT_FAILS(ERR_CORRUPT, root_key_verify(&one, buf_str(&value), &err));
		value.ptr[i] ^= 2;
		ASSERT_FAILS(
			ERR_CORRUPT, root_key_verify(&one, str_sub(buf_str(&value), 0, i), &err));
	}
	buf_add_char(&value, 'x');
	ASSERT_FAILS(ERR_CORRUPT, root_key_verify(&one, buf_str(&value), &err));
	root_key_wipe(&one);
	for (size_t i = 0; i < SECRET_MAX; i++)
		assert_int_equal(one.secret.bytes[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_key_is_made_only_when_allowed_and_stays),
		cmocka_unit_test(the_text_form_has_no_variants),
		cmocka_unit_test(a_file_that_others_may_read_is_refused),
		cmocka_unit_test(a_credential_is_read_and_never_made),
		cmocka_unit_test(purposes_have_keys_of_their_own),
		cmocka_unit_test(another_root_key_is_told_apart_from_damage),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
