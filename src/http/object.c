/* Answers with an immutable object: conditions and ranges decide which bytes of it, RFC 9110 13
 * and 14. */
#include <stdlib.h>
#include <unistd.h>

#include "http/http_priv.h"
#include "http/range.h"

#define SMALL_OBJECT_BYTES (16 * KIB)
_Static_assert(SMALL_OBJECT_BYTES <= ANSWER_FREE_BYTES, "answers of small objects are not counted");

/* A condition may be spread over several lines (RFC 9110 5.3). */
static bool is_listed(const struct request *r, const char *name, struct str etag, bool is_strong)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (str_eq_nocase(r->headers[i].name, str_from(name)) &&
			range_etag_listed(r->headers[i].value, etag, is_strong))
			return true;
	return false;
}

/* Headers only: the object is not needed any more. */
static void reply_without(struct request *r, int status, uint64_t length)
{
	reply_set(r, status, REPLY_LENGTH, length);
	reply_close_object(r);
}

static struct segment *add_segment(struct request *r, struct segment s)
{
	struct segment *at = &r->reply.segments[r->reply.segment_count++];

	*at = s;
	r->reply.length += s.length;
	return at;
}

static bool read_object(
	const struct http_object *o, void *out, size_t len, uint64_t offset, size_t *n)
{
	struct err err;
	ssize_t got;

	if (o->pread != NULL)
		return o->pread(o->arg, out, len, offset, n, &err);
	got = pread(o->fd, out, len, (off_t)offset);
	*n = got > 0 ? (size_t)got : 0;
	return got >= 0;
}

/* Header section and bytes then leave by one call of the system, and the object is closed at once.
 * False: as a segment, whose reader fails again if this one did, and breaks the answer off. */
static bool send_small(struct request *r, uint64_t offset, size_t length)
{
	const struct http_object *object = &r->reply.object;
	uint8_t *bytes = malloc(length);
	size_t got = 0;
	size_t n = 1;

	if (bytes == NULL)
		return false;
	if (object->limit != NULL)
		object->limit(object->arg, offset + length);
	while (got < length && n > 0) {
		if (!read_object(object, bytes + got, length - got, offset + got, &n))
			n = 0;
		got += n;
	}
	if (got < length) {
		free(bytes);
		return false;
	}
	r->reply.owned = bytes;
	r->reply.bytes = bytes;
	reply_close_object(r);
	return true;
}

static void send_from(struct request *r, int status, uint64_t offset, uint64_t length)
{
	reply_set(r, status, REPLY_BYTES, length);
	if (length == 0)
		return;
	if (r->reply.object.fd < 0 && length <= SMALL_OBJECT_BYTES &&
		send_small(r, offset, (size_t)length))
		return;
	r->reply.offset = offset;
	if (r->reply.object.fd >= 0) {
		r->reply.kind = REPLY_FILE;
		return;
	}
	r->reply.segments = arena_alloc(r->pub.arena, sizeof(struct segment));
	r->reply.kind = REPLY_SEGMENTS;
	if (r->reply.segments == NULL)
		return; /* its reader fails, and the connection breaks off */
	r->reply.length = 0;
	(void)add_segment(r, (struct segment){ NULL, offset, length });
}

/* multipart/byteranges, RFC 9110 14.6. */
static void send_parts(
	struct request *r, const char *type, const struct range *ranges, size_t count)
{
	struct http_req *q = &r->pub;
	uint64_t size = r->reply.object.size_bytes;
	struct str text;

	reply_set(r, 206, REPLY_SEGMENTS, 0);
	http_header_setf(q, "Content-Type", "multipart/byteranges; boundary=%s", q->id);
	r->reply.segments = arena_alloc(q->arena, (2 * count + 1) * sizeof(struct segment));
	if (r->reply.segments == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		text = arena_printf(q->arena,
			"%s--%s\r\nContent-Type: %s\r\nContent-Range: bytes %llu-%llu/%llu\r\n\r\n",
			i == 0 ? "" : "\r\n", q->id, type, (unsigned long long)ranges[i].first,
			(unsigned long long)ranges[i].last, (unsigned long long)size);
		(void)add_segment(r, (struct segment){ text.ptr, 0, text.len });
		(void)add_segment(r, (struct segment){ NULL, ranges[i].first,
					     ranges[i].last - ranges[i].first + 1 });
	}
	text = arena_printf(q->arena, "\r\n--%s--\r\n", q->id);
	(void)add_segment(r, (struct segment){ text.ptr, 0, text.len });
}

static void send_ranges(
	struct request *r, const char *type, const struct range *ranges, size_t count)
{
	if (count > 1) {
		send_parts(r, type, ranges, count);
		return;
	}
	http_header_set(&r->pub, "Content-Type", str_from(type));
	http_header_setf(&r->pub, "Content-Range", "bytes %llu-%llu/%llu",
		(unsigned long long)ranges[0].first, (unsigned long long)ranges[0].last,
		(unsigned long long)r->reply.object.size_bytes);
	send_from(r, 206, ranges[0].first, ranges[0].last - ranges[0].first + 1);
}

/* RFC 9110 13.2.2, in its order. */
void http_reply_object(
	struct http_req *req, const char *type, struct str etag, const struct http_object *object)
{
	struct request *r = request_of(req);
	bool is_head = str_eq(req->method, STR("HEAD"));
	uint64_t size = object->size_bytes;
	struct range ranges[RANGE_MAX];
	size_t count = 0;
	enum range_result asked = RANGE_WHOLE;

	r->reply.object = *object;
	r->reply.has_object = true;
	http_header_setf(req, "ETag", "\"" STR_FMT "\"", STR_ARG(etag));
	if (http_header(req, "If-Match").ptr != NULL && !is_listed(r, "If-Match", etag, true)) {
		reply_set(r, 412, REPLY_BYTES, 0);
		reply_close_object(r);
		return;
	}
	if (is_listed(r, "If-None-Match", etag, false)) {
		reply_without(r, 304, size);
		return;
	}
	http_header_set(req, "Accept-Ranges", STR("bytes"));
	/* Range is defined for GET alone (RFC 9110 14.2). */
	if (!is_head && range_if_range(http_header(req, "If-Range"), etag))
		asked = range_parse(http_header(req, "Range"), size, ranges, &count);
	if (asked == RANGE_UNSATISFIABLE) {
		http_header_setf(req, "Content-Range", "bytes */%llu", (unsigned long long)size);
		reply_set(r, 416, REPLY_BYTES, 0);
		reply_close_object(r);
	} else if (asked == RANGE_PARTIAL) {
		send_ranges(r, type, ranges, count);
	} else {
		http_header_set(req, "Content-Type", str_from(type));
		if (is_head)
			reply_without(r, 200, size);
		else
			send_from(r, 200, 0, size);
	}
}

ssize_t object_read(void *request, uint64_t pos, char *out, size_t max)
{
	struct request *r = request;
	struct reply *reply = &r->reply;
	const struct segment *s;
	uint64_t at;
	size_t n;

	/* libmicrohttpd reads from the beginning to the end. */
	while (reply->segment_at < reply->segment_count &&
		pos >= reply->segment_start + reply->segments[reply->segment_at].length)
		reply->segment_start += reply->segments[reply->segment_at++].length;
	if (reply->segment_at == reply->segment_count)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	s = &reply->segments[reply->segment_at];
	at = pos - reply->segment_start;
	n = s->length - at < max ? (size_t)(s->length - at) : max;
	if (at == 0 && s->text == NULL && reply->object.limit != NULL)
		reply->object.limit(reply->object.arg, s->offset + s->length);
	if (s->text != NULL) {
		memcpy(out, s->text + at, n);
	} else if (!read_object(&reply->object, out, n, s->offset + at, &n) || n == 0) {
		return MHD_CONTENT_READER_END_WITH_ERROR; /* short, or damaged: the client must not
							     take it for whole */
	}
	r->pub.bytes_out += n;
	return (ssize_t)n;
}
