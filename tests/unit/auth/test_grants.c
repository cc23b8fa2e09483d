/* What users and roles are granted: policies from IAM, at once, and resource policies beside them.
 */
#include "auth/policy.h"
#include "base/thread.h"
#include "iam_fixture.h"

static void a_policy_counts_from_the_moment_it_is_there_to_the_moment_it_is_gone(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_entity bob = fixture_make(f, IAM_TYPE_USER, "bob", "");
	struct principal who = fixture_user(f, &bob);
	struct iam_ref ref = fixture_ref(IAM_TYPE_USER, "bob");
	for (int i = 0; i < 3; i++) {
		assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
		fixture_inline(f, IAM_TYPE_USER, "bob", ALLOW("ecr:PutImage", REPO "a"));
		assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
		assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "b"));
		ASSERT_DONE(iam_inline_remove(auth_iam(f->auth), &ref, STR("p"), &err));
	}
}

static void groups_versions_and_boundaries_count_too(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam *iam = auth_iam(f->auth);
	struct iam_version v;
	struct iam_entity bob = fixture_make(f, IAM_TYPE_USER, "bob", "");
	struct principal who = fixture_user(f, &bob);
	fixture_make(f, IAM_TYPE_GROUP, "team", "");
	fixture_make(f, IAM_TYPE_POLICY, "P", ALLOW("ecr:PutImage", "*"));
	struct iam_ref team = fixture_ref(IAM_TYPE_GROUP, "team"),
		       p = fixture_ref(IAM_TYPE_POLICY, "P"), b = fixture_ref(IAM_TYPE_USER, "bob");
	struct str arn = STR("arn:aws:iam::" TEST_ACCOUNT ":policy/P");
	ASSERT_DONE(iam_attach(iam, &team, arn, false, &err));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	ASSERT_DONE(iam_member_add(iam, STR(TEST_ACCOUNT), STR("team"), STR("bob"), &err));
	assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	ASSERT_DONE(iam_version_add(iam, &p, STR(ALLOW("ecr:ListImages", "*")), true, &v, &err));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	assert_true(fixture_may(f, &who, "ecr:ListImages", REPO "a"));
	fixture_inline(f, IAM_TYPE_USER, "bob", ALLOW("ecr:*", "*"));
	assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	struct iam_change bounded = { .boundary = arn };
	ASSERT_DONE(iam_update(iam, &b, &bounded, &err));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	assert_true(fixture_may(f, &who, "ecr:ListImages", REPO "a"));
	fixture_inline(f, IAM_TYPE_USER, "bob", DENY("ecr:*", "*"));
	assert_false(fixture_may(f, &who, "ecr:ListImages", REPO "a"));
}

static void managed_policies_of_aws_are_there(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_entity bob = fixture_make(f, IAM_TYPE_USER, "bob", "");
	struct principal who = fixture_user(f, &bob);
	struct iam_ref b = fixture_ref(IAM_TYPE_USER, "bob");
	ASSERT_DONE(iam_attach(auth_iam(f->auth), &b,
		STR("arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"), true, &err));
	assert_true(fixture_may(f, &who, "ecr:BatchGetImage", REPO "a"));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
}

static void a_user_that_is_gone_may_nothing(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam *iam = auth_iam(f->auth);
	struct iam_entity bob = fixture_make(f, IAM_TYPE_USER, "bob", "");
	struct principal who = fixture_user(f, &bob);
	struct iam_ref b = fixture_ref(IAM_TYPE_USER, "bob");
	fixture_inline(f, IAM_TYPE_USER, "bob", ALLOW("ecr:*", "*"));
	assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	ASSERT_DONE(iam_inline_remove(iam, &b, STR("p"), &err));
	ASSERT_DONE(iam_key_remove(iam, STR(TEST_ACCOUNT), STR("bob"), who.key_id, &err));
	ASSERT_DONE(iam_delete(iam, &b, &err));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	/* A new one of that name is another. */
	fixture_make(f, IAM_TYPE_USER, "bob", "");
	fixture_inline(f, IAM_TYPE_USER, "bob", ALLOW("ecr:*", "*"));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
}

static void a_stored_policy_that_cannot_be_read_allows_nothing(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_entity bob = fixture_make(f, IAM_TYPE_USER, "bob", "");
	struct principal who = fixture_user(f, &bob);
	fixture_inline(f, IAM_TYPE_USER, "bob", "{");
	struct auth_question q = { .who = &who,
		.action = STR("ecr:PutImage"),
		.account = STR(TEST_ACCOUNT),
		.resource = STR(REPO "a") };
	ASSERT_FAILS(ERR_CORRUPT, auth_allow(f->auth, &q, &err));
}

static void conditions_see_the_caller_and_the_circumstances(void **state)
{
	static const struct {
		const char *condition;
		bool holds;
	} cases[] = {
		{ "\"IpAddress\":{\"aws:SourceIp\":\"10.1.0.0/16\"}", true },
		{ "\"IpAddress\":{\"aws:SourceIp\":\"10.2.0.0/16\"}", false },
		{ "\"Bool\":{\"aws:SecureTransport\":\"false\"}", true },
		{ "\"StringEquals\":{\"aws:username\":\"bob\"}", true },
		{ "\"StringLike\":{\"aws:userid\":\"AIDA*\"}", true },
		{ "\"ArnEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::*:user/bob\"}", true },
		{ "\"StringEquals\":{\"aws:PrincipalAccount\":\"" TEST_ACCOUNT "\"}", true },
		{ "\"StringEquals\":{\"aws:ResourceAccount\":\"" TEST_ACCOUNT "\"}", true },
		{ "\"StringEquals\":{\"aws:PrincipalTag/team\":\"blue\"}", true },
		{ "\"StringEquals\":{\"aws:PrincipalTag/team\":\"red\"}", false },
		{ "\"StringEquals\":{\"aws:PrincipalType\":\"User\"}", true },
		{ "\"DateGreaterThan\":{\"aws:CurrentTime\":\"2020-01-01T00:00:00Z\"}", true },
		{ "\"NumericGreaterThan\":{\"aws:EpochTime\":\"1577836800\"}", true },
		{ "\"Null\":{\"aws:TokenIssueTime\":\"true\"}", true },
		{ "\"Null\":{\"aws:MultiFactorAuthPresent\":\"true\"}", true },
		{ "\"StringEquals\":{\"aws:RequestedRegion\":\"" TEST_REGION "\"}", true },
	};
	struct fixture *f = *state;
	struct err err;
	struct iam_entity bob = fixture_make(f, IAM_TYPE_USER, "bob", "");
	struct principal who = fixture_user(f, &bob);
	struct iam_ref b = fixture_ref(IAM_TYPE_USER, "bob");
	struct iam_tag tag = { STR("team"), STR("blue") };
	struct iam_tags tags = { &tag, 1 };
	ASSERT_DONE(iam_tag_put(auth_iam(f->auth), &b, tags, &err));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[512];
		snprintf(text, sizeof(text),
			"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":"
			"\"ecr:PutImage\",\"Resource\":\"*\",\"Condition\":{%s}}}",
			cases[i].condition);
		fixture_inline(f, IAM_TYPE_USER, "bob", text);
		if (fixture_may(f, &who, "ecr:PutImage", REPO "a") != cases[i].holds)
			fail_msg("%s", cases[i].condition);
	}
}

/* Tags of a resource: how often they were asked for. */
struct tagged {
	struct auth_tag tag;
	unsigned asked;
};

static bool tags_of(void *arg, const struct auth_tag **out, size_t *out_n, struct err *err)
{
	struct tagged *t = arg;
	(void)err;
	t->asked++;
	*out = &t->tag;
	*out_n = 1;
	return true;
}

static void tags_of_a_resource_are_asked_only_when_a_policy_reads_them(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_entity bob = fixture_make(f, IAM_TYPE_USER, "bob", "");
	struct principal who = fixture_user(f, &bob);
	struct tagged t = { .tag = { STR("env"), STR("dev") } };
	struct auth_context context = { .resource_tags = tags_of, .resource_tags_arg = &t };
	struct auth_question q = { .who = &who,
		.action = STR("ecr:PutImage"),
		.account = STR(TEST_ACCOUNT),
		.resource = STR(REPO "a"),
		.context = &context };
	fixture_inline(f, IAM_TYPE_USER, "bob", ALLOW("ecr:*", "*"));
	ASSERT_DONE(auth_allow(f->auth, &q, &err));
	assert_int_equal(t.asked, 0);
	static const char *const keys[] = { "aws:ResourceTag/env", "ecr:ResourceTag/env" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char text[512];
		snprintf(text, sizeof(text),
			"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":"
			"\"ecr:PutImage\",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{\"%s\":"
			"\"dev\"}}}}",
			keys[i]);
		fixture_inline(f, IAM_TYPE_USER, "bob", text);
		t.tag.value = STR("dev");
		ASSERT_DONE(auth_allow(f->auth, &q, &err));
		assert_int_equal(t.asked, 2 * i + 1);
		t.tag.value = STR("prod");
		ASSERT_FAILS(ERR_DENIED, auth_allow(f->auth, &q, &err));
	}
}

/* A source of one repository policy, and what it was asked. */
struct source {
	struct policy *repository;
	char region[32];
	int held;
};

static bool source_find(void *arg, struct str account, struct str region, struct str resource,
	struct auth_resource_policies *out, struct err *err)
{
	struct source *s = arg;
	(void)account;
	(void)resource;
	(void)err;
	snprintf(s->region, sizeof(s->region), STR_FMT, STR_ARG(region));
	s->held++;
	*out = (struct auth_resource_policies){ .repository = s->repository };
	return true;
}

static void source_release(void *arg, struct auth_resource_policies *policies)
{
	struct source *s = arg;
	(void)policies;
	s->held--;
}

static void a_resource_policy_grants_and_denies_and_is_given_back(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct source s = { .held = 0 };
	struct auth_options o = { .db = f->db,
		.account = TEST_ACCOUNT,
		.region = TEST_REGION,
		.resource_policies = { source_find, source_release, &s } };
	auth_close(f->auth);
	ASSERT_DONE(auth_open(&o, &f->auth, &err));
	struct iam_entity bob = fixture_make(f, IAM_TYPE_USER, "bob", "");
	struct principal who = fixture_user(f, &bob), root;
	auth_default_principal(f->auth, &root);
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	ASSERT_DONE(policy_compile(
		STR("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{"
		    "\"AWS\":\"arn:aws:iam::" TEST_ACCOUNT
		    ":user/bob\"},\"Action\":\"ecr:PutImage\"},{\"Effect\":\"Deny\",\"Principal\":"
		    "\"*\",\"Action\":\"ecr:DeleteRepository\"}]}"),
		POLICY_REPOSITORY, &s.repository, &err));
	assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	assert_string_equal(s.region, TEST_REGION);
	assert_false(fixture_may(f, &root, "ecr:DeleteRepository", REPO "a"));
	assert_true(fixture_may(f, &root, "ecr:PutImage", REPO "a"));
	assert_int_equal(s.held, 0);
	/* Not asked for other services. */
	s.region[0] = '\0';
	assert_true(fixture_may(f, &root, "iam:GetUser", "*"));
	assert_string_equal(s.region, "");
	policy_free(s.repository);
}

struct asker {
	struct fixture *f;
	struct principal who;
	_Atomic bool stop;
	unsigned asked;
};

static void ask_until_stopped(void *arg)
{
	struct asker *a = arg;
	while (!a->stop) {
		(void)fixture_may(a->f, &a->who, "ecr:PutImage", REPO "a");
		a->asked++;
	}
}

static void decisions_go_on_while_policies_change(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct iam_entity bob = fixture_make(f, IAM_TYPE_USER, "bob", "");
	struct asker askers[2] = { { .f = f }, { .f = f } };
	struct thread *threads[2];
	for (size_t i = 0; i < 2; i++) {
		askers[i].who = fixture_user(f, &bob);
		ASSERT_DONE(thread_start(
			"asker", ask_until_stopped, &askers[i], 512 * KIB, &threads[i], &err));
	}
	for (int i = 0; i < 100; i++)
		fixture_inline(f, IAM_TYPE_USER, "bob",
			i % 2 != 0 ? ALLOW("ecr:*", "*") : DENY("ecr:*", "*"));
	for (size_t i = 0; i < 2; i++)
		askers[i].stop = true;
	for (size_t i = 0; i < 2; i++)
		thread_join(threads[i]);
	assert_true(fixture_may(f, &askers[0].who, "ecr:PutImage", REPO "a"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_policy_counts_from_the_moment_it_is_there_to_the_moment_it_is_gone),
		TEST(groups_versions_and_boundaries_count_too),
		TEST(managed_policies_of_aws_are_there),
		TEST(a_user_that_is_gone_may_nothing),
		TEST(a_stored_policy_that_cannot_be_read_allows_nothing),
		TEST(conditions_see_the_caller_and_the_circumstances),
		TEST(tags_of_a_resource_are_asked_only_when_a_policy_reads_them),
		TEST(a_resource_policy_grants_and_denies_and_is_given_back),
		TEST(decisions_go_on_while_policies_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
