#include "registry/mount_log.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "meta/mount_log_table.h"
#include "registry/mount_sums.h"

#define WAITING_MAX 16384

struct mount_entry {
	struct mount_entry *next;
	struct mount_log_row row; /* its strings are in text */
	bool avoidable;
	char text[];
};

static struct str keep(char **at, struct str s)
{
	if (!s.ptr)
		return s;
	struct str r = { *at, s.len };
	memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return r;
}

static struct str cut(struct str s, size_t max)
{
	return s.ptr ? str_sub(s, 0, max) : s;
}

void core_log_mount(struct core *c, const struct mount_request *in, const struct mount_entry_of *of)
{
	core_count(&c->mounts[of->outcome], 1);
	struct str target = cut(in->target, 256);
	struct str digest = cut(in->digest, DIGEST_TEXT_MAX);
	struct str principal = cut(in->principal, 512);
	struct str source = of->source;
	source = cut(source.ptr ? source : in->source, 256);
	struct mount_entry *e =
		malloc(sizeof(*e) + target.len + source.len + digest.len + principal.len);
	if (!e)
		return; /* best effort: the counters have it */
	char *at = e->text;
	e->next = NULL;
	e->row = (struct mount_log_row){
		.registry_id = of->registry_id,
		.at_ms = clock_now_ms(),
		.target = keep(&at, target),
		.source = keep(&at, source),
		.digest = keep(&at, digest),
		.outcome = str_from(mount_outcome_text(of->outcome)),
		.principal = keep(&at, principal),
		.size_bytes = of->size_bytes,
	};
	e->avoidable = of->avoidable;
	struct mount_entry *drop = NULL;
	mutex_lock(&c->log_mutex);
	if (c->log_last)
		c->log_last->next = e;
	else
		c->log_first = e;
	c->log_last = e;
	if (++c->log_count > WAITING_MAX) {
		drop = c->log_first;
		c->log_first = drop->next;
		c->log_count--;
	}
	mutex_unlock(&c->log_mutex);
	free(drop);
}

static void free_entries(struct mount_entry *e)
{
	while (e) {
		struct mount_entry *next = e->next;
		free(e);
		e = next;
	}
}

/* So many rows a transaction: what others write does not wait for a long log. */
#define BATCH 500

static bool write_entries(struct db_conn *conn, void *arg, struct err *err)
{
	struct mount_summing *sums CLEANUP(mount_summing_freep) = mount_summing_new();
	unsigned n = 0;
	for (struct mount_entry *e = arg; e && n < BATCH; e = e->next, n++) {
		if (!mount_log_table_add(conn, &e->row, err) ||
			!mount_summing_add(sums, conn, &e->row, e->avoidable, err))
			return false;
	}
	return mount_summing_flush(sums, conn, err);
}

/* Puts back what could not be written, before what has come since. */
static void put_back(struct core *c, struct mount_entry *first, struct mount_entry *last)
{
	unsigned count = 0;
	for (const struct mount_entry *e = first; e; e = e->next)
		count++;
	LOCKED(&c->log_mutex);
	last->next = c->log_first;
	c->log_first = first;
	if (!c->log_last)
		c->log_last = last;
	c->log_count += count;
}

bool mount_log_flush(struct core *c, struct err *err)
{
	mutex_lock(&c->log_mutex);
	struct mount_entry *first = c->log_first;
	struct mount_entry *last = c->log_last;
	c->log_first = c->log_last = NULL;
	c->log_count = 0;
	mutex_unlock(&c->log_mutex);
	while (first) {
		if (!db_write(c->db, write_entries, first, err)) {
			put_back(c, first, last);
			return false;
		}
		for (unsigned n = 0; first && n < BATCH; n++) {
			struct mount_entry *next = first->next;
			free(first);
			first = next;
		}
	}
	return true;
}

void mount_log_drop(struct core *c)
{
	free_entries(c->log_first);
	c->log_first = c->log_last = NULL;
	c->log_count = 0;
}
