#include "../unit.h"
#include "base/due.h"

#define SECOND_MS ((int64_t)1000)
#define HOUR_MS   (3600 * SECOND_MS)
#define DAY_MS    (24 * HOUR_MS)
#define BEGIN_MS  ((int64_t)1700000000000)

/* Two clocks and what is made of them. */
struct times {
	struct due_clock due;
	int64_t wall_ms, mono_us, set_ms;
};

static struct times begin(int64_t keep_ms)
{
	struct times t = { .wall_ms = BEGIN_MS, .mono_us = 5000123 };
	due_clock_init(&t.due, keep_ms, t.wall_ms, t.mono_us);
	return t;
}

/* Time runs, and is read. */
static int64_t after(struct times *t, int64_t ms)
{
	t->wall_ms += ms;
	t->mono_us += ms * 1000;
	return due_clock_now(&t->due, t->wall_ms, t->mono_us, &t->set_ms);
}

/* The wall clock is set by hand, which is seen. */
static int64_t set(struct times *t, int64_t ms)
{
	t->wall_ms += ms;
	int64_t now = after(t, 0);
	assert_int_equal(t->set_ms, ms);
	return now;
}

/* Time runs; then it is behind the wall clock by so much. */
static void assert_behind(struct times *t, int64_t run_ms, int64_t behind_ms)
{
	int64_t now = after(t, run_ms);
	assert_int_equal(t->wall_ms - now, behind_ms);
}

static void it_is_the_wall_clock(void **state UNUSED)
{
	struct times t = begin(DAY_MS);
	for (int i = 1; i < 100; i++) {
		assert_int_equal(after(&t, HOUR_MS), BEGIN_MS + i * HOUR_MS);
		assert_int_equal(t.set_ms, 0);
	}
}

static void after_a_step_forward_it_goes_on_as_before_and_then_catches_up(void **state UNUSED)
{
	struct times t = begin(DAY_MS);
	assert_int_equal(set(&t, 30 * DAY_MS), BEGIN_MS);
	assert_int_equal(after(&t, HOUR_MS), BEGIN_MS + HOUR_MS);
	assert_int_equal(t.set_ms, 0); /* told once */
	assert_int_equal(after(&t, 23 * HOUR_MS - 1), BEGIN_MS + DAY_MS - 1);
	assert_int_equal(after(&t, 1), BEGIN_MS + 31 * DAY_MS);
	assert_int_equal(after(&t, HOUR_MS), BEGIN_MS + 31 * DAY_MS + HOUR_MS);
}

static void steps_add_up_and_each_begins_the_time_anew(void **state UNUSED)
{
	struct times t = begin(DAY_MS);
	assert_int_equal(set(&t, 10 * DAY_MS), BEGIN_MS);
	assert_int_equal(after(&t, 20 * HOUR_MS), BEGIN_MS + 20 * HOUR_MS);
	assert_int_equal(set(&t, 5 * DAY_MS), BEGIN_MS + 20 * HOUR_MS);
	assert_int_equal(after(&t, 20 * HOUR_MS), BEGIN_MS + 40 * HOUR_MS);
	assert_behind(&t, 4 * HOUR_MS, 0);
	/* One after the end of another has nothing of that. */
	(void)set(&t, DAY_MS);
	assert_behind(&t, 1, DAY_MS);
}

static void a_step_that_is_taken_back_leaves_nothing(void **state UNUSED)
{
	struct times t = begin(DAY_MS);
	assert_int_equal(set(&t, 30 * DAY_MS), BEGIN_MS);
	assert_int_equal(after(&t, HOUR_MS), BEGIN_MS + HOUR_MS);
	assert_int_equal(set(&t, -30 * DAY_MS), BEGIN_MS + HOUR_MS);
	assert_behind(&t, 30 * DAY_MS, 0);
}

static void a_step_back_makes_nothing_old(void **state UNUSED)
{
	struct times t = begin(DAY_MS);
	assert_int_equal(set(&t, -400 * DAY_MS), BEGIN_MS - 400 * DAY_MS);
	assert_int_equal(after(&t, HOUR_MS), BEGIN_MS - 400 * DAY_MS + HOUR_MS);
	/* Back before 1970, as machines without a battery. */
	assert_true(set(&t, -30000 * DAY_MS) < 0);
	assert_behind(&t, HOUR_MS, 0);
	/* And right again: no older than before it was wrong. */
	assert_true(set(&t, 30400 * DAY_MS) < BEGIN_MS);
	assert_behind(&t, DAY_MS, 0);
}

static void small_steps_are_none_until_they_add_up(void **state UNUSED)
{
	struct times t = begin(DAY_MS);
	t.wall_ms += 600;
	assert_behind(&t, SECOND_MS, 0);
	assert_int_equal(t.set_ms, 0);
	t.wall_ms += 600;
	assert_behind(&t, SECOND_MS, 1200);
	assert_int_equal(t.set_ms, 1200);
}

static void with_nothing_to_keep_it_is_the_wall_clock_at_once(void **state UNUSED)
{
	struct times t = begin(0);
	(void)set(&t, DAY_MS);
	assert_behind(&t, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_wall_clock),
		cmocka_unit_test(after_a_step_forward_it_goes_on_as_before_and_then_catches_up),
		cmocka_unit_test(steps_add_up_and_each_begins_the_time_anew),
		cmocka_unit_test(a_step_that_is_taken_back_leaves_nothing),
		cmocka_unit_test(a_step_back_makes_nothing_old),
		cmocka_unit_test(small_steps_are_none_until_they_add_up),
		cmocka_unit_test(with_nothing_to_keep_it_is_the_wall_clock_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
