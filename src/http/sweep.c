/*
 * The sweeper: who takes too long. Once a second it looks at every connection and cuts off those
 * that wait too long between requests or for a header section, and bodies and answers that fall
 * below the minimum rate. libmicrohttpd's own timeout is not used: it takes one byte every few
 * seconds for life, and, counting an answer's progress by what fits the socket's buffer, a slow
 * reader for dead.
 *
 * It also notices who has left. libmicrohttpd 0.9.75 polls edge-triggered and takes a short read
 * for the end of what there is; when the end of the stream came together with the last bytes it has
 * missed its only event. A resumable upload would stay locked until a timeout; so while bodies come
 * in the sweeper looks more often.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/http_priv.h"

#define TICK_MS      1000
#define TICK_BODY_MS 100 /* while a body comes in */

/* Others lack what c holds. */
static bool is_in_the_way(const struct http_server *s, struct conn *c, uint64_t now_s)
{
	return now_s < atomic_load_explicit(&s->conns_short_until_s, memory_order_relaxed) ||
	       (now_s < atomic_load_explicit(&s->memory_short_until_s, memory_order_relaxed) &&
		       atomic_load_explicit(&c->holds_memory, memory_order_relaxed));
}

/* The window begins anew; false if it was slower than rate. */
static bool turn_window(struct conn *c, enum phase phase, uint64_t rate, uint64_t now_s)
{
	uint64_t seconds = now_s - c->window_start_s;
	uint64_t bytes = phase == PHASE_BODY
				 ? atomic_load_explicit(&c->body_bytes, memory_order_relaxed)
				 : conn_bytes_acked(c->fd);
	uint64_t moved = bytes - c->window_bytes;
	/* Without a minimum rate, anything but a standstill will do. No bytes at all of an answer:
	 * the system does not count them. */
	bool is_good = moved >= (rate == UINT64_MAX ? 1 : rate * seconds) ||
		       (phase == PHASE_ANSWER && bytes == 0);

	c->window_start_s = now_s;
	c->window_bytes = bytes;
	return is_good;
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

/* The window is over, and was too slow. */
static bool is_too_slow(
	const struct http_server *s, struct conn *c, enum phase phase, uint64_t now_s)
{
	uint64_t seconds = now_s - c->window_start_s;

	if (seconds >= SHORT_WINDOW_S && is_in_the_way(s, c, now_s))
		return !turn_window(c, phase, SHORT_RATE_BYTES_S, now_s);
	return seconds >= s->rate_window_s &&
	       !turn_window(c, phase, s->options.min_rate_bytes_s, now_s);
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
		return age_s > s->options.idle_timeout_s;
	case PHASE_HEADER:
		return age_s > s->options.header_timeout_s;
	case PHASE_LINGER:
		return age_s > LINGER_S;
	case PHASE_WAIT:
		break; /* not the client's fault */
	case PHASE_BODY:
	case PHASE_ANSWER:
		if (is_new)
			(void)turn_window(c, phase, 0, now_s);
		else
			return is_too_slow(s, c, phase, now_s);
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
