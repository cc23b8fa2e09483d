/*
 * The form of a request, judged once its headers are in. libmicrohttpd 0.9.75 is lenient where two
 * parties may read the same bytes differently: it takes a bare LF for a line end, joins folded
 * lines (to the name), stops at a NUL, skips extra spaces in the request line, takes the first of
 * several Content-Length and prefers Transfer-Encoding over it, and takes the next request for the
 * body of one that has none but expects "100 Continue". A server behind a proxy must refuse
 * all of these (RFC 9112 11.2, request smuggling).
 *
 * It replaces line ends and colons by NUL in the bytes as they came and hands out pointers between
 * them. So the original form is seen from the distances: a header must begin exactly two bytes
 * behind the end of what is before it. A NUL in them cannot be told from that: wire.c has seen it.
 */
#include "http/http_priv.h"

/* RFC 9110 5.6.2 */
static bool is_token(struct str s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c != '\0' && strchr(others, c) != NULL)))
			return false;
	}
	return s.len > 0;
}

static bool is_field_value(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Goes into URLs and challenges of answers, so nothing that would end a quoted string or a path is
 * let in. */
static bool is_authority(struct str s)
{
	static const char others[] = ".-_~:[]%";

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c != '\0' && strchr(others, c) != NULL)))
			return false;
	}
	return true;
}

/* The header section in libmicrohttpd's memory, and our copy of it. */
struct section {
	struct request *r;
	const char *base;
	size_t size;
	const char *expected; /* where the next line must begin */
	char *copy;
	size_t capacity;
	bool is_bad;
};

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *key,
	size_t key_len, const char *value, size_t value_len)
{
	struct section *s = cls;
	struct request *r = s->r;
	struct str name;
	struct str text;
	const char *gap = key + key_len + 1;

	(void)kind;
	s->is_bad = true;
	if (key != s->expected || value < gap || r->header_count == s->capacity ||
		value + value_len + 4 > s->base + s->size)
		return MHD_NO;
	for (; gap < value; gap++)
		if (*gap != ' ' && *gap != '\t')
			return MHD_NO;
	name = (struct str){ s->copy + (key - s->base), key_len };
	text = (struct str){ s->copy + (value - s->base), value_len };
	if (!is_token(name) || !is_field_value(text))
		return MHD_NO;
	r->headers[r->header_count++] = (struct header){ NULL, name, str_trim(text) };
	s->expected = value + value_len + 2;
	s->is_bad = false;
	return MHD_YES;
}

/* False: malformed, or no memory. */
static bool take_headers(struct request *r, const char *method, const char *version)
{
	struct section s = { .r = r, .base = method };
	int count = MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, NULL, NULL);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	if (info == NULL || count < 0)
		return false;
	s.size = info->header_size;
	s.capacity = (size_t)count;
	s.expected = version + strlen(version) + 2;
	if (s.expected + 2 > s.base + s.size)
		return false;
	s.copy = arena_alloc(r->pub.arena, s.size);
	r->headers = arena_alloc(r->pub.arena, (s.capacity + 1) * sizeof(*r->headers));
	if (s.copy == NULL || r->headers == NULL)
		return false;
	memcpy(s.copy, s.base, s.size);
	r->pub.method = (struct str){ s.copy, strlen(s.copy) };
	(void)MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, take_header, &s);
	return !s.is_bad && s.expected + 2 == s.base + s.size;
}

/* "GET /path HTTP/1.1" with single spaces; the target without control characters. */
static bool is_request_line(const struct request *r, const char *method, const char *version)
{
	struct str target = r->pub.target;

	if (r->raw_target == NULL || target.ptr == NULL ||
		r->raw_target != method + r->pub.method.len + 1 ||
		version != r->raw_target + target.len + 1 || !is_token(r->pub.method))
		return false;
	for (size_t i = 0; i < target.len; i++)
		if ((unsigned char)target.ptr[i] <= ' ' || target.ptr[i] == 0x7f)
			return false;
	return target.len > 0;
}

/* Path, query and host from the target. RFC 9112 3.2.2: the absolute form is accepted, and its
 * authority wins. */
static bool split_target(struct http_req *q)
{
	struct str t = q->target;
	size_t scheme = str_starts(t, STR("http://")) ? 7 : str_starts(t, STR("https://")) ? 8 : 0;

	if (scheme > 0) {
		struct str rest = str_sub(t, scheme, t.len);
		size_t end = str_find_char(rest, '/');

		q->host = str_sub(rest, 0, end);
		t = end < rest.len ? str_sub(rest, end, rest.len) : STR("/");
		if (q->host.len == 0 || !is_authority(q->host))
			return false;
	} else if (t.ptr[0] != '/' && !str_eq(t, STR("*"))) {
		return false;
	}
	(void)str_cut(t, '?', &q->path, &q->query);
	return true;
}

/* Counts of the headers that decide where a request ends and whom it addresses. */
struct framing {
	unsigned hosts, lengths, codings;
	struct str host, length, coding;
};

static struct framing find_framing(struct request *r)
{
	struct framing f = { 0 };

	for (size_t i = 0; i < r->header_count; i++) {
		struct str name = r->headers[i].name;
		struct str value = r->headers[i].value;

		if (name.len == 4 && str_eq_nocase(name, STR("Host"))) {
			f.hosts++;
			f.host = value;
		} else if (name.len == 14 && str_eq_nocase(name, STR("Content-Length"))) {
			f.lengths++;
			f.length = value;
		} else if (name.len == 17 && str_eq_nocase(name, STR("Transfer-Encoding"))) {
			f.codings++;
			f.coding = value;
		} else if (name.len == 6 && str_eq_nocase(name, STR("Expect"))) {
			/* Any of them: libmicrohttpd looks at one. */
			r->expects_continue =
				r->expects_continue || str_eq_nocase(value, STR("100-continue"));
		}
	}
	return f;
}

int admit_request(struct request *r, const char *method, const char *version)
{
	struct http_req *q = &r->pub;
	struct framing f;

	if (!take_headers(r, method, version) || !is_request_line(r, method, version))
		return 400;
	if (strcmp(version, "HTTP/1.0") == 0)
		r->is_http10 = true;
	else if (strcmp(version, "HTTP/1.1") != 0)
		return 505;
	f = find_framing(r);
	if (f.hosts > 1 || (f.hosts == 0 && !r->is_http10) || !is_authority(f.host))
		return 400; /* RFC 9112 3.2 */
	q->host = f.host;
	if (!split_target(q))
		return 400;
	if (f.lengths > 1 || f.codings > 1 || (f.lengths > 0 && f.codings > 0) ||
		(f.codings > 0 && r->is_http10))
		return 400; /* RFC 9112 6.1 and 6.3 */
	/* libmicrohttpd compares with the space behind it, and would read until the connection
	 * closes. */
	if (f.codings > 0 && f.coding.ptr[f.coding.len] != '\0')
		return 400;
	if (f.codings > 0) {
		if (!str_eq_nocase(f.coding, STR("chunked")))
			return 501;
		r->is_chunked = true;
	}
	if (f.lengths > 0) {
		if (!str_to_u64(f.length, INT64_MAX, &q->content_length))
			return 400;
		q->has_length = true;
	}
	r->body_remains = r->is_chunked || (q->has_length && q->content_length > 0);
	/* No client may say so without a body (RFC 9110 10.1.1). libmicrohttpd would take what
	 * follows, the next request, for the body that it has given leave to send. */
	if (r->expects_continue && !r->body_remains && !r->is_http10)
		return 400;
	return 0;
}
