#include <stdalign.h>

#include "../unit.h"
#include "base/arena.h"

static void arena_freep(struct arena **a)
{
	arena_free(*a);
}

static void memory_is_zeroed_and_aligned_between_strings(void **state UNUSED)
{
	struct arena *a CLEANUP(arena_freep) = arena_new(1 << 20);
	for (size_t i = 0; i < 2000; i++) {
		size_t len = i % 97;
		unsigned char *p = arena_alloc(a, len);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t k = 0; k < len; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xAA, len);
		struct str s = arena_str(a, STR("odd"));
		assert_int_equal(s.ptr[3], '\0');
	}
}

static void pieces_do_not_overlap(void **state UNUSED)
{
	struct arena *a CLEANUP(arena_freep) = arena_new(4 << 20);

	struct {
		unsigned char *ptr;
		size_t len;
	} pieces[300];

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		pieces[i].len = i % 10 == 9 ? 20000 + i : i * 7 % 1500;
		pieces[i].ptr = arena_alloc(a, pieces[i].len);
		assert_non_null(pieces[i].ptr);
		memset(pieces[i].ptr, (int)(i & 0xFF), pieces[i].len);
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		for (size_t k = 0; k < pieces[i].len; k++)
			assert_int_equal(pieces[i].ptr[k], i & 0xFF);
	}
}

static void nothing_is_given_beyond_the_cap(void **state UNUSED)
{
	struct arena *a CLEANUP(arena_freep) = arena_new(1000);
	assert_null(arena_alloc(a, 1001));
	assert_non_null(arena_alloc(a, 600));
	assert_null(arena_alloc(a, 401));
	assert_null(arena_str(a, (struct str){ "x", SIZE_MAX }).ptr);
	assert_non_null(arena_alloc(a, 400));
	assert_null(arena_alloc(a, 1));
	assert_null(arena_str(a, STR("")).ptr);
	assert_null(arena_printf(a, "x").ptr);
	assert_null(arena_printf(a, "%*s", 500, "x").ptr);
	assert_null(arena_alloc(a, SIZE_MAX));
}

static void the_cap_holds_over_many_blocks(void **state UNUSED)
{
	struct arena *a CLEANUP(arena_freep) = arena_new(100000);
	size_t given = 0;
	while (arena_alloc(a, 48) != NULL)
		given += 48;
	assert_true(given <= 100000);
	assert_true(given > 99000);
}

static void objects_without_bytes_have_addresses_of_their_own(void **state UNUSED)
{
	struct arena *a CLEANUP(arena_freep) = arena_new(100);
	void *first = arena_alloc(a, 0);
	void *second = arena_alloc(a, 0);
	assert_non_null(first);
	assert_non_null(second);
	assert_ptr_not_equal(first, second);
}

static void strings_are_copied_with_a_nul(void **state UNUSED)
{
	struct arena *a CLEANUP(arena_freep) = arena_new(10000);
	char text[] = "text";
	struct str s = arena_str(a, str_from(text));
	text[0] = 'X';
	assert_string_equal(s.ptr, "text");
	assert_int_equal(s.len, 4);
	s = arena_str(a, (struct str){ NULL, 0 });
	assert_string_equal(s.ptr, "");
	s = arena_printf(a, "%s/%d", "a", 7);
	ASSERT_STR(s, "a/7");
	for (int len = 250; len < 262; len++) {
		s = arena_printf(a, "%*s", len, "end");
		assert_int_equal(s.len, len);
		assert_string_equal(s.ptr + len - 3, "end");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned_between_strings),
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(nothing_is_given_beyond_the_cap),
		cmocka_unit_test(the_cap_holds_over_many_blocks),
		cmocka_unit_test(objects_without_bytes_have_addresses_of_their_own),
		cmocka_unit_test(strings_are_copied_with_a_nul),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
