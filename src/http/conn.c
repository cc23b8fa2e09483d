/* Connections as the sweeper sees them: a list, and what each is doing since when. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <linux/tcp.h> /* libc's netinet/tcp.h has a struct tcp_info without the byte counters */

#include "base/clock.h"
#include "base/mem.h"
#include "http/http_priv.h"
#include "http/recv.h"

static void ip_text(const struct sockaddr *sa, char *out, size_t cap)
{
	out[0] = '\0';
	if (sa == NULL)
		return;
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		(void)inet_ntop(AF_INET, &in.sin_addr, out, (socklen_t)cap);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		/* An IPv4 client of a socket for both families is named as IPv4. */
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
			(void)inet_ntop(AF_INET, &in6.sin6_addr.s6_addr[12], out, (socklen_t)cap);
		else
			(void)inet_ntop(AF_INET6, &in6.sin6_addr, out, (socklen_t)cap);
	}
}

static void conn_open(const struct listener *l, struct MHD_Connection *c, void **ctx)
{
	struct http_server *s = l->server;
	struct conn *conn = xmalloc(sizeof(*conn));

	conn->server = s;
	conn->is_tls = l->is_tls;
	conn->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	ip_text(MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
		conn->ip, sizeof(conn->ip));
	conn_phase(conn, PHASE_HEADER);
	recv_watch(conn);
	*ctx = conn;
	atomic_fetch_add(&s->connections, 1);
	atomic_fetch_add(&s->conns_opened, 1);
	mutex_lock(&s->conns_lock);
	conn->next = s->conns;
	if (s->conns != NULL)
		s->conns->prev = conn;
	s->conns = conn;
	mutex_unlock(&s->conns_lock);
}

/* libmicrohttpd closes the descriptor after this call, so that the sweeper never holds one that
 * means something else. */
static void conn_close(struct conn *conn)
{
	struct http_server *s = conn->server;

	recv_forget(conn);
	mutex_lock(&s->conns_lock);
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		s->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	mutex_unlock(&s->conns_lock);
	atomic_fetch_sub(&s->connections, 1);
	free(conn);
}

/* Since when c waits for its client to ask for something; UINT64_MAX if it does not. */
static uint64_t waits_since_s(const struct conn *c)
{
	uint64_t packed = atomic_load_explicit(&c->phase, memory_order_relaxed);
	enum phase phase = (enum phase)(packed >> 56);

	if (c->is_cut || (phase != PHASE_IDLE && phase != PHASE_HEADER && phase != PHASE_LINGER))
		return UINT64_MAX;
	return packed & (UINT64_MAX >> 8);
}

/* The longest wait goes first. */
void conn_make_room(struct http_server *s)
{
	uint64_t now_s = (uint64_t)clock_mono_us() / 1000000;
	uint64_t oldest_s = UINT64_MAX;
	unsigned most = s->options.connections_max / 16 + 1;
	unsigned count = 0;

	most = most < ROOM_CONNS ? most : ROOM_CONNS;
	atomic_store_explicit(&s->conns_short_until_s, now_s + SHORT_S, memory_order_relaxed);
	mutex_lock(&s->conns_lock);
	for (const struct conn *c = s->conns; c != NULL; c = c->next) {
		uint64_t since_s = waits_since_s(c);

		count = since_s < oldest_s ? 0 : count;
		oldest_s = since_s < oldest_s ? since_s : oldest_s;
		count += since_s == oldest_s;
	}
	/* Of the same second those that came first, who stand at the end. */
	for (struct conn *c = s->conns; c != NULL && oldest_s != UINT64_MAX; c = c->next) {
		if (waits_since_s(c) != oldest_s || count-- > most)
			continue;
		(void)shutdown(c->fd, SHUT_RDWR); /* its event loop sees the end */
		c->is_cut = true;
	}
	mutex_unlock(&s->conns_lock);
}

void conn_notify(
	void *cls, struct MHD_Connection *c, void **ctx, enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		conn_open(cls, c, ctx);
	else if (*ctx != NULL)
		conn_close(*ctx);
}

void conn_phase(struct conn *c, enum phase phase)
{
	uint64_t now_s = atomic_load_explicit(&c->server->now_s, memory_order_relaxed);

	atomic_store_explicit(&c->phase, (uint64_t)phase << 56 | now_s, memory_order_relaxed);
}

uint64_t conn_bytes_acked(int fd)
{
	struct tcp_info info = { 0 }; /* an older kernel fills less */
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_bytes_acked : 0;
}
