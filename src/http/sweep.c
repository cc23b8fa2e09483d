/*
 * The sweeper: once a second it cuts off whoever takes too long to send a header section, and
 * bodies and answers slower than the minimum rate over a window. libmicrohttpd's own timeout ends
 * connections on which nothing moves at all; it cannot see one byte every few seconds.
 *
 * It also notices who has left. libmicrohttpd 0.9.75 polls edge-triggered and takes a short read
 * for the end of what there is; when the end of the stream came together with the last bytes it has
 * missed its only event and would hold the connection until the timeout. A resumable upload would
 * stay locked that long; so while bodies come in the sweeper looks more often.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/http_priv.h"

#define WINDOW_S     30
#define TICK_MS      1000
#define TICK_BODY_MS 100 /* while a body comes in */

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

/* The peer has closed and all that it sent is read. Looks without taking, so that the event loop
 * finds the same. */
static bool is_left(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };
	int unread = 0;

	return poll(&p, 1, 0) == 1 && ioctl(fd, FIONREAD, &unread) == 0 && unread == 0;
}

/* Judged once for each time that c enters the phase, and for bodies each time. */
static bool is_finished(struct conn *c, enum phase phase, bool is_new)
{
	switch (phase) {
	case PHASE_BODY:
	case PHASE_HEADER:
	case PHASE_LINGER:
		return is_left(c->fd);
	case PHASE_IDLE:
		return is_new && is_left(c->fd); /* an end that comes later comes alone */
	case PHASE_WAIT:
	case PHASE_ANSWER:
		break; /* it may have closed its side only, and read on */
	}
	return false;
}

static bool is_overdue(const struct http_server *s, struct conn *c, uint64_t now_s)
{
	uint64_t packed = atomic_load_explicit(&c->phase, memory_order_relaxed);
	enum phase phase = (enum phase)(packed >> 56);
	uint64_t since_s = packed & (UINT64_MAX >> 8);
	uint64_t age_s = now_s > since_s ? now_s - since_s : 0;
	bool is_new = packed != c->seen_phase;

	c->seen_phase = packed;
	if (is_finished(c, phase, is_new))
		return true;
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
		if (is_new || now_s - c->window_start_s >= WINDOW_S)
			return is_too_slow(s, c, phase, now_s) && !is_new;
		break;
	}
	return false;
}

/* Holds conns_lock. True if any connection is sending a body. */
static bool sweep(struct http_server *s, uint64_t now_s)
{
	bool has_body = false;

	for (struct conn *c = s->conns; c != NULL; c = c->next) {
		if (is_overdue(s, c, now_s))
			(void)shutdown(c->fd, SHUT_RDWR); /* its event loop sees the end */
		has_body = has_body || c->seen_phase >> 56 == PHASE_BODY;
	}
	return has_body;
}

void sweep_main(void *server)
{
	struct http_server *s = server;

	mutex_lock(&s->conns_lock);
	while (!s->is_sweep_over) {
		uint64_t now_s = (uint64_t)clock_mono_us() / 1000000;
		bool has_body;

		atomic_store_explicit(&s->now_s, now_s, memory_order_relaxed);
		has_body = sweep(s, now_s);
		mutex_unlock(&s->conns_lock);
		workers_tend(&s->workers);
		mutex_lock(&s->conns_lock);
		if (!s->is_sweep_over)
			(void)cond_wait_ms(
				&s->sweep_wake, &s->conns_lock, has_body ? TICK_BODY_MS : TICK_MS);
	}
	mutex_unlock(&s->conns_lock);
}
