/*
 * Every step of the database and every call of the store fails once, at every place that an
 * operation passes.
 */
#include "plays.h"

static bool is_unavailable_or_full(enum err_kind kind)
{
	return kind == ERR_UNAVAILABLE || kind == ERR_STORAGE_FULL;
}

static void arm_store(struct world *w, unsigned n)
{
	store_fault_set(w->store, n, ERR_UNAVAILABLE);
}

static bool store_is_spent(struct world *w)
{
	return store_fault_is_spent(w->store);
}

static void arm_step(struct world *w, unsigned n)
{
	db_fault_set(w->db, n, DB_FAULT_IO, DB_FAULT_AT_ANY);
}

static void arm_lost(struct world *w, unsigned n)
{
	db_fault_set(w->db, n, DB_FAULT_FULL_LOST, DB_FAULT_AT_ANY);
}

static bool db_is_spent(struct world *w)
{
	return db_fault_left(w->db) == 0;
}

static void any_call_of_the_store_may_fail(void **state UNUSED)
{
	static const struct fault fault = { arm_store, store_is_spent, is_unavailable_or_full,
		false, 0 };
	for (size_t i = 0; i < ARRAY_LEN(plays); i++) {
		/* A mount and a policy touch no bytes. */
		bool touches = plays[i].act != act_mount && plays[i].act != act_lifecycle;
		assert_true((play_all_places(&plays[i], &fault) > 0) == touches);
	}
}

static void play_database(const struct fault *fault)
{
	for (size_t i = 0; i < ARRAY_LEN(plays); i++) {
		unsigned places = play_all_places(&plays[i], fault);
		assert_true(places >= (plays[i].act == act_pull ? 3 : 30));
	}
}

static void any_step_of_the_database_may_fail(void **state UNUSED)
{
	static const struct fault fault = { arm_step, db_is_spent, is_unavailable_or_full, false,
		0 };
	play_database(&fault);
}

static void any_step_may_take_the_whole_transaction_with_it(void **state UNUSED)
{
	static const struct fault fault = { arm_lost, db_is_spent, is_unavailable_or_full, false,
		0 };
	play_database(&fault);
}

int main(int argc, char **argv UNUSED)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_call_of_the_store_may_fail),
		cmocka_unit_test(any_step_of_the_database_may_fail),
		cmocka_unit_test(any_step_may_take_the_whole_transaction_with_it),
	};
	return RUN_EITHER_WAY(tests, argc);
}
