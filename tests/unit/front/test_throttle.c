#include <time.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/thread.h"
#include "front/throttle.h"

static struct registry_id registry(const char *account)
{
	struct registry_id reg;
	assert_true(registry_id_make(str_from(account), STR("eu-west-1"), &reg));
	return reg;
}

/* How many of n calls are let through at once. */
static unsigned let_through(
	struct throttle *t, const struct registry_id *reg, const char *action, unsigned n)
{
	struct err err;
	unsigned done = 0;
	for (unsigned i = 0; i < n; i++) {
		if (throttle_take(t, reg, action, &err))
			done++;
		else
			assert_int_equal(err.kind, ERR_THROTTLED);
	}
	return done;
}

static void nothing_is_limited_without_a_rate(void **state)
{
	(void)state;
	struct registry_id reg = registry("000000000001");
	struct throttle *t = throttle_new();
	assert_int_equal(let_through(NULL, &reg, "ecr:PutImage", 100), 100);
	assert_int_equal(let_through(t, &reg, "ecr:PutImage", 100), 100);
	throttle_set(t, STR("PutImage"), 10);
	assert_int_equal(let_through(t, &reg, "ecr:ListImages", 100), 100);
	throttle_set(t, STR("PutImage"), 0);
	assert_int_equal(let_through(t, &reg, "ecr:PutImage", 100), 100);
	throttle_free(t);
}

static void a_bucket_holds_the_calls_of_one_second(void **state)
{
	(void)state;
	struct registry_id one = registry("000000000001");
	struct registry_id two = registry("000000000002");
	struct throttle *t = throttle_new();
	throttle_set(t, STR("PutImage"), 2);
	/* The action is the same with and without its service. */
	assert_int_equal(let_through(t, &one, "ecr:PutImage", 1), 1);
	assert_int_equal(let_through(t, &one, "PutImage", 10), 1);
	assert_int_equal(let_through(t, &two, "PutImage", 10), 2);
	throttle_free(t);
}

static void a_bucket_fills_at_its_rate(void **state)
{
	(void)state;
	struct registry_id reg = registry("000000000001");
	struct throttle *t = throttle_new();
	throttle_set(t, STR("PutImage"), 20);
	assert_int_equal(let_through(t, &reg, "PutImage", 20), 20);
	int64_t began_us = clock_mono_us();
	unsigned more = 0;
	while (clock_mono_us() - began_us < 500000)
		more += let_through(t, &reg, "PutImage", 1);
	double seconds = (double)(clock_mono_us() - began_us) / 1e6;
	assert_true(more >= 9 && more <= 20 * seconds + 1);
	throttle_free(t);
}

static void ecrs_rates_are_ecrs(void **state)
{
	(void)state;
	struct registry_id reg = registry("000000000001");
	struct throttle *t = throttle_new();
	throttle_set_ecr(t);
	assert_in_range(let_through(t, &reg, "PutImage", 50), 10, 12);
	throttle_set(t, STR("PutImage"), 30);
	assert_in_range(let_through(t, &reg, "BatchGetImage", 1000), 1000, 1000);
	throttle_free(t);
}

struct crowd {
	struct throttle *t;
	struct registry_id reg;
	_Atomic unsigned done;
};

static void push(void *arg)
{
	struct crowd *c = arg;
	atomic_fetch_add(&c->done, let_through(c->t, &c->reg, "PutImage", 5000));
}

static void threads_take_no_call_twice(void **state)
{
	(void)state;
	struct err err;
	struct thread *threads[4];
	struct crowd c = { .t = throttle_new(), .reg = registry("000000000001") };
	throttle_set(c.t, STR("PutImage"), 1000);
	/* So that the registry is known: two that meet at its first call forgive some. */
	assert_int_equal(let_through(c.t, &c.reg, "PutImage", 1), 1);
	int64_t began_us = clock_mono_us();
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ASSERT_DONE(thread_start("push", push, &c, 0, &threads[i], &err));
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(threads[i]);
	double seconds = (double)(clock_mono_us() - began_us) / 1e6;
	assert_true(c.done >= 999 && c.done <= 1000 + 1000 * seconds + 1);
	throttle_free(c.t);
}

static void many_registries_share_what_is_left(void **state)
{
	(void)state;
	struct throttle *t = throttle_new();
	char account[13];
	throttle_set(t, STR("PutImage"), 1);
	for (unsigned i = 0; i < THROTTLE_REGISTRIES; i++) {
		snprintf(account, sizeof(account), "%012u", i);
		struct registry_id reg = registry(account);
		assert_int_equal(let_through(t, &reg, "PutImage", 1), 1);
	}
	struct registry_id beyond = registry("999999999998");
	struct registry_id further = registry("999999999999");
	assert_int_equal(let_through(t, &beyond, "PutImage", 1), 1);
	assert_int_equal(let_through(t, &further, "PutImage", 1), 0);
	throttle_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_limited_without_a_rate),
		cmocka_unit_test(a_bucket_holds_the_calls_of_one_second),
		cmocka_unit_test(a_bucket_fills_at_its_rate),
		cmocka_unit_test(ecrs_rates_are_ecrs),
		cmocka_unit_test(threads_take_no_call_twice),
		cmocka_unit_test(many_registries_share_what_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
