/* A server in this process on a port of its own, and a client of raw sockets that sees all bytes.
 */
#ifndef BERTH_TESTS_HTTP_FIXTURE_H
#define BERTH_TESTS_HTTP_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"
#include "http/http.h"

static struct http_server *server;
static uint16_t port;

/* What the operations of the test saw. Reset by start_server. */
static atomic_uint begins, handles, ends, dones, closes;
static atomic_ulong data_bytes, data_errors;
static atomic_int last_status;

/* The byte at an offset of every large body and object. */
static inline uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static inline void fill_pattern(char *p, size_t len, uint64_t from)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (char)pattern(from + i);
}

static void count_done(void *arg, const struct http_req *req, int64_t duration_us)
{
	(void)arg;
	(void)duration_us;
	atomic_store(&last_status, req->status);
	atomic_fetch_add(&dones, 1);
}

static void start_server_with(
	struct http_options *o, const struct http_op *(*route)(struct http_req *, void *))
{
	struct http_listen listen = { "127.0.0.1:0", false };
	struct http_front front = { route, NULL };
	struct err err;

	begins = handles = ends = dones = closes = 0;
	data_bytes = data_errors = 0;
	if (o->listen == NULL) {
		o->listen = &listen;
		o->listen_count = 1;
	}
	o->fronts = &front;
	o->front_count = 1;
	o->done = count_done;
	if (o->loops == 0)
		o->loops = 2;
	if (!http_server_start(o, &server, &err))
		fail_msg("start: %s", err_text(&err));
	port = http_server_port(server, 0);
}

static inline int stop_server(void **state)
{
	(void)state;
	http_server_stop(server, 2000);
	server = NULL;
	return 0;
}

/* Waits for a counter that another thread advances; a request ends a moment after its answer is
 * read. */
static inline bool reaches(atomic_uint *counter, unsigned wanted)
{
	for (int i = 0; i < 500 && atomic_load(counter) < wanted; i++)
		(void)usleep(10000);
	(void)usleep(10000); /* and does not pass it */
	return atomic_load(counter) == wanted;
}

/* --- the client --- */

struct client {
	int fd;
	char in[1 << 16];
	size_t len;
	bool is_closed; /* by the server: end or reset */
};

struct answer {
	int status;
	char head[8192];
	char *body;
	size_t body_len;
};

static inline struct client *dial(void)
{
	struct client *c = calloc(1, sizeof(*c));
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval limit = { .tv_sec = 10 };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->fd >= 0);
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return c;
}

static inline void hang_up(struct client *c)
{
	(void)close(c->fd);
	free(c);
}

/* False when the server has closed. */
static inline bool say_bytes(struct client *c, const void *p, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = send(c->fd, (const char *)p + at, len - at, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static inline bool say(struct client *c, const char *text)
{
	return say_bytes(c, text, strlen(text));
}

/* More bytes into c->in; false at the end. A silent server fails the test. */
static inline bool more(struct client *c)
{
	ssize_t n;

	assert_true(c->len < sizeof(c->in));
	n = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		fail_msg("the server is silent");
	if (n <= 0)
		c->is_closed = true;
	else
		c->len += (size_t)n;
	return n > 0;
}

static inline void consume(struct client *c, size_t n)
{
	memmove(c->in, c->in + n, c->len - n);
	c->len -= n;
}

/* The value of a header, good until the next call in this thread; NULL if absent. */
static inline const char *header_of(const struct answer *a, const char *name)
{
	static _Thread_local char value[512];
	size_t name_len = strlen(name);

	for (const char *line = strchr(a->head, '\n'); line != NULL; line = strchr(line, '\n')) {
		size_t len;

		line++;
		if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
			continue;
		line += name_len + 1;
		line += strspn(line, " ");
		len = strcspn(line, "\r\n");
		(void)snprintf(value, sizeof(value), "%.*s", (int)len, line);
		return value;
	}
	return NULL;
}

/* Reads an answer (an interim one too). False when the connection ends before its header section,
 * or within its body. */
static inline bool hear(struct client *c, struct answer *a, bool is_head)
{
	char *end;
	const char *length;
	size_t head_len, want;

	memset(a, 0, sizeof(*a));
	while ((end = memmem(c->in, c->len, "\r\n\r\n", 4)) == NULL)
		if (!more(c))
			return false;
	head_len = (size_t)(end - c->in) + 4;
	assert_true(head_len < sizeof(a->head));
	memcpy(a->head, c->in, head_len);
	consume(c, head_len);
	assert_int_equal(sscanf(a->head, "HTTP/1.1 %d", &a->status), 1);
	length = header_of(a, "Content-Length");
	want = length != NULL && !is_head && a->status != 304 ? strtoul(length, NULL, 10) : 0;
	a->body = malloc(want + 1);
	a->body[want] = '\0';
	while (a->body_len < want) {
		size_t n = c->len < want - a->body_len ? c->len : want - a->body_len;

		memcpy(a->body + a->body_len, c->in, n);
		a->body_len += n;
		consume(c, n);
		if (a->body_len < want && !more(c)) {
			free(a->body);
			a->body = NULL;
			return false;
		}
	}
	return true;
}

static inline void forget(struct answer *a)
{
	free(a->body);
	a->body = NULL;
}

/* The server has closed, or does so now, without another byte. */
static inline bool is_over(struct client *c)
{
	return c->len == 0 && (c->is_closed || !more(c));
}

/* One request on a connection of its own. */
static inline void ask(const char *request, struct answer *a)
{
	struct client *c = dial();

	assert_true(say(c, request));
	assert_true(hear(c, a, strncmp(request, "HEAD", 4) == 0));
	hang_up(c);
}

#endif
