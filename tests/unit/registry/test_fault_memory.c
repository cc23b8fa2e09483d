/*
 * Memory runs out, once or from there on, at every allocation that an operation passes: those of
 * our own whose size comes from outside (small ones of fixed size abort: base/mem.h), those of JSON
 * and those of SQLite.
 */
#include <sqlite3.h>

#include "countdown.h"
#include "plays.h"

static _Thread_local unsigned fixed; /* within an allocation that is not meant */

static bool of_the_engine; /* which are meant; set while nothing is armed */

static bool fails(bool engine)
{
	return engine == of_the_engine && fixed == 0 && countdown_ends();
}

/* The linker puts these before those of the program (--wrap); libraries have their own. */

#define WRAP(result, name, params)   \
	result __real_##name params; \
	result __wrap_##name params; \
	result __wrap_##name params

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
WRAP(void *, malloc, (size_t len))
{
	return fails(false) ? NULL : __real_malloc(len);
}

WRAP(void *, calloc, (size_t n, size_t len))
{
	return fails(false) ? NULL : __real_calloc(n, len);
}

WRAP(void *, realloc, (void *p, size_t len))
{
	return fails(false) ? NULL : __real_realloc(p, len);
}

WRAP(void *, reallocarray, (void *p, size_t n, size_t len))
{
	return fails(false) ? NULL : __real_reallocarray(p, n, len);
}

WRAP(void *, xmalloc, (size_t len))
{
	fixed++;
	void *p = __real_xmalloc(len);
	fixed--;
	return p;
}

WRAP(void *, xmalloc_raw, (size_t len))
{
	fixed++;
	void *p = __real_xmalloc_raw(len);
	fixed--;
	return p;
}

WRAP(void *, xcalloc, (size_t n, size_t len))
{
	fixed++;
	void *p = __real_xcalloc(n, len);
	fixed--;
	return p;
}

/* NOLINTEND(bugprone-reserved-identifier) */

/* SQLite's. */

static sqlite3_mem_methods real;

static void *engine_malloc(int len)
{
	return fails(true) ? NULL : real.xMalloc(len);
}

static void *engine_realloc(void *p, int len)
{
	return fails(true) ? NULL : real.xRealloc(p, len);
}

static void wrap_engine(void)
{
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real), SQLITE_OK);
	sqlite3_mem_methods mine = real;
	mine.xMalloc = engine_malloc;
	mine.xRealloc = engine_realloc;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &mine), SQLITE_OK);
}

static void arm_once(struct world *w UNUSED, unsigned n)
{
	countdown_arm(n, false);
}

static void arm_lasting(struct world *w UNUSED, unsigned n)
{
	countdown_arm(n, true);
}

/* Never is anything said to be missing, or the client's fault. The store of these tests, which is
 * memory, is full. */
static bool is_shortage(enum err_kind kind)
{
	return kind == ERR_UNAVAILABLE || kind == ERR_STORAGE_FULL;
}

static bool is_unavailable(enum err_kind kind)
{
	return kind == ERR_UNAVAILABLE;
}

static void play_all(const struct fault *fault)
{
	for (size_t i = 0; i < ARRAY_LEN(plays); i++)
		assert_true(play_all_places(&plays[i], fault) > 0);
}

static void any_allocation_may_fail(void **state UNUSED)
{
	static const struct fault fault = { arm_once, is_spent, is_shortage, false, 0 };
	of_the_engine = false;
	play_all(&fault);
}

static void memory_may_be_gone_for_a_while(void **state UNUSED)
{
	static const struct fault fault = { arm_lasting, is_spent, is_shortage, false, 0 };
	of_the_engine = false;
	play_all(&fault);
}

static void any_allocation_of_the_engine_may_fail(void **state UNUSED)
{
	static const struct fault fault = { arm_once, is_spent, is_unavailable, false, 97 };
	of_the_engine = true;
	play_all(&fault);
}

int main(int argc, char **argv UNUSED)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_allocation_may_fail),
		cmocka_unit_test(memory_may_be_gone_for_a_while),
		cmocka_unit_test(any_allocation_of_the_engine_may_fail),
	};
	wrap_engine();
	return RUN_EITHER_WAY(tests, argc);
}
