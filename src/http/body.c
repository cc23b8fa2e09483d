/* Request bodies: dropped, collected whole under a server-wide cap, or streamed through four
 * buffers. */
#include <stdlib.h>

#include "http/http_priv.h"

/* --- whole --- */

static bool answer_too_large(struct request *r)
{
	if (r->pub.op->too_large != NULL)
		r->pub.op->too_large(&r->pub);
	if (r->pub.status == 0)
		reply_text(r, 413, "request body too large");
	return false;
}

static bool answer_no_room(struct request *r)
{
	http_header_set(&r->pub, "Retry-After", STR("1"));
	reply_text(r, 503, "too many request bodies in memory");
	return false;
}

/* What the body of a request that announces its length, or not, may grow to. */
static uint64_t whole_max(const struct request *r)
{
	return r->pub.has_length ? r->pub.content_length : r->pub.op->body_max;
}

static bool whole_feed(struct request *r, const uint8_t *p, size_t len)
{
	uint64_t max = whole_max(r);
	uint64_t need = r->whole.len + len;

	if (need > r->pub.op->body_max)
		return answer_too_large(r);
	if (need > r->body_counted) {
		/* As the buffer grows, by doubling. */
		uint64_t total = need < 4 * KIB ? 4 * KIB : 2 * need;

		if (!memory_take_body(r, total > max ? max : total))
			return answer_no_room(r);
	}
	buf_add(&r->whole, p, len);
	if (!buf_ok(&r->whole)) {
		reply_text(r, 503, "out of memory");
		return false;
	}
	return true;
}

bool body_admit(struct request *r)
{
	const struct http_op *op = r->pub.op;

	switch (op->body) {
	case HTTP_BODY_NONE:
		if (r->pub.content_length > DROP_MAX) {
			reply_text(r, 413, "this request takes no body");
			return false;
		}
		break;
	case HTTP_BODY_WHOLE:
		buf_init(&r->whole, op->body_max);
		if (r->pub.content_length > op->body_max)
			return answer_too_large(r);
		/* Counted as it comes: who only announces a body holds nothing. */
		return memory_fits_body(r, r->pub.content_length) || answer_no_room(r);
	case HTTP_BODY_STREAM:
		break;
	}
	return true;
}

/* --- streamed --- */

/* The full buffer goes to the worker. Holds the lock. True: workers_wake must follow. */
static bool push(struct request *r)
{
	struct stream *s = &r->stream;
	unsigned at = (s->full_head + s->full_count) % STREAM_BUFS;
	bool wake;

	s->full[at] = s->filling;
	s->full_len[at] = s->fill_len;
	s->full_count++;
	s->filling = NULL;
	s->fill_len = 0;
	if (!serve_schedule(r, &wake))
		atomic_store(&r->is_aborted, true);
	return wake;
}

/* A buffer to fill. False with the connection suspended (all are full) or not (memory or workers
 * are gone). */
static bool take_buffer(struct request *r)
{
	struct stream *s = &r->stream;

	mutex_lock(&r->lock);
	if (s->spare_count > 0) {
		s->filling = s->spare[--s->spare_count];
	} else if (s->allocated < STREAM_BUFS && (s->filling = malloc(STREAM_BUF_BYTES)) != NULL) {
		s->allocated++;
	} else if (r->is_scheduled) {
		r->is_waiting = true;
		r->is_suspended = true;
		r->needs_space = true;
		MHD_suspend_connection(r->mhd);
		conn_phase(r->conn, PHASE_WAIT);
	}
	mutex_unlock(&r->lock);
	return s->filling != NULL;
}

static bool stream_feed(struct request *r, const uint8_t *p, size_t *len)
{
	struct stream *s = &r->stream;
	size_t left = *len;

	while (left > 0) {
		size_t n = STREAM_BUF_BYTES - s->fill_len;

		if (s->filling == NULL && !take_buffer(r))
			break;
		n = n < left ? n : left;
		memcpy(s->filling + s->fill_len, p + (*len - left), n);
		s->fill_len += n;
		left -= n;
		if (s->fill_len == STREAM_BUF_BYTES) {
			bool wake;

			mutex_lock(&r->lock);
			wake = push(r);
			mutex_unlock(&r->lock);
			if (wake)
				workers_wake(&r->server->workers);
		}
	}
	r->received += *len - left;
	*len = left;
	return left == 0 || r->is_waiting;
}

void body_flush(struct request *r)
{
	if (r->stream.fill_len > 0 && push(r))
		workers_wake(&r->server->workers);
}

void body_drain(struct request *r)
{
	struct stream *s = &r->stream;
	uint8_t *p = s->full[s->full_head];
	size_t len = s->full_len[s->full_head];

	s->full_head = (s->full_head + 1) % STREAM_BUFS;
	s->full_count--;
	if (!atomic_load(&r->is_early)) {
		bool wants_more;

		mutex_unlock(&r->lock);
		r->pub.bytes_in += len;
		wants_more = r->pub.op->data(&r->pub, p, len);
		if (!wants_more && r->pub.status == 0)
			reply_text(r, 500, "internal error");
		mutex_lock(&r->lock);
		if (!wants_more)
			atomic_store(&r->is_early, true);
	}
	s->spare[s->spare_count++] = p;
	/* Not at the first free buffer: a suspension costs more than filling one. */
	if (r->needs_space && (s->spare_count >= STREAM_BUFS / 2 || atomic_load(&r->is_early)))
		serve_resume(r);
}

/* --- all kinds --- */

bool body_feed(struct request *r, const uint8_t *p, size_t *len)
{
	size_t n = *len;

	switch (r->pub.op->body) {
	case HTTP_BODY_NONE:
		*len = 0;
		r->received += n;
		if (r->received <= DROP_MAX)
			return true;
		reply_text(r, 413, "this request takes no body");
		return false;
	case HTTP_BODY_WHOLE:
		*len = 0;
		r->received += n;
		return whole_feed(r, p, n);
	case HTTP_BODY_STREAM:
		break;
	}
	return stream_feed(r, p, len);
}

void body_fini(struct request *r)
{
	struct stream *s = &r->stream;

	free(s->filling);
	while (s->spare_count > 0)
		free(s->spare[--s->spare_count]);
	for (; s->full_count > 0; s->full_count--) {
		free(s->full[s->full_head]);
		s->full_head = (s->full_head + 1) % STREAM_BUFS;
	}
	buf_fini(&r->whole);
}
