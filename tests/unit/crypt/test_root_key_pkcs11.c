#include <sys/stat.h>
#include <unistd.h>

#include "../unit.h"
#include "base/file.h"
#include "crypt/hash.h"
#include "crypt/root_key.h"

/* Against SoftHSM 2, a token in software. */

static const char *const modules[] = { "/usr/lib/softhsm/libsofthsm2.so",
	"/usr/lib64/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so" };
static const char *module;
static char root[256];

static const char *at(const char *name)
{
	static char paths[4][512];
	static unsigned turn;
	char *path = paths[turn++ % ARRAY_LEN(paths)];
	snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
	return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
	struct err err;
	ASSERT_DONE(file_write_atomic(at(name), str_from(text), mode, &err));
}

static void init_token(const char *token)
{
	char command[600];
	snprintf(command, sizeof(command),
		"softhsm2-util --init-token --free --label '%s' --so-pin 12345678 --pin 87654321 >/dev/null",
		token);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe) */
	assert_int_equal(system(command), 0);
}

static int set_up(void **state UNUSED)
{
	struct err err;
	char conf[600];
	make_temp_folder(root);
	ASSERT_DONE(file_mkdirs(at("tokens"), &err));
	snprintf(
		conf, sizeof(conf), "directories.tokendir = %s\nlog.level = ERROR\n", at("tokens"));
	put("softhsm2.conf", conf, 0600);
	put("pin", "87654321\n", 0600);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
	assert_int_equal(setenv("SOFTHSM2_CONF", at("softhsm2.conf"), 1), 0);
	init_token("berth");
	init_token("other");
	init_token("twice");
	init_token("twice");
	return crypt_init(&err) ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
	remove_temp_folder(root);
	return 0;
}

/* Everything right, in files of its own; the paths stay until the fourth use of at(). */
static struct root_key_pkcs11 from(const char *token, const char *key, bool may_make)
{
	static char pin[512], wrapped[512];
	snprintf(pin, sizeof(pin), "%s/pin", root);
	snprintf(wrapped, sizeof(wrapped), "%s/wrapped-%s-%s", root, token, key);
	return (struct root_key_pkcs11){ .module = module,
		.token = token,
		.pin_file = pin,
		.key_label = key,
		.wrapped_file = wrapped,
		.may_make = may_make };
}

static void expect_config(const struct root_key_pkcs11 *f, const char *text)
{
	struct root_key key;
	struct err err;
	bool made;
	ASSERT_FAILS(ERR_CONFIG, root_key_from_pkcs11(f, &key, &made, &err));
	if (strstr(err.msg, text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.msg, text);
}

static void the_key_is_made_once_and_comes_back(void **state UNUSED)
{
	struct root_key_pkcs11 f = from("berth", "kek", false);
	struct root_key first, second;
	struct err err;
	struct buf text CLEANUP(buf_fini);
	struct stat st;
	bool made = false;
	buf_init(&text, 1000);
	expect_config(&f, "is missing");
	f.may_make = true;
	ASSERT_DONE(root_key_from_pkcs11(&f, &first, &made, &err));
	assert_true(made);
	assert_int_equal(stat(f.wrapped_file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	ASSERT_DONE(root_key_from_pkcs11(&f, &second, &made, &err));
	assert_false(made);
	assert_true(secret_eq(first.secret.bytes, second.secret.bytes, ROOT_KEY_LEN));
	/* A start that may make nothing needs nothing made. */
	f.may_make = false;
	ASSERT_DONE(root_key_from_pkcs11(&f, &second, &made, &err));
	assert_true(secret_eq(first.secret.bytes, second.secret.bytes, ROOT_KEY_LEN));
	assert_memory_equal(first.id, second.id, ROOT_KEY_ID_LEN);
	/* The file does not hold the key. */
	ASSERT_DONE(file_read(f.wrapped_file, &text, &err));
	assert_true(str_starts(buf_str(&text), STR("berth root key v1 wrapped by PKCS#11\n")));
	assert_int_equal(text.len, 37 + 120 + 1);
	assert_null(memmem(text.ptr, text.len, first.secret.bytes, ROOT_KEY_LEN));
}

static void a_key_of_the_token_is_never_replaced(void **state UNUSED)
{
	struct root_key_pkcs11 f = from("berth", "lost", true);
	struct root_key first, second;
	struct err err;
	bool made;
	ASSERT_DONE(root_key_from_pkcs11(&f, &first, &made, &err));
	/* The token's key is gone (another name): no other is made beside the wrapped file. */
	f.key_label = "found";
	expect_config(&f, "no AES key with the label 'found'");
	/* The wrapped file is gone: the token's key serves a new root key. */
	f.key_label = "lost";
	f.may_make = false;
	assert_int_equal(unlink(f.wrapped_file), 0);
	expect_config(&f, "is missing");
	f.may_make = true;
	ASSERT_DONE(root_key_from_pkcs11(&f, &second, &made, &err));
	assert_true(made);
	assert_false(secret_eq(first.secret.bytes, second.secret.bytes, ROOT_KEY_LEN));
}

static void another_tokens_key_and_damage_are_refused(void **state UNUSED)
{
	struct root_key_pkcs11 f = from("berth", "kek2", true);
	struct root_key key;
	struct err err;
	struct buf text CLEANUP(buf_fini);
	bool made;
	buf_init(&text, 1000);
	ASSERT_DONE(root_key_from_pkcs11(&f, &key, &made, &err));
	ASSERT_DONE(file_read(f.wrapped_file, &text, &err));
	struct root_key_pkcs11 g = from("other", "kek2", true);
	ASSERT_DONE(root_key_from_pkcs11(&g, &key, &made, &err));
	ASSERT_DONE(file_write_atomic(g.wrapped_file, buf_str(&text), 0600, &err));
	expect_config(&g, "does not open the wrapped root key file");
	f = from("berth", "kek2", false);
	for (size_t i = 0; i < text.len; i += 13) {
		char was = text.ptr[i];
		text.ptr[i] = was == '0' ? '1' : '0';
		ASSERT_DONE(file_write_atomic(f.wrapped_file, buf_str(&text), 0600, &err));
		expect_config(&f, i < 37 ? "malformed" : "does not open");
		text.ptr[i] = was;
	}
	ASSERT_DONE(file_write_atomic(f.wrapped_file, buf_str(&text), 0600, &err));
	ASSERT_DONE(root_key_from_pkcs11(&f, &key, &made, &err));
}

static void what_is_configured_wrongly_is_said(void **state UNUSED)
{
	struct root_key_pkcs11 f = from("berth", "kek3", true);
	f.module = "/nowhere.so";
	expect_config(&f, "cannot be loaded");
	f.module = "libm.so.6";
	expect_config(&f, "is no PKCS#11 module");
	f = from("nobody", "kek3", true);
	expect_config(&f, "no token with the label 'nobody'");
	f = from("twice", "kek3", true);
	expect_config(&f, "more than one token");
	f = from("berth", "kek3", true);
	f.pin_file = at("no-pin");
	expect_config(&f, "is missing");
	put("bad-pin", "00000000", 0600);
	f.pin_file = at("bad-pin");
	expect_config(&f, "the PIN is wrong");
	put("bad-pin", "87654321\nmore", 0600);
	expect_config(&f, "one line");
	put("bad-pin", "87654321", 0644);
	expect_config(&f, "chmod 600");
	assert_false(file_exists(f.wrapped_file)); /* nothing was made */
	f = from("berth",
		"a label that is longer than the sixty-four characters that a label may have at most",
		true);
	expect_config(&f, "at most 64 characters");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(modules) && module == NULL; i++) {
		if (access(modules[i], R_OK) == 0)
			module = modules[i];
	}
	if (module == NULL) {
		puts("1..0 # SKIP softhsm2 is not installed");
		return 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_key_is_made_once_and_comes_back),
		cmocka_unit_test(a_key_of_the_token_is_never_replaced),
		cmocka_unit_test(another_tokens_key_and_damage_are_refused),
		cmocka_unit_test(what_is_configured_wrongly_is_said),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
