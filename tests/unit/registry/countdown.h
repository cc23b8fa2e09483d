/*
 * countdown.h - lets the n-th use of something fail, once or from there on, for tests that put
 * themselves in the place of a library's calls. What a test does for itself (SPARED_FROM_FAULTS)
 * counts for nothing. Safe from all threads; arming while something is counted is not.
 */
#ifndef BERTH_TESTS_REGISTRY_COUNTDOWN_H
#define BERTH_TESTS_REGISTRY_COUNTDOWN_H

#include <stdatomic.h>

#include "world.h"

static atomic_uint countdown;
static atomic_bool is_lasting, is_met;

/* Counts one use; true when it is to fail. */
static bool countdown_ends(void)
{
	if (spared > 0)
		return false;
	unsigned left = atomic_load(&countdown);
	do {
		if (left == 0)
			return false;
	} while (!atomic_compare_exchange_weak(
		&countdown, &left, left == 1 && atomic_load(&is_lasting) ? 1 : left - 1));
	if (left > 1)
		return false;
	atomic_store(&is_met, true);
	return true;
}

/* n: 0 for none, which leaves what is_spent says. */
static void countdown_arm(unsigned n, bool lasting)
{
	atomic_store(&countdown, 0);
	if (n != 0)
		atomic_store(&is_met, false);
	atomic_store(&is_lasting, lasting);
	atomic_store(&countdown, n);
}

static bool is_spent(struct world *w UNUSED)
{
	return atomic_load(&is_met);
}

#endif
