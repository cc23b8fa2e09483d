/* An external KMS that is another Berth: kms/kms_external.c asks, aws/kms_front.c answers, over a
 * socket and with signatures that libcurl made. */
#include <unistd.h>

#include "../auth/auth_fixture.h"
#include "aws/kms_front.h"
#include "kms/kms_alias.h"
#include "kms/kms_external.h"

#define REGION "eu-west-1"

static const struct kms_realm there = { { TEST_ACCOUNT, 12 }, { REGION, 9 } };
static const struct kms_realm here = { { "999999999999", 12 }, { "us-east-1", 9 } };
static const struct kms_pair pairs[] = { { { "pool", 4 }, { "\"\xc3\xa9\"", 4 } },
	{ { "a\\b", 3 }, { "", 0 } } };
static const struct kms_context context = { pairs, 2 };

struct world {
	struct fixture *f; /* of the server */
	struct kms *server_kms;
	struct front_options front;
	struct kms_front kms_front;
	struct http_server *server;
	char endpoint[64], secret_file[300];
	struct db *db; /* of the client */
	struct kms *kms;
	struct kms_key key; /* on the server, with the alias alias/x */
};

static void open_client(struct world *w, const char *key_id)
{
	struct err err;
	struct secret wrapping = { .len = 32 };
	struct kms_external_options x = { .endpoint = w->endpoint,
		.region = REGION,
		.access_key_id = key_id,
		.secret_file = w->secret_file };
	struct kms_options o = {
		.db = w->db, .wrapping_key = &wrapping, .external = &x, .cache_life_ms = 100
	};
	kms_close(w->kms);
	w->kms = NULL;
	ASSERT_DONE(kms_open(&o, &w->kms, &err));
}

static void start_server(struct world *w, uint16_t port)
{
	struct err err;
	char address[32];
	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	struct http_listen listen = { address, false };
	struct http_front front = { kms_front_route, &w->kms_front };
	struct http_options o = {
		.listen = &listen, .listen_count = 1, .fronts = &front, .front_count = 1, .loops = 1
	};
	ASSERT_DONE(http_server_start(&o, &w->server, &err));
}

static int setup(void **state)
{
	struct err err;
	void *inner;
	struct world *w = calloc(1, sizeof(*w));
	struct secret wrapping = { .len = 32, .bytes = { 1 } };
	char path[300];
	assert_non_null(w);
	fixture_setup(&inner);
	w->f = inner;
	fixture_put_key(w->f, TEST_KEY_ID, "arn:aws:iam::" TEST_ACCOUNT ":root", true);
	w->front.auth = w->f->auth;
	struct kms_options o = { .db = w->f->db, .wrapping_key = &wrapping };
	ASSERT_DONE(kms_open(&o, &w->server_kms, &err));
	w->kms_front = (struct kms_front){ &w->front, w->server_kms };
	start_server(w, 0);
	snprintf(w->endpoint, sizeof(w->endpoint), "http://127.0.0.1:%u",
		http_server_port(w->server, 0));
	snprintf(w->secret_file, sizeof(w->secret_file), "%s/secret", w->f->folder);
	FILE *file = fopen(w->secret_file, "we");
	assert_non_null(file);
	fputs(TEST_SECRET "\n", file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/client.db", w->f->folder);
	struct db_options db = { .path = path };
	ASSERT_DONE(db_open(&db, &w->db, &err));
	open_client(w, TEST_KEY_ID);
	struct kms_key_new in = { .description = STR("") };
	ASSERT_DONE(kms_key_create(w->server_kms, &there, &in, w->f->arena, &w->key, &err));
	ASSERT_DONE(kms_alias_create(w->server_kms, &there, STR("alias/x"), &w->key, &err));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	void *inner = w->f;
	kms_close(w->kms);
	http_server_stop(w->server, 2000);
	kms_close(w->server_kms);
	db_close(w->db);
	fixture_teardown(&inner);
	free(w);
	return 0;
}

static struct str resolve(struct world *w, struct str text)
{
	struct err err;
	struct str arn;
	ASSERT_DONE(kms_resolve(w->kms, &here, text, w->f->arena, &arn, &err));
	return arn;
}

static void names_are_resolved_by_the_external_kms_and_only_there(void **state)
{
	struct world *w = *state;
	struct err err;
	struct str arn;
	const char *const texts[] = { w->key.id, w->key.arn, "alias/x",
		"arn:aws:kms:" REGION ":" TEST_ACCOUNT ":alias/x" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		ASSERT_STR(resolve(w, str_from(texts[i])), w->key.arn);
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_resolve(w->kms, &here, STR("alias/none"), w->f->arena, &arn, &err));
	assert_string_equal(
		err.msg, "Alias arn:aws:kms:" REGION ":" TEST_ACCOUNT ":alias/none is not found.");
	struct kms_key local;
	struct kms_key_new in = { .description = STR("") };
	ASSERT_DONE(kms_key_create(w->kms, &here, &in, w->f->arena, &local, &err));
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_resolve(w->kms, &here, str_from(local.id), w->f->arena, &arn, &err));
}

static void the_managed_key_is_still_kept_here(void **state)
{
	struct world *w = *state;
	struct str arn = resolve(w, STR(""));
	assert_true(str_starts(arn, STR("arn:aws:kms:us-east-1:999999999999:key/")));
	assert_true(str_eq(arn, resolve(w, STR("alias/aws/ecr"))));
}

static void data_keys_come_from_the_external_kms_and_go_back(void **state)
{
	struct world *w = *state;
	struct err err;
	struct secret plain;
	struct secret again;
	struct buf wrapped CLEANUP(buf_fini);
	bool needs = true;
	buf_init(&wrapped, KMS_WRAPPED_MAX);
	struct str arn = resolve(w, STR("alias/x"));
	ASSERT_DONE(kms_generate_data_key(w->kms, arn, &context, &plain, &wrapped, &err));
	ASSERT_DONE(kms_decrypt_data_key(w->kms, arn, buf_str(&wrapped), &context, &again, &err));
	assert_int_equal(again.len, KMS_DATA_KEY_LEN);
	assert_memory_equal(again.bytes, plain.bytes, plain.len);
	struct kms_context other = { pairs, 1 };
	ASSERT_FAILS(ERR_KMS_CIPHERTEXT_INVALID,
		kms_decrypt_data_key(w->kms, arn, buf_str(&wrapped), &other, &again, &err));
	ASSERT_DONE(kms_needs_rewrap(w->kms, arn, buf_str(&wrapped), &needs, &err));
	assert_false(needs);
	/* Rotated there, it still opens. */
	ASSERT_DONE(kms_key_rotate(w->server_kms, &w->key, &err));
	open_client(w, TEST_KEY_ID);
	ASSERT_DONE(kms_decrypt_data_key(w->kms, arn, buf_str(&wrapped), &context, &again, &err));
}

static void a_key_that_is_disabled_there_stops_here_within_the_caches_life(void **state)
{
	struct world *w = *state;
	struct err err;
	struct secret plain;
	struct str arn;
	struct buf wrapped CLEANUP(buf_fini);
	buf_init(&wrapped, KMS_WRAPPED_MAX);
	ASSERT_DONE(kms_generate_data_key(
		w->kms, str_from(w->key.arn), &context, &plain, &wrapped, &err));
	ASSERT_DONE(kms_decrypt_data_key(
		w->kms, str_from(w->key.arn), buf_str(&wrapped), &context, &plain, &err));
	ASSERT_DONE(kms_key_disable(w->server_kms, &w->key, &err));
	usleep(150 * 1000);
	ASSERT_FAILS(ERR_KMS_KEY_DISABLED, kms_decrypt_data_key(w->kms, str_from(w->key.arn),
						   buf_str(&wrapped), &context, &plain, &err));
	ASSERT_FAILS(ERR_KMS_KEY_DISABLED,
		kms_resolve(w->kms, &here, STR("alias/x"), w->f->arena, &arn, &err));
	ASSERT_DONE(kms_key_enable(w->server_kms, &w->key, &err));
	ASSERT_DONE(kms_decrypt_data_key(
		w->kms, str_from(w->key.arn), buf_str(&wrapped), &context, &plain, &err));
}

static void credentials_that_are_refused_are_the_operators_affair(void **state)
{
	struct world *w = *state;
	struct err err;
	struct str arn;
	open_client(w, "AKIAUNKNOWN");
	ASSERT_FAILS(ERR_KMS_UNAVAILABLE,
		kms_resolve(w->kms, &here, STR("alias/x"), w->f->arena, &arn, &err));
	assert_string_equal(err.msg, "The external KMS refuses the registry's request");
	assert_non_null(strstr(err.detail, "UnrecognizedClientException"));
}

static void a_kms_that_is_gone_fails_fast_and_comes_back(void **state)
{
	struct world *w = *state;
	struct err err;
	struct str arn;
	uint16_t port = http_server_port(w->server, 0);
	resolve(w, STR("alias/x"));
	http_server_stop(w->server, 2000);
	ASSERT_FAILS(ERR_KMS_UNAVAILABLE,
		kms_resolve(w->kms, &here, STR("alias/x"), w->f->arena, &arn, &err));
	int64_t began = clock_mono_us();
	for (int i = 0; i < 100; i++)
		ASSERT_FAILS(ERR_KMS_UNAVAILABLE,
			kms_resolve(w->kms, &here, STR("alias/x"), w->f->arena, &arn, &err));
	assert_true(clock_mono_us() - began < 500 * 1000);
	start_server(w, port);
	usleep(1100 * 1000);
	ASSERT_STR(resolve(w, STR("alias/x")), w->key.arn);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(names_are_resolved_by_the_external_kms_and_only_there),
		TEST(the_managed_key_is_still_kept_here),
		TEST(data_keys_come_from_the_external_kms_and_go_back),
		TEST(a_key_that_is_disabled_there_stops_here_within_the_caches_life),
		TEST(credentials_that_are_refused_are_the_operators_affair),
		TEST(a_kms_that_is_gone_fails_fast_and_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
