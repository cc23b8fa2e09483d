/* What a signature must not get away with; the requests are signed here, with the pieces that the
 * vectors prove right. */
#include "auth_fixture.h"

#define NOW       1793401200 /* 20261030T230000Z */
#define DATE      "20261030T230000Z"
#define ROOT      "arn:aws:iam::" TEST_ACCOUNT ":root"
#define UNSIGNED  "UNSIGNED-PAYLOAD"
#define SCOPE_ECR "20261030/eu-west-1/ecr/aws4_request"
#define MISMATCH  "InvalidSignatureException: The request signature we calculated"

/* A request to be signed in the header form; NULL: the usual. */
struct plan {
	const char *date, *scope, *signed_headers, *secret, *key_id, *extra, *body, *path, *method;
	const char *payload;          /* hash that goes into the signature; NULL: of the body */
	const char *date_header;      /* "X-Amz-Date" */
	const char *forged_signature; /* instead of the right one */
	const char *authorization;    /* the whole header instead */
	const char *expires;          /* presigned: X-Amz-Expires, "" for none */
	bool is_presigned;
};

struct signed_request {
	struct sigv4_request r;
	char headers[4096], query[2048];
	const char *headers_ptr;
};

static const char *either(const char *given, const char *usual)
{
	return given != NULL ? given : usual;
}

static void sha256_hex(struct str s, char out[65])
{
	struct err err;
	struct digest d;
	ASSERT_DONE(hash_bytes(DIGEST_SHA256, s, &d, &err));
	hex_encode(d.hash, 32, out);
	out[64] = '\0';
}

static void sign(const struct plan *p, struct signed_request *q, char signature[65])
{
	struct err err;
	char body_hash[65], canonical_hash[65];
	uint8_t key[32], mac[32];
	struct str scope = str_from(either(p->scope, SCOPE_ECR)), date, region, service, rest;
	sha256_hex(q->r.body, body_hash);
	str_cut(scope, '/', &date, &rest);
	str_cut(rest, '/', &region, &rest);
	str_cut(rest, '/', &service, &rest);
	struct buf text CLEANUP(buf_fini);
	buf_init(&text, 16384);
	ASSERT_DONE(sigv4_canonical(&q->r,
		str_from(either(p->signed_headers, p->is_presigned ? "host" : "host;x-amz-date")),
		str_from(either(p->payload, body_hash)), p->is_presigned, &text, &err));
	sha256_hex(buf_str(&text), canonical_hash);
	buf_reset(&text);
	buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n" STR_FMT "\n%s", DATE, STR_ARG(scope),
		canonical_hash);
	if (p->date != NULL && strlen(p->date) == 16)
		memcpy(strchr(text.ptr, '\n') + 1, p->date, 16);
	sigv4_key(str_from(either(p->secret, TEST_SECRET)), date, region, service, key);
	hmac_sha256(key, 32, buf_str(&text), mac);
	hex_encode(mac, 32, signature);
	signature[64] = '\0';
}

static void make(const struct plan *p, struct signed_request *q)
{
	const char *date = either(p->date, DATE), *scope = either(p->scope, SCOPE_ECR);
	const char *id = either(p->key_id, TEST_KEY_ID);
	char signature[65];
	memset(q, 0, sizeof(*q));
	q->headers_ptr = q->headers;
	q->r = (struct sigv4_request){ .method = str_from(either(p->method, "POST")),
		.path = str_from(either(p->path, "/")),
		.body = str_from(either(p->body, "{}")),
		.headers = fixture_headers,
		.headers_arg = &q->headers_ptr };
	int n = snprintf(
		q->headers, sizeof(q->headers), "Host: localhost:5000\n%s", either(p->extra, ""));
	if (p->is_presigned) {
		char expires[64];
		snprintf(expires, sizeof(expires), "&X-Amz-Expires=%s", either(p->expires, "60"));
		int m = snprintf(q->query, sizeof(q->query),
			"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s/%s&X-Amz-Date=%s%s&X-Amz-SignedHeaders=%s",
			id, scope, date, either(p->expires, "60")[0] == '\0' ? "" : expires,
			either(p->signed_headers, "host"));
		q->r.query = str_from(q->query);
		sign(p, q, signature);
		snprintf(q->query + m, sizeof(q->query) - (size_t)m, "&X-Amz-Signature=%s",
			either(p->forged_signature, signature));
		q->r.query = str_from(q->query);
		return;
	}
	n += snprintf(q->headers + n, sizeof(q->headers) - (size_t)n, "%s: %s\n",
		either(p->date_header, "X-Amz-Date"), date);
	sign(p, q, signature);
	if (p->authorization != NULL)
		snprintf(q->headers + n, sizeof(q->headers) - (size_t)n, "Authorization: %s\n",
			p->authorization);
	else
		snprintf(q->headers + n, sizeof(q->headers) - (size_t)n,
			"Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s\n",
			id, scope, either(p->signed_headers, "host;x-amz-date"),
			either(p->forged_signature, signature));
}

static bool verify_at(struct fixture *f, const struct plan *p, int64_t now, struct principal *who,
	struct err *err)
{
	struct signed_request q;
	make(p, &q);
	return sigv4_verify(f->auth, &q.r, "ecr", now, f->arena, who, err);
}

static void accepts(struct fixture *f, const struct plan *p, int64_t now)
{
	struct principal who;
	struct err err;
	ASSERT_DONE(verify_at(f, p, now, &who, &err));
	ASSERT_STR(who.key_id, TEST_KEY_ID);
}

static void refuses(struct fixture *f, const struct plan *p, int64_t now, const char *message)
{
	struct principal who = { .is_root = false };
	struct err err;
	ASSERT_FAILS(ERR_UNAUTHENTICATED, verify_at(f, p, now, &who, &err));
	if (!str_starts(str_from(err.msg), str_from(message)))
		fail_msg("\"%s\" does not begin with \"%s\"", err.msg, message);
	assert_null(who.account.ptr);
}

static int setup(void **state)
{
	fixture_setup(state);
	fixture_put_key(*state, TEST_KEY_ID, ROOT, true);
	return 0;
}

static void a_signed_request_names_its_principal(void **state)
{
	struct fixture *f = *state;
	struct principal who;
	struct err err;
	ASSERT_DONE(verify_at(f, &(struct plan){ .scope = "20261030/ap-south-2/ecr/aws4_request" },
		NOW, &who, &err));
	ASSERT_STR(who.account, TEST_ACCOUNT);
	ASSERT_STR(who.region, "ap-south-2");
	ASSERT_STR(who.arn, ROOT);
	ASSERT_STR(who.user_id, TEST_ACCOUNT);
	ASSERT_STR(who.key_id, TEST_KEY_ID);
	assert_true(who.is_root);
}

static void a_request_without_signature_lacks_a_token(void **state)
{
	struct fixture *f = *state;
	const char *headers = "Host: localhost\n";
	struct sigv4_request r = { .method = STR("POST"),
		.path = STR("/"),
		.query = STR("a=b&X-Amz-Date=1"),
		.headers = fixture_headers,
		.headers_arg = &headers };
	struct principal who;
	struct err err;
	ASSERT_FAILS(
		ERR_UNAUTHENTICATED, sigv4_verify(f->auth, &r, "ecr", NOW, f->arena, &who, &err));
	assert_string_equal(
		err.msg, "MissingAuthenticationTokenException: Missing Authentication Token");
	assert_null(sigv4_service(&r, f->arena).ptr);
}

static void an_incomplete_authorization_is_told_what_it_lacks(void **state)
{
	static const struct {
		const char *authorization, *message;
	} cases[] = {
		{ "AWS4-HMAC-SHA256 Credential=A/" SCOPE_ECR ", SignedHeaders=host;x-amz-date",
			"IncompleteSignatureException: Authorization header requires 'Signature' parameter. " },
		{ "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00",
			"IncompleteSignatureException: Authorization header requires 'Credential' parameter. " },
		{ "AWS4-HMAC-SHA256 Credential=A/" SCOPE_ECR ",Signature=00",
			"IncompleteSignatureException: Authorization header requires 'SignedHeaders' parameter. " },
		{ "AWS4-HMAC-SHA256",
			"IncompleteSignatureException: Authorization header requires 'Credential' parameter. "
			"Authorization header requires 'Signature' parameter. "
			"Authorization header requires 'SignedHeaders' parameter. " },
		{ "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=",
			"IncompleteSignatureException: Authorization header requires 'Credential' parameter. " },
		{ "Basic QVdTOng=",
			"IncompleteSignatureException: Authorization header requires 'Credential' parameter. " },
		{ "", "IncompleteSignatureException: Authorization header requires 'Credential' parameter. " },
		{ "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE, SignedHeaders=host;x-amz-date, Signature=00",
			"IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, e.g. "
			"keyid/date/region/service/term, got 'AKIDEXAMPLE'" },
		{ "AWS4-HMAC-SHA256 Credential=A/B/" SCOPE_ECR
		  ", SignedHeaders=host;x-amz-date, Signature=00",
			"IncompleteSignatureException: Credential must have exactly 5" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		refuses(*state, &(struct plan){ .authorization = cases[i].authorization }, NOW,
			cases[i].message);
	refuses(*state, &(struct plan){ .date_header = "X-Other", .signed_headers = "host" }, NOW,
		"IncompleteSignatureException: Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
}

static void an_altered_signature_is_refused_at_every_digit(void **state)
{
	struct signed_request q;
	char good[65];
	make(&(struct plan){ .method = "POST" }, &q);
	memcpy(good, strstr(q.headers, "Signature=") + 10, 64);
	good[64] = '\0';
	accepts(*state, &(struct plan){ .forged_signature = good }, NOW);
	for (size_t i = 0; i < 64; i++) {
		char bad[65];
		memcpy(bad, good, sizeof(bad));
		bad[i] = bad[i] == '0' ? '1' : '0';
		refuses(*state, &(struct plan){ .forged_signature = bad }, NOW, MISMATCH);
	}
	char odd[66];
	snprintf(odd, sizeof(odd), "%.63s", good);
	refuses(*state, &(struct plan){ .forged_signature = odd }, NOW, MISMATCH);
	snprintf(odd, sizeof(odd), "%s0", good);
	refuses(*state, &(struct plan){ .forged_signature = odd }, NOW, MISMATCH);
}

static void a_wrong_secret_and_an_unknown_key_differ(void **state)
{
	const char *unknown =
		"UnrecognizedClientException: The security token included in the request is invalid.";
	fixture_put_key(*state, "AKIDDISABLED", ROOT, false);
	refuses(*state, &(struct plan){ .secret = "another" }, NOW, MISMATCH);
	refuses(*state, &(struct plan){ .key_id = "AKIDUNKNOWN" }, NOW, unknown);
	refuses(*state, &(struct plan){ .key_id = "AKIDDISABLED" }, NOW, unknown);
	refuses(*state,
		&(struct plan){ .key_id = "AKIDEXAMPLE0123456789012345678901234567890123456789" },
		NOW, unknown);
	refuses(*state, &(struct plan){ .key_id = "" }, NOW, unknown);
	refuses(*state, &(struct plan){ .extra = "X-Amz-Security-Token: abc\n" }, NOW, unknown);
}

static void the_clock_may_differ_by_five_minutes(void **state)
{
	const struct plan p = { .method = "POST" };
	accepts(*state, &p, NOW + SIGV4_SKEW_S);
	accepts(*state, &p, NOW - SIGV4_SKEW_S);
	refuses(*state, &p, NOW + SIGV4_SKEW_S + 1,
		"InvalidSignatureException: Signature expired: 20261030T230000Z is now earlier than 20261030T230001Z "
		"(20261030T230501Z - 5 min.)");
	refuses(*state, &p, NOW - SIGV4_SKEW_S - 1,
		"InvalidSignatureException: Signature not yet current: 20261030T230000Z is still later than 20261030T225959Z "
		"(20261030T225459Z + 5 min.)");
	refuses(*state, &p, NOW + 86400, "InvalidSignatureException: Signature expired: ");
}

static void the_scope_must_fit_the_request(void **state)
{
	static const struct {
		const char *scope, *message;
	} cases[] = {
		{ "20261031/eu-west-1/ecr/aws4_request",
			"InvalidSignatureException: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
			"from HTTP: '20261031' != '20261030', from '20261030T230000Z'." },
		{ "20261030/eu-west-1/sts/aws4_request",
			"InvalidSignatureException: Credential should be scoped to correct service: 'ecr'." },
		{ "20261030/eu-west-1/ecr/aws4_requests",
			"InvalidSignatureException: Credential should be scoped with a valid terminator: 'aws4_request'." },
		{ "20261030/Eu-West-1/ecr/aws4_request",
			"InvalidSignatureException: Credential should be scoped to a valid region." },
		{ "20261030/e/ecr/aws4_request",
			"InvalidSignatureException: Credential should be scoped to a valid region." },
		{ "20261030/eu-west-1-eu-west-1-eu-wes/ecr/aws4_request",
			"InvalidSignatureException: Credential should be scoped to a valid region." },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		refuses(*state, &(struct plan){ .scope = cases[i].scope }, NOW, cases[i].message);
}

static void host_and_date_must_be_signed(void **state)
{
	refuses(*state, &(struct plan){ .signed_headers = "x-amz-date" }, NOW,
		"InvalidSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
	refuses(*state, &(struct plan){ .signed_headers = "host" }, NOW,
		"InvalidSignatureException: 'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.");
	refuses(*state,
		&(struct plan){
			.is_presigned = true, .signed_headers = "x-a", .extra = "X-A: b\n" },
		NOW,
		"InvalidSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
	accepts(*state, &(struct plan){ .date_header = "Date", .signed_headers = "date;host" },
		NOW);
}

static void a_date_header_may_be_in_the_format_of_http(void **state)
{
	struct signed_request q;
	struct principal who;
	struct err err;
	/* The string to sign has the time in ISO 8601 all the same, so the plan's date stays out.
	 */
	struct plan p = { .date_header = "Date",
		.date = "Fri, 30 Oct 2026 23:00:00 GMT",
		.signed_headers = "date;host" };
	make(&p, &q);
	ASSERT_DONE(sigv4_verify(((struct fixture *)*state)->auth, &q.r, "ecr", NOW,
		((struct fixture *)*state)->arena, &who, &err));
	p.date = "yesterday";
	refuses(*state, &p, NOW,
		"IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got 'yesterday'.");
	p.date_header = NULL;
	p.signed_headers = NULL;
	p.date = "Fri, 30 Oct 2026 23:00:00 GMT";
	refuses(*state, &p, NOW,
		"IncompleteSignatureException: Date must be in ISO-8601 'basic format'.");
}

static void signed_headers_are_sorted_present_and_lower_case(void **state)
{
	static const struct {
		const char *names, *message;
	} cases[] = {
		{ "host;x-amz-date;content-type",
			"InvalidSignatureException: SignedHeaders must be" },
		{ "host;host;x-amz-date", "InvalidSignatureException: SignedHeaders must be" },
		{ "Content-Type;host;x-amz-date",
			"InvalidSignatureException: SignedHeaders must be" },
		{ "host;;x-amz-date", "InvalidSignatureException: SignedHeaders must be" },
		{ "host;x-amz-date;x-gone", MISMATCH },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char authorization[512];
		snprintf(authorization, sizeof(authorization),
			"AWS4-HMAC-SHA256 Credential=" TEST_KEY_ID "/" SCOPE_ECR
			", SignedHeaders=%s, Signature=%064d",
			cases[i].names, 0);
		refuses(f,
			&(struct plan){
				.authorization = authorization, .extra = "Content-Type: a\n" },
			NOW, cases[i].message);
	}
}

static void a_named_payload_hash_binds_the_body(void **state)
{
	/* of "{}" and of "" */
	const char *right = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
	const char *wrong = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	char extra[128];
	snprintf(extra, sizeof(extra), "X-Amz-Content-Sha256: %s\n", right);
	accepts(*state, &(struct plan){ .extra = extra, .payload = right }, NOW);
	snprintf(extra, sizeof(extra), "X-Amz-Content-Sha256: %s\n", wrong);
	refuses(*state, &(struct plan){ .extra = extra, .payload = wrong }, NOW, MISMATCH);
	snprintf(extra, sizeof(extra), "X-Amz-Content-Sha256: " UNSIGNED "\n");
	refuses(*state, &(struct plan){ .extra = extra, .payload = UNSIGNED }, NOW, MISMATCH);
	const char *streaming = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
	snprintf(extra, sizeof(extra), "X-Amz-Content-Sha256: %s\n", streaming);
	refuses(*state, &(struct plan){ .extra = extra, .payload = streaming }, NOW, MISMATCH);
}

static void a_presigned_request_lives_as_long_as_it_says(void **state)
{
	struct plan p = { .is_presigned = true };
	accepts(*state, &p, NOW);
	accepts(*state, &p, NOW + 60);
	refuses(*state, &p, NOW + 61,
		"InvalidSignatureException: Signature expired: 20261030T230100Z is now earlier than 20261030T230101Z");
	refuses(*state, &p, NOW - SIGV4_SKEW_S - 1,
		"InvalidSignatureException: Signature not yet current: ");
	p.expires = "604800";
	accepts(*state, &p, NOW + 604800);
	static const char *const bad[] = { "0", "604801", "-1", "x", "1.5",
		"99999999999999999999" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		p.expires = bad[i];
		refuses(*state, &p, NOW,
			"IncompleteSignatureException: X-Amz-Expires must be a number from 1 to 604800");
	}
	p.expires = "";
	accepts(*state, &p, NOW + SIGV4_SKEW_S);
	refuses(*state, &p, NOW + SIGV4_SKEW_S + 1,
		"InvalidSignatureException: Signature expired: ");
}

static void a_presigned_request_is_told_what_it_lacks(void **state)
{
	struct fixture *f = *state;
	const char *headers = "Host: localhost\n";
	struct sigv4_request r = { .method = STR("GET"),
		.path = STR("/"),
		.query = STR("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20261030"),
		.headers = fixture_headers,
		.headers_arg = &headers };
	struct principal who;
	struct err err;
	ASSERT_FAILS(
		ERR_UNAUTHENTICATED, sigv4_verify(f->auth, &r, "ecr", NOW, f->arena, &who, &err));
	assert_string_equal(err.msg,
		"IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-Signature'. "
		"AWS query-string parameters must include 'X-Amz-SignedHeaders'. "
		"AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.");
	r.query = STR("X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential=A");
	ASSERT_FAILS(
		ERR_UNAUTHENTICATED, sigv4_verify(f->auth, &r, "ecr", NOW, f->arena, &who, &err));
	assert_string_equal(err.msg,
		"IncompleteSignatureException: X-Amz-Algorithm must be 'AWS4-HMAC-SHA256'.");
}

static void spaces_and_plus_in_a_query_mean_the_same(void **state)
{
	struct fixture *f = *state;
	const char *headers = "Host: h\n";

	static const struct {
		const char *query, *canonical;
	} cases[] = {
		{ "a=x+y", "a=x%20y" },
		{ "a=x%20y", "a=x%20y" },
		{ "a=%2b", "a=%2B" },
		{ "a", "a=" },
		{ "&&a=1&", "a=1" },
		{ "a=1=2", "a=1%3D2" },
		{ "a=%zz", "a=%25zz" },
		{ "a=%00", "a=%2500" },
		{ "", "" },
		{ "=", "=" },
		{ "=&==", "=&=%3D" },
		{ "a-b=1&a=2", "a=2&a-b=1" },
		{ "b&a&B", "B=&a=&b=" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sigv4_request r = { .method = STR("GET"),
			.path = STR(""),
			.query = str_from(cases[i].query),
			.headers = fixture_headers,
			.headers_arg = &headers };
		struct buf out CLEANUP(buf_fini);
		struct err err;
		char wanted[128];
		buf_init(&out, 4096);
		ASSERT_DONE(sigv4_canonical(&r, STR("host"), STR("HASH"), false, &out, &err));
		snprintf(wanted, sizeof(wanted), "GET\n/\n%s\nhost:h\n\nhost\nHASH",
			cases[i].canonical);
		ASSERT_STR(buf_str(&out), wanted);
	}
	(void)f;
}

static void without_auth_anyone_is_root_of_the_default_account(void **state)
{
	struct fixture *f = *state;
	struct principal who;
	struct err err;
	fixture_open_auth(f, true);
	ASSERT_DONE(verify_at(f, &(struct plan){ .authorization = "Bearer x" }, NOW, &who, &err));
	ASSERT_STR(who.region, TEST_REGION);
	ASSERT_STR(who.arn, ROOT);
	ASSERT_DONE(verify_at(f,
		&(struct plan){ .key_id = "ANYONE",
			.secret = "x",
			.scope = "20200101/us-west-2/sts/aws4_request" },
		NOW, &who, &err));
	ASSERT_STR(who.region, "us-west-2");
	ASSERT_STR(who.account, TEST_ACCOUNT);
	ASSERT_DONE(verify_at(
		f, &(struct plan){ .scope = "20200101/US/sts/aws4_request" }, NOW, &who, &err));
	ASSERT_STR(who.region, TEST_REGION);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_signed_request_names_its_principal),
		TEST(a_request_without_signature_lacks_a_token),
		TEST(an_incomplete_authorization_is_told_what_it_lacks),
		TEST(an_altered_signature_is_refused_at_every_digit),
		TEST(a_wrong_secret_and_an_unknown_key_differ),
		TEST(the_clock_may_differ_by_five_minutes),
		TEST(the_scope_must_fit_the_request),
		TEST(host_and_date_must_be_signed),
		TEST(a_date_header_may_be_in_the_format_of_http),
		TEST(signed_headers_are_sorted_present_and_lower_case),
		TEST(a_named_payload_hash_binds_the_body),
		TEST(a_presigned_request_lives_as_long_as_it_says),
		TEST(a_presigned_request_is_told_what_it_lacks),
		TEST(spaces_and_plus_in_a_query_mean_the_same),
		TEST(without_auth_anyone_is_root_of_the_default_account),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
