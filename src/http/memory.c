/*
 * What clients can make the server hold in memory: bodies that are read whole, as they arrive (an
 * announced length costs nothing), and long answers until they are read. Each kind has the same
 * limit over all requests, beyond which it is refused. When a body was refused, or answers reach
 * half their limit, the sweeper asks more of those who hold some (sweep.c), so that nobody holds it
 * up for long.
 */
#include "http/http_priv.h"

static void note_shortage(struct request *r)
{
	struct http_server *s = r->server;

	atomic_store_explicit(
		&s->memory_short_until_s, atomic_load(&s->now_s) + SHORT_S, memory_order_relaxed);
}

bool memory_fits_body(struct request *r, uint64_t more)
{
	struct http_server *s = r->server;

	if (atomic_load(&s->body_bytes) + more <= s->options.whole_bodies_max_bytes)
		return true;
	note_shortage(r);
	return false;
}

bool memory_take_body(struct request *r, uint64_t total)
{
	struct http_server *s = r->server;
	uint64_t more = total - r->body_counted;

	if (atomic_fetch_add(&s->body_bytes, more) + more > s->options.whole_bodies_max_bytes) {
		atomic_fetch_sub(&s->body_bytes, more);
		note_shortage(r);
		return false;
	}
	r->body_counted = total;
	atomic_store_explicit(&r->conn->holds_memory, true, memory_order_relaxed);
	return true;
}

bool memory_take_answer(struct request *r, uint64_t bytes)
{
	struct http_server *s = r->server;
	uint64_t limit = s->options.whole_bodies_max_bytes;
	uint64_t sum = atomic_fetch_add(&s->answer_bytes, bytes) + bytes;

	if (sum > limit / 2)
		note_shortage(r);
	if (sum > limit) {
		atomic_fetch_sub(&s->answer_bytes, bytes);
		return false;
	}
	r->answer_counted = bytes;
	atomic_store_explicit(&r->conn->holds_memory, true, memory_order_relaxed);
	return true;
}

void memory_give_back(struct request *r)
{
	if (r->body_counted > 0)
		atomic_fetch_sub(&r->server->body_bytes, r->body_counted);
	if (r->answer_counted > 0)
		atomic_fetch_sub(&r->server->answer_bytes, r->answer_counted);
}
