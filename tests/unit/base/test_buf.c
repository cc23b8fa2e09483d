#include "../unit.h"
#include "base/buf.h"

static void an_empty_buffer_is_an_empty_string(void **state UNUSED)
{
	struct buf b;
	buf_init(&b, 100);
	assert_true(buf_ok(&b));
	ASSERT_STR(buf_str(&b), "");
	assert_string_equal(buf_c(&b), "");
	buf_add(&b, NULL, 0);
	assert_true(buf_ok(&b));
	buf_fini(&b);
}

static void what_is_added_is_appended(void **state UNUSED)
{
	struct buf b CLEANUP(buf_fini);
	buf_init(&b, 1000);
	buf_add_c(&b, "a");
	buf_add_str(&b, STR("bc"));
	buf_add_char(&b, 'd');
	buf_addf(&b, "%d-%s", 42, "x");
	buf_add(&b, "\0z", 2);
	assert_int_equal(b.len, 10);
	assert_memory_equal(b.ptr, "abcd42-x\0z", 10);
	assert_string_equal(buf_c(&b), "abcd42-x");
	assert_int_equal(b.len, 10);
}

static void long_content_and_long_formats_grow_it(void **state UNUSED)
{
	struct buf b CLEANUP(buf_fini);
	buf_init(&b, 1 << 20);
	for (int i = 0; i < 10000; i++)
		buf_addf(&b, "%05d", i);
	assert_true(buf_ok(&b));
	assert_int_equal(b.len, 50000);
	assert_memory_equal(b.ptr + 49995, "09999", 5);
	buf_addf(&b, "%*s|", 70000, "x");
	assert_int_equal(b.len, 120001);
	assert_memory_equal(b.ptr + 119999, "x|", 2);
}

static void the_maximum_can_be_reached_but_not_passed(void **state UNUSED)
{
	for (size_t max = 0; max < 600; max += 37) {
		struct buf b CLEANUP(buf_fini);
		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			buf_add_char(&b, 'x');
		assert_true(buf_ok(&b));
		assert_int_equal(b.len, max);
		assert_int_equal(strlen(buf_c(&b)), max);
		buf_add_char(&b, 'y');
		assert_false(buf_ok(&b));
		assert_int_equal(b.len, max);
		assert_string_equal(buf_c(&b), "");
		assert_true(b.cap <= max + 1);
	}
}

static void a_format_may_fill_the_maximum_exactly(void **state UNUSED)
{
	struct buf b CLEANUP(buf_fini);
	buf_init(&b, 10);
	buf_addf(&b, "%s", "1234567890");
	assert_true(buf_ok(&b));
	ASSERT_STR(buf_str(&b), "1234567890");
	buf_reset(&b);
	buf_addf(&b, "%s", "12345678901");
	assert_false(buf_ok(&b));
	buf_reset(&b);
	buf_addf(&b, "123");
	buf_addf(&b, "%s", "45678901");
	assert_false(buf_ok(&b));
	ASSERT_STR(buf_str(&b), "123");
}

static void failure_sticks_until_reset(void **state UNUSED)
{
	struct buf b CLEANUP(buf_fini);
	buf_init(&b, 4);
	buf_add_c(&b, "12345");
	assert_false(buf_ok(&b));
	buf_add_c(&b, "1");
	buf_addf(&b, "%d", 1);
	assert_null(buf_reserve(&b, 1));
	buf_commit(&b, 1);
	assert_int_equal(b.len, 0);
	buf_reset(&b);
	assert_true(buf_ok(&b));
	buf_add_c(&b, "1234");
	ASSERT_STR(buf_str(&b), "1234");
}

static void reserved_room_is_written_and_committed(void **state UNUSED)
{
	struct buf b CLEANUP(buf_fini);
	buf_init(&b, 1000);
	buf_add_c(&b, "head ");
	char *to = buf_reserve(&b, 500);
	assert_non_null(to);
	memset(to, 'r', 500);
	buf_commit(&b, 3);
	assert_string_equal(buf_c(&b), "head rrr");
	assert_null(buf_reserve(&b, 993));
	assert_false(buf_ok(&b));
}

static void absurd_sizes_are_refused(void **state UNUSED)
{
	struct buf b CLEANUP(buf_fini);
	buf_init(&b, SIZE_MAX);
	buf_add_c(&b, "x");
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_false(buf_ok(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_is_an_empty_string),
		cmocka_unit_test(what_is_added_is_appended),
		cmocka_unit_test(long_content_and_long_formats_grow_it),
		cmocka_unit_test(the_maximum_can_be_reached_but_not_passed),
		cmocka_unit_test(a_format_may_fill_the_maximum_exactly),
		cmocka_unit_test(failure_sticks_until_reset),
		cmocka_unit_test(reserved_room_is_written_and_committed),
		cmocka_unit_test(absurd_sizes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
