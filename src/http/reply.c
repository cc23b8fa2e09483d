/* Answers: recorded on any thread by the http_reply functions, handed to libmicrohttpd (or to the
 * socket) on the event loop. */
#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/codec.h"
#include "http/http_priv.h"

/* --- recording --- */

void http_header_set(struct http_req *req, const char *name, struct str value)
{
	struct reply *reply = &request_of(req)->reply;
	struct str wanted = str_from(name);
	struct str copy;
	struct header *h;

	if (value.len == 0)
		return; /* libmicrohttpd has no empty headers */
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] == '\r' || value.ptr[i] == '\n' || value.ptr[i] == '\0')
			return;
	copy = arena_str(req->arena, value);
	if (copy.ptr == NULL)
		return;
	for (h = reply->headers; h != NULL; h = h->next)
		if (str_eq_nocase(h->name, wanted)) {
			h->value = copy;
			return;
		}
	h = arena_alloc(req->arena, sizeof(*h));
	if (h == NULL)
		return;
	*h = (struct header){ NULL, arena_str(req->arena, wanted), copy };
	if (h->name.ptr == NULL)
		return;
	if (reply->headers_last != NULL)
		reply->headers_last->next = h;
	else
		reply->headers = h;
	reply->headers_last = h;
}

void http_header_setf(struct http_req *req, const char *name, const char *fmt, ...)
{
	char small[512];
	char *text = small;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(small)) {
		text = arena_alloc(req->arena, (size_t)len + 1);
		if (text == NULL)
			return;
		va_start(ap, fmt);
		(void)vsnprintf(text, (size_t)len + 1, fmt, ap);
		va_end(ap);
	}
	http_header_set(req, name, (struct str){ text, (size_t)len });
}

void reply_set(struct request *r, int status, enum reply_kind kind, uint64_t length)
{
	assert(r->pub.status == 0); /* one answer a request */
	r->reply.kind = kind;
	r->reply.length = length;
	r->pub.status = status;
}

void http_reply(struct http_req *req, int status)
{
	reply_set(request_of(req), status, status == 304 ? REPLY_NO_LENGTH : REPLY_BYTES, 0);
}

void http_reply_bytes(struct http_req *req, int status, const char *type, struct str body)
{
	struct request *r = request_of(req);
	struct str copy = arena_str(req->arena, body);

	if (copy.ptr == NULL && body.len > 0) {
		/* More than fits a request's arena: memory of its own. */
		r->reply.owned = malloc(body.len);
		if (r->reply.owned == NULL) {
			http_reply(req, 500);
			return;
		}
		memcpy(r->reply.owned, body.ptr, body.len);
		copy = (struct str){ r->reply.owned, body.len };
	}
	r->reply.bytes = copy.ptr;
	http_header_set(req, "Content-Type", str_from(type));
	reply_set(r, status, REPLY_BYTES, body.len);
}

void http_reply_buf(struct http_req *req, int status, const char *type, struct buf *body)
{
	struct request *r = request_of(req);

	if (!buf_ok(body)) {
		buf_fini(body);
		buf_init(body, body->max);
		reply_text(r, 500, "internal error");
		return;
	}
	r->reply.owned = body->ptr;
	r->reply.bytes = body->ptr;
	http_header_set(req, "Content-Type", str_from(type));
	reply_set(r, status, REPLY_BYTES, body->len);
	buf_init(body, body->max);
}

void http_reply_head(struct http_req *req, int status, const char *type, uint64_t length)
{
	http_header_set(req, "Content-Type", str_from(type));
	reply_set(request_of(req), status, REPLY_LENGTH, length);
}

void reply_text(struct request *r, int status, const char *text)
{
	struct str line = arena_printf(r->pub.arena, "%s\n", text);

	http_reply_bytes(
		&r->pub, status, "text/plain; charset=utf-8", line.ptr != NULL ? line : STR(""));
}

/* --- sending --- */

/* Only for answers without a body; if it is asked for one, the connection breaks off. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libmicrohttpd's type */
static ssize_t read_nothing(void *cls, uint64_t pos, char *out, size_t max)
{
	(void)cls;
	(void)pos;
	(void)out;
	(void)max;
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* The response owns a descriptor of its own, so that closing the object is up to the object. */
static struct MHD_Response *file_response(struct request *r)
{
	struct reply *reply = &r->reply;
	struct MHD_Response *response = NULL;
	int fd = fcntl(reply->object.fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return NULL;
	response = MHD_create_response_from_fd_at_offset64(reply->length, fd, reply->offset);
	if (response == NULL)
		(void)close(fd);
	else
		reply->acked_before = conn_bytes_acked(r->conn->fd);
	return response;
}

static struct MHD_Response *bytes_response(const struct reply *reply)
{
	/* The library does not write through it; its interface lacks the const. */
	void *bytes = (void *)(uintptr_t)reply->bytes;

	return MHD_create_response_from_buffer(
		(size_t)reply->length, bytes, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *make_response(struct request *r)
{
	struct reply *reply = &r->reply;
	struct MHD_Response *response;

	switch (reply->kind) {
	case REPLY_BYTES:
		return bytes_response(reply);
	case REPLY_LENGTH:
		return MHD_create_response_from_callback(
			reply->length, 1, read_nothing, NULL, NULL);
	case REPLY_NO_LENGTH:
		/* An unknown length that may not be chunked either is the one way to send none. It
		 * closes the connection. */
		response = MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, 1, read_nothing, NULL, NULL);
		if (response != NULL)
			(void)MHD_set_response_options(
				response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
		return response;
	case REPLY_FILE:
		return file_response(r);
	case REPLY_SEGMENTS:
		return MHD_create_response_from_callback(reply->length,
			reply->length < READ_BLOCK ? (size_t)reply->length : READ_BLOCK,
			object_read, r, NULL);
	}
	return NULL;
}

/* Another answer in place of one that there is no memory to keep until it is read. */
static void answer_no_room(struct request *r)
{
	free(r->reply.owned);
	r->reply = (struct reply){ .kind = REPLY_BYTES };
	r->pub.status = 0;
	http_header_set(&r->pub, "Retry-After", STR("1"));
	reply_text(r, 503, "too many answers in memory");
}

bool reply_queue(struct request *r)
{
	struct MHD_Response *response;
	bool is_queued;

	if (r->reply.kind == REPLY_BYTES && r->reply.length > ANSWER_FREE_BYTES &&
		!memory_take_answer(r, r->reply.length))
		answer_no_room(r);
	response = make_response(r);
	if (response == NULL)
		return false;
	for (const struct header *h = r->reply.headers; h != NULL; h = h->next)
		(void)MHD_add_response_header(response, h->name.ptr, h->value.ptr);
	if (atomic_load_explicit(&r->server->is_stopping, memory_order_relaxed))
		(void)MHD_add_response_header(response, "Connection", "close");
	is_queued = MHD_queue_response(r->mhd, (unsigned)r->pub.status, response) == MHD_YES;
	MHD_destroy_response(response); /* the connection holds it now */
	return is_queued;
}

static void render(struct request *r, struct buf *out)
{
	const struct reply *reply = &r->reply;
	char date[HTTP_DATE_MAX];

	http_date(clock_now_ms() / 1000, date);
	buf_addf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\n", r->pub.status,
		MHD_get_reason_phrase_for((unsigned)r->pub.status), date);
	for (const struct header *h = reply->headers; h != NULL; h = h->next)
		buf_addf(out, STR_FMT ": " STR_FMT "\r\n", STR_ARG(h->name), STR_ARG(h->value));
	buf_addf(out, "Content-Length: %llu\r\n\r\n", (unsigned long long)reply->length);
	if (!str_eq(r->pub.method, STR("HEAD")))
		buf_add(out, reply->bytes, (size_t)reply->length);
}

bool reply_send_raw(struct request *r)
{
	const union MHD_ConnectionInfo *info;
	struct buf out;
	ssize_t sent;
	bool is_sent;

	if (r->reply.kind != REPLY_BYTES)
		return false; /* nobody answers a body he did not read with an object */
	buf_init(&out, r->reply.length + 64 * KIB);
	render(r, &out);
	if (!buf_ok(&out)) {
		buf_fini(&out);
		return false;
	}
	/* Nothing else is on the way out, so the socket's buffer holds it; if not, the client sees
	 * a cut answer. */
	if (r->pub.is_tls) {
		info = MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		sent = info != NULL ? tls_send(info->tls_session, out.ptr, out.len) : -1;
	} else {
		sent = send(r->conn->fd, out.ptr, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	is_sent = sent == (ssize_t)out.len;
	buf_fini(&out);
	return is_sent;
}

void reply_close_object(struct request *r)
{
	if (!r->reply.has_object)
		return;
	r->reply.has_object = false;
	if (r->reply.object.close != NULL)
		r->reply.object.close(r->reply.object.arg);
}

void reply_fini(struct request *r)
{
	reply_close_object(r);
	free(r->reply.owned);
}
