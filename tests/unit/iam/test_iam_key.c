/* Access keys. */
#include "base/clock.h"
#include "iam_fixture.h"

static void a_user_has_two_keys_at_most(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_new_key one, two, three;
	make(f, IAM_TYPE_USER, "bob");
	ASSERT_DONE(iam_key_create(f->iam, STR(ACCOUNT), STR("bob"), &one, &err));
	ASSERT_DONE(iam_key_create(f->iam, STR(ACCOUNT), STR("bob"), &two, &err));
	ASSERT_REFUSED(
		"LimitExceeded", iam_key_create(f->iam, STR(ACCOUNT), STR("bob"), &three, &err));
	assert_true(strlen(one.key.id) == 20 && strlen(one.secret) == 40);
	assert_string_not_equal(one.key.id, two.key.id);
	ASSERT_REFUSED(
		"NoSuchEntity", iam_key_create(f->iam, STR(ACCOUNT), STR("eve"), &three, &err));
	struct iam_key keys[3];
	size_t n;
	const struct iam_key_page page = { STR(ACCOUNT), STR("bob"), STR(""), ARRAY_LEN(keys) };
	ASSERT_DONE(iam_key_list(f->iam, &page, keys, &n, &err));
	assert_int_equal(n, 2);
}

static void a_key_is_found_only_with_its_owner(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_new_key bobs, roots;
	const struct str root = { NULL, 0 };
	make(f, IAM_TYPE_USER, "bob");
	make(f, IAM_TYPE_USER, "eve");
	ASSERT_DONE(iam_key_create(f->iam, STR(ACCOUNT), STR("bob"), &bobs, &err));
	ASSERT_DONE(iam_key_create(f->iam, STR(ACCOUNT), root, &roots, &err));
	struct str id = str_from(bobs.key.id);
	ASSERT_REFUSED("NoSuchEntity",
		iam_key_set_active(f->iam, STR(ACCOUNT), STR("eve"), id, false, &err));
	ASSERT_REFUSED(
		"NoSuchEntity", iam_key_set_active(f->iam, STR(ACCOUNT), root, id, false, &err));
	ASSERT_REFUSED("NoSuchEntity",
		iam_key_remove(f->iam, STR("210987654321"), root, str_from(roots.key.id), &err));
	ASSERT_DONE(iam_key_set_active(f->iam, STR(ACCOUNT), STR("BOB"), id, false, &err));
	struct iam_key key;
	size_t n;
	const struct iam_key_page page = { STR(ACCOUNT), STR("bob"), STR(""), 1 };
	ASSERT_DONE(iam_key_list(f->iam, &page, &key, &n, &err));
	assert_int_equal(n, 1);
	assert_false(key.is_active);
	ASSERT_DONE(iam_key_remove(f->iam, STR(ACCOUNT), root, str_from(roots.key.id), &err));
}

static void its_last_use_is_told_as_soon_as_it_is_asked(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_new_key key;
	struct iam_key_use use;
	make(f, IAM_TYPE_USER, "bob");
	ASSERT_DONE(iam_key_create(f->iam, STR(ACCOUNT), STR("bob"), &key, &err));
	struct str id = str_from(key.key.id);
	ASSERT_DONE(iam_key_last_use(f->iam, id, &use, &err));
	assert_int_equal(use.used_at_ms, 0);
	assert_string_equal(use.user, "bob");
	iam_key_used(f->iam, id, STR("sts"), STR("us-east-1"));
	iam_key_used(f->iam, id, STR("ecr"), STR("eu-west-1"));
	ASSERT_DONE(iam_key_last_use(f->iam, id, &use, &err));
	assert_true(use.used_at_ms > clock_now_ms() - 60000);
	assert_string_equal(use.service, "ecr");
	assert_string_equal(use.region, "eu-west-1");
	ASSERT_REFUSED("NoSuchEntity", iam_key_last_use(f->iam, STR("AKIA"), &use, &err));
}

static void more_uses_than_can_be_noted_do_no_harm(void **state)
{
	struct fixture *f = *state;
	struct err err;
	for (int i = 0; i < 1000; i++) {
		char id[32];
		snprintf(id, sizeof(id), "AKIA%d", i);
		iam_key_used(f->iam, str_from(id), STR("ecr"), STR("us-east-1"));
	}
	ASSERT_DONE(iam_key_flush(f->iam, &err));
}

#define IAM_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IAM_TEST(a_user_has_two_keys_at_most),
		IAM_TEST(a_key_is_found_only_with_its_owner),
		IAM_TEST(its_last_use_is_told_as_soon_as_it_is_asked),
		IAM_TEST(more_uses_than_can_be_noted_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
