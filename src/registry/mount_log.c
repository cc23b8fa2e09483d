#include "registry/mount_log.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "meta/upload_table.h"

#define WAITING_MAX 16384

struct mount_entry {
	struct mount_entry *next;
	struct mount_log_row row; /* its strings are in text */
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

void core_log_mount(struct core *c, int64_t registry_id, const struct mount_request *in,
	enum mount_outcome outcome, struct str source, uint64_t size_bytes)
{
	core_count(&c->mounts[outcome], 1);
	struct str target = cut(in->target, 256), digest = cut(in->digest, DIGEST_TEXT_MAX),
		   principal = cut(in->principal, 512);
	source = cut(source.ptr ? source : in->source, 256);
	struct mount_entry *e =
		malloc(sizeof(*e) + target.len + source.len + digest.len + principal.len);
	if (!e)
		return; /* best effort: the counters have it */
	char *at = e->text;
	e->next = NULL;
	e->row = (struct mount_log_row){
		.registry_id = registry_id,
		.at_ms = clock_now_ms(),
		.target = keep(&at, target),
		.source = keep(&at, source),
		.digest = keep(&at, digest),
		.outcome = str_from(mount_outcome_text(outcome)),
		.principal = keep(&at, principal),
		.size_bytes = size_bytes,
	};
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

static bool write_entries(struct db_conn *conn, void *arg, struct err *err)
{
	for (struct mount_entry *e = arg; e; e = e->next) {
		if (!mount_log_table_add(conn, &e->row, err))
			return false;
	}
	return true;
}

bool mount_log_flush(struct core *c, struct err *err)
{
	mutex_lock(&c->log_mutex);
	struct mount_entry *first = c->log_first, *last = c->log_last;
	unsigned count = c->log_count;
	c->log_first = c->log_last = NULL;
	c->log_count = 0;
	mutex_unlock(&c->log_mutex);
	if (!first)
		return true;
	if (db_write(c->db, write_entries, first, err)) {
		free_entries(first);
		return true;
	}
	mutex_lock(&c->log_mutex);
	last->next = c->log_first;
	c->log_first = first;
	if (!c->log_last)
		c->log_last = last;
	c->log_count += count;
	mutex_unlock(&c->log_mutex);
	return false;
}

void mount_log_drop(struct core *c)
{
	free_entries(c->log_first);
	c->log_first = c->log_last = NULL;
	c->log_count = 0;
}
