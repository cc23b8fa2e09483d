/* db_gate.h - a gate that holds the writer up, so that pieces of several callers meet in one batch.
 */
#ifndef BERTH_TEST_DB_GATE_H
#define BERTH_TEST_DB_GATE_H

#include <stdatomic.h>

#include "base/thread.h"
#include "db_fixture.h"

/* A piece that keeps the writer busy until it is let go, so that what comes after it meets in one
 * batch. */

struct gate {
	struct db *db;
	atomic_bool entered, open;
	struct thread *thread;
};

static inline bool wait_at_gate(struct db_conn *c, void *arg, struct err *err)
{
	struct gate *g = arg;
	(void)c;
	(void)err;
	atomic_store(&g->entered, true);
	while (!atomic_load(&g->open))
		usleep(100);
	return true;
}

static inline void gate_main(void *arg)
{
	struct gate *g = arg;
	struct err err;
	err_ignore(db_write(g->db, wait_at_gate, g, &err)); /* a fault may be meant for its batch */
}

static inline void gate_shut(struct gate *g, struct db *db)
{
	struct err err;
	g->db = db;
	assert_true(thread_start("gate", gate_main, g, 0, &g->thread, &err));
	while (!atomic_load(&g->entered))
		usleep(100);
}

static inline void gate_open(struct gate *g)
{
	atomic_store(&g->open, true);
	thread_join(g->thread);
}

#endif
