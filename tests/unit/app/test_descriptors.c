#include <fcntl.h>
#include <unistd.h>

#include "../unit.h"
#include "app/config.h"
#include "app/descriptors.h"

static void connections_leave_a_quarter_of_what_the_server_does_not_hold(void **state UNUSED)
{
	static const struct {
		uint64_t limit, own;
		unsigned wanted, connections;
	} table[] = {
		{ 1024, 24, 10000, 750 },
		{ 1024, 624, 10000, 300 }, /* many readers of the database */
		{ 1024, 24, 100, 100 }, { 1048576, 40, 10000, 10000 },
		{ 20040, 40, 100000, 15904 },                /* no more than 4,096 stay */
		{ 64, 32, 10000, 24 }, { 48, 32, 10000, 8 }, /* no fewer than 8 */
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		unsigned got = 0;
		struct err err;
		assert_true(descriptors_share(
			table[i].limit, table[i].own, table[i].wanted, &got, &err));
		assert_int_equal(got, table[i].connections);
	}
}

static void a_limit_that_serves_nobody_is_refused(void **state UNUSED)
{
	static const uint64_t limits[] = { 0, 3, 31, 32, 47 };
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		unsigned got = 77;
		struct err err;
		assert_false(descriptors_share(limits[i], 32, 100, &got, &err));
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.msg, "at least 48"));
		assert_int_equal(got, 77);
	}
}

static void open_descriptors_are_counted(void **state UNUSED)
{
	uint64_t before = descriptors_open();
	assert_true(before >= 3);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(descriptors_open(), before + 1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(descriptors_open(), before);
}

static void what_is_configured_is_held(void **state UNUSED)
{
	struct config few = { .loops = 1, .db_readers = 1, .listen = { .count = 1 } };
	struct config many = { .loops = 8,
		.db_readers = 64,
		.listen = { .count = 2 },
		.event_webhook = { .count = 3 } };
	uint64_t own = descriptors_own(&few, 20);
	assert_true(own >= 20 + 2 + 3);
	assert_int_equal(descriptors_own(&few, 21), own + 1);
	assert_int_equal(descriptors_own(&many, 20) - own, 2 * 63 + (2 * 17 - 3) + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_leave_a_quarter_of_what_the_server_does_not_hold),
		cmocka_unit_test(a_limit_that_serves_nobody_is_refused),
		cmocka_unit_test(open_descriptors_are_counted),
		cmocka_unit_test(what_is_configured_is_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
