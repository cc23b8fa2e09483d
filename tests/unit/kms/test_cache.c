/* The cache of data keys: shared fetches, forgetting, bounds. */
#include <stdatomic.h>
#include <unistd.h>

#include "../unit.h"
#include "base/thread.h"
#include "kms/kms_cache.h"

struct source {
	atomic_int fetches;
	atomic_bool may_go; /* a fetch waits for it */
	bool fails;
};

static bool fetch(void *arg, struct secret *out, struct err *err)
{
	struct source *s = arg;
	int n = atomic_fetch_add(&s->fetches, 1) + 1;
	while (!atomic_load(&s->may_go))
		usleep(1000);
	if (s->fails)
		return err_set(err, ERR_KMS_UNAVAILABLE, "no");
	out->len = 1;
	out->bytes[0] = (uint8_t)n;
	return true;
}

static void id_of(unsigned n, uint8_t id[KMS_CACHE_ID_LEN])
{
	memset(id, 0, KMS_CACHE_ID_LEN);
	memcpy(id, &n, sizeof(n));
}

static int get(struct kms_cache *c, unsigned n, struct source *s)
{
	uint8_t id[KMS_CACHE_ID_LEN];
	struct secret out = { 0 };
	struct err err;
	id_of(n, id);
	return kms_cache_get(c, STR("arn"), id, fetch, s, &out, &err) ? out.bytes[0] : -1;
}

struct caller {
	struct kms_cache *cache;
	struct source *source;
	int got;
};

static void call(void *arg)
{
	struct caller *c = arg;
	c->got = get(c->cache, 1, c->source);
}

static void run_together(struct source *s, int want, int fetches)
{
	struct kms_cache *cache = kms_cache_new(60000);
	struct caller callers[8];
	struct thread *threads[8];
	struct err err;
	for (int i = 0; i < 8; i++) {
		callers[i] = (struct caller){ cache, s, 0 };
		ASSERT_DONE(thread_start("call", call, &callers[i], 0, &threads[i], &err));
	}
	usleep(50 * 1000);
	atomic_store(&s->may_go, true);
	for (int i = 0; i < 8; i++)
		thread_join(threads[i]);
	for (int i = 0; i < 8; i++)
		assert_int_equal(callers[i].got, want);
	assert_true(s->fetches <= fetches);
	kms_cache_free(cache);
}

static void callers_at_the_same_time_share_one_fetch(void **state)
{
	(void)state;
	struct source s = { 0 };
	run_together(&s, 1, 1);
}

static void callers_at_the_same_time_share_one_failure(void **state)
{
	(void)state;
	struct source s = { .fails = true };
	run_together(&s, -1, 2);
}

static void a_failure_is_not_kept(void **state)
{
	(void)state;
	struct source s = { .may_go = true, .fails = true };
	struct kms_cache *c = kms_cache_new(60000);
	assert_int_equal(get(c, 1, &s), -1);
	s.fails = false;
	assert_int_equal(get(c, 1, &s), 2);
	assert_int_equal(get(c, 1, &s), 2);
	kms_cache_free(c);
}

static void what_was_being_fetched_when_its_key_changed_is_not_kept(void **state)
{
	(void)state;
	struct source s = { 0 };
	struct kms_cache *c = kms_cache_new(60000);
	struct caller caller = { c, &s, 0 };
	struct thread *t;
	struct err err;
	ASSERT_DONE(thread_start("call", call, &caller, 0, &t, &err));
	while (atomic_load(&s.fetches) == 0)
		usleep(1000);
	kms_cache_forget(c, STR("another"));
	kms_cache_forget(c, STR("arn"));
	atomic_store(&s.may_go, true);
	thread_join(t);
	assert_int_equal(caller.got, 1);
	assert_int_equal(get(c, 1, &s), 2);
	kms_cache_forget(c, STR("another"));
	assert_int_equal(get(c, 1, &s), 2);
	kms_cache_free(c);
}

static void a_data_key_is_kept_for_the_caches_life(void **state)
{
	(void)state;
	struct source s = { .may_go = true };
	struct kms_cache *c = kms_cache_new(1000);
	assert_int_equal(get(c, 1, &s), 1);
	assert_int_equal(get(c, 1, &s), 1);
	usleep(1100 * 1000);
	kms_cache_expire(c);
	assert_int_equal(get(c, 1, &s), 2);
	usleep(1100 * 1000);
	assert_int_equal(get(c, 1, &s), 3);
	kms_cache_free(c);
}

static void the_one_used_longest_ago_makes_room(void **state)
{
	(void)state;
	struct source s = { .may_go = true };
	struct kms_cache *c = kms_cache_new(60000);
	for (unsigned i = 0; i < KMS_CACHE_MAX; i++)
		get(c, i, &s);
	assert_int_equal(get(c, 0, &s), 1); /* used again: number 1 is the oldest now */
	get(c, KMS_CACHE_MAX, &s);
	int before = s.fetches;
	get(c, 0, &s);
	assert_int_equal(s.fetches, before);
	get(c, 1, &s);
	assert_int_equal(s.fetches, before + 1);
	kms_cache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callers_at_the_same_time_share_one_fetch),
		cmocka_unit_test(callers_at_the_same_time_share_one_failure),
		cmocka_unit_test(a_failure_is_not_kept),
		cmocka_unit_test(what_was_being_fetched_when_its_key_changed_is_not_kept),
		cmocka_unit_test(a_data_key_is_kept_for_the_caches_life),
		cmocka_unit_test(the_one_used_longest_ago_makes_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
