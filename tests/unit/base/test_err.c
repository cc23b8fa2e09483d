#include <errno.h>

#include "../unit.h"
#include "base/mem.h"

static void a_set_error_carries_kind_message_and_origin(void **state UNUSED)
{
	struct err err = { .detail = "old" };
	int line = __LINE__ + 1;
	assert_false(err_set(&err, ERR_REPO_UNKNOWN, "no %s here", "repository"));
	assert_int_equal(err.kind, ERR_REPO_UNKNOWN);
	assert_string_equal(err.msg, "no repository here");
	assert_string_equal(err.detail, "");
	assert_string_equal(err.file, __FILE__);
	assert_int_equal(err.line, line);
}

static void a_system_error_keeps_its_text_from_the_client(void **state UNUSED)
{
	struct err err = { .msg = "old" };
	assert_false(err_sys(&err, ERR_STORAGE_FULL, ENOSPC, "writing %s", "/secret/path"));
	assert_string_equal(err.msg, "");
	assert_string_equal(err.detail, "writing /secret/path: No space left on device");
	assert_string_equal(err_text(&err), "storage full");
	assert_false(err_sys(&err, ERR_CORRUPT, 0, "row"));
	assert_string_equal(err.detail, "row");
}

static void wrapping_prefixes_the_detail_only(void **state UNUSED)
{
	struct err err;
	assert_false(err_set(&err, ERR_INVALID, "bad"));
	assert_false(err_wrap(&err, "file %d", 1));
	assert_string_equal(err.detail, "file 1");
	assert_false(err_wrap(&err, "%s", "outer"));
	assert_string_equal(err.detail, "outer: file 1");
	assert_string_equal(err.msg, "bad");
	assert_int_equal(err.kind, ERR_INVALID);
}

static void a_message_may_be_made_from_the_old_one(void **state UNUSED)
{
	struct err err;
	assert_false(err_set(&err, ERR_INVALID, "inner"));
	assert_false(err_set(&err, ERR_DENIED, "outer: %s", err.msg));
	assert_string_equal(err.msg, "outer: inner");
	assert_false(err_wrap(&err, "%s", err.msg));
	assert_false(err_wrap(&err, "again %s", err.detail));
	assert_string_equal(err.detail, "again outer: inner: outer: inner");
}

static void long_text_is_cut_and_terminated(void **state UNUSED)
{
	struct err err;
	char text[3000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_INVALID, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	err_sys(&err, ERR_INVALID, EIO, "%s", text);
	assert_int_equal(strlen(err.detail), sizeof(err.detail) - 1);
	err_wrap(&err, "more");
	assert_int_equal(strlen(err.detail), sizeof(err.detail) - 1);
	assert_memory_equal(err.detail, "more: xx", 8);
}

static void every_kind_has_a_name_and_a_text(void **state UNUSED)
{
	assert_string_equal(err_kind_name(ERR_INTERNAL), "INTERNAL");
	assert_string_equal(err_kind_name(ERR_TAG_IMMUTABLE), "TAG_IMMUTABLE");
	assert_string_equal(err_kind_text(ERR_TAG_IMMUTABLE), "tag is immutable");
	for (enum err_kind k = ERR_INTERNAL; k <= ERR_KEY_UNKNOWN; k++) {
		assert_true(strlen(err_kind_name(k)) > 0);
		assert_true(strlen(err_kind_text(k)) > 0);
	}
}

static void fixed_allocations_are_zeroed_and_freep_forgets(void **state UNUSED)
{
	char *bytes CLEANUP(freep) = xmalloc(100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(bytes[i], 0);
	int *numbers = xcalloc(10, sizeof(*numbers));
	assert_int_equal(numbers[9], 0);
	freep(&numbers);
	assert_null(numbers);
	char *copy CLEANUP(freep) = xstrdup("text");
	assert_string_equal(copy, "text");
	mem_wipe(copy, 4);
	assert_int_equal(copy[0], 0);
	assert_int_equal(copy[3], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_error_carries_kind_message_and_origin),
		cmocka_unit_test(a_system_error_keeps_its_text_from_the_client),
		cmocka_unit_test(wrapping_prefixes_the_detail_only),
		cmocka_unit_test(a_message_may_be_made_from_the_old_one),
		cmocka_unit_test(long_text_is_cut_and_terminated),
		cmocka_unit_test(every_kind_has_a_name_and_a_text),
		cmocka_unit_test(fixed_allocations_are_zeroed_and_freep_forgets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
