/*
 * The sweeper: once a second it cuts off whoever takes too long to send a header section, and
 * bodies and answers slower than the minimum rate over a window. libmicrohttpd's own timeout ends
 * connections on which nothing moves at all; it cannot see one byte every few seconds. The second
 * also serves as the clock of struct conn, and tends the workers.
 */
#include <sys/socket.h>

#include "base/clock.h"
#include "http/http_priv.h"

#define WINDOW_S 30

static bool is_too_slow(
	const struct http_server *s, struct conn *c, enum phase phase, uint64_t now_s)
{
	uint64_t bytes = phase == PHASE_BODY ? conn_bytes_received(c->fd) : conn_bytes_acked(c->fd);
	uint64_t window_s = now_s - c->window_start_s;
	/* No bytes at all: the system does not count them, and the inactivity timeout has to do. */
	bool is_slow = window_s >= WINDOW_S && bytes != 0 &&
		       bytes - c->window_bytes < s->options.min_rate_bytes_s * window_s;

	c->window_start_s = now_s;
	c->window_bytes = bytes;
	return is_slow;
}

static bool is_overdue(const struct http_server *s, struct conn *c, uint64_t now_s)
{
	uint64_t packed = atomic_load_explicit(&c->phase, memory_order_relaxed);
	enum phase phase = (enum phase)(packed >> 56);
	uint64_t since_s = packed & (UINT64_MAX >> 8);
	uint64_t age_s = now_s > since_s ? now_s - since_s : 0;

	switch (phase) {
	case PHASE_IDLE:
		return age_s > (uint64_t)s->options.idle_timeout_s + s->options.header_timeout_s;
	case PHASE_HEADER:
		return age_s > s->options.header_timeout_s;
	case PHASE_LINGER:
		return age_s > LINGER_S;
	case PHASE_WAIT:
		break; /* not the client's fault */
	case PHASE_BODY:
	case PHASE_ANSWER:
		if (s->options.min_rate_bytes_s == UINT64_MAX)
			return false;
		if (packed != c->seen_phase || now_s - c->window_start_s >= WINDOW_S) {
			bool is_new = packed != c->seen_phase;

			c->seen_phase = packed;
			return is_too_slow(s, c, phase, now_s) && !is_new;
		}
		break;
	}
	return false;
}

void sweep_main(void *server)
{
	struct http_server *s = server;

	mutex_lock(&s->conns_lock);
	while (!s->is_sweep_over) {
		uint64_t now_s = (uint64_t)clock_mono_us() / 1000000;

		atomic_store_explicit(&s->now_s, now_s, memory_order_relaxed);
		for (struct conn *c = s->conns; c != NULL; c = c->next)
			if (is_overdue(s, c, now_s))
				(void)shutdown(c->fd, SHUT_RDWR); /* its event loop sees the end */
		mutex_unlock(&s->conns_lock);
		workers_tend(&s->workers);
		mutex_lock(&s->conns_lock);
		if (!s->is_sweep_over)
			(void)cond_wait_ms(&s->sweep_wake, &s->conns_lock, 1000);
	}
	mutex_unlock(&s->conns_lock);
}
