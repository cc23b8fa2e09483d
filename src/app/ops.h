/*
 * ops.h - the front for those who run the server: /healthz, /readyz, /metrics.
 *
 * /healthz is 200 while the process serves; /readyz is 200 while it can do its work (the database
 * answers, the store takes writes, nobody has asked it to stop), otherwise 503 with the reason;
 * both answer everybody and tell nothing else. /metrics answers clients on loopback, or everybody
 * when so configured. None asks for credentials.
 */
#ifndef BERTH_APP_OPS_H
#define BERTH_APP_OPS_H

#include <stdatomic.h>

#include "app/metrics.h"
#include "app/stack.h"
#include "http/http.h"

struct audit;
struct events;
struct sandbox;

struct ops {
	const struct stack *stack;
	struct metrics *metrics;
	struct events *events; /* NULL: none */
	struct audit *audit;   /* NULL: off */
	const struct sandbox *sandbox;
	const char *blobs; /* the store's folder */
	uint64_t min_free;
	bool metrics_open;
	_Atomic(struct http_server *) server; /* NULL until it runs */
	atomic_bool is_stopping;
};

/* Borrows ops for the life of the server. */
struct http_front ops_front(struct ops *ops);

/* The whole text of /metrics. server may be NULL. */
MUST_CHECK bool ops_render_metrics(struct ops *ops, struct buf *out, struct err *err);

#endif
