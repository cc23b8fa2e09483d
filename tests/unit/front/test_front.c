/* What the fronts share, over requests that are only filled-in structs. */
#include "../auth/auth_fixture.h"
#include "front/front.h"

/* The two functions of http/ that front.c calls, for requests that never were on a wire. */
static const char *headers = "";

struct wanted {
	const char *name;
	struct str value;
};

static bool match_header(void *arg, struct str name, struct str value)
{
	struct wanted *w = arg;
	if (!str_eq_nocase(name, str_from(w->name)))
		return true;
	w->value = str_trim(value);
	return false;
}

struct str http_header(const struct http_req *req, const char *name)
{
	struct wanted w = { .name = name };
	http_headers_each(req, match_header, &w);
	return w.value;
}

void http_headers_each(const struct http_req *req, http_header_fn fn, void *arg)
{
	(void)req;
	fixture_headers(&headers, fn, arg);
}

static void a_host_in_the_form_of_ecr_names_a_registry(void **state)
{
	static const struct {
		const char *host, *domain;
		bool is_registry;
	} cases[] = {
		{ "123456789012.dkr.ecr.eu-west-1.example.org", "example.org", true },
		{ "123456789012.dkr.ecr.eu-west-1.example.org:5000", "example.org", true },
		{ "123456789012.DKR.ecr.EU-west-1.Example.Org", "example.ORG", true },
		{ "123456789012.dkr.ecr-fips.eu-west-1.example.org", "example.org", true },
		{ "123456789012.dkr-ecr.eu-west-1.example.org", "example.org", true },
		{ "123456789012.dkr-ecr-fips.eu-west-1.example.org", "example.org", true },
		{ "123456789012.dkr.ecr.eu-west-1.amazonaws.com", NULL, true },
		{ "123456789012.dkr.ecr.eu-west-1.localhost:5000", NULL, true },
		{ "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "example.org", false },
		{ "123456789012.dkr.ecr.eu-west-1.a.example.org", "example.org", false },
		{ "123456789012.dkr.ecr.eu-west-1.example.org.", "example.org", false },
		{ "123456789012.dkr.ecr.eu-west-1", NULL, false },
		{ "123456789012.dkr.ecr.eu-west-1.", NULL, false },
		{ "123456789012.dkr.ecr.eu_west_1.example.org", NULL, false },
		{ "12345678901.dkr.ecr.eu-west-1.example.org", NULL, false },
		{ "12345678901a.dkr.ecr.eu-west-1.example.org", NULL, false },
		{ "123456789012.dkr.ecs.eu-west-1.example.org", NULL, false },
		{ "123456789012.dkx.ecr.eu-west-1.example.org", NULL, false },
		{ "123456789012.dkr-ecs.eu-west-1.example.org", NULL, false },
		{ "123456789012.ecr.eu-west-1.example.org", NULL, false },
		{ "api.ecr.eu-west-1.amazonaws.com", NULL, false },
		{ "localhost:5000", NULL, false },
		{ "[::1]:5000", NULL, false },
		{ ":5000", NULL, false },
		{ "", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct registry_id reg = { .account = "none" };
		if (front_host_registry(str_from(cases[i].host), cases[i].domain, &reg) !=
			cases[i].is_registry)
			fail_msg("%s", cases[i].host);
		assert_string_equal(reg.account, cases[i].is_registry ? "123456789012" : "none");
		assert_string_equal(reg.region, cases[i].is_registry ? "eu-west-1" : "");
	}
	char longest[300];
	struct registry_id reg;
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "123456789012.dkr.ecr.eu-west-1.", 31);
	assert_false(front_host_registry((struct str){ longest, sizeof(longest) }, NULL, &reg));
}

static void a_registry_has_a_host_of_its_own_under_a_domain(void **state)
{
	struct fixture *f = *state;
	const struct registry_id reg = { .account = "123456789012", .region = "eu-west-1" };
	struct front_options o = { .domain = "example.org" };
	struct http_req req = { .host = STR("localhost:5000"), .arena = f->arena };
	ASSERT_STR(front_registry_host(&req, &o, &reg),
		"123456789012.dkr.ecr.eu-west-1.example.org:5000");
	req.host = STR("[::1]:5001");
	ASSERT_STR(front_registry_host(&req, &o, &reg),
		"123456789012.dkr.ecr.eu-west-1.example.org:5001");
	req.host = STR("[::1]");
	ASSERT_STR(
		front_registry_host(&req, &o, &reg), "123456789012.dkr.ecr.eu-west-1.example.org");
	o.domain = NULL;
	ASSERT_STR(front_registry_host(&req, &o, &reg), "[::1]");
}

static void a_message_splits_into_code_and_text(void **state)
{
	struct err err;
	struct str code = { NULL, 0 }, text = { NULL, 0 };
	static const char *const others[] = { "", "no code", ": text", "Two words: text",
		"Code:text", "http://a", "Code" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		err_set(&err, ERR_UNAUTHENTICATED, "%s", others[i]);
		if (front_split_error(&err, &code, &text))
			fail_msg("%s", others[i]);
		assert_null(code.ptr);
	}
	err_set(&err, ERR_UNAUTHENTICATED, "SomeException: A text: with colons");
	assert_true(front_split_error(&err, &code, &text));
	ASSERT_STR(code, "SomeException");
	ASSERT_STR(text, "A text: with colons");
}

static void permission_is_asked_for_the_repository_s_arn(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal root;
	struct front_options o = { .auth = f->auth };
	struct http_req req = { .arena = f->arena, .remote_ip = STR("127.0.0.1") };
	struct registry_id reg = { .account = TEST_ACCOUNT, .region = "eu-west-1" };
	const struct str nothing = { NULL, 0 };
	auth_default_principal(f->auth, &root);
	ASSERT_DONE(front_allow(&o, &req, &root, "ecr:PutImage", &reg, STR("team/r"), &err));
	ASSERT_DONE(front_allow(&o, &req, &root, "ecr:DescribeRegistry", &reg, nothing, &err));
	memcpy(reg.account, "210987654321", 12);
	ASSERT_FAILS(ERR_DENIED,
		front_allow(&o, &req, &root, "ecr:PutImage", &reg, STR("team/r"), &err));
	assert_non_null(strstr(err.msg,
		"on resource: arn:aws:ecr:eu-west-1:210987654321:repository/team/r because"));
	ASSERT_FAILS(ERR_DENIED,
		front_allow(&o, &req, &root, "ecr:DescribeRegistry", &reg, nothing, &err));
	assert_non_null(strstr(err.msg, "on resource: * because"));
}

static void the_context_tells_where_a_caller_is(void **state)
{
	struct auth_context context;
	struct http_req req = { .remote_ip = STR("192.0.2.1"), .is_tls = true };
	(void)state;
	headers = "Host: h\nuser-agent: docker/1\n";
	front_context(&req, &context);
	ASSERT_STR(context.source_ip, "192.0.2.1");
	assert_true(context.is_tls);
	ASSERT_STR(context.user_agent, "docker/1");
	headers = "";
	front_context(&req, &context);
	assert_null(context.user_agent.ptr);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_host_in_the_form_of_ecr_names_a_registry),
		TEST(a_registry_has_a_host_of_its_own_under_a_domain),
		TEST(a_message_splits_into_code_and_text),
		TEST(the_context_tells_where_a_caller_is),
		TEST(permission_is_asked_for_the_repository_s_arn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
