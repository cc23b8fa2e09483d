/* Requests: their birth and end, and what fronts read of them. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/mem.h"
#include "http/http_priv.h"

/* Unique in this server and not to be guessed from outside the log: the bijection of splitmix64
 * over a counter. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
	return x ^ (x >> 31);
}

static void make_id(struct http_server *s, char id[33])
{
	uint64_t n = atomic_fetch_add_explicit(&s->next_id, 1, memory_order_relaxed);
	uint64_t words[2] = { mix(s->id_seed[0] + n), mix(s->id_seed[1] ^ n) };

	hex_encode((const uint8_t *)words, sizeof(words), id);
	id[32] = '\0';
}

struct request *request_new(struct conn *conn, struct MHD_Connection *mhd, const char *raw_target)
{
	struct request *r = calloc(1, sizeof(*r));
	struct arena *arena = arena_new(REQUEST_ARENA_MAX);

	if (r == NULL || arena == NULL) {
		free(r);
		arena_free(arena);
		return NULL;
	}
	r->pub.arena = arena;
	r->server = conn->server;
	r->conn = conn;
	r->mhd = mhd;
	r->raw_target = raw_target;
	r->pub.target = arena_str(arena, str_from(raw_target));
	r->pub.is_tls = conn->is_tls;
	mutex_init(&r->lock, "http.request");
	return r;
}

void request_arrive(struct request *r)
{
	make_id(r->server, r->pub.id);
	r->pub.start_us = clock_mono_us();
	r->pub.remote_ip = arena_str(r->pub.arena, str_from(r->conn->ip));
	r->is_counted = true;
	atomic_fetch_add_explicit(&r->server->requests_active, 1, memory_order_relaxed);
}

void request_finish(struct request *r)
{
	struct http_server *s = r->server;

	r->pub.bytes_in = r->received;
	if (r->pub.op != NULL && r->pub.op->end != NULL)
		r->pub.op->end(&r->pub);
	reply_fini(r);
	body_fini(r);
	memory_give_back(r);
	if (r->is_counted) {
		if (s->options.done != NULL)
			s->options.done(
				s->options.done_arg, &r->pub, clock_mono_us() - r->pub.start_us);
		/* Last: http_server_stop lets go of the fronts when no request is active. */
		atomic_fetch_sub(&s->requests_active, 1);
	}
	mutex_fini(&r->lock);
	arena_free(r->pub.arena);
	free(r);
}

struct str http_header(const struct http_req *req, const char *name)
{
	const struct request *r = request_of_const(req);
	struct str wanted = str_from(name);

	for (size_t i = 0; i < r->header_count; i++)
		if (r->headers[i].name.len == wanted.len &&
			str_eq_nocase(r->headers[i].name, wanted))
			return r->headers[i].value;
	return (struct str){ NULL, 0 };
}

void http_headers_each(const struct http_req *req, http_header_fn fn, void *arg)
{
	const struct request *r = request_of_const(req);

	for (size_t i = 0; i < r->header_count; i++)
		if (!fn(arg, r->headers[i].name, r->headers[i].value))
			return;
}

/* Decoded into the arena where it needs decoding. */
static struct str decoded(struct http_req *req, struct str raw)
{
	size_t len;
	char *out;

	if (str_find_char(raw, '%') == raw.len && str_find_char(raw, '+') == raw.len)
		return raw;
	out = arena_alloc(req->arena, raw.len + 1);
	if (out == NULL || !percent_decode(raw, true, out, &len))
		return raw;
	out[len] = '\0';
	return (struct str){ out, len };
}

bool http_query(const struct http_req *req, const char *name, unsigned nth, struct str *out)
{
	/* The arena is the one thing that changes. */
	struct http_req *mutable = &request_of((struct http_req *)(uintptr_t)req)->pub;
	struct str rest = req->query;
	struct str pair;
	struct str key;
	struct str value;

	while (rest.len > 0) {
		(void)str_cut(rest, '&', &pair, &rest);
		(void)str_cut(pair, '=', &key, &value);
		if (!str_eq_c(decoded(mutable, key), name))
			continue;
		if (nth-- == 0) {
			*out = decoded(mutable, value);
			return true;
		}
	}
	return false;
}

struct str http_body(const struct http_req *req)
{
	return buf_str(&request_of_const(req)->whole);
}

struct str http_base_url(struct http_req *req)
{
	/* HTTP/1.0 without Host: a URL relative to the server is all that can be said. */
	if (req->host.len == 0)
		return STR("");
	return arena_printf(
		req->arena, "%s://" STR_FMT, req->is_tls ? "https" : "http", STR_ARG(req->host));
}
