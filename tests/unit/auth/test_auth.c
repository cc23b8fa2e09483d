/* Opening, keys, and the one question. */
#include "auth/auth.h"
#include "auth_fixture.h"
#include "crypt/aead.h"
#include "iam/iam_key.h"

static void a_server_has_no_key_at_first_and_counts_what_it_makes(void **state)
{
	struct fixture *f = *state;
	struct err err;
	uint64_t n = 9;
	struct access_key a, b;
	ASSERT_DONE(auth_count_keys(f->auth, &n, &err));
	assert_int_equal(n, 0);
	ASSERT_DONE(auth_make_root_key(f->auth, "210987654321", &a, &err));
	ASSERT_DONE(auth_make_root_key(f->auth, "210987654321", &b, &err));
	ASSERT_DONE(auth_count_keys(f->auth, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(a.account, "210987654321");
	assert_int_equal(strlen(a.id), 20);
	assert_memory_equal(a.id, "AKIA", 4);
	assert_int_equal(strlen(a.secret), 40);
	assert_string_not_equal(a.id, b.id);
	assert_string_not_equal(a.secret, b.secret);
	ASSERT_FAILS(ERR_INVALID, auth_make_root_key(f->auth, "12345678901", &a, &err));
	ASSERT_FAILS(ERR_INVALID, auth_make_root_key(f->auth, "12345678901x", &a, &err));
}

struct stored {
	const char *id;
	struct key_row row;
	struct secret token_key;
	bool found_row, found_value;
};

static bool read_stored(struct db_conn *c, void *arg, struct err *err)
{
	struct stored *s = arg;
	return key_table_find(c, str_from(s->id), &s->row, &s->found_row, err) &&
	       server_value_get(c, "token-key", &s->token_key, &s->found_value, err);
}

static void secrets_stand_wrapped_in_their_rows_and_open_under_no_other_key(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct access_key key;
	struct auth *a;
	struct secret plain, wrapping = { .len = 32 };
	struct auth_options o = {
		.secrets_key = &wrapping, .account = TEST_ACCOUNT, .region = TEST_REGION
	};
	/* A folder of its own: the fixture's has a token key already. */
	auth_close(f->auth);
	f->auth = NULL;
	db_close(f->db);
	snprintf(f->path, sizeof(f->path), "%s/wrapped.db", f->folder);
	struct db_options db = { .path = f->path };
	ASSERT_DONE(db_open(&db, &f->db, &err));
	o.db = f->db;
	ASSERT_DONE(auth_open(&o, &f->auth, &err));
	ASSERT_DONE(auth_make_root_key(f->auth, TEST_ACCOUNT, &key, &err));
	struct stored s = { .id = key.id };
	ASSERT_DONE(db_read(f->db, read_stored, &s, &err));
	assert_true(s.found_row && s.found_value);
	assert_int_equal(s.row.secret.len, 40 + AEAD_WRAP_LEN);
	assert_null(memmem(s.row.secret.bytes, s.row.secret.len, key.secret, 8));
	assert_int_equal(s.token_key.len, 32 + AEAD_WRAP_LEN);
	ASSERT_DONE(iam_secret_decode(
		auth_iam(f->auth), str_from(key.id), &s.row.secret, &plain, &err));
	assert_int_equal(plain.len, 40);
	assert_memory_equal(plain.bytes, key.secret, 40);
	/* Moved to another access key's row it opens no more. */
	ASSERT_FAILS(ERR_CORRUPT, iam_secret_decode(auth_iam(f->auth), STR("AKIAAAAAAAAAAAAAAAAA"),
					  &s.row.secret, &plain, &err));
	wrapping.bytes[31] ^= 1;
	ASSERT_FAILS(ERR_CORRUPT, auth_open(&o, &a, &err));
}

static void defaults_that_break_the_grammar_stop_the_start(void **state)
{
	static const struct {
		const char *account, *region;
	} bad[] = { { "12345678901", "eu-west-1" }, { "1234567890123", "eu-west-1" },
		{ "12345678901a", "eu-west-1" }, { "123456789012", "e" }, { "123456789012", "EU" },
		{ "123456789012", "a2345678901234567890123456" }, { NULL, "eu-west-1" },
		{ "123456789012", NULL } };
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err;
		struct auth *a;
		struct auth_options o = {
			.db = f->db, .account = bad[i].account, .region = bad[i].region
		};
		ASSERT_FAILS(ERR_CONFIG, auth_open(&o, &a, &err));
	}
}

static void root_may_do_all_in_its_own_account_and_nothing_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal root;
	auth_default_principal(f->auth, &root);
	struct auth_question q = { .who = &root,
		.action = STR("ecr:BatchGetImage"),
		.account = STR(TEST_ACCOUNT),
		.resource = STR("arn:aws:ecr:eu-west-1:210987654321:repository/r") };
	ASSERT_DONE(auth_allow(f->auth, &q, &err));
	q.account = STR("210987654321");
	ASSERT_FAILS(ERR_DENIED, auth_allow(f->auth, &q, &err));
	assert_string_equal(err.msg,
		"User: arn:aws:iam::" TEST_ACCOUNT
		":root is not authorized to perform: ecr:BatchGetImage on resource: "
		"arn:aws:ecr:eu-west-1:210987654321:repository/r because no resource-based policy allows the "
		"ecr:BatchGetImage action");
	q.account = STR(TEST_ACCOUNT);
	root.is_root = false;
	ASSERT_FAILS(ERR_DENIED, auth_allow(f->auth, &q, &err));
}

static void auth_can_be_off(void **state)
{
	struct fixture *f = *state;
	assert_false(auth_is_off(f->auth));
	fixture_open_auth(f, true);
	assert_true(auth_is_off(f->auth));
	auth_close(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_server_has_no_key_at_first_and_counts_what_it_makes),
		TEST(secrets_stand_wrapped_in_their_rows_and_open_under_no_other_key),
		TEST(defaults_that_break_the_grammar_stop_the_start),
		TEST(root_may_do_all_in_its_own_account_and_nothing_elsewhere),
		TEST(auth_can_be_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
