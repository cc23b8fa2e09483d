#include "app/status.h"

#include <stdlib.h>
#include <sys/statvfs.h>

#include "meta/upload_table.h"
#include "registry/collect.h"
#include "registry/savings.h"

static int by_count(const void *x, const void *y)
{
	const struct status_op *a = x;
	const struct status_op *b = y;
	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return strcmp(a->name, b->name);
}

static bool add_registry(void *arg, const struct registry_id *reg, const struct savings_total *t)
{
	struct server_status *s = arg;
	(void)reg;
	s->stored_bytes += t->stored_bytes;
	s->waiting_bytes += t->waiting_bytes;
	return true;
}

static bool count_uploads(struct db_conn *conn, void *arg, struct err *err)
{
	return upload_table_count(conn, arg, err);
}

static void read_disk(const struct ops *ops, struct server_status *s)
{
	struct statvfs fs;
	s->min_free_bytes = ops->min_free;
	if (statvfs(ops->blobs, &fs) != 0)
		return;
	s->disk_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	s->disk_free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
}

static void read_counters(struct ops *ops, struct server_status *s)
{
	struct http_server *server = atomic_load(&ops->server);
	struct http_stats http = { 0 };
	struct core_counters c;
	if (server != NULL)
		http_server_stats(server, &http);
	core_counters(ops->stack->core, &c);
	s->connections = http.connections;
	s->collect_runs = c.collect_runs;
	s->collect_errors = c.collect_errors;
	s->collected_bytes = c.bytes_collected;
	s->uploads_active = c.uploads_open;
	s->db_queue = c.db_queue;
}

static bool read_status(void *arg, struct arena *arena, struct server_status *out, struct err *err)
{
	struct ops *ops = arg;
	struct core *core = ops->stack->core;
	struct server_status s = {
		.ops = arena_alloc(arena, METRICS_OPS_MAX * sizeof(*s.ops)),
	};
	struct collect_backlog backlog;
	if (s.ops == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "the call's arena is used up");
	s.op_count = metrics_read_ops(ops->metrics, s.ops);
	qsort(s.ops, s.op_count, sizeof(*s.ops), by_count);
	for (size_t i = 0; i < s.op_count; i++)
		s.requests += s.ops[i].count;
	metrics_read_process(&s.started_at_ms, &s.memory_bytes);
	read_disk(ops, &s);
	read_counters(ops, &s);
	if (!savings_registries(core, add_registry, &s, err) ||
		!collect_backlog(core, &backlog, err) ||
		!db_read(ops->stack->db, count_uploads, &s.uploads_open, err))
		return false;
	s.candidates = backlog.candidates;
	s.trash = backlog.trash;
	*out = s;
	return true;
}

struct front_status status_source(struct ops *ops)
{
	return (struct front_status){ .read = read_status, .arg = ops };
}
