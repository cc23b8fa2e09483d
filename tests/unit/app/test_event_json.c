#include "../unit.h"
#include "app/event_json.h"
#include "crypt/hash.h"
#include "registry/event.h"

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEAD(type)                                                                          \
	"{\"version\":\"0\",\"id\":\"00010203-0405-0607-0809-0a0b0c0d0e0f\","               \
	"\"detail-type\":\"" type "\",\"source\":\"aws.ecr\",\"account\":\"111122223333\"," \
	"\"time\":\"2023-11-14T22:13:20Z\",\"region\":\"eu-west-1\",\"resources\":[],"      \
	"\"detail\":{\"result\":\"SUCCESS\",\"repository-name\":\"team/app\","              \
	"\"image-digest\":\"" DIGEST "\","

static void events_look_as_eventbridge_delivers_them(void **state UNUSED)
{
	static const struct {
		enum event_kind kind;
		enum event_action action;
		const char *tag, *artifact_type, *text;
	} cases[] = {
		{ EVENT_IMAGE, EVENT_PUSH, "v1", "c",
			HEAD("ECR Image Action") "\"action-type\":\"PUSH\",\"image-tag\":\"v1\","
						 "\"manifest-media-type\":\"m\",\"artifact-media-type\":\"c\"}}" },
		{ EVENT_IMAGE, EVENT_DELETE, "", "",
			HEAD("ECR Image Action") "\"action-type\":\"DELETE\",\"manifest-media-type\":\"m\"}}" },
		{ EVENT_REFERRER, EVENT_PUSH, "", "s",
			HEAD("ECR Referrer Action") "\"action-type\":\"PUSH\",\"manifest-media-type\":\"m\","
						    "\"artifact-media-type\":\"s\"}}" },
		{ EVENT_IMAGE, EVENT_ARCHIVE, "", "",
			HEAD("ECR Image Action") "\"action-type\":\"UPDATE_STORAGE_CLASS\","
						 "\"target-storage-class\":\"ARCHIVE\",\"manifest-media-type\":\"m\"}}" },
		{ EVENT_IMAGE, EVENT_RESTORE, "", "",
			HEAD("ECR Image Action") "\"action-type\":\"UPDATE_STORAGE_CLASS\","
						 "\"target-storage-class\":\"STANDARD\","
						 "\"last-activated-at\":\"2023-11-14T22:13:20Z\",\"manifest-media-type\":\"m\"}}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err;
		struct buf out CLEANUP(buf_fini) = { 0 };
		struct event_row e = { .at_ms = 1700000000123,
			.kind = (int)cases[i].kind,
			.action = (int)cases[i].action,
			.account = STR("111122223333"),
			.region = STR("eu-west-1"),
			.repository = STR("team/app"),
			.tag = str_from(cases[i].tag),
			.media_type = STR("m"),
			.artifact_type = str_from(cases[i].artifact_type) };
		for (size_t k = 0; k < sizeof(e.event_id); k++)
			e.event_id[k] = (uint8_t)k;
		ASSERT_DONE(digest_parse(STR(DIGEST), &e.digest, &err));
		buf_init(&out, EVENT_JSON_MAX);
		event_json(&out, &e);
		assert_true(buf_ok(&out));
		assert_string_equal(buf_c(&out), cases[i].text);
	}
}

/* python3: hmac.new(b"key", b'1700000000.{"a":1}', "sha256").hexdigest() */
static void a_signature_covers_time_and_body(void **state UNUSED)
{
	char text[EVENT_SIGNATURE_MAX];
	char other[EVENT_SIGNATURE_MAX];
	struct secret key = { 0 };
	struct err err;
	ASSERT_DONE(crypt_init(&err));
	assert_true(secret_set(&key, "key", 3));
	event_sign(&key, 1700000000, STR("{\"a\":1}"), text);
	assert_string_equal(text,
		"t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03");
	event_sign(&key, 1700000001, STR("{\"a\":1}"), other);
	assert_string_not_equal(text + 13, other + 13);
	event_sign(&key, 1700000000, STR("{\"a\":2}"), other);
	assert_string_not_equal(text + 13, other + 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_look_as_eventbridge_delivers_them),
		cmocka_unit_test(a_signature_covers_time_and_body),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
