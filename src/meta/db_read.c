/* The read pool: connections that are opened when first needed and handed out last used first. */
#include <assert.h>

#include "meta/db_priv.h"

void db_pool_init(struct db_pool *p, unsigned limit, bool keeps)
{
	mutex_init(&p->lock, "db read pool");
	cond_init(&p->released);
	p->limit = limit;
	p->keeps = keeps;
}

void db_pool_shrink(struct db_pool *p)
{
	struct db_conn *all;
	struct db_conn *next;
	mutex_lock(&p->lock);
	all = p->free;
	p->free = NULL;
	for (struct db_conn *c = all; c != NULL; c = c->next_free)
		p->opened--;
	mutex_unlock(&p->lock);
	for (struct db_conn *c = all; c != NULL; c = next) {
		next = c->next_free;
		db_conn_close(c);
	}
}

void db_pool_release(struct db_pool *p)
{
	LOCKED(&p->lock); /* a few microseconds */
	for (struct db_conn *c = p->free; c != NULL; c = c->next_free)
		db_snapshot_end(c);
	p->is_watched = false;
}

void db_pool_fini(struct db_pool *p)
{
	db_pool_shrink(p);
	assert(p->opened == 0); /* else a db_read is still running */
	cond_fini(&p->released);
	mutex_fini(&p->lock);
}

/* A free connection, or NULL: then the caller may open one, which is counted already. */
static struct db_conn *pool_take(struct db_pool *p)
{
	LOCKED(&p->lock);
	while (p->free == NULL && p->opened == p->limit) {
		p->waiting++;
		cond_wait(&p->released, &p->lock);
		p->waiting--;
	}
	struct db_conn *c = p->free;
	if (c != NULL)
		p->free = c->next_free;
	else
		p->opened++;
	return c;
}

/* c NULL: the place of a connection that could not be opened. True: it brings the first snapshot
 * that somebody must end. */
static bool pool_give(struct db_pool *p, struct db_conn *c)
{
	LOCKED(&p->lock);
	bool is_first = c != NULL && c->snapshot.is_kept && !p->is_watched;
	if (is_first)
		p->is_watched = true;
	if (c != NULL) {
		c->next_free = p->free;
		p->free = c;
	} else {
		p->opened--;
	}
	if (p->waiting > 0)
		cond_signal(&p->released);
	return is_first;
}

static bool read_on(struct db_conn *c, db_fn fn, void *arg, struct err *err)
{
	if (!db_snapshot_begin(c, err))
		return false;
	bool done = db_conn_call(c, fn, arg, err);
	if (done && c->db->pool.keeps)
		db_snapshot_keep(c);
	else
		db_snapshot_end(c);
	return done;
}

bool db_read(struct db *db, db_fn fn, void *arg, struct err *err)
{
	/* Inside a callback it could wait for a connection that its own thread holds, and it would
	 * see another snapshot. */
	assert(db_active == NULL || db_active->db != db);
	struct db_conn *c = pool_take(&db->pool);
	if (c == NULL && !db_conn_open(db, DB_ROLE_READER, &c, err)) {
		(void)pool_give(&db->pool, NULL);
		return false;
	}
	bool done = read_on(c, fn, arg, err);
	if (!c->snapshot.is_kept && db_conn_in_transaction(c)) {
		db_conn_close(c); /* it does not end, and its snapshot grows old */
		c = NULL;
	}
	if (pool_give(&db->pool, c))
		db_writer_watch(db->writer);
	return done;
}
