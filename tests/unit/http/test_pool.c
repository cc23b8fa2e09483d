/* The memory of connections: blocks from both ends, and what is left of a request for the next one.
 */
#include <microhttpd.h>

#include "../unit.h"
#include "http/pool.h"

#define SIZE 4096

static int make(void **state)
{
	*state = MHD_pool_create(SIZE);
	return *state != NULL ? 0 : -1;
}

static int drop(void **state)
{
	MHD_pool_destroy(*state);
	return 0;
}

static void blocks_do_not_overlap_and_end_where_the_memory_ends(void **state)
{
	struct MemoryPool *p = *state;
	uint8_t *low = MHD_pool_allocate(p, 100, false);
	uint8_t *high = MHD_pool_allocate(p, 100, true);

	assert_int_equal((uintptr_t)low % 16, 0);
	assert_int_equal((uintptr_t)high % 16, 0);
	assert_int_equal(high - low, SIZE - 112);
	assert_int_equal(MHD_pool_get_free(p), SIZE - 224);
	assert_null(MHD_pool_allocate(p, SIZE - 223, false));
	assert_null(MHD_pool_allocate(p, SIZE - 223, true));
	assert_null(MHD_pool_allocate(p, SIZE_MAX, false));
	assert_null(MHD_pool_allocate(p, SIZE_MAX - 8, true));
	assert_ptr_equal(MHD_pool_allocate(p, SIZE - 224, false), low + 112);
	assert_int_equal(MHD_pool_get_free(p), 0);
	assert_null(MHD_pool_allocate(p, 1, true));
	assert_non_null(MHD_pool_allocate(p, 0, true));
}

static void the_last_block_grows_and_shrinks_where_it_is(void **state)
{
	struct MemoryPool *p = *state;
	uint8_t *block = MHD_pool_reallocate(p, NULL, 0, 1000);

	memset(block, 'a', 1000);
	assert_ptr_equal(MHD_pool_reallocate(p, block, 1000, 3000), block);
	assert_int_equal(MHD_pool_get_free(p), SIZE - 3008);
	assert_ptr_equal(MHD_pool_reallocate(p, block, 3000, 10), block);
	assert_int_equal(MHD_pool_get_free(p), SIZE - 16);
	assert_null(MHD_pool_reallocate(p, block, 10, SIZE + 1));
	assert_null(MHD_pool_reallocate(p, block, 10, SIZE_MAX));
	assert_ptr_equal(MHD_pool_reallocate(p, block, 10, SIZE), block);
	assert_int_equal(block[9], 'a');
}

static void an_earlier_block_moves_to_grow(void **state)
{
	struct MemoryPool *p = *state;
	uint8_t *first = MHD_pool_allocate(p, 20, false);
	uint8_t *second = MHD_pool_allocate(p, 20, false);
	uint8_t *moved;

	memset(first, 'a', 20);
	memset(second, 'b', 20);
	assert_ptr_equal(MHD_pool_reallocate(p, first, 20, 8), first);
	assert_null(MHD_pool_reallocate(p, first, 20, SIZE));
	moved = MHD_pool_reallocate(p, first, 20, 40);
	assert_ptr_equal(moved, second + 32);
	assert_memory_equal(moved, "aaaaaaaaaaaaaaaaaaaa", 20);
	assert_memory_equal(second, "bbbbbbbbbbbbbbbbbbbb", 20);
}

static void what_a_buffer_has_to_give_for_a_block_is_told(void **state)
{
	struct MemoryPool *p = *state;
	uint8_t *buffer = MHD_pool_allocate(p, SIZE - 32, false);
	size_t required = 0;

	assert_non_null(MHD_pool_try_alloc(p, 32, &required));
	assert_int_equal(required, 0);
	assert_null(MHD_pool_try_alloc(p, 100, &required));
	assert_int_equal(required, 112);
	assert_ptr_equal(MHD_pool_reallocate(p, buffer, SIZE - 32, SIZE - 32 - required), buffer);
	assert_ptr_equal(MHD_pool_try_alloc(p, 100, &required), buffer + SIZE - 32 - 112);
	assert_null(MHD_pool_try_alloc(p, SIZE, &required));
	assert_int_equal(required, SIZE_MAX);
	assert_null(MHD_pool_try_alloc(p, SIZE_MAX, &required));
	assert_int_equal(required, SIZE_MAX);
}

static bool is_clear(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static void the_next_request_keeps_what_came_and_nothing_of_the_last(void **state)
{
	struct MemoryPool *p = *state;
	uint8_t *request = MHD_pool_allocate(p, 600, false);
	uint8_t *header = MHD_pool_allocate(p, 64, true);
	uint8_t *begun;

	memset(request, 's', 500);
	memcpy(request + 500, "GET /next", 9);
	memset(header, 's', 64);
	begun = MHD_pool_reset(p, request + 500, 9, SIZE / 2);
	assert_ptr_equal(begun, request);
	assert_memory_equal(begun, "GET /next", 9);
	assert_true(is_clear(begun + 9, 600 - 100));
	assert_true(is_clear(header, 64));
	assert_int_equal(MHD_pool_get_free(p), SIZE / 2);
	assert_ptr_equal(MHD_pool_reallocate(p, begun, SIZE / 2, SIZE), begun);
}

static void a_request_that_overlaps_what_is_kept_is_moved_whole(void **state)
{
	struct MemoryPool *p = *state;
	char *request = MHD_pool_allocate(p, 64, false);

	memcpy(request, "0123456789abcdefghijklmnopqrstuvwxyz", 36);
	assert_ptr_equal(MHD_pool_reset(p, request + 4, 32, 64), request);
	assert_memory_equal(request, "456789abcdefghijklmnopqrstuvwxyz", 32);
	assert_true(is_clear((uint8_t *)request + 32, 4));
}

static void everything_can_be_given_up(void **state)
{
	struct MemoryPool *p = *state;
	uint8_t *all = MHD_pool_allocate(p, SIZE, false);

	memset(all, 's', SIZE);
	(void)MHD_pool_reset(p, NULL, 0, 0);
	assert_int_equal(MHD_pool_get_free(p), SIZE);
	assert_true(is_clear(all, SIZE));
}

static void libmicrohttpd_uses_this_memory(void **state)
{
	(void)state;
	assert_string_equal(MHD_get_version(), "0.9.75");
	assert_true(pool_is_ours());
}

int main(void)
{
#define POOL(test) cmocka_unit_test_setup_teardown(test, make, drop)
	const struct CMUnitTest tests[] = {
		POOL(blocks_do_not_overlap_and_end_where_the_memory_ends),
		POOL(the_last_block_grows_and_shrinks_where_it_is),
		POOL(an_earlier_block_moves_to_grow),
		POOL(what_a_buffer_has_to_give_for_a_block_is_told),
		POOL(the_next_request_keeps_what_came_and_nothing_of_the_last),
		POOL(a_request_that_overlaps_what_is_kept_is_moved_whole),
		POOL(everything_can_be_given_up),
		cmocka_unit_test(libmicrohttpd_uses_this_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
