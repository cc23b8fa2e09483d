/* Access keys in memory: what is remembered, for how long, and how many. */
#include "auth/key_cache.h"
#include "auth_fixture.h"

#define ROOT "arn:aws:iam::" TEST_ACCOUNT ":root"

struct cached {
	struct fixture *f;
	struct key_cache *cache;
	struct key_info info;
	uint8_t key[32];
	int64_t shifted_ms;
};

static int setup(void **state)
{
	struct cached *c = calloc(1, sizeof(*c));
	void *inner;
	assert_non_null(c);
	fixture_setup(&inner);
	c->f = inner;
	c->cache = key_cache_new(c->f->db, NULL);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct cached *c = *state;
	void *inner = c->f;
	clock_shift_ms(-c->shifted_ms);
	key_cache_free(c->cache);
	fixture_teardown(&inner);
	free(c);
	return 0;
}

static bool find(struct cached *c, const char *id, const char *region)
{
	struct err err;
	bool found = false;
	const struct key_use use = {
		.id = str_from(id),
		.date = STR("20261030"),
		.region = str_from(region),
		.service = STR("ecr"),
	};
	ASSERT_DONE(key_cache_find(c->cache, &use, &c->info, c->key, &found, &err));
	return found;
}

static void shift(struct cached *c, int64_t ms)
{
	clock_shift_ms(ms);
	c->shifted_ms += ms;
}

/* The database is closed, so that only memory can answer. */
static void stop_database(struct cached *c)
{
	auth_close(c->f->auth);
	c->f->auth = NULL;
	db_close(c->f->db);
	c->f->db = NULL;
}

static void a_key_and_its_signing_keys_are_remembered(void **state)
{
	struct cached *c = *state;
	uint8_t wanted[32];
	fixture_put_key(c->f, TEST_KEY_ID, ROOT, true);
	assert_true(find(c, TEST_KEY_ID, "eu-west-1"));
	stop_database(c); /* a read would now crash */
	char region[32];
	for (int i = 0; i < 3 * KEY_SCOPE_MAX; i++) {
		snprintf(region, sizeof(region), "region-%d", i % (KEY_SCOPE_MAX + 3));
		memset(&c->info, 0, sizeof(c->info));
		assert_true(find(c, TEST_KEY_ID, region));
		sigv4_key(STR(TEST_SECRET), STR("20261030"), str_from(region), STR("ecr"), wanted);
		assert_memory_equal(c->key, wanted, sizeof(wanted));
		assert_string_equal(c->info.account, TEST_ACCOUNT);
		assert_string_equal(c->info.principal, ROOT);
	}
}

struct change {
	const char *sql;
};

static bool run_sql(struct db_conn *conn, void *arg, struct err *err)
{
	const struct change *change = arg;
	return db_run(db_prepare(conn, change->sql), err);
}

static void change_keys(struct cached *c, const char *sql)
{
	struct err err;
	struct change change = { sql };
	ASSERT_DONE(db_write(c->f->db, run_sql, &change, &err));
}

static void a_key_disabled_elsewhere_stops_within_five_seconds(void **state)
{
	struct cached *c = *state;
	fixture_put_key(c->f, TEST_KEY_ID, ROOT, true);
	assert_true(find(c, TEST_KEY_ID, "eu-west-1"));
	change_keys(c, "UPDATE access_key SET is_active = 0");
	assert_true(find(c, TEST_KEY_ID, "eu-west-1"));
	shift(c, KEY_CACHE_LIFE_MS);
	assert_false(find(c, TEST_KEY_ID, "eu-west-1"));
	change_keys(c, "UPDATE access_key SET is_active = 1");
	assert_true(find(c, TEST_KEY_ID, "eu-west-1"));
}

static void a_new_secret_makes_new_signing_keys(void **state)
{
	struct cached *c = *state;
	uint8_t before[32], wanted[32];
	fixture_put_key(c->f, TEST_KEY_ID, ROOT, true);
	assert_true(find(c, TEST_KEY_ID, "eu-west-1"));
	memcpy(before, c->key, sizeof(before));
	shift(c, KEY_CACHE_LIFE_MS);
	assert_true(find(c, TEST_KEY_ID, "eu-west-1"));
	assert_memory_equal(c->key, before, sizeof(before));
	change_keys(c, "UPDATE access_key SET secret = CAST('other' AS BLOB)");
	shift(c, KEY_CACHE_LIFE_MS);
	assert_true(find(c, TEST_KEY_ID, "eu-west-1"));
	sigv4_key(STR("other"), STR("20261030"), STR("eu-west-1"), STR("ecr"), wanted);
	assert_memory_equal(c->key, wanted, sizeof(wanted));
}

static void a_clock_set_back_does_not_prolong_a_key(void **state)
{
	struct cached *c = *state;
	fixture_put_key(c->f, TEST_KEY_ID, ROOT, true);
	assert_true(find(c, TEST_KEY_ID, "eu-west-1"));
	change_keys(c, "DELETE FROM access_key");
	shift(c, -3600000);
	assert_false(find(c, TEST_KEY_ID, "eu-west-1"));
}

static void the_key_used_longest_ago_makes_room(void **state)
{
	struct cached *c = *state;
	char id[33];
	for (int i = 0; i <= KEY_CACHE_MAX; i++) {
		snprintf(id, sizeof(id), "KEY%d", i);
		fixture_put_key(c->f, id, ROOT, true);
	}
	for (int i = 0; i < KEY_CACHE_MAX; i++) {
		snprintf(id, sizeof(id), "KEY%d", i);
		assert_true(find(c, id, "eu-west-1"));
	}
	assert_true(find(c, "KEY0", "eu-west-1")); /* so that KEY1 is the oldest */
	assert_false(find(c, "UNKNOWN", "eu-west-1"));
	snprintf(id, sizeof(id), "KEY%d", KEY_CACHE_MAX);
	assert_true(find(c, id, "eu-west-1"));
	change_keys(c, "DELETE FROM access_key");
	assert_true(find(c, "KEY0", "eu-west-1"));
	assert_true(find(c, id, "eu-west-1"));
	assert_false(find(c, "KEY1", "eu-west-1"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_key_and_its_signing_keys_are_remembered),
		TEST(a_key_disabled_elsewhere_stops_within_five_seconds),
		TEST(a_new_secret_makes_new_signing_keys),
		TEST(a_clock_set_back_does_not_prolong_a_key),
		TEST(the_key_used_longest_ago_makes_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
