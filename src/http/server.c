/* The server: options, listening sockets, event loops, start and stop. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/http_priv.h"
#include "http/pool.h"

/* Of connections, for libmicrohttpd: accept.c counts. One more than its own limit makes a loop of
 * libmicrohttpd 0.9.75 wait for itself, for ever. */
#define NO_LIMIT ((unsigned)INT_MAX)

/* --- listening --- */

/* "host:port", "[v6]:port", ":port" (host is then empty). */
static bool split_address(
	const char *address, char *host, size_t host_cap, char *port, size_t port_cap)
{
	struct str s = str_from(address);
	struct str h;
	const char *colon = strrchr(address, ':');
	uint64_t number;

	if (colon == NULL || !str_to_c(str_from(colon + 1), port, port_cap) ||
		!str_to_u64(str_from(port), UINT16_MAX, &number))
		return false;
	h = str_sub(s, 0, (size_t)(colon - address));
	if (str_starts(h, STR("[")) && str_ends(h, STR("]")))
		h = str_sub(h, 1, h.len - 2);
	else if (str_find_char(h, ':') != h.len)
		return false; /* IPv6 needs its brackets */
	return str_to_c(h, host, host_cap);
}

static int bind_one(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	int off = 0;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	char port[NI_MAXSERV] = "";
	uint64_t n = 0;

	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		(void)getnameinfo(
			(struct sockaddr *)&sa, len, NULL, 0, port, sizeof(port), NI_NUMERICSERV);
	(void)str_to_u64(str_from(port), UINT16_MAX, &n);
	return (uint16_t)n;
}

static bool listener_bind(struct listener *l, const char *address, struct err *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char host[256];
	char port[16];
	int rc;
	int saved = EADDRNOTAVAIL;

	if (!split_address(address, host, sizeof(host), port, sizeof(port)))
		return err_set(err, ERR_CONFIG, "bad listen address \"%s\"", address);
	/* ":port": one socket for both families where there is IPv6, else IPv4 alone. */
	rc = getaddrinfo(host[0] != '\0' ? host : "::", port, &hints, &found);
	if (rc == 0)
		for (const struct addrinfo *ai = found; ai != NULL && l->fd < 0; ai = ai->ai_next) {
			l->fd = bind_one(ai);
			saved = errno;
		}
	if (found != NULL)
		freeaddrinfo(found);
	if (l->fd < 0 && host[0] == '\0' &&
		(rc != 0 || saved == EAFNOSUPPORT || saved == EADDRNOTAVAIL)) {
		rc = getaddrinfo("0.0.0.0", port, &hints, &found);
		if (rc == 0) {
			l->fd = bind_one(found);
			saved = errno;
			freeaddrinfo(found);
		}
	}
	if (rc != 0)
		return err_set(
			err, ERR_CONFIG, "cannot listen on %s: %s", address, gai_strerror(rc));
	if (l->fd < 0) {
		char why[128];

		return err_set(err, ERR_CONFIG, "cannot listen on %s: %s", address,
			strerror_r(saved, why, sizeof(why)));
	}
	l->port = port_of(l->fd);
	return true;
}

/* --- event loops --- */

static void log_mhd(void *cls, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

static void log_mhd(void *cls, const char *fmt, va_list ap)
{
	struct http_server *s = cls;
	char line[512];

	if (s->options.log == NULL || !log_wants(s->options.log, LOG_DEBUG))
		return;
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_event(s->options.log, LOG_DEBUG, "http", "%s", line);
}

/* Fronts want what was sent; decoding is theirs. */
static size_t leave_escapes(void *cls, struct MHD_Connection *c, char *s)
{
	(void)cls;
	(void)c;
	return strlen(s);
}

static bool listener_start(struct listener *l, struct err *err)
{
	struct http_server *s = l->server;
	const struct http_options *o = &s->options;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
			 MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET;
	struct MHD_OptionItem extra[4];
	size_t n = 0;

	if (o->loops > 1)
		extra[n++] = (struct MHD_OptionItem){ MHD_OPTION_THREAD_POOL_SIZE,
			(intptr_t)o->loops, NULL };
	if (l->is_tls) {
		flags |= MHD_USE_TLS;
		extra[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
			(void *)(uintptr_t)tls_priorities };
	}
	extra[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	l->daemon = MHD_start_daemon(flags, 0, NULL, NULL, serve_call, s,
		MHD_OPTION_EXTERNAL_LOGGER, log_mhd, s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		o->header_max_bytes, MHD_OPTION_CONNECTION_LIMIT, NO_LIMIT,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->connections_per_ip_max,
		MHD_OPTION_URI_LOG_CALLBACK, serve_target, s, MHD_OPTION_UNESCAPE_CALLBACK,
		leave_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED, serve_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, conn_notify, l, MHD_OPTION_ARRAY, extra,
		/* A plain listener has no use for it, and says so in the log. */
		l->is_tls ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END, tls_retrieve(),
		MHD_OPTION_END);
	if (l->daemon == NULL)
		return err_set(err, ERR_CONFIG,
			"cannot serve port %u: not enough descriptors, threads or memory",
			(unsigned)l->port);
	return true;
}

/* --- start and stop --- */

static unsigned or_default(unsigned value, unsigned fallback)
{
	return value != 0 ? value : fallback;
}

static void set_options(struct http_server *s, const struct http_options *o)
{
	struct http_options *to = &s->options;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	*to = *o;
	to->loops = or_default(o->loops, cores > 0 ? (unsigned)cores : 1);
	to->workers_max = or_default(o->workers_max, 64);
	to->connections_max = or_default(o->connections_max, 10000);
	if (to->loops > to->connections_max)
		to->loops = to->connections_max;
	if (to->header_max_bytes == 0)
		to->header_max_bytes = 32 * KIB;
	if (to->whole_bodies_max_bytes == 0)
		to->whole_bodies_max_bytes = 128 * MIB;
	to->header_timeout_s = or_default(o->header_timeout_s, 30);
	to->idle_timeout_s = or_default(o->idle_timeout_s, 60);
	if (to->min_rate_bytes_s == 0)
		to->min_rate_bytes_s = 1024;
	/* Without a minimum rate only a standstill counts. */
	s->rate_window_s = to->idle_timeout_s;
	if (to->min_rate_bytes_s != UINT64_MAX && to->idle_timeout_s > RATE_WINDOW_S)
		s->rate_window_s = RATE_WINDOW_S;
	s->fronts = xcalloc(o->front_count + 1, sizeof(*s->fronts));
	if (o->front_count > 0)
		memcpy(s->fronts, o->fronts, o->front_count * sizeof(*s->fronts));
	to->fronts = s->fronts;
	to->listen = NULL; /* the caller's; read at start only */
	to->tls_cert = NULL;
	to->tls_key = NULL;
}

static bool start(struct http_server *s, const struct http_options *o, struct err *err)
{
	bool wants_tls = false;

	s->listeners = xcalloc(o->listen_count + 1, sizeof(*s->listeners));
	for (size_t i = 0; i < o->listen_count; i++) {
		s->listeners[i] =
			(struct listener){ .server = s, .fd = -1, .is_tls = o->listen[i].tls };
		wants_tls = wants_tls || o->listen[i].tls;
	}
	s->listener_count = o->listen_count;
	if (wants_tls && !tls_open(o->tls_cert, o->tls_key, &s->tls, err))
		return false;
	for (size_t i = 0; i < o->listen_count; i++)
		if (!listener_bind(&s->listeners[i], o->listen[i].address, err))
			return false;
	if (o->bound != NULL && !o->bound(o->bound_arg, err))
		return false;
	if (!thread_start("http-sweeper", sweep_main, s, 0, &s->sweeper, err))
		return false;
	for (size_t i = 0; i < s->listener_count; i++)
		if (!listener_start(&s->listeners[i], err))
			return false;
	return accept_start(s, err);
}

bool http_server_start(const struct http_options *o, struct http_server **out, struct err *err)
{
	struct http_server *s = xmalloc(sizeof(*s));

#ifdef HAS_POOL
	assert(pool_is_ours());
#endif
	set_options(s, o);
	workers_init(&s->workers, s->options.workers_max);
	mutex_init(&s->conns_lock, "http.conns");
	cond_init(&s->sweep_wake);
	s->accept_end = -1;
	atomic_store(&s->now_s, (uint64_t)clock_mono_us() / 1000000);
	if (getrandom(s->id_seed, sizeof(s->id_seed), 0) != (ssize_t)sizeof(s->id_seed))
		s->id_seed[0] = (uint64_t)clock_mono_us();
	if (!start(s, o, err)) {
		http_server_stop(s, 0);
		return false;
	}
	*out = s;
	return true;
}

uint16_t http_server_port(const struct http_server *s, size_t i)
{
	return i < s->listener_count ? s->listeners[i].port : 0;
}

bool http_server_reload_tls(struct http_server *s, struct err *err)
{
	return s->tls == NULL || tls_reload(s->tls, err);
}

void http_server_stats(struct http_server *s, struct http_stats *out)
{
	struct workers *w = &s->workers;

	out->connections = atomic_load(&s->connections);
	out->requests_active = atomic_load(&s->requests_active);
	out->whole_body_bytes = atomic_load(&s->body_bytes);
	out->answer_bytes = atomic_load(&s->answer_bytes);
	mutex_lock(&w->lock);
	out->workers = w->threads;
	out->workers_busy = w->busy;
	out->queue_length = w->queued;
	mutex_unlock(&w->lock);
}

static void stop_sweeper(struct http_server *s)
{
	mutex_lock(&s->conns_lock);
	s->is_sweep_over = true;
	cond_signal(&s->sweep_wake);
	mutex_unlock(&s->conns_lock);
	thread_join(s->sweeper);
}

/* What is awaited comes in a moment: nothing that takes long is done that way. */
static void await_ready(struct http_server *s)
{
	while (atomic_load(&s->awaited) > 0)
		(void)usleep(1000);
}

/*
 * Suspended implies scheduled (http_priv.h), so once the workers have run dry and nobody is awaited
 * every connection is resumed or about to be refused, and libmicrohttpd, which aborts on suspended
 * connections, may stop. Loops that ask for a worker meanwhile are told that there is none and
 * close their connection.
 */
void http_server_stop(struct http_server *s, unsigned grace_ms)
{
	int64_t deadline_us = clock_mono_us() + (int64_t)grace_ms * 1000;

	if (s == NULL)
		return;
	atomic_store(&s->is_stopping, true);
	accept_stop(s);
	while (atomic_load(&s->requests_active) > 0 && clock_mono_us() < deadline_us)
		(void)usleep(5000);
	atomic_store(&s->is_aborting, true);
	workers_close(&s->workers);
	await_ready(s);
	for (size_t i = 0; i < s->listener_count; i++)
		if (s->listeners[i].daemon != NULL)
			MHD_stop_daemon(s->listeners[i].daemon);
	stop_sweeper(s);
	tls_close(s->tls);
	workers_fini(&s->workers);
	cond_fini(&s->sweep_wake);
	mutex_fini(&s->conns_lock);
	free(s->listeners);
	free(s->fronts);
	free(s);
}
