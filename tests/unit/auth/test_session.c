/* Sessions: what becomes one, what it carries, and when it ends. */
#include "auth/session.h"
#include "auth/token.h"
#include "iam_fixture.h"

#define ROLE_ARN "arn:aws:iam::" TEST_ACCOUNT ":role/ci"
#define BOB_ARN  "arn:aws:iam::" TEST_ACCOUNT ":user/bob"

static const struct auth_context nowhere;

/* Assumes the role "ci" as who. */
static bool assume(struct fixture *f, const struct principal *who, struct assume_request *r,
	struct assumed *out, struct err *err)
{
	if (r->role_arn.ptr == NULL)
		r->role_arn = STR(ROLE_ARN);
	if (r->session_name.ptr == NULL)
		r->session_name = STR("run-1");
	return assume_role(f->auth, who, &nowhere, r, f->arena, out, err);
}

/* Who a request signed with these credentials is; false: nobody. */
static bool open_session(struct fixture *f, const struct credentials *c, struct principal *out)
{
	struct err err;
	struct opened_session o;
	bool found = false;
	ASSERT_DONE(session_open(f->auth, c->key_id, c->token, f->arena, &o, &found, &err));
	if (!found)
		return false;
	assert_true(secret_str_eq((struct str){ (char *)o.secret.bytes, o.secret.len }, c->secret));
	ASSERT_DONE(session_principal(
		f->auth, &o.session, STR(TEST_REGION), f->arena, out, &found, &err));
	return found;
}

static struct principal bob_with_role(struct fixture *f, const char *trusts)
{
	struct iam_entity bob = fixture_make(f, IAM_TYPE_USER, "bob", "");
	fixture_make(f, IAM_TYPE_ROLE, "ci", trusts);
	return fixture_user(f, &bob);
}

static void a_session_is_its_role(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal bob = bob_with_role(f, TRUST(BOB_ARN)), who;
	struct assume_request r = { .duration_s = 900 };
	struct assumed a;
	ASSERT_DONE(assume(f, &bob, &r, &a, &err));
	ASSERT_STR(a.arn, "arn:aws:sts::" TEST_ACCOUNT ":assumed-role/ci/run-1");
	assert_true(str_starts(a.credentials.key_id, STR("ASIA")));
	assert_true(open_session(f, &a.credentials, &who));
	assert_true(str_eq(who.arn, a.arn));
	assert_true(str_eq(who.user_id, a.user_id));
	ASSERT_STR(who.role_arn, ROLE_ARN);
	assert_false(who.is_root);
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	fixture_inline(f, IAM_TYPE_ROLE, "ci", ALLOW("ecr:PutImage", "*"));
	assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
}

static void a_role_that_trusts_the_account_wants_leave_from_it(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal bob = bob_with_role(f, TRUST("arn:aws:iam::" TEST_ACCOUNT ":root"));
	struct assume_request r = { .duration_s = 0 };
	struct assumed a;
	ASSERT_FAILS(ERR_DENIED, assume(f, &bob, &r, &a, &err));
	assert_string_equal(err.msg,
		"User: " BOB_ARN
		" is not authorized to perform: sts:AssumeRole on resource: " ROLE_ARN);
	fixture_inline(f, IAM_TYPE_USER, "bob", ALLOW("sts:AssumeRole", ROLE_ARN));
	ASSERT_DONE(assume(f, &bob, &r, &a, &err));
	r.role_arn = STR("arn:aws:iam::" TEST_ACCOUNT ":role/nobody");
	ASSERT_FAILS(ERR_DENIED, assume(f, &bob, &r, &a, &err));
}

static void root_assumes_no_role(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal root;
	struct assume_request r = { .duration_s = 0 };
	struct assumed a;
	bob_with_role(f, TRUST("*"));
	auth_default_principal(f->auth, &root);
	ASSERT_FAILS(ERR_DENIED, assume(f, &root, &r, &a, &err));
	assert_string_equal(err.msg, "Roles may not be assumed by root accounts.");
}

static void a_role_says_how_long(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal bob = bob_with_role(f, TRUST("*")), session;
	struct assume_request r = { .duration_s = 7200 }, longer = { .duration_s = 7201 };
	struct assumed a;
	ASSERT_DONE(assume(f, &bob, &r, &a, &err));
	ASSERT_FAILS(ERR_INVALID, assume(f, &bob, &longer, &a, &err));
	/* Chained: an hour at most. */
	assert_true(open_session(f, &a.credentials, &session));
	ASSERT_FAILS(ERR_INVALID, assume(f, &session, &r, &a, &err));
	r.duration_s = 3600;
	ASSERT_DONE(assume(f, &session, &r, &a, &err));
}

static void session_policies_narrow(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal bob = bob_with_role(f, TRUST("*")), who;
	struct assume_request r = { .policy = STR(ALLOW("ecr:*", REPO "a")) };
	struct assumed a;
	fixture_inline(f, IAM_TYPE_ROLE, "ci", ALLOW("ecr:PutImage", "*"));
	ASSERT_DONE(assume(f, &bob, &r, &a, &err));
	assert_true(open_session(f, &a.credentials, &who));
	assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "b"));
	assert_false(fixture_may(f, &who, "ecr:ListImages", REPO "a"));
	/* By ARN, and so does its next version, at once. */
	struct str arn = STR("arn:aws:iam::" TEST_ACCOUNT ":policy/P");
	struct iam_ref p = fixture_ref(IAM_TYPE_POLICY, "P");
	struct iam_version v;
	fixture_make(f, IAM_TYPE_POLICY, "P", ALLOW("ecr:*", REPO "b"));
	r = (struct assume_request){ .policy_arns = &arn, .policy_arn_count = 1 };
	ASSERT_DONE(assume(f, &bob, &r, &a, &err));
	assert_true(open_session(f, &a.credentials, &who));
	assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "b"));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	ASSERT_DONE(iam_version_add(
		auth_iam(f->auth), &p, STR(ALLOW("ecr:*", REPO "a")), true, &v, &err));
	assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "b"));
	/* Gone, it allows nothing. */
	ASSERT_DONE(iam_version_remove(auth_iam(f->auth), &p, 1, &err));
	ASSERT_DONE(iam_delete(auth_iam(f->auth), &p, &err));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	ASSERT_FAILS(ERR_INVALID, assume(f, &bob, &r, &a, &err));
	r = (struct assume_request){ .policy = STR("{") };
	ASSERT_FAILS(ERR_INVALID, assume(f, &bob, &r, &a, &err));
	assert_true(strncmp(err.msg, "MalformedPolicyDocument: ", 25) == 0);
}

static void a_token_altered_anywhere_is_no_token(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal bob = bob_with_role(f, TRUST("*")), who;
	struct assume_request r = { .duration_s = 0 };
	struct assumed a;
	ASSERT_DONE(assume(f, &bob, &r, &a, &err));
	struct credentials c = a.credentials;
	for (size_t i = 0; i < a.credentials.token.len; i += 7) {
		struct str copy = arena_str(f->arena, a.credentials.token);
		char *p = arena_alloc(f->arena, copy.len + 1);
		memcpy(p, copy.ptr, copy.len);
		p[i] = p[i] == 'A' ? 'B' : 'A';
		c.token = (struct str){ p, copy.len };
		assert_false(open_session(f, &c, &who));
	}
	c.token = str_sub(a.credentials.token, 0, a.credentials.token.len - 4);
	assert_false(open_session(f, &c, &who));
	/* Nor is it one for another key id. */
	struct assumed other;
	ASSERT_DONE(assume(f, &bob, &r, &other, &err));
	c.token = other.credentials.token;
	assert_false(open_session(f, &c, &who));
}

/* Refused for its length alone, before anything of it is opened; what the function cleans up on its
 * way out must be something by then. */
static void what_is_longer_than_any_token_is_none(void **state)
{
	struct fixture *f = *state;
	struct principal who;
	struct credentials c = { .key_id = STR("ASIAEXAMPLEEXAMPLE00") };
	char *p = arena_alloc(f->arena, SESSION_TOKEN_MAX + 1);
	assert_non_null(p);
	memset(p, 'A', SESSION_TOKEN_MAX + 1);
	for (int i = 0; i < 3; i++) {
		c.token = (struct str){ p, SESSION_TOKEN_MAX + 1 };
		assert_false(open_session(f, &c, &who));
		c.token.len--;
		assert_false(open_session(f, &c, &who));
	}
}

static void with_the_role_go_its_sessions(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal bob = bob_with_role(f, TRUST("*")), who;
	struct assume_request r = { .duration_s = 0 };
	struct assumed a;
	struct iam_ref role = fixture_ref(IAM_TYPE_ROLE, "ci");
	ASSERT_DONE(assume(f, &bob, &r, &a, &err));
	assert_true(open_session(f, &a.credentials, &who));
	ASSERT_DONE(iam_delete(auth_iam(f->auth), &role, &err));
	assert_false(open_session(f, &a.credentials, &who));
	fixture_make(f, IAM_TYPE_ROLE, "ci", TRUST("*"));
	assert_false(open_session(f, &a.credentials, &who));
}

static void with_the_key_goes_the_session_token(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal bob = bob_with_role(f, TRUST("*")), who;
	struct credentials c;
	fixture_inline(f, IAM_TYPE_USER, "bob", ALLOW("ecr:PutImage", "*"));
	ASSERT_DONE(assume_session_token(f->auth, &bob, 900, f->arena, &c, &err));
	assert_true(open_session(f, &c, &who));
	ASSERT_STR(who.arn, BOB_ARN);
	assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "a"));
	ASSERT_FAILS(ERR_DENIED, assume_session_token(f->auth, &who, 900, f->arena, &c, &err));
	ASSERT_DONE(iam_key_set_active(
		auth_iam(f->auth), STR(TEST_ACCOUNT), STR("bob"), bob.key_id, false, &err));
	assert_false(open_session(f, &c, &who));
}

static void a_registry_token_carries_the_session(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal bob = bob_with_role(f, TRUST("*")), who, back;
	struct assume_request r = { .duration_s = 900, .policy = STR(ALLOW("ecr:*", REPO "a")) };
	struct assumed a;
	struct str token;
	int64_t ends_at_ms;
	struct iam_ref role = fixture_ref(IAM_TYPE_ROLE, "ci");
	fixture_inline(f, IAM_TYPE_ROLE, "ci", ALLOW("ecr:PutImage", "*"));
	ASSERT_DONE(assume(f, &bob, &r, &a, &err));
	assert_true(open_session(f, &a.credentials, &who));
	ASSERT_DONE(token_issue(f->auth, &who, f->arena, &token, &ends_at_ms, &err));
	assert_int_equal(ends_at_ms, a.credentials.ends_at_ms); /* not twelve hours */
	ASSERT_DONE(token_verify(f->auth, token, f->arena, &back, &err));
	assert_true(str_eq(back.arn, who.arn));
	assert_true(fixture_may(f, &back, "ecr:PutImage", REPO "a"));
	assert_false(fixture_may(f, &back, "ecr:PutImage", REPO "b"));
	clock_shift_ms(900 * 1000);
	bool accepted = token_verify(f->auth, token, f->arena, &back, &err);
	clock_shift_ms(-900 * 1000);
	assert_false(accepted);
	assert_int_equal(err.kind, ERR_TOKEN_EXPIRED);
	ASSERT_DONE(iam_inline_remove(auth_iam(f->auth), &role, STR("p"), &err));
	ASSERT_DONE(iam_delete(auth_iam(f->auth), &role, &err));
	ASSERT_FAILS(ERR_UNAUTHENTICATED, token_verify(f->auth, token, f->arena, &back, &err));
}

static void a_session_carries_tags_up_to_its_size(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal
		bob = bob_with_role(f,
			"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{"
			"\"AWS\":\"" BOB_ARN
			"\"},\"Action\":[\"sts:AssumeRole\",\"sts:TagSession\"]}]}"),
		who;
	struct auth_tag tags[50];
	struct assume_request r = { .tags = tags, .tag_count = 1 };
	struct assumed a;
	tags[0] = (struct auth_tag){ STR("team"), STR("blue") };
	fixture_inline(
		f, IAM_TYPE_ROLE, "ci", ALLOW("ecr:PutImage", REPO "${aws:PrincipalTag/team}"));
	ASSERT_DONE(assume(f, &bob, &r, &a, &err));
	assert_true(open_session(f, &a.credentials, &who));
	assert_true(fixture_may(f, &who, "ecr:PutImage", REPO "blue"));
	assert_false(fixture_may(f, &who, "ecr:PutImage", REPO "red"));
	char value[256];
	memset(value, 'v', sizeof(value));
	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		tags[i] = (struct auth_tag){ arena_printf(f->arena, "k%zu", i),
			{ value, sizeof(value) } };
	r.tag_count = ARRAY_LEN(tags);
	ASSERT_FAILS(ERR_INVALID, assume(f, &bob, &r, &a, &err));
	assert_true(strncmp(err.msg, "PackedPolicyTooLarge: ", 22) == 0);
}

/* The head of a request for sts, signed with the credentials at SIGNED_AT. */
#define SIGNED_AT 1764039600 /* 20251125T030000Z */

struct signed_head {
	char headers[16384];
	const char *text;
	struct sigv4_request r;
};

static void sha256_hex(struct str s, char out[65])
{
	struct err err;
	struct digest d;
	ASSERT_DONE(hash_bytes(DIGEST_SHA256, s, &d, &err));
	hex_encode(d.hash, 32, out);
	out[64] = '\0';
}

static void sign_head(struct signed_head *h, const struct credentials *c)
{
	struct err err;
	struct buf text CLEANUP(buf_fini);
	char hash[65], signature[65];
	uint8_t key[32], mac[32];
	const char *names = "host;x-amz-date;x-amz-security-token";
	snprintf(h->headers, sizeof(h->headers),
		"host:sts\nx-amz-date:20251125T030000Z\nx-amz-security-token:" STR_FMT "\n",
		STR_ARG(c->token));
	h->text = h->headers;
	h->r = (struct sigv4_request){ .method = STR("GET"),
		.path = STR("/"),
		.query = STR(""),
		.body = STR(""),
		.headers = fixture_headers,
		.headers_arg = &h->text };
	buf_init(&text, 65536);
	sha256_hex(STR(""), hash);
	ASSERT_DONE(sigv4_canonical(&h->r, str_from(names), str_from(hash), false, &text, &err));
	sha256_hex(buf_str(&text), hash);
	buf_reset(&text);
	buf_addf(&text,
		"AWS4-HMAC-SHA256\n20251125T030000Z\n20251125/us-east-1/sts/aws4_request\n%s",
		hash);
	sigv4_key(c->secret, STR("20251125"), STR("us-east-1"), STR("sts"), key);
	hmac_sha256(key, 32, buf_str(&text), mac);
	hex_encode(mac, 32, signature);
	signature[64] = '\0';
	size_t n = strlen(h->headers);
	snprintf(h->headers + n, sizeof(h->headers) - n,
		"authorization:AWS4-HMAC-SHA256 Credential=" STR_FMT
		"/20251125/us-east-1/sts/aws4_request, SignedHeaders=%s, Signature=%s\n",
		STR_ARG(c->key_id), names, signature);
}

static void a_session_signs_until_its_end_and_is_then_told_so(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct assume_request r = { .duration_s = 900 };
	struct assumed a;
	struct principal who;
	struct signed_head h;
	int64_t shift = SIGNED_AT * (int64_t)1000 - clock_now_ms() - 800 * 1000;
	clock_shift_ms(shift); /* the session begins 800 s before the request */
	struct principal bob = bob_with_role(f, TRUST("*"));
	bool assumed = assume(f, &bob, &r, &a, &err);
	clock_shift_ms(-shift);
	assert_true(assumed);
	sign_head(&h, &a.credentials);
	ASSERT_DONE(sigv4_verify(f->auth, &h.r, "sts", SIGNED_AT, f->arena, &who, &err));
	assert_true(str_eq(who.arn, a.arn));
	ASSERT_DONE(sigv4_verify(f->auth, &h.r, "sts", SIGNED_AT + 95, f->arena, &who, &err));
	ASSERT_FAILS(ERR_UNAUTHENTICATED,
		sigv4_verify(f->auth, &h.r, "sts", SIGNED_AT + 105, f->arena, &who, &err));
	assert_string_equal(err.msg,
		"ExpiredTokenException: The security token included in the request is expired");
	/* A wrong signature is told as that, whatever the token says. */
	a.credentials.secret = STR("0123456789012345678901234567890123456789");
	sign_head(&h, &a.credentials);
	ASSERT_FAILS(ERR_UNAUTHENTICATED,
		sigv4_verify(f->auth, &h.r, "sts", SIGNED_AT + 105, f->arena, &who, &err));
	assert_true(strncmp(err.msg, "InvalidSignatureException", 25) == 0);
}

#define OTHER "210987654321"

static void a_role_of_another_account_wants_both_sides(void **state)
{
	struct fixture *f = *state;
	struct err err;
	const struct iam_tags none = { NULL, 0 };
	struct assume_request r = { .role_arn = STR("arn:aws:iam::" OTHER ":role/guest") };
	struct assumed a;
	struct principal who;
	struct principal bob = bob_with_role(f, TRUST("*"));
	struct iam_entity role = { .account = STR(OTHER),
		.type = IAM_TYPE_ROLE,
		.name = STR("guest"),
		.document = STR(TRUST(BOB_ARN)),
		.max_session_s = 3600 };
	ASSERT_DONE(iam_create(auth_iam(f->auth), &role, none, f->arena, &role, &err));
	ASSERT_FAILS(ERR_DENIED, assume(f, &bob, &r, &a, &err));
	fixture_inline(
		f, IAM_TYPE_USER, "bob", ALLOW("sts:AssumeRole", "arn:aws:iam::" OTHER ":role/*"));
	ASSERT_DONE(assume(f, &bob, &r, &a, &err));
	assert_true(open_session(f, &a.credentials, &who));
	ASSERT_STR(who.account, OTHER);
	ASSERT_STR(who.arn, "arn:aws:sts::" OTHER ":assumed-role/guest/run-1");
	struct iam_ref ref = { STR(OTHER), IAM_TYPE_ROLE, STR("guest") };
	struct iam_change change = { .document = STR(TRUST("arn:aws:iam::" OTHER ":root")) };
	ASSERT_DONE(iam_update(auth_iam(f->auth), &ref, &change, &err));
	ASSERT_FAILS(ERR_DENIED, assume(f, &bob, &r, &a, &err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_session_is_its_role),
		TEST(a_role_that_trusts_the_account_wants_leave_from_it),
		TEST(root_assumes_no_role),
		TEST(a_role_says_how_long),
		TEST(session_policies_narrow),
		TEST(a_token_altered_anywhere_is_no_token),
		TEST(what_is_longer_than_any_token_is_none),
		TEST(with_the_role_go_its_sessions),
		TEST(with_the_key_goes_the_session_token),
		TEST(a_registry_token_carries_the_session),
		TEST(a_session_carries_tags_up_to_its_size),
		TEST(a_session_signs_until_its_end_and_is_then_told_so),
		TEST(a_role_of_another_account_wants_both_sides),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
