/*
 * http_priv.h - what the modules of this folder share: the server, its connections, its requests.
 *
 * Who may touch what:
 *   A connection belongs to the event loop that the acceptor gave it to. Other threads see only
 * what is atomic, and the sweeper its descriptor, under the server's `conns_lock`. A request
 * belongs to its event loop until it is scheduled on a worker; from then on the fields named under
 * `lock` are shared and the rest belongs to whoever the state says: begin, data and handle (and so
 * `pub`) to the worker while the connection is suspended for it, the filling of buffers to the
 * event loop. Suspended implies scheduled: whoever suspends a connection has queued the worker that
 * resumes it. So nothing hangs when the workers run dry, and stopping needs no list of suspended
 * connections. A request is freed by the side that leaves last: libmicrohttpd letting go of it
 * (`is_gone`), or the worker. Lock order: request.lock, then workers.lock or libmicrohttpd's own;
 * conns_lock alone.
 */
#ifndef BERTH_HTTP_HTTP_PRIV_H
#define BERTH_HTTP_HTTP_PRIV_H

#include <microhttpd.h>

#include <gnutls/abstract.h>

#include "base/thread.h"
#include "http/http.h"
#include "http/wire.h"

#define REQUEST_ARENA_MAX (256 * KIB)
#define STREAM_BUF_BYTES  (64 * KIB)
#define STREAM_BUFS       4
#define DROP_MAX          (64 * KIB) /* of an unwanted body, before the connection is given up instead */
#define READ_BLOCK        (256 * KIB) /* of an object that is not sent by sendfile */
#define RATE_WINDOW_S     30
#define LINGER_S          10 /* for a client to notice an early answer */

/* While memory or connections are short, what holds them must move at this rate over this time. */
#define SHORT_RATE_BYTES_S (64 * KIB)
#define SHORT_WINDOW_S     5
#define SHORT_S            15 /* how long that lasts after the last time something was missing */
#define ANSWER_FREE_BYTES  (64 * KIB) /* answers up to this are not counted */
#define ROOM_CONNS         64         /* cut off at once, at most, when there is room for no more */

/* --- connections (conn.c, sweep.c) --- */

/* What a connection is doing, for the sweeper: it alone judges who is slow. */
enum phase {
	PHASE_IDLE,   /* between requests */
	PHASE_HEADER, /* new, or a request line is in and the rest is not */
	PHASE_BODY,
	PHASE_WAIT, /* for us */
	PHASE_ANSWER,
	PHASE_LINGER
};

struct conn {
	struct conn *prev, *next; /* under conns_lock */
	struct http_server *server;
	int fd;
	bool is_tls;
	char ip[48];
	atomic_uint_least64_t phase;      /* enum phase << 56 | second of entering it */
	atomic_uint_least64_t body_bytes; /* of all requests */
	atomic_bool holds_memory;         /* a whole body, or a long answer */
	bool is_cut;                      /* conns_lock: shut down to make room */
	struct wire wire;                 /* recv.c, in the event loop */
	/* the sweeper's own */
	uint64_t seen_phase;
	uint64_t window_start_s, window_bytes;
};

void conn_notify(
	void *cls, struct MHD_Connection *c, void **ctx, enum MHD_ConnectionNotificationCode code);
void conn_phase(struct conn *c, enum phase phase);
/* Bytes that the peer has acknowledged (out) or that arrived (in) since the connection began; 0 if
 * unknown. */
uint64_t conn_bytes_acked(int fd);
uint64_t conn_bytes_received(int fd);
/* There are as many connections as there may be: cuts off some of those that have waited longest
 * for their client to ask for something. From now on, for a while, the others must move. */
void conn_make_room(struct http_server *s);

void sweep_main(void *server); /* the sweeper's thread */

/* accept.c: takes connections from the listening sockets until accept_stop, which closes these. */
MUST_CHECK bool accept_start(struct http_server *s, struct err *err);
void accept_stop(struct http_server *s);

/* --- requests --- */

struct header {
	struct header *next; /* of an answer */
	struct str name, value;
};

enum stage {
	STAGE_HEADERS, /* the request line is in */
	STAGE_BEGIN,   /* begin is on a worker */
	STAGE_BODY,    /* libmicrohttpd feeds the body, then calls once more */
	STAGE_AWAIT,   /* start was called, http_ready is to come */
	STAGE_HANDLE,  /* handle is on a worker */
	STAGE_DRAIN,  /* answered early; the short rest of the body is dropped, then the answer goes
			 out as usual */
	STAGE_LINGER, /* answered early past libmicrohttpd; drops what comes until the client is
			 gone */
	STAGE_ANSWERED, /* the answer is with libmicrohttpd */
};

enum { JOB_BEGIN = 1, JOB_HANDLE = 2 };

enum reply_kind {
	REPLY_BYTES,     /* bytes, length */
	REPLY_LENGTH,    /* headers only; length is announced */
	REPLY_NO_LENGTH, /* headers only, no Content-Length */
	REPLY_FILE,      /* length bytes of object.fd from offset */
	REPLY_SEGMENTS
};

/* A piece of an answer: text, or length bytes of the object from offset. */
struct segment {
	const char *text;
	uint64_t offset, length;
};

struct reply {
	enum reply_kind kind;
	const void *bytes;
	void *owned; /* freed with the request; bytes may point into it */
	uint64_t length, offset;
	bool has_object;
	struct http_object object;
	struct segment *segments;
	size_t segment_count, segment_at;
	uint64_t segment_start; /* position in the answer at which segment_at begins */
	struct header *headers, *headers_last;
	uint64_t acked_before; /* see conn_bytes_acked */
};

/* A streamed body: buffers go spare -> filling (event loop) -> full (worker) -> spare. */
struct stream {
	/* event loop only */
	uint8_t *filling;
	size_t fill_len;
	/* under lock */
	uint8_t *spare[STREAM_BUFS];
	unsigned spare_count, allocated;
	uint8_t *full[STREAM_BUFS]; /* a ring from full_head */
	size_t full_len[STREAM_BUFS];
	unsigned full_head, full_count;
};

struct request {
	struct http_req pub; /* first member */
	struct http_server *server;
	struct conn *conn;          /* event loop only; NULL once gone */
	struct MHD_Connection *mhd; /* NULL once gone */
	/* event loop only */
	enum stage stage;
	bool is_at_head; /* libmicrohttpd has not gone past the headers: an answer queued now closes
			    the connection */
	bool is_counted; /* in requests_active */
	bool body_remains, is_chunked, is_http10, expects_continue, is_waiting, is_lingering;
	const char *raw_target; /* in libmicrohttpd's memory, good in the first call only */
	uint64_t received;
	/* immutable after the headers */
	struct header *headers;
	size_t header_count;
	/* whole bodies */
	struct buf whole;
	uint64_t body_counted, answer_counted; /* memory.c */
	/* shared with workers */
	struct mutex lock;
	unsigned jobs;          /* lock */
	bool is_scheduled;      /* lock: queued or running on a worker, or http_ready is to come */
	bool is_suspended;      /* lock */
	bool needs_space;       /* lock: suspended until a buffer is free */
	bool is_gone;           /* lock: libmicrohttpd has let go */
	bool is_complete;       /* the answer went out whole; written before is_gone */
	atomic_bool is_early;   /* data answered: no more of the body is wanted */
	atomic_bool is_aborted; /* the next call from libmicrohttpd closes the connection */
	struct stream stream;
	struct reply reply;
	struct request *next_queued; /* workers.lock */
};

static inline struct request *request_of(struct http_req *req)
{
	return (struct request *)req; /* pub is the first member */
}

static inline const struct request *request_of_const(const struct http_req *req)
{
	return (const struct request *)req;
}

/* request.c */
struct request *request_new(struct conn *conn, struct MHD_Connection *mhd, const char *raw_target);
/* The headers are in: id, start, address, and it counts as active. */
void request_arrive(struct request *r);
/* Runs end and done, frees. Nobody else may know r any more. */
void request_finish(struct request *r);

/* admit.c: takes the headers over, and judges the request's form (RFC 9112). 0: fine; else the
 * status to refuse it with. */
int admit_request(struct request *r, const char *method, const char *version);

/* serve.c: the callbacks for libmicrohttpd, and the worker's side. */
void *serve_target(void *cls, const char *uri, struct MHD_Connection *c);
enum MHD_Result serve_call(void *cls, struct MHD_Connection *c, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_len, void **ctx);
void serve_completed(
	void *cls, struct MHD_Connection *c, void **ctx, enum MHD_RequestTerminationCode code);
/* False: no workers any more (stopping); the caller runs the request itself. Holds r->lock. *wake:
 * as for workers_submit. */
bool serve_schedule(struct request *r, bool *wake);
/* Ends a suspension. Holds r->lock. */
void serve_resume(struct request *r);
/* The worker's turn with a request. May free it. */
void serve_work(struct request *r);

/* body.c */
/* The body that the headers announce is acceptable; false: answered. */
bool body_admit(struct request *r);
/* Takes a piece of the body, by the operation's kind; *len becomes what was not taken (the
 * connection is then suspended). False: answered; or, nothing answered, the connection must be
 * closed. */
bool body_feed(struct request *r, const uint8_t *p, size_t *len);
/* Hands the last, partly filled buffer over. Holds r->lock. */
void body_flush(struct request *r);
/* A worker gives the oldest full buffer to the operation. Holds r->lock, lets go of it for the
 * call. */
void body_drain(struct request *r);
void body_fini(struct request *r);

/* memory.c: what clients can make the server hold is counted, bodies and answers apart. Event loop
 * only. */
/* Counts up to total bytes of body for this request. False: there would be too much. */
bool memory_take_body(struct request *r, uint64_t total);
/* More bytes of body could be had at the moment; takes nothing. */
bool memory_fits_body(struct request *r, uint64_t more);
/* Counts the answer. False: there would be too much. */
bool memory_take_answer(struct request *r, uint64_t bytes);
void memory_give_back(struct request *r);

/* reply.c */
/* A plain text answer of the server itself. */
void reply_text(struct request *r, int status, const char *text);
/* Queues the answer with libmicrohttpd. False: it could not. Event loop only. */
bool reply_queue(struct request *r);
/* Sends the answer at once, beside libmicrohttpd, which allows none while a body is coming in.
 * Event loop only. */
bool reply_send_raw(struct request *r);
void reply_fini(struct request *r);
/* Of another module's answer: records kind and status. */
void reply_set(struct request *r, int status, enum reply_kind kind, uint64_t length);
void reply_close_object(struct request *r);

/* object.c: the reader behind REPLY_SEGMENTS. */
ssize_t object_read(void *request, uint64_t pos, char *out, size_t max);

/* --- workers (workers.c) --- */

struct worker; /* one thread */

struct workers {
	struct mutex lock;
	struct cond wake;
	struct request *head, *tail;
	unsigned threads, idle, busy, queued, max;
	bool is_closed;
	bool is_waking; /* a thread was woken or started and has not looked at the queue yet */
	struct worker *running, *finished; /* threads to join */
};

void workers_init(struct workers *w, unsigned max);
/* False when closed. *wake: workers_wake must follow, best without a lock that a worker needs. */
bool workers_submit(struct workers *w, struct request *r, bool *wake);
void workers_wake(struct workers *w);
/* Queues again a request that a worker is at, behind the others; false (nothing done) if no other
 * waits. */
bool workers_yield(struct workers *w, struct request *r);
/* Joins threads that ended, and tries again to start one where that failed. */
void workers_tend(struct workers *w);
/* Runs what is queued, then joins every thread. */
void workers_close(struct workers *w);
void workers_fini(struct workers *w);

/* --- TLS (tls.c) --- */

struct tls;

MUST_CHECK bool tls_open(
	const char *cert_file, const char *key_file, struct tls **out, struct err *err);
MUST_CHECK bool tls_reload(struct tls *t, struct err *err);
void tls_close(struct tls *t);
/* For MHD_OPTION_HTTPS_CERT_CALLBACK. */
typedef gnutls_certificate_retrieve_function2 *tls_retrieve_fn;
tls_retrieve_fn tls_retrieve(void);
/* A gnutls_session_t as libmicrohttpd gives it. */
ssize_t tls_send(void *session, const void *bytes, size_t len);
extern const char tls_priorities[];

/* --- the server (server.c) --- */

struct listener {
	struct http_server *server;
	struct MHD_Daemon *daemon;
	int fd; /* -1 once closed */
	bool is_tls;
	uint16_t port;
};

struct http_server {
	struct http_options options;
	struct http_front *fronts;
	struct listener *listeners;
	size_t listener_count;
	struct tls *tls;
	struct workers workers;
	struct thread *sweeper, *acceptor;
	int accept_end;         /* an eventfd that ends the acceptor */
	unsigned rate_window_s; /* the minimum rate holds over this */
	struct mutex conns_lock;
	struct cond sweep_wake; /* with conns_lock */
	bool is_sweep_over;     /* conns_lock */
	struct conn *conns;     /* conns_lock */
	atomic_uint connections, conns_opened, requests_active;
	atomic_uint awaited; /* calls of http_ready to come */
	/* the acceptor's; like conns_opened counted from the start, and may turn over */
	unsigned conns_taken, conns_seen, conns_stale;
	atomic_uint_least64_t body_bytes, answer_bytes; /* memory.c */
	atomic_uint_least64_t next_id, now_s;
	atomic_uint_least64_t memory_short_until_s, conns_short_until_s;
	atomic_bool is_stopping; /* answers ask clients to leave */
	atomic_bool is_aborting; /* no operation is started any more */
	uint64_t id_seed[2];
};

#endif
