/*
 * The bytes of one connection, to a real server in this process. A strict reader of RFC 9112 says
 * which requests they hold, up to the first that is malformed, ambiguous or not complete; exactly
 * these must reach the operations, with this method, target and body, and each gets one answer. The
 * first byte says where the bytes are divided on their way.
 *
 * Operations by path: /s streams its body to a worker, /o answers with an object (conditions and
 * ranges), all others take it whole. A query parameter "h" is set as a header of the answer: it
 * must not become an answer of its own.
 */
#include "http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "fuzz.h"
#include "http/wire.h"

#define REQUESTS_MAX 64
#define LINES_MAX    100   /* beyond, the server's memory for a header section may end first */
#define WAIT_MS      20000 /* an answer that has not come by then never will */
#define LINGER_MS                                                                                 \
	20 /* what is not complete may be given up no sooner than at the next look, once a second \
	    */

/* --- what requests hold, and which of them reached an operation --- */

struct seen {
	uint64_t hash; /* of method, target and body, with their lengths */
	bool is_head;
};

static struct mutex seen_lock;
static struct seen seen[REQUESTS_MAX];
static size_t seen_count;

static uint64_t hash_more(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 0x100000001b3U;
	return h;
}

static uint64_t hash_part(uint64_t h, struct str s)
{
	return (hash_more(h, s) ^ s.len) * 0x100000001b3U;
}

static uint64_t hash_head(struct str method, struct str target)
{
	return hash_part(hash_part(0xcbf29ce484222325U, method), target);
}

static void saw(const struct http_req *req, uint64_t body_hash)
{
	mutex_lock(&seen_lock);
	if (seen_count < REQUESTS_MAX)
		seen[seen_count].hash = hash_head(req->method, req->target) ^ body_hash;
	seen_count++;
	mutex_unlock(&seen_lock);
}

/* --- the server --- */

static void reflect(struct http_req *req)
{
	struct str value;
	if (http_query(req, "h", 0, &value))
		http_header_set(req, "X-Reflected", value);
	http_header_set(req, "X-Base", http_base_url(req));
}

static void handle_whole(struct http_req *req)
{
	saw(req, hash_part(1, http_body(req)));
	reflect(req);
	http_reply_bytes(req, 200, "text/plain", http_body(req));
}

struct stream_sum {
	uint64_t hash, len;
};

static bool begin_stream(struct http_req *req)
{
	struct stream_sum *sum = arena_alloc(req->arena, sizeof(*sum));
	CHECK(sum != NULL);
	*sum = (struct stream_sum){ 1, 0 };
	req->user = sum;
	return true;
}

static bool data_stream(struct http_req *req, const uint8_t *p, size_t len)
{
	struct stream_sum *sum = req->user;
	sum->hash = hash_more(sum->hash, (struct str){ (const char *)p, len });
	sum->len += len;
	return true;
}

static void handle_stream(struct http_req *req)
{
	const struct stream_sum *sum = req->user;
	saw(req, (sum->hash ^ sum->len) * 0x100000001b3U);
	reflect(req);
	http_reply(req, 201);
}

static bool object_pread(
	void *arg, void *bytes, size_t len, uint64_t off, size_t *out_n, struct err *err)
{
	(void)arg;
	(void)err;
	*out_n = off >= 100 ? 0 : len < 100 - off ? len : 100 - (size_t)off;
	memset(bytes, 'o', *out_n);
	return true;
}

static void handle_object(struct http_req *req)
{
	const struct http_object object = { .fd = -1, .size_bytes = 100, .pread = object_pread };
	saw(req, hash_part(1, http_body(req)));
	reflect(req);
	http_reply_object(req, "application/octet-stream", STR("tag"), &object);
}

static const struct http_op op_whole = { .name = "whole",
	.run = HTTP_INLINE,
	.body = HTTP_BODY_WHOLE,
	.body_max = 64 * KIB,
	.handle = handle_whole };
static const struct http_op op_stream = { .name = "stream",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_STREAM,
	.begin = begin_stream,
	.data = data_stream,
	.handle = handle_stream };
static const struct http_op op_object = { .name = "object",
	.run = HTTP_INLINE,
	.body = HTTP_BODY_WHOLE,
	.body_max = 64 * KIB,
	.handle = handle_object };

static const struct http_op *route(struct http_req *req, void *ctx)
{
	(void)ctx;
	return str_starts(req->path, STR("/s"))   ? &op_stream
	       : str_starts(req->path, STR("/o")) ? &op_object
						  : &op_whole;
}

static uint16_t start_server(void)
{
	static const struct http_listen listen = { "127.0.0.1:0", false };
	static const struct http_front front = { route, NULL };
	static const struct http_options options = { .listen = &listen,
		.listen_count = 1,
		.fronts = &front,
		.front_count = 1,
		.loops = 1,
		.workers_max = 2 };
	struct http_server *server;
	struct err err;
	mutex_init(&seen_lock, "fuzz.seen");
	CHECK(http_server_start(&options, &server, &err));
	return http_server_port(server, 0); /* it runs until the program ends */
}

/* --- the strict reader --- */

struct wanted {
	struct seen items[REQUESTS_MAX];
	size_t count;
	size_t sure;   /* of those, what must be served: behind it the connection may end */
	bool is_clean; /* nothing is left over */
};

struct head {
	struct str method, target, host;
	bool is_10, is_chunked, may_close, expects;
	unsigned hosts, lengths, codings;
	uint64_t length;
};

static bool all_in(struct str s, const char *more)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool is_plain =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!is_plain && (c == '\0' || strchr(more, c) == NULL))
			return false;
	}
	return true;
}

static bool is_token(struct str s)
{
	return s.len > 0 && all_in(s, "!#$%&'*+-.^_`|~");
}

static bool is_line_text(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* A line and its CRLF off the front; a CR or LF of its own ends nothing. */
static bool take_line(struct str *rest, struct str *line)
{
	size_t end = str_find_char(*rest, '\n');
	if (end == 0 || end == rest->len || rest->ptr[end - 1] != '\r')
		return false;
	*line = str_sub(*rest, 0, end - 1);
	*rest = str_sub(*rest, end + 1, rest->len);
	return is_line_text(*line);
}

static bool take_request_line(struct str *rest, struct head *h)
{
	struct str line;
	struct str version;
	if (!take_line(rest, &line) || !str_cut(line, ' ', &h->method, &version) ||
		!str_cut(version, ' ', &h->target, &version))
		return false;
	h->is_10 = str_eq(version, STR("HTTP/1.0"));
	for (size_t i = 0; i < h->target.len; i++)
		if (h->target.ptr[i] == '\t')
			return false;
	return is_token(h->method) && h->target.len > 0 &&
	       (h->is_10 || str_eq(version, STR("HTTP/1.1")));
}

static bool take_field(struct str line, struct head *h)
{
	struct str name;
	struct str value;
	if (!str_cut(line, ':', &name, &value) || !is_token(name))
		return false;
	value = str_trim(value);
	if (str_eq_nocase(name, STR("Host"))) {
		h->hosts++;
		h->host = value;
	} else if (str_eq_nocase(name, STR("Content-Length"))) {
		h->lengths++;
		/* A space behind it is legal, and unknown to the library. */
		return str_to_u64(value, INT64_MAX, &h->length) && str_ends(line, value) &&
		       line.len <= WIRE_FRAMING_LINE_MAX;
	} else if (str_eq_nocase(name, STR("Transfer-Encoding"))) {
		h->codings++;
		h->is_chunked = true;
		/* A space behind it is legal, but others are known to see another coding. */
		return str_eq_nocase(value, STR("chunked")) && str_ends(line, value) &&
		       line.len <= WIRE_FRAMING_LINE_MAX;
	} else if (str_eq_nocase(name, STR("Expect"))) {
		h->expects = h->expects || str_eq_nocase(value, STR("100-continue"));
	} else if (str_eq_nocase(name, STR("Connection"))) {
		h->may_close = true;
	}
	return true;
}

static bool is_target(struct str t)
{
	size_t scheme = str_starts(t, STR("http://")) ? 7 : str_starts(t, STR("https://")) ? 8 : 0;
	struct str host = str_sub(t, scheme, t.len);
	if (scheme == 0)
		return t.ptr[0] == '/' || str_eq(t, STR("*"));
	host = str_sub(host, 0, str_find_char(host, '/'));
	return host.len > 0 && all_in(host, ".-_~:[]%");
}

static bool take_head(struct str *rest, struct head *h)
{
	struct str line;
	if (!take_request_line(rest, h))
		return false;
	while (take_line(rest, &line)) {
		if (line.len > 0) {
			if (!take_field(line, h))
				return false;
			continue;
		}
		return h->hosts <= 1 && (h->hosts == 1 || h->is_10) &&
		       all_in(h->host, ".-_~:[]%") && is_target(h->target) && h->lengths <= 1 &&
		       h->codings <= 1 && h->lengths + h->codings <= 1 &&
		       !(h->is_10 && h->is_chunked) &&
		       /* RFC 9110 10.1.1 */
		       (!h->expects || h->is_10 || h->is_chunked || h->length > 0);
	}
	return false;
}

static unsigned hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
	       : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
	       : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
				      : 16;
}

static bool take_chunk_size(struct str *rest, uint64_t *out)
{
	struct str line;
	struct str digits;
	struct str extension;
	uint64_t n = 0;
	if (!take_line(rest, &line))
		return false;
	if (str_cut(line, ';', &digits, &extension) && extension.len >= WIRE_EXTENSION_MAX)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		unsigned d = hex_digit(digits.ptr[i]);
		if (d == 16 || n >> 60 != 0)
			return false;
		n = n << 4 | d;
	}
	*out = n;
	return digits.len > 0 && digits.len <= WIRE_SIZE_DIGITS_MAX;
}

/* Behind the last chunk. They are read and not used. */
static bool take_trailers(struct str *rest)
{
	struct str line;
	struct str name;
	struct str value;
	while (take_line(rest, &line)) {
		if (line.len == 0)
			return true;
		if (!str_cut(line, ':', &name, &value) || !is_token(name))
			return false;
	}
	return false;
}

static bool take_chunks(struct str *rest, uint64_t *hash)
{
	uint64_t len = 0;
	uint64_t n;
	while (take_chunk_size(rest, &n)) {
		if (n == 0) {
			*hash = (*hash ^ len) * 0x100000001b3U;
			return take_trailers(rest);
		}
		if (n > rest->len)
			return false;
		*hash = hash_more(*hash, str_sub(*rest, 0, (size_t)n));
		len += n;
		*rest = str_sub(*rest, (size_t)n, rest->len);
		if (!str_starts(*rest, STR("\r\n")))
			return false;
		*rest = str_sub(*rest, 2, rest->len);
	}
	return false;
}

static bool take_body(struct str *rest, const struct head *h, uint64_t *hash)
{
	*hash = 1;
	if (h->is_chunked)
		return take_chunks(rest, hash);
	if (h->length > rest->len)
		return false;
	*hash = hash_part(1, str_sub(*rest, 0, (size_t)h->length));
	*rest = str_sub(*rest, (size_t)h->length, rest->len);
	return true;
}

static void read_strictly(struct str rest, struct wanted *w)
{
	bool is_sure = true;
	*w = (struct wanted){ .count = 0 };
	for (;;) {
		struct head h = { .length = 0 };
		uint64_t body_hash;
		while (str_starts(rest, STR("\r\n"))) /* RFC 9112 2.2 */
			rest = str_sub(rest, 2, rest.len);
		w->is_clean = rest.len == 0;
		if (rest.len == 0 || w->count == REQUESTS_MAX || !take_head(&rest, &h) ||
			!take_body(&rest, &h, &body_hash))
			return;
		w->items[w->count++] = (struct seen){ hash_head(h.method, h.target) ^ body_hash,
			str_eq(h.method, STR("HEAD")) };
		if (is_sure)
			w->sure = w->count;
		is_sure = is_sure && !h.is_10 && !h.may_close;
	}
}

/* --- the client --- */

struct client {
	int fd;
	char in[256 * 1024];
	size_t len;
	bool is_over;
};

static bool is_silent(const struct client *c, int wait_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	/* The search's own clock ticks by a signal. */
	return TEMP_FAILURE_RETRY(poll(&p, 1, wait_ms)) != 1;
}

/* More bytes, or the end. */
static void hear_more(struct client *c)
{
	CHECK(!is_silent(c, WAIT_MS));
	CHECK(c->len < sizeof(c->in));
	ssize_t n = TEMP_FAILURE_RETRY(recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, 0));
	c->is_over = n <= 0;
	c->len += n > 0 ? (size_t)n : 0;
}

/* "Content-Length: " of the head, or none. */
static bool length_of(struct str head, size_t *out)
{
	static const char name[] = "\r\nContent-Length: ";
	const char *at = memmem(head.ptr, head.len, name, sizeof(name) - 1);
	struct str line;
	struct str rest;
	uint64_t n;
	if (at == NULL)
		return false;
	at += sizeof(name) - 1;
	(void)str_cut((struct str){ at, (size_t)(head.ptr + head.len - at) }, '\r', &line, &rest);
	CHECK(str_to_u64(line, 1024 * 1024, &n));
	*out = (size_t)n;
	return true;
}

/* The status of the next answer; 0: the connection is over before a whole one. Interim ones (100)
 * are passed over. */
static unsigned hear(struct client *c, bool is_head)
{
	for (;;) {
		const char *end = memmem(c->in, c->len, "\r\n\r\n", 4);
		size_t body = 0;
		uint64_t status;
		if (end == NULL) {
			if (c->is_over)
				return 0;
			hear_more(c);
			continue;
		}
		struct str head = { c->in, (size_t)(end + 4 - c->in) };
		CHECK(str_starts(head, STR("HTTP/1.")) && head.len > 12);
		CHECK(str_to_u64(str_sub(head, 9, 3), 599, &status));
		if (status >= 200 && status != 304 && !is_head && !length_of(head, &body))
			body = SIZE_MAX - head.len; /* to the end */
		while (c->len < head.len + body && !c->is_over)
			hear_more(c);
		body = c->len < head.len + body ? c->len - head.len : body;
		memmove(c->in, c->in + head.len + body, c->len - head.len - body);
		c->len -= head.len + body;
		if (status >= 200)
			return (unsigned)status;
	}
}

/* From many addresses in turn, as one has no more than 28,000 ports to use in a minute. */
static void dial(struct client *c, uint16_t port)
{
	static const int one = 1;
	static unsigned turn;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in from = { .sin_family = AF_INET };
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + turn++ % 250);
	c->len = 0;
	c->is_over = false;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(c->fd >= 0);
	CHECK(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	CHECK(setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) == 0);
	CHECK(bind(c->fd, (struct sockaddr *)&from, sizeof(from)) == 0);
	CHECK(TEMP_FAILURE_RETRY(connect(c->fd, (struct sockaddr *)&to, sizeof(to))) == 0);
}

/* What is refused may be closed before all of it is sent. */
static void say(const struct client *c, struct str s)
{
	while (s.len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(send(c->fd, s.ptr, s.len, MSG_NOSIGNAL));
		if (n <= 0)
			return;
		s = str_sub(s, (size_t)n, s.len);
	}
}

static bool is_simple(struct str s)
{
	unsigned lines = 0;
	for (size_t i = 0; i < s.len; i++)
		lines += s.ptr[i] == '\n' || s.ptr[i] == '&' || s.ptr[i] == '\r' || s.ptr[i] == ';';
	return lines <= LINES_MAX;
}

static void converse(struct client *c, const struct wanted *w)
{
	size_t heard = 0;
	unsigned status = 200;
	/* An operation on a worker may only answer a client that is still there, so the end is not
	 * sent before. */
	for (; heard < w->count && status != 0; heard++) {
		status = hear(c, w->items[heard].is_head);
		if (status == 0 || status == 400)
			break;
	}
	CHECK(heard >= w->sure);
	/* Apart from the bytes, so that it wakes the server's loop. */
	if (!w->is_clean)
		(void)usleep(200);
	(void)shutdown(c->fd, SHUT_WR);
	if (!w->is_clean && is_silent(c, LINGER_MS))
		return;
	if (status != 0 && status != 400 && heard == w->count) {
		/* What is left over is refused, or cut off; it is never served. */
		status = hear(c, false);
		CHECK(status == 0 || (status >= 400 && !w->is_clean));
	}
	while (!c->is_over && !(!w->is_clean && is_silent(c, LINGER_MS))) {
		c->len = 0;
		hear_more(c);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint16_t port;
	static struct client c;
	static struct wanted w;
	if (size < 1 || size > 4 * KIB)
		return 0;
	struct str s = { (const char *)data + 1, size - 1 };
	if (!is_simple(s))
		return 0;
	if (port == 0)
		port = start_server();
	read_strictly(s, &w);
	mutex_lock(&seen_lock);
	seen_count = 0;
	mutex_unlock(&seen_lock);
	dial(&c, port);
	size_t cut = s.len * data[0] / 256;
	say(&c, str_sub(s, 0, cut));
	if (cut > 0)
		(void)usleep(100);
	say(&c, str_sub(s, cut, s.len));
	converse(&c, &w);
	(void)close(c.fd);
	mutex_lock(&seen_lock);
	CHECK(seen_count >= w.sure && seen_count <= w.count);
	for (size_t i = 0; i < seen_count; i++)
		CHECK(seen[i].hash == w.items[i].hash);
	mutex_unlock(&seen_lock);
	return 0;
}
