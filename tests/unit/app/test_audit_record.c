#include "../unit.h"
#include "app/audit_record.h"
#include "base/json.h"
#include "front/audit.h"

#define ACCOUNT "111122223333"

static const struct http_op op = { .name = "DescribeImages" };

struct record {
	struct json *root;
	struct buf text;
};

static void render(struct record *r, struct http_req *req, struct audit_note *note)
{
	struct err err;
	struct audit_context context = { 1700000000123, STR("agent"), STR("999900001111"),
		STR("eu-west-1") };
	req->op = &op;
	req->audit = note;
	memcpy(req->id, "0123456789abcdef0123456789abcdef", 33);
	buf_init(&r->text, AUDIT_RECORD_MAX);
	audit_record_request(&r->text, req, &context);
	assert_true(buf_ok(&r->text));
	assert_null(memchr(r->text.ptr, '\n', r->text.len));
	ASSERT_DONE(json_parse(buf_str(&r->text), &r->root, &err));
}

static void record_fini(struct record *r)
{
	json_free(r->root);
	buf_fini(&r->text);
}

static struct str text_at(const struct record *r, const char *a, const char *b)
{
	const struct json *v = json_get(r->root, a);
	return b != NULL ? json_get_str(v, b) : json_str(v);
}

static void a_request_becomes_a_record(void **state UNUSED)
{
	struct record r CLEANUP(record_fini) = { 0 };
	struct audit_note note = { .source = "ecr.amazonaws.com",
		.parameters = STR("{\"a\":1}"),
		.has_who = true,
		.who = { .account = STR(ACCOUNT),
			.region = STR("us-east-1"),
			.arn = STR("root-arn"),
			.user_id = STR(ACCOUNT),
			.key_id = STR("AKIAX"),
			.is_root = true } };
	struct http_req req = { .remote_ip = STR("10.0.0.1"),
		.status = 200,
		.log_registry = STR("444455556666/eu-north-1"),
		.log_repository = STR("team/app") };
	render(&r, &req, &note);
	ASSERT_STR(text_at(&r, "eventVersion", NULL), "1.10");
	ASSERT_STR(text_at(&r, "eventTime", NULL), "2023-11-14T22:13:20Z");
	ASSERT_STR(text_at(&r, "eventName", NULL), "DescribeImages");
	ASSERT_STR(text_at(&r, "requestID", NULL), "01234567-89ab-cdef-0123-456789abcdef");
	ASSERT_STR(text_at(&r, "sourceIPAddress", NULL), "10.0.0.1");
	ASSERT_STR(text_at(&r, "userAgent", NULL), "agent");
	ASSERT_STR(text_at(&r, "userIdentity", "type"), "Root");
	ASSERT_STR(text_at(&r, "userIdentity", "accountId"), ACCOUNT);
	/* The registry that was meant, not the caller's. */
	ASSERT_STR(text_at(&r, "recipientAccountId", NULL), "444455556666");
	ASSERT_STR(text_at(&r, "awsRegion", NULL), "eu-north-1");
	const struct json *resource = json_at(json_get(r.root, "resources"), 0);
	ASSERT_STR(json_get_str(resource, "ARN"),
		"arn:aws:ecr:eu-north-1:444455556666:repository/team/app");
	assert_true(json_bool(json_get(r.root, "readOnly"), false));
	assert_int_equal(json_int(json_get(json_get(r.root, "requestParameters"), "a"), 0), 1);
	assert_int_equal(json_type(json_get(r.root, "responseElements")), JSON_NULL);
	assert_null(json_get(r.root, "errorCode"));
}

static void callers_are_of_their_kinds(void **state UNUSED)
{
	static const struct {
		struct principal who;
		const char *type, *user, *issuer;
	} cases[] = {
		{ { .user_id = STR("AIDAX"), .name = STR("bob") }, "IAMUser", "bob", NULL },
		{ { .user_id = STR("AIDAX"), .name = STR("bob"), .session = STR("x") }, "IAMUser",
			"bob", "" },
		{ { .user_id = STR("AROAX:job"),
			  .name = STR("ci"),
			  .role_arn = STR("arn"),
			  .session = STR("x") },
			"AssumedRole", "", "AROAX" },
		{ { .is_root = true, .session = STR("x") }, "Root", "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct record r CLEANUP(record_fini) = { 0 };
		struct audit_note note = {
			.source = "ecr.amazonaws.com", .has_who = true, .who = cases[i].who
		};
		struct http_req req = { .status = 200 };
		render(&r, &req, &note);
		ASSERT_STR(text_at(&r, "userIdentity", "type"), cases[i].type);
		ASSERT_STR(text_at(&r, "userIdentity", "userName"), cases[i].user);
		const struct json *session =
			json_get(json_get(r.root, "userIdentity"), "sessionContext");
		assert_int_equal(session != NULL, cases[i].issuer != NULL);
		if (session != NULL)
			ASSERT_STR(json_get_str(json_get(session, "sessionIssuer"), "principalId"),
				cases[i].issuer);
	}
}

static void failures_have_ecrs_codes_on_the_data_plane_too(void **state UNUSED)
{
	static const struct {
		const char *code;
		bool is_data_plane;
		const char *told;
	} cases[] = {
		{ "DENIED", true, "AccessDenied" },
		{ "NAME_UNKNOWN", true, "RepositoryNotFoundException" },
		{ "MANIFEST_UNKNOWN", true, "ImageNotFoundException" },
		{ "TOOMANYREQUESTS", true, "ThrottlingException" },
		{ "SOMETHING_ELSE", true, "SOMETHING_ELSE" },
		{ "DENIED", false, "DENIED" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct record r CLEANUP(record_fini) = { 0 };
		struct audit_note note = { .source = "ecr.amazonaws.com",
			.is_data_plane = cases[i].is_data_plane,
			.error_code = str_from(cases[i].code),
			.error_message = STR("why"),
			.response = STR("{\"never\":\"told\"}") };
		struct http_req req = { .status = 400 };
		render(&r, &req, &note);
		ASSERT_STR(text_at(&r, "errorCode", NULL), cases[i].told);
		ASSERT_STR(text_at(&r, "errorMessage", NULL), "why");
		assert_int_equal(json_type(json_get(r.root, "responseElements")), JSON_NULL);
		ASSERT_STR(text_at(&r, "userIdentity", "type"), "Unknown");
		ASSERT_STR(text_at(&r, "recipientAccountId", NULL), "999900001111");
	}
}

static void a_client_that_went_away_shows(void **state UNUSED)
{
	struct record r CLEANUP(record_fini) = { 0 };
	struct audit_note note = { .source = "ecr.amazonaws.com", .event = "UploadLayerPart" };
	struct http_req req = { .status = 0 };
	render(&r, &req, &note);
	ASSERT_STR(text_at(&r, "errorCode", NULL), "RequestAbortedException");
	assert_false(json_bool(json_get(r.root, "readOnly"), true));
}

static void a_mount_names_both_repositories(void **state UNUSED)
{
	struct record r CLEANUP(record_fini) = { 0 };
	struct audit_note note = { .source = "ecr.amazonaws.com",
		.event = "MountLayer",
		.other_repository = STR("base") };
	struct http_req req = { .status = 201,
		.log_registry = STR(ACCOUNT "/eu-west-1"),
		.log_repository = STR("app") };
	render(&r, &req, &note);
	assert_int_equal(json_len(json_get(r.root, "resources")), 2);
	ASSERT_STR(json_get_str(json_at(json_get(r.root, "resources"), 1), "ARN"),
		"arn:aws:ecr:eu-west-1:" ACCOUNT ":repository/base");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_becomes_a_record),
		cmocka_unit_test(callers_are_of_their_kinds),
		cmocka_unit_test(failures_have_ecrs_codes_on_the_data_plane_too),
		cmocka_unit_test(a_client_that_went_away_shows),
		cmocka_unit_test(a_mount_names_both_repositories),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
