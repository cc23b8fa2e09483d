/*
 * The way of a request: libmicrohttpd's callbacks on the event loop, the operation's functions
 * there or on a worker.
 *
 * What libmicrohttpd 0.9.75 asks for, found in its source:
 *   It calls once after the headers, once for each piece of the body, and once more at the end. A
 * connection suspended in the first call or the last is called the same way again when it is
 * resumed. An answer can be queued only in the first call or the last. Queued in the first it
 * closes the connection, even when there is no body; so answers wait for the last call, which
 * follows at once when there is none. While a body comes in no answer is possible at all:
 * reply_send_raw writes it to the socket instead, and the connection is kept open for a while
 * (STAGE_LINGER) so that the client reads it before it meets a reset. Its memory for a request is
 * gone the moment it reports completion: nothing of it is kept (admit.c copies).
 */
#include "base/mem.h"
#include "http/http_priv.h"

/* --- shared --- */

bool serve_schedule(struct request *r, bool *wake)
{
	mutex_assert_held(&r->lock);
	*wake = false;
	if (!r->is_scheduled)
		r->is_scheduled = workers_submit(&r->server->workers, r, wake);
	return r->is_scheduled;
}

void serve_resume(struct request *r)
{
	mutex_assert_held(&r->lock);
	r->is_suspended = false;
	r->needs_space = false;
	MHD_resume_connection(r->mhd);
}

static void run_begin(struct request *r)
{
	if (!r->pub.op->begin(&r->pub) && r->pub.status == 0)
		reply_text(r, 500, "internal error");
}

static void run_handle(struct request *r)
{
	r->pub.op->handle(&r->pub);
	if (r->pub.status == 0)
		reply_text(r, 500, "internal error");
}

/* --- on a worker --- */

static void work_job(struct request *r, unsigned job)
{
	if (atomic_load(&r->server->is_aborting)) {
		atomic_store(&r->is_aborted, true);
		return;
	}
	if (job == JOB_BEGIN)
		run_begin(r);
	/* Without a body there is nothing to go back to the event loop for. */
	if (r->pub.status == 0 && (job == JOB_HANDLE || !r->body_remains))
		run_handle(r);
}

/* Holds the lock, lets go of it meanwhile. False: nothing left to do. */
static bool work_step(struct request *r)
{
	unsigned job;

	if (r->stream.full_count > 0) {
		body_drain(r);
		return true;
	}
	job = r->jobs;
	if (job == 0 || r->is_gone)
		return false;
	r->jobs = 0; /* there is never more than one: the connection is suspended for each */
	mutex_unlock(&r->lock);
	work_job(r, job);
	mutex_lock(&r->lock);
	return true;
}

/* Nobody else is at work for the request any more. Holds the lock, and lets go of it. */
static void leave(struct request *r)
{
	bool is_gone;

	r->is_scheduled = false;
	if (r->is_suspended)
		serve_resume(r);
	is_gone = r->is_gone;
	mutex_unlock(&r->lock);
	if (is_gone)
		request_finish(r);
}

void serve_work(struct request *r)
{
	unsigned steps = 0;

	mutex_lock(&r->lock);
	while (work_step(r)) {
		/* A fast sender must not keep its worker from the others. */
		if (++steps % STREAM_BUFS == 0 && r->stream.full_count > 0 && r->is_scheduled &&
			workers_yield(&r->server->workers, r)) {
			mutex_unlock(&r->lock);
			return;
		}
	}
	leave(r);
}

void http_ready(struct http_req *req)
{
	struct request *r = request_of(req);
	struct http_server *s = r->server;

	mutex_lock(&r->lock);
	leave(r);
	atomic_fetch_sub(&s->awaited, 1); /* last: http_server_stop waits for it */
}

/* --- on the event loop --- */

static enum MHD_Result hand_off(struct request *r, unsigned job, enum stage stage)
{
	bool is_done;
	bool wake;

	r->stage = stage;
	conn_phase(r->conn, PHASE_WAIT);
	mutex_lock(&r->lock);
	r->jobs = job;
	is_done = serve_schedule(r, &wake); /* the worker begins by taking the lock */
	if (is_done) {
		r->is_suspended = true;
		MHD_suspend_connection(r->mhd);
	}
	mutex_unlock(&r->lock);
	if (wake)
		workers_wake(&r->server->workers);
	return is_done ? MHD_YES : MHD_NO;
}

static enum MHD_Result queue(struct request *r)
{
	r->stage = STAGE_ANSWERED;
	conn_phase(r->conn, PHASE_ANSWER);
	return reply_queue(r) ? MHD_YES : MHD_NO;
}

/* There is an answer, and perhaps more body to come that nobody wants. */
static enum MHD_Result answer_early(struct request *r)
{
	if (r->is_at_head && r->body_remains && r->expects_continue)
		return queue(r); /* the client waits with the body; it may not send it now, so the
				    connection closes */
	r->is_at_head = false;
	if (!r->body_remains ||
		(r->pub.has_length && r->pub.content_length - r->received <= DROP_MAX)) {
		r->stage = STAGE_DRAIN;
		return MHD_YES;
	}
	r->stage = STAGE_LINGER;
	r->is_lingering = reply_send_raw(r);
	conn_phase(r->conn, PHASE_LINGER);
	return r->is_lingering ? MHD_YES : MHD_NO;
}

/* Begin is done, or there is none. */
static enum MHD_Result begun(struct request *r)
{
	if (r->pub.status != 0 || !body_admit(r))
		return answer_early(r);
	r->is_at_head = false;
	r->stage = STAGE_BODY;
	if (r->body_remains)
		conn_phase(r->conn, PHASE_BODY);
	return MHD_YES;
}

static void route(struct request *r)
{
	const struct http_server *s = r->server;

	for (size_t i = 0; i < s->options.front_count && r->pub.op == NULL; i++) {
		r->pub.ctx = s->fronts[i].ctx;
		r->pub.op = s->fronts[i].route(&r->pub, s->fronts[i].ctx);
	}
}

static enum MHD_Result first_call(struct request *r, const char *method, const char *version)
{
	int refusal;

	r->is_at_head = true;
	request_arrive(r);
	refusal = admit_request(r, method, version);
	if (refusal != 0) {
		reply_text(r, refusal, "malformed request");
		return queue(
			r); /* in the first call: the connection closes, whatever else it holds */
	}
	route(r);
	if (r->pub.op == NULL) {
		if (r->pub.status == 0)
			reply_text(r, 404, "not found");
		return answer_early(r);
	}
	if (r->pub.op->begin != NULL) {
		if (r->pub.op->run == HTTP_WORKER && r->pub.op->relay == NULL)
			return hand_off(r, JOB_BEGIN, STAGE_BEGIN);
		run_begin(r);
	}
	return begun(r);
}

static enum MHD_Result body_piece(struct request *r, const char *p, size_t *len)
{
	if (r->is_waiting) {
		r->is_waiting = false;
		conn_phase(r->conn, PHASE_BODY);
	}
	if (!atomic_load(&r->is_early)) {
		if (body_feed(r, (const uint8_t *)p, len))
			return MHD_YES;
		/* A streamed body is answered by its worker alone; here memory or the workers are
		 * gone. */
		if (r->pub.op->body == HTTP_BODY_STREAM)
			return MHD_NO;
	}
	r->received += *len;
	*len = 0;
	return answer_early(r);
}

static enum MHD_Result await(struct request *r)
{
	/* In this order: http_server_stop looks at them in the other. */
	atomic_fetch_add(&r->server->awaited, 1);
	if (atomic_load(&r->server->is_aborting)) {
		atomic_fetch_sub(&r->server->awaited, 1);
		return MHD_NO;
	}
	r->stage = STAGE_AWAIT;
	conn_phase(r->conn, PHASE_WAIT);
	mutex_lock(&r->lock);
	r->is_scheduled = true;
	r->is_suspended = true;
	MHD_suspend_connection(r->mhd);
	mutex_unlock(&r->lock);
	r->pub.op->relay->start(&r->pub);
	return MHD_YES;
}

static enum MHD_Result take_turn(struct request *r, enum http_turn turn)
{
	if (turn == HTTP_TURN_WORKER)
		return hand_off(r, JOB_HANDLE, STAGE_HANDLE);
	if (turn == HTTP_TURN_AWAIT)
		return await(r);
	if (r->pub.status == 0)
		reply_text(r, 500, "internal error");
	return queue(r);
}

static enum MHD_Result body_end(struct request *r)
{
	r->body_remains = false;
	if (r->pub.op->body == HTTP_BODY_STREAM) {
		bool is_early;

		mutex_lock(&r->lock);
		is_early = atomic_load(&r->is_early);
		if (!is_early)
			body_flush(r);
		mutex_unlock(&r->lock);
		return is_early ? queue(r) : hand_off(r, JOB_HANDLE, STAGE_HANDLE);
	}
	if (r->pub.op->relay != NULL)
		return take_turn(r, r->pub.op->relay->look(&r->pub));
	if (r->pub.op->run == HTTP_WORKER)
		return hand_off(r, JOB_HANDLE, STAGE_HANDLE);
	run_handle(r);
	return queue(r);
}

/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd's parameters */
enum MHD_Result serve_call(void *cls, struct MHD_Connection *c, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_len, void **ctx)
{
	struct request *r = *ctx;

	(void)cls;
	(void)c;
	(void)url;
	if (r == NULL || atomic_load(&r->is_aborted) || atomic_load(&r->server->is_aborting))
		return MHD_NO;
	switch (r->stage) {
	case STAGE_HEADERS:
		return first_call(r, method, version);
	case STAGE_BEGIN:
		return begun(r);
	case STAGE_BODY:
		atomic_fetch_add_explicit(&r->conn->body_bytes, *upload_len, memory_order_relaxed);
		return *upload_len > 0 ? body_piece(r, upload, upload_len) : body_end(r);
	case STAGE_AWAIT:
		return take_turn(r, r->pub.op->relay->finish(&r->pub));
	case STAGE_HANDLE:
		return queue(r);
	case STAGE_DRAIN:
	case STAGE_LINGER:
		r->received += *upload_len;
		if (*upload_len > 0) {
			*upload_len = 0;
			return MHD_YES;
		}
		return r->stage == STAGE_DRAIN ? queue(r) : MHD_NO;
	case STAGE_ANSWERED:
		break;
	}
	return MHD_NO; /* libmicrohttpd does not call after an answer */
}

void *serve_target(void *cls, const char *uri, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct conn *conn = info->socket_context;

	(void)cls;
	conn_phase(conn, PHASE_HEADER);
	return request_new(conn, c, uri != NULL ? uri : "");
}

/* An end that may wait, as the rest of its operation, runs on a worker. */
static bool wants_worker_to_end(const struct request *r)
{
	const struct http_op *op = r->pub.op;

	return op != NULL && op->end != NULL &&
	       (op->run == HTTP_WORKER || op->body == HTTP_BODY_STREAM);
}

static void count_bytes_out(struct request *r)
{
	const struct reply *reply = &r->reply;
	uint64_t sent;

	/* Before that a worker may be about to answer. */
	if ((r->stage != STAGE_ANSWERED && !r->is_lingering) || str_eq(r->pub.method, STR("HEAD")))
		return;
	if (r->is_complete && (reply->kind == REPLY_BYTES || reply->kind == REPLY_FILE))
		r->pub.bytes_out = reply->length;
	if (r->is_complete || reply->kind != REPLY_FILE)
		return;
	sent = conn_bytes_acked(r->conn->fd) - reply->acked_before;
	r->pub.bytes_out = sent < reply->length ? sent : reply->length;
}

void serve_completed(
	void *cls, struct MHD_Connection *c, void **ctx, enum MHD_RequestTerminationCode code)
{
	struct request *r = *ctx;
	struct workers *workers;
	bool is_left_to_worker;
	bool wake = false;

	(void)cls;
	(void)c;
	if (r == NULL)
		return;
	workers = &r->server->workers;
	*ctx = NULL;
	r->is_complete = code == MHD_REQUEST_TERMINATED_COMPLETED_OK || r->is_lingering;
	conn_phase(r->conn, PHASE_IDLE);
	atomic_store_explicit(&r->conn->holds_memory, false, memory_order_relaxed);
	mutex_lock(&r->lock);
	count_bytes_out(r);
	/* The client went away in the middle of a body: what it sent still reaches the operation.
	 */
	if (r->stage == STAGE_BODY && !atomic_load(&r->is_early))
		body_flush(r);
	r->is_gone = true;
	r->mhd = NULL;
	r->conn = NULL;
	r->is_suspended = false;
	if (wants_worker_to_end(r))
		(void)serve_schedule(r, &wake); /* false: stopping; it ends here */
	is_left_to_worker = r->is_scheduled;
	mutex_unlock(&r->lock); /* the worker may free it from here on */
	if (wake)
		workers_wake(workers);
	if (!is_left_to_worker)
		serve_work(r);
}
