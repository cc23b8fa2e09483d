/* Requests that others signed: AWS's published test suite, and botocore. */
#include "auth_fixture.h"

#define SUITE_NOW 1440938160 /* 20150830T123600Z */

/* AWS "Signature Version 4 test suite": key AKIDEXAMPLE, Region us-east-1, service "service". */
struct published {
	const char *name, *method, *path, *query;
	const char *headers; /* besides Host and X-Amz-Date */
	const char *body, *signed_headers, *signature;
};

#define HOST_DATE "host;x-amz-date"
#define VANILLA   "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"

static const struct published published[] = {
	{ "get-vanilla", "GET", "/", "", "", "", HOST_DATE, VANILLA },
	{ "get-vanilla-query-order-key-case", "GET", "/", "Param2=value2&Param1=value1", "", "",
		HOST_DATE, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-utf8-query", "GET", "/", "\341\210\264=bar", "", "", HOST_DATE,
		"2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	{ "get-vanilla-empty-query-key", "GET", "/", "Param1=value1", "", "", HOST_DATE,
		"a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
	{ "get-utf8", "GET", "/\341\210\264", "", "", "", HOST_DATE,
		"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
	{ "get-space", "GET", "/example space/", "", "", "", HOST_DATE,
		"652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
	{ "get-unreserved", "GET",
		"/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", "", "",
		HOST_DATE, "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
	{ "normalize-path/get-relative", "GET", "/example/..", "", "", "", HOST_DATE, VANILLA },
	{ "normalize-path/get-relative-relative", "GET", "/example1/example2/../..", "", "", "",
		HOST_DATE, VANILLA },
	{ "normalize-path/get-slash", "GET", "//", "", "", "", HOST_DATE, VANILLA },
	{ "normalize-path/get-slash-dot-slash", "GET", "/./", "", "", "", HOST_DATE, VANILLA },
	{ "normalize-path/get-slashes", "GET", "//example//", "", "", "", HOST_DATE,
		"9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84" },
	{ "normalize-path/get-slash-pointless-dot", "GET", "/./example", "", "", "", HOST_DATE,
		"ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5" },
	{ "get-header-key-duplicate", "GET", "/", "",
		"My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1\n", "",
		"host;my-header1;x-amz-date",
		"c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
	{ "get-header-value-order", "GET", "/", "",
		"My-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2\n", "",
		"host;my-header1;x-amz-date",
		"08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
	{ "get-header-value-trim", "GET", "/", "",
		"My-Header1: value1\nMy-Header2: \"a   b   c\"\n", "",
		"host;my-header1;my-header2;x-amz-date",
		"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
	{ "post-vanilla", "POST", "/", "", "", "", HOST_DATE,
		"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-header-value-case", "POST", "/", "", "My-Header1:VALUE1\n", "",
		"host;my-header1;x-amz-date",
		"cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d" },
	{ "post-x-www-form-urlencoded", "POST", "/", "",
		"Content-Type:application/x-www-form-urlencoded\n", "Param1=value1",
		"content-type;host;x-amz-date",
		"ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
	{ "post-x-www-form-urlencoded-parameters", "POST", "/", "",
		"Content-Type:application/x-www-form-urlencoded; charset=utf8\n", "Param1=value1",
		"content-type;host;x-amz-date",
		"1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe" },
};

static void the_published_test_suite_is_verified(void **state)
{
	struct fixture *f = *state;
	fixture_put_key(f, TEST_KEY_ID, "arn:aws:iam::" TEST_ACCOUNT ":root", true);
	for (size_t i = 0; i < ARRAY_LEN(published); i++) {
		const struct published *p = &published[i];
		char text[1024];
		snprintf(text, sizeof(text),
			"Host:example.amazonaws.com\n%sX-Amz-Date:20150830T123600Z\n"
			"Authorization: AWS4-HMAC-SHA256 Credential=" TEST_KEY_ID
			"/20150830/us-east-1/service/aws4_request, SignedHeaders=%s, Signature=%s\n",
			p->headers, p->signed_headers, p->signature);
		const char *headers = text;
		struct sigv4_request r = { .method = str_from(p->method),
			.path = str_from(p->path),
			.query = str_from(p->query),
			.body = str_from(p->body),
			.headers = fixture_headers,
			.headers_arg = &headers };
		struct principal who;
		struct err err;
		if (!sigv4_verify(f->auth, &r, "service", SUITE_NOW, f->arena, &who, &err))
			fail_msg("%s: %s", p->name, err.msg);
		ASSERT_STR(who.account, TEST_ACCOUNT);
		ASSERT_STR(who.region, "us-east-1");
		ASSERT_STR(who.key_id, TEST_KEY_ID);
		assert_true(who.is_root);
	}
}

/* AWS "Signature Version 4 test suite", get-vanilla.creq. */
static void the_canonical_request_is_the_published_one(void **state)
{
	struct fixture *f = *state;
	const char *headers = "Host:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n";
	struct sigv4_request r = { .method = STR("GET"),
		.path = STR("/"),
		.query = STR("Param2=value2&Param1=value1"),
		.headers = fixture_headers,
		.headers_arg = &headers };
	struct buf out CLEANUP(buf_fini);
	struct err err;
	buf_init(&out, 4096);
	const struct str empty_hash =
		STR("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ASSERT_DONE(sigv4_canonical(&r, STR(HOST_DATE), empty_hash, false, &out, &err));
	ASSERT_STR(buf_str(&out),
		"GET\n/\nParam1=value1&Param2=value2\nhost:example.amazonaws.com\n"
		"x-amz-date:20150830T123600Z\n\nhost;x-amz-date\n"
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	(void)f;
}

/* AWS General Reference, "Examples of how to derive a signing key". */
static void the_signing_key_is_the_published_one(void **state)
{
	uint8_t key[32], wanted[32];
	(void)state;
	assert_true(
		hex_decode(STR("c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"),
			true, wanted, sizeof(wanted)));
	sigv4_key(STR(TEST_SECRET), STR("20150830"), STR("us-east-1"), STR("iam"), key);
	assert_memory_equal(key, wanted, sizeof(key));
}

struct vector {
	const char *name, *service, *region, *method, *path, *query, *headers, *body;
	size_t body_len;
	bool is_presigned;
};

static const struct vector vectors[] = {
#include "sigv4_vectors.h"
};

static struct sigv4_request vector_request(const struct vector *v, const char **headers)
{
	*headers = v->headers;
	return (struct sigv4_request){ .method = str_from(v->method),
		.path = str_from(v->path),
		.query = str_from(v->query),
		.body = { v->body, v->body_len },
		.headers = fixture_headers,
		.headers_arg = headers };
}

static void what_botocore_signs_is_verified(void **state)
{
	struct fixture *f = *state;
	fixture_put_key(f, TEST_KEY_ID, "arn:aws:iam::" TEST_ACCOUNT ":root", true);
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const char *headers;
		struct sigv4_request r = vector_request(&vectors[i], &headers);
		struct principal who;
		struct err err;
		if (!sigv4_verify(f->auth, &r, vectors[i].service, SUITE_NOW, f->arena, &who, &err))
			fail_msg("%s: %s", vectors[i].name, err.msg);
		ASSERT_STR(who.region, vectors[i].region);
		ASSERT_STR(sigv4_service(&r, f->arena), vectors[i].service);
	}
}

/* Every vector again, with one thing changed: no part may be outside the signature. */
static void what_botocore_signed_is_refused_when_altered(void **state)
{
	struct fixture *f = *state;
	fixture_put_key(f, TEST_KEY_ID, "arn:aws:iam::" TEST_ACCOUNT ":root", true);
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		const char *headers;
		struct sigv4_request as_signed = vector_request(v, &headers), r[5];
		char query[1200];
		snprintf(query, sizeof(query), "%s&x=y", v->query);
		for (size_t k = 0; k < ARRAY_LEN(r); k++)
			r[k] = as_signed;
		r[0].method = STR("PUT");
		r[1].path = STR("/other");
		r[2].query = str_from(query);
		r[3].body = STR("another body");
		const char *another_host = strstr(v->headers, "\n") + 1;
		char text[1200];
		snprintf(text, sizeof(text), "Host: example.org\n%s", another_host);
		const char *altered = text;
		r[4].headers_arg = &altered;
		bool any_body = v->is_presigned && strstr(v->headers, "UNSIGNED-PAYLOAD") != NULL;
		for (size_t k = 0; k < ARRAY_LEN(r); k++) {
			struct principal who;
			struct err err;
			if (k == 3 && any_body)
				continue;
			if (sigv4_verify(
				    f->auth, &r[k], v->service, SUITE_NOW, f->arena, &who, &err))
				fail_msg("%s: change %zu went unnoticed", v->name, k);
			assert_int_equal(err.kind, ERR_UNAUTHENTICATED);
			assert_true(str_starts(str_from(err.msg),
				STR("InvalidSignatureException: The request signature")));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_canonical_request_is_the_published_one,
			fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			the_signing_key_is_the_published_one, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			the_published_test_suite_is_verified, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			what_botocore_signs_is_verified, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(what_botocore_signed_is_refused_when_altered,
			fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
