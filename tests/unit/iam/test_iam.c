/* Users, groups, roles, policies: the rules of IAM. */
#include "iam_fixture.h"

static void an_arn_tells_whom_it_means(void **state)
{
	static const struct {
		const char *arn;
		enum iam_type type;
		const char *account, *path, *name; /* name NULL: it is none */
	} cases[] = {
		{ "arn:aws:iam::1:user/bob", IAM_TYPE_USER, "1", "/", "bob" },
		{ "arn:aws:iam::1:role/a/b/ci", IAM_TYPE_ROLE, "1", "/a/b/", "ci" },
		{ "arn:aws:iam::aws:policy/x/P", IAM_TYPE_POLICY, "aws", "/x/", "P" },
		{ "arn:aws:iam::1:oidc-provider/host/path/x", IAM_TYPE_OIDC, "1", "/",
			"host/path/x" },
		{ "arn:aws:iam::1:user/", IAM_TYPE_USER, NULL, NULL, NULL },
		{ "arn:aws:iam::1:user", IAM_TYPE_USER, NULL, NULL, NULL },
		{ "arn:aws:iam::1:users/bob", IAM_TYPE_USER, NULL, NULL, NULL },
		{ "arn:aws:iam::1:user/bob/", IAM_TYPE_USER, NULL, NULL, NULL },
		{ "arn:aws:iam::1:user/bob", IAM_TYPE_ROLE, NULL, NULL, NULL },
		{ "arn:aws:sts::1:user/bob", IAM_TYPE_USER, NULL, NULL, NULL },
		{ "", IAM_TYPE_USER, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct iam_ref ref = { .name = { NULL, 0 } };
		struct str path;
		bool is = iam_arn_parse(str_from(cases[i].arn), cases[i].type, &ref, &path);
		if (is != (cases[i].name != NULL))
			fail_msg("%s", cases[i].arn);
		if (!is)
			continue;
		ASSERT_STR(ref.account, cases[i].account);
		ASSERT_STR(ref.name, cases[i].name);
		ASSERT_STR(path, cases[i].path);
	}
}

static void a_name_is_there_once_in_any_case(void **state)
{
	struct fixture *f = *state;
	struct err err;
	const struct iam_tags none = { NULL, 0 };
	struct iam_entity out, bob = make(f, IAM_TYPE_USER, "Bob");
	struct iam_entity again = {
		.account = STR(ACCOUNT), .type = IAM_TYPE_USER, .name = STR("bOB")
	};
	ASSERT_REFUSED(
		"EntityAlreadyExists", iam_create(f->iam, &again, none, f->arena, &out, &err));
	assert_string_equal(err.msg, "EntityAlreadyExists: User with name bOB already exists.");
	struct iam_ref ref = ref_of(IAM_TYPE_USER, "bob");
	ASSERT_DONE(iam_get(f->iam, &ref, f->arena, &out, &err));
	ASSERT_STR(out.name, "Bob");
	assert_true(str_eq(out.uid, bob.uid));
	assert_true(str_starts(out.uid, STR("AIDA")) && out.uid.len == 21);
	/* A role may have the same name, and so may a user of another account. */
	make(f, IAM_TYPE_ROLE, "Bob");
	again.account = STR("210987654321");
	ASSERT_DONE(iam_create(f->iam, &again, none, f->arena, &out, &err));
}

static void a_renamed_user_keeps_its_id_and_frees_its_name(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_entity out, bob = make(f, IAM_TYPE_USER, "bob");
	make(f, IAM_TYPE_USER, "eve");
	struct iam_ref ref = ref_of(IAM_TYPE_USER, "bob");
	struct iam_change change = { .name = STR("EVE") };
	ASSERT_REFUSED("EntityAlreadyExists", iam_update(f->iam, &ref, &change, &err));
	change = (struct iam_change){ .name = STR("BOB"), .path = STR("/team/") };
	ASSERT_DONE(iam_update(f->iam, &ref, &change, &err)); /* its own name in other case */
	change = (struct iam_change){ .name = STR("rob") };
	ASSERT_DONE(iam_update(f->iam, &ref, &change, &err));
	ASSERT_REFUSED("NoSuchEntity", iam_get(f->iam, &ref, f->arena, &out, &err));
	ref = ref_of(IAM_TYPE_USER, "rob");
	ASSERT_DONE(iam_get(f->iam, &ref, f->arena, &out, &err));
	assert_int_equal(out.id, bob.id);
	ASSERT_STR(iam_arn(f->arena, &out), "arn:aws:iam::" ACCOUNT ":user/team/rob");
}

static void what_still_has_something_is_not_deleted(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_new_key key;
	make(f, IAM_TYPE_USER, "bob");
	make(f, IAM_TYPE_GROUP, "team");
	make(f, IAM_TYPE_POLICY, "P");
	struct iam_ref bob = ref_of(IAM_TYPE_USER, "bob"), team = ref_of(IAM_TYPE_GROUP, "team"),
		       p = ref_of(IAM_TYPE_POLICY, "P");
	struct str arn = STR("arn:aws:iam::" ACCOUNT ":policy/P");
	ASSERT_DONE(iam_inline_put(f->iam, &bob, STR("x"), STR("{}"), &err));
	ASSERT_REFUSED("DeleteConflict", iam_delete(f->iam, &bob, &err));
	ASSERT_DONE(iam_inline_remove(f->iam, &bob, STR("x"), &err));
	ASSERT_DONE(iam_attach(f->iam, &bob, arn, false, &err));
	ASSERT_REFUSED("DeleteConflict", iam_delete(f->iam, &bob, &err));
	ASSERT_REFUSED("DeleteConflict", iam_delete(f->iam, &p, &err));
	ASSERT_DONE(iam_detach(f->iam, &bob, arn, &err));
	ASSERT_DONE(iam_key_create(f->iam, STR(ACCOUNT), STR("bob"), &key, &err));
	ASSERT_REFUSED("DeleteConflict", iam_delete(f->iam, &bob, &err));
	ASSERT_DONE(iam_key_remove(f->iam, STR(ACCOUNT), STR("bob"), str_from(key.key.id), &err));
	ASSERT_DONE(iam_member_add(f->iam, STR(ACCOUNT), STR("team"), STR("bob"), &err));
	ASSERT_REFUSED("DeleteConflict", iam_delete(f->iam, &bob, &err));
	ASSERT_REFUSED("DeleteConflict", iam_delete(f->iam, &team, &err));
	ASSERT_DONE(iam_member_remove(f->iam, STR(ACCOUNT), STR("team"), STR("bob"), &err));
	struct iam_change bounded = { .boundary = arn };
	ASSERT_DONE(iam_update(f->iam, &bob, &bounded, &err));
	ASSERT_REFUSED("DeleteConflict", iam_delete(f->iam, &p, &err));
	ASSERT_DONE(iam_delete(f->iam, &bob, &err));
	ASSERT_DONE(iam_delete(f->iam, &team, &err));
	ASSERT_DONE(iam_delete(f->iam, &p, &err));
	ASSERT_REFUSED("NoSuchEntity", iam_delete(f->iam, &bob, &err));
}

static void a_policy_has_five_versions_whose_numbers_never_return(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_version v, list[IAM_VERSIONS_MAX];
	size_t n;
	make(f, IAM_TYPE_POLICY, "P");
	struct iam_ref p = ref_of(IAM_TYPE_POLICY, "P");
	for (int64_t i = 2; i <= 5; i++) {
		ASSERT_DONE(iam_version_add(f->iam, &p, STR("{}"), i == 5, &v, &err));
		assert_int_equal(v.number, i);
		assert_int_equal(v.is_default, i == 5);
	}
	ASSERT_REFUSED("LimitExceeded", iam_version_add(f->iam, &p, STR("{}"), true, &v, &err));
	ASSERT_REFUSED("DeleteConflict", iam_version_remove(f->iam, &p, 5, &err));
	ASSERT_DONE(iam_version_set_default(f->iam, &p, 2, &err));
	ASSERT_DONE(iam_version_remove(f->iam, &p, 5, &err));
	ASSERT_DONE(iam_version_add(f->iam, &p, STR("{ }"), false, &v, &err));
	assert_int_equal(v.number, 6);
	ASSERT_DONE(iam_version_list(f->iam, &p, f->arena, list, &n, &err));
	assert_int_equal(n, 5);
	assert_int_equal(list[0].number, 6);
	assert_int_equal(list[4].number, 1);
	assert_true(list[3].is_default);
	ASSERT_DONE(iam_version_get(f->iam, &p, 6, f->arena, &v, &err));
	ASSERT_STR(v.document, "{ }");
	ASSERT_REFUSED("NoSuchEntity", iam_version_get(f->iam, &p, 5, f->arena, &v, &err));
	ASSERT_REFUSED("DeleteConflict", iam_delete(f->iam, &p, &err));
}

static void white_space_does_not_count_toward_the_size_of_inline_policies(void **state)
{
	struct fixture *f = *state;
	struct err err;
	char text[5000];
	make(f, IAM_TYPE_USER, "bob");
	struct iam_ref bob = ref_of(IAM_TYPE_USER, "bob");
	memset(text, ' ', sizeof(text));
	memset(text, 'x', 1024);
	struct str document = { text, sizeof(text) };
	assert_int_equal(iam_document_size(document), 1024);
	assert_int_equal(iam_document_size(STR("\xc3\xa9\n\t\r e")), 2);
	ASSERT_DONE(iam_inline_put(f->iam, &bob, STR("a"), document, &err));
	ASSERT_DONE(iam_inline_put(f->iam, &bob, STR("b"), document, &err));
	ASSERT_REFUSED("LimitExceeded", iam_inline_put(f->iam, &bob, STR("c"), STR("x"), &err));
	/* Replacing one is measured without what it replaces. */
	ASSERT_DONE(iam_inline_put(f->iam, &bob, STR("b"), document, &err));
}

static void ten_policies_may_be_attached_and_they_must_be_there(void **state)
{
	struct fixture *f = *state;
	struct err err;
	make(f, IAM_TYPE_ROLE, "r");
	make(f, IAM_TYPE_POLICY, "P");
	struct iam_ref r = ref_of(IAM_TYPE_ROLE, "r");
	static const char *const strangers[] = { "arn:aws:iam::" ACCOUNT ":policy/Q",
		"arn:aws:iam::" ACCOUNT ":policy/path/P", "arn:aws:iam::" ACCOUNT ":policy/p",
		"arn:aws:iam::210987654321:policy/P", "arn:aws:iam::aws:policy/P" };
	for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
		ASSERT_REFUSED("NoSuchEntity",
			iam_attach(f->iam, &r, str_from(strangers[i]), false, &err));
	for (int i = 0; i < 2; i++)
		ASSERT_DONE(iam_attach(
			f->iam, &r, STR("arn:aws:iam::" ACCOUNT ":policy/P"), false, &err));
	for (int i = 0; i < 9; i++) {
		struct str arn = arena_printf(f->arena, "arn:aws:iam::aws:policy/A%d", i);
		ASSERT_DONE(iam_attach(f->iam, &r, arn, true, &err));
	}
	ASSERT_REFUSED("LimitExceeded",
		iam_attach(f->iam, &r, STR("arn:aws:iam::aws:policy/B"), true, &err));
}

static void a_user_is_granted_what_it_has_and_what_its_groups_have(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_identity identity;
	bool found;
	struct iam_entity bob = make(f, IAM_TYPE_USER, "bob");
	make(f, IAM_TYPE_GROUP, "team");
	make(f, IAM_TYPE_POLICY, "P");
	struct iam_ref b = ref_of(IAM_TYPE_USER, "bob"), t = ref_of(IAM_TYPE_GROUP, "team"),
		       p = ref_of(IAM_TYPE_POLICY, "P");
	struct iam_version v;
	ASSERT_DONE(iam_inline_put(f->iam, &b, STR("own"), STR("own"), &err));
	ASSERT_DONE(iam_inline_put(f->iam, &t, STR("its"), STR("its"), &err));
	ASSERT_DONE(iam_attach(f->iam, &t, STR("arn:aws:iam::aws:policy/A"), true, &err));
	ASSERT_DONE(iam_attach(f->iam, &t, STR("arn:aws:iam::" ACCOUNT ":policy/P"), false, &err));
	ASSERT_DONE(iam_version_add(f->iam, &p, STR("second"), true, &v, &err));
	ASSERT_DONE(iam_member_add(f->iam, STR(ACCOUNT), STR("team"), STR("bob"), &err));
	ASSERT_DONE(iam_identity_load(f->iam, bob.id, f->arena, &identity, &found, &err));
	assert_true(found);
	assert_int_equal(identity.document_count, 4);
	ASSERT_STR(identity.documents[0].text, "own");
	ASSERT_STR(identity.documents[1].text, "its");
	ASSERT_STR(identity.documents[2].text, "second");
	assert_null(identity.documents[3].text.ptr);
	ASSERT_STR(identity.documents[3].arn, "arn:aws:iam::aws:policy/A");
	assert_false(identity.has_boundary);
	ASSERT_DONE(iam_identity_load(f->iam, bob.id + 1000, f->arena, &identity, &found, &err));
	assert_false(found);
}

static void a_user_is_in_at_most_ten_groups(void **state)
{
	struct fixture *f = *state;
	struct err err;
	make(f, IAM_TYPE_USER, "bob");
	for (int i = 0; i < 11; i++) {
		char name[8];
		snprintf(name, sizeof(name), "g%d", i);
		make(f, IAM_TYPE_GROUP, name);
		if (i < 10)
			ASSERT_DONE(iam_member_add(
				f->iam, STR(ACCOUNT), str_from(name), STR("bob"), &err));
	}
	ASSERT_REFUSED("LimitExceeded",
		iam_member_add(f->iam, STR(ACCOUNT), STR("g10"), STR("bob"), &err));
	/* The refusal has left nothing behind. */
	const struct iam_entity *rows;
	size_t n;
	struct iam_ref bob = ref_of(IAM_TYPE_USER, "bob");
	struct iam_list list = { .account = STR(ACCOUNT), .type = IAM_TYPE_GROUP, .limit = 100 };
	ASSERT_DONE(iam_member_list(f->iam, &bob, &list, f->arena, &rows, &n, &err));
	assert_int_equal(n, 10);
}

static void lists_go_by_name_and_path(void **state)
{
	struct fixture *f = *state;
	struct err err;
	const struct iam_tags none = { NULL, 0 };
	const struct iam_entity *rows;
	size_t n;
	static const char *const names[] = { "d", "B", "a", "C" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct iam_entity e = { .account = STR(ACCOUNT),
			.type = IAM_TYPE_USER,
			.name = str_from(names[i]),
			.path = i % 2 == 0 ? STR("/x/") : STR("/y_/") };
		ASSERT_DONE(iam_create(f->iam, &e, none, f->arena, &e, &err));
	}
	struct iam_list list = { .account = STR(ACCOUNT), .type = IAM_TYPE_USER, .limit = 3 };
	ASSERT_DONE(iam_list(f->iam, &list, f->arena, &rows, &n, &err));
	assert_int_equal(n, 3);
	ASSERT_STR(rows[0].name, "a");
	ASSERT_STR(rows[2].name, "C");
	list.after = rows[2].name;
	ASSERT_DONE(iam_list(f->iam, &list, f->arena, &rows, &n, &err));
	assert_int_equal(n, 1);
	list = (struct iam_list){ .account = STR(ACCOUNT),
		.type = IAM_TYPE_USER,
		.path_prefix = STR("/y_"),
		.limit = 3 };
	ASSERT_DONE(iam_list(f->iam, &list, f->arena, &rows, &n, &err));
	assert_int_equal(n, 2);
	ASSERT_STR(rows[0].name, "B");
}

static void tags_are_at_most_fifty(void **state)
{
	struct fixture *f = *state;
	struct err err;
	make(f, IAM_TYPE_ROLE, "r");
	struct iam_ref r = ref_of(IAM_TYPE_ROLE, "r");
	for (int i = 0; i < 51; i++) {
		struct iam_tag tag = { arena_printf(f->arena, "k%d", i), STR("v") };
		struct iam_tags tags = { &tag, 1 };
		if (i < 50)
			ASSERT_DONE(iam_tag_put(f->iam, &r, tags, &err));
		else
			ASSERT_REFUSED("LimitExceeded", iam_tag_put(f->iam, &r, tags, &err));
	}
	struct str name = STR("k7");
	ASSERT_DONE(iam_tag_remove(f->iam, &r, &name, 1, &err));
	const struct iam_part_page page = { .of = &r, .kind = IAM_PART_TAG, .limit = 100 };
	const struct iam_part *parts;
	size_t n;
	ASSERT_DONE(iam_part_list(f->iam, &page, f->arena, &parts, &n, &err));
	assert_int_equal(n, 49);
}

static void every_change_makes_the_generation_grow(void **state)
{
	struct fixture *f = *state;
	struct err err;
	uint64_t before = iam_generation(f->iam);
	make(f, IAM_TYPE_USER, "bob");
	assert_true(iam_generation(f->iam) > before);
	before = iam_generation(f->iam);
	iam_key_used(f->iam, STR("AKIA"), STR("ecr"), STR("us-east-1"));
	ASSERT_DONE(iam_key_flush(f->iam, &err));
	assert_int_equal(iam_generation(f->iam), before);
}

#define IAM_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_arn_tells_whom_it_means),
		IAM_TEST(a_name_is_there_once_in_any_case),
		IAM_TEST(a_renamed_user_keeps_its_id_and_frees_its_name),
		IAM_TEST(what_still_has_something_is_not_deleted),
		IAM_TEST(a_policy_has_five_versions_whose_numbers_never_return),
		IAM_TEST(white_space_does_not_count_toward_the_size_of_inline_policies),
		IAM_TEST(ten_policies_may_be_attached_and_they_must_be_there),
		IAM_TEST(a_user_is_granted_what_it_has_and_what_its_groups_have),
		IAM_TEST(a_user_is_in_at_most_ten_groups),
		IAM_TEST(lists_go_by_name_and_path),
		IAM_TEST(tags_are_at_most_fifty),
		IAM_TEST(every_change_makes_the_generation_grow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
