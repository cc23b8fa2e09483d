/*
 * http.h - the HTTP server that the fronts see: requests, operations, responses, body streams.
 * libmicrohttpd stays behind it.
 *
 * A front is asked once a request, when the headers are in, for the operation (struct http_op) that
 * serves it. The operation's functions are straight-line code; the server calls them one after
 * another, never two at once for one request, either on the event loop (run INLINE: short, never
 * waits) or on a pool of workers (run WORKER: may wait for disk, commit, network), and suspends the
 * connection meanwhile:
 *
 *     begin   (optional) after the headers, before any of the body and before "100 Continue". May
 * answer: the body is then not read and the connection closes if the body was not there already.
 *     data    (streamed operations) for each piece of the body, at most 64 KiB, in order. May
 * answer, as begin. handle  when the body is complete. Must answer. end     (optional) exactly
 * once, last, always (also when the client went away or begin answered): frees req->user. It runs
 * after the answer was sent or given up.
 *
 * Memory: a request has an arena of at most 256 KiB, a bounded header section, and for a streamed
 * body four buffers of 64 KiB; a whole body counts against a server-wide cap. A slow client holds
 * no thread: data and handle run only when a buffer is full or the body is complete.
 */
#ifndef BERTH_HTTP_HTTP_H
#define BERTH_HTTP_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

struct http_server;
struct http_req;
struct audit_note; /* front/audit.h */

enum http_run { HTTP_INLINE, HTTP_WORKER };

/*
 * A way around the workers, for an operation that mostly makes one short look and then waits for
 * one thing, such as a commit: no thread is kept waiting, nor woken, for it. begin runs on the
 * event loop, and look in the place of handle. It may send the request to handle on a worker after
 * all, and so may finish: handle then goes on from what these have left in req->user.
 */
enum http_turn {
	HTTP_TURN_DONE,   /* answered */
	HTTP_TURN_AWAIT,  /* start comes next */
	HTTP_TURN_WORKER, /* handle */
};

struct http_relay {
	enum http_turn (*look)(struct http_req *req);
	/* Sets off what leads to one http_ready, perhaps before it returns. From here to http_ready
	 * the request belongs to whoever that is. */
	void (*start)(struct http_req *req);
	/* On the event loop again: DONE or WORKER. Not called when the client has gone. */
	enum http_turn (*finish)(struct http_req *req);
};

/* On any thread, which it does not make wait. */
void http_ready(struct http_req *req);

enum http_body { HTTP_BODY_NONE, HTTP_BODY_WHOLE, HTTP_BODY_STREAM };

struct http_op {
	const char *name;               /* as in logs and metrics: "GetManifest" */
	enum http_run run;              /* of begin and handle; data always runs on a worker */
	const struct http_relay *relay; /* optional; with run WORKER, for NONE and WHOLE */
	enum http_body body; /* NONE: a body, if sent, is dropped up to 64 KiB, then 413 */
	size_t body_max; /* WHOLE: longer bodies get too_large (or a bare 413) before they are read
			  */
	bool (*begin)(struct http_req *req);                              /* false: answered */
	bool (*data)(struct http_req *req, const uint8_t *p, size_t len); /* false: answered */
	void (*handle)(struct http_req *req);
	void (*too_large)(struct http_req *req); /* optional: answers 413 in the protocol's words */
	void (*end)(struct http_req *req);
};

/* What a request is, for fronts. Strings live as long as the request. */
struct http_req {
	/* read only */
	struct str method;
	struct str target;    /* raw, as sent: path?query */
	struct str path;      /* raw path, still percent-encoded */
	struct str query;     /* raw, without '?' */
	struct str host;      /* Host header, with port */
	struct str remote_ip; /* text */
	bool is_tls;
	bool has_length;
	uint64_t content_length; /* valid if has_length */
	struct arena *arena;
	char id[33]; /* request id, hex */
	const struct http_op *op;
	int64_t start_us; /* clock_mono_us when the headers were in */
	void *ctx;        /* the front's, from struct http_front */
	/* the front's own */
	void *user;
	/* filled by fronts for the access log; empty means absent */
	struct str log_principal, log_registry, log_repository, log_outcome, log_error;
	struct audit_note *audit; /* of the fronts, for the audit log; NULL: not recorded */
	/* answered so far */
	int status; /* 0: not answered */
	uint64_t bytes_in, bytes_out;
};

/* Header by name (any case), ptr NULL if absent. When repeated: the first. */
struct str http_header(const struct http_req *req, const char *name);
/* Every header, in order; for signatures. */
typedef bool (*http_header_fn)(void *arg, struct str name, struct str value);
void http_headers_each(const struct http_req *req, http_header_fn fn, void *arg);
/* Query parameter by name, decoded ('+' is a space); false if absent. When repeated: the nth (from
 * 0). A malformed escape reads as the raw text. */
bool http_query(const struct http_req *req, const char *name, unsigned nth, struct str *out);
/* The whole body (WHOLE operations, in handle). */
struct str http_body(const struct http_req *req);
/* "http://host:port" as the client addressed the server. */
struct str http_base_url(struct http_req *req);

/* Answers. Exactly one http_reply* per request; headers before or after it, until handle (begin,
 * data) returns. A header set again replaces the first; an empty value sets none. */
void http_header_set(struct http_req *req, const char *name,
	struct str value); /* copied; refuses CR, LF, NUL by dropping the header */
void http_header_setf(struct http_req *req, const char *name, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void http_reply(
	struct http_req *req, int status); /* no body, Content-Length: 0 (except 204, 304) */
void http_reply_bytes(
	struct http_req *req, int status, const char *type, struct str body); /* copied */
void http_reply_buf(struct http_req *req, int status, const char *type,
	struct buf *body); /* takes the memory over, body is emptied */
/* HEAD: the headers of an answer with `length` bytes, without them. */
void http_reply_head(struct http_req *req, int status, const char *type, uint64_t length);

/* A source of bytes for http_reply_object: a file to sendfile from (fd >= 0), or pread. close is
 * called exactly once. */
struct http_object {
	int fd;
	uint64_t size_bytes;
	bool (*pread)(
		void *arg, void *bytes, size_t len, uint64_t off, size_t *out_n, struct err *err);
	void (*close)(void *arg);
	void *arg;
	/* Optional: nothing from end on is asked for until the next call of this. */
	void (*limit)(void *arg, uint64_t end);
};

/*
 * Answers GET or HEAD of an immutable object: 200, 206 (single range, or multipart/byteranges for
 * several), 304 or 412 from If-None-Match, If-Match, 416. Sets ETag (the text given, in quotes),
 * Accept-Ranges, Content-Range, Content-Length. RFC 9110 13 and 14: If-Range is honoured; at most
 * 16 ranges, ascending and not overlapping, else the whole object is sent; a syntactically invalid
 * Range is ignored (one that ends before it starts gets 416). A read failure aborts the connection
 * (the client must not take it for the end).
 */
void http_reply_object(
	struct http_req *req, const char *type, struct str etag, const struct http_object *object);

/* A front: asked in the order given; the first that returns an operation serves the request. */
struct http_front {
	const struct http_op *(*route)(struct http_req *req, void *ctx); /* NULL: not mine */
	void *ctx;
};

struct http_listen {
	const char *address; /* "127.0.0.1:5000", "[::1]:5000", ":5000" (every address, both
				families) */
	bool tls;
};

struct http_options {
	const struct http_listen *listen;
	size_t listen_count;
	const char *tls_cert, *tls_key; /* PEM files; reread by http_server_reload_tls */
	const struct http_front *fronts;
	size_t front_count;
	/* Called once a request after end, with req complete (status, bytes): access log and
	 * metrics. */
	void (*done)(void *arg, const struct http_req *req, int64_t duration_us);
	void *done_arg;
	/* Optional: called once by http_server_start when every address is bound and the
	 * certificate is read, before the first of its threads starts. */
	bool (*bound)(void *arg, struct err *err);
	void *bound_arg;
	struct log *log;
	unsigned loops;                  /* event loops a listener; 0: one a core */
	unsigned workers_max;            /* 0: 64; started when needed, ended after 10 s idle */
	unsigned connections_max;        /* 0: 10,000 in all */
	unsigned connections_per_ip_max; /* 0: no limit */
	size_t header_max_bytes; /* 0: 32 KiB of connection memory, which also bounds the header
				    section */
	size_t whole_bodies_max_bytes; /* 0: 128 MiB over all requests, and as much again for
					  answers that are not read; beyond: 503 with Retry-After */
	unsigned header_timeout_s;     /* 0: 30 for a complete header section */
	unsigned idle_timeout_s; /* 0: 60 between requests of a connection, and without progress of
				    a body or an answer */
	uint64_t min_rate_bytes_s; /* 0: 1024; a body or answer slower than this over 30 s
				      (idle_timeout_s if less) is cut off. UINT64_MAX: never */
};

struct http_stats {
	unsigned connections, requests_active, workers, workers_busy, queue_length;
	uint64_t whole_body_bytes;
	uint64_t answer_bytes; /* of answers above 64 KiB */
};

/* Starts listening. Errors: CONFIG with the address or file in the message. */
MUST_CHECK bool http_server_start(
	const struct http_options *o, struct http_server **out, struct err *err);
/* The port really bound by listener i (for port 0). */
uint16_t http_server_port(const struct http_server *s, size_t i);
/* Rereads certificate and key; on failure the old ones stay. */
MUST_CHECK bool http_server_reload_tls(struct http_server *s, struct err *err);
void http_server_stats(struct http_server *s, struct http_stats *out);
/* Stops accepting, waits up to grace_ms for running requests, then cuts the rest off, and frees.
 * Accepts NULL. */
void http_server_stop(struct http_server *s, unsigned grace_ms);

#endif
