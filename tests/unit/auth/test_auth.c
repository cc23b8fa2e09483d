/* Opening, keys, and the one question. */
#include "auth/auth.h"
#include "auth_fixture.h"

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
		TEST(defaults_that_break_the_grammar_stop_the_start),
		TEST(root_may_do_all_in_its_own_account_and_nothing_elsewhere),
		TEST(auth_can_be_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
