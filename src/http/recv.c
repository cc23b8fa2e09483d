#include "http/recv.h"

#include <errno.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "http/http_priv.h"

#define FDS_MAX (1 << 20) /* of a process, as Linux has it unless told otherwise */

/* By descriptor. Only pages that are used are there. */
static _Atomic(struct conn *) watched[FDS_MAX];

void recv_watch(struct conn *c)
{
	if (c->fd >= 0 && c->fd < FDS_MAX)
		atomic_store_explicit(&watched[c->fd], c, memory_order_relaxed);
	else
		(void)shutdown(c->fd, SHUT_RDWR); /* what cannot be watched is not served */
}

void recv_forget(const struct conn *c)
{
	if (c->fd >= 0 && c->fd < FDS_MAX)
		atomic_store_explicit(&watched[c->fd], NULL, memory_order_relaxed);
}

static struct conn *find(int fd)
{
	if (fd < 0 || fd >= FDS_MAX)
		return NULL;
	return atomic_load_explicit(&watched[fd], memory_order_relaxed);
}

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the names are the
 * linker's */
ssize_t __real_recv(int fd, void *p, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags);
ssize_t __real_gnutls_record_recv(gnutls_session_t session, void *p, size_t n);
ssize_t __wrap_gnutls_record_recv(gnutls_session_t session, void *p, size_t n);

/* Where bytes come from. */
struct source {
	int fd, flags;
	gnutls_session_t session; /* NULL: without TLS */
};

static ssize_t receive(const struct source *s, void *p, size_t n)
{
	return s->session != NULL ? __real_gnutls_record_recv(s->session, p, n)
				  : __real_recv(s->fd, p, n, s->flags);
}

static ssize_t fail(const struct source *s, int error, int tls_error)
{
	errno = error;
	return s->session != NULL ? tls_error : -1;
}

static bool has_answer(const struct conn *c)
{
	return atomic_load_explicit(&c->phase, memory_order_relaxed) >> 56 == PHASE_LINGER;
}

/* To libmicrohttpd less than it asked for means that no more is there; so where the scanner has
 * taken something out, more is read. */
static ssize_t receive_strictly(struct conn *c, const struct source *s, char *p, size_t n)
{
	struct wire *w = &c->wire;
	size_t out = wire_pass(w, p, 0, n);
	size_t kept;
	ssize_t got;

	/* It comes back for more before it has looked at all it was given, as when a request before
	 * the refused one has waited for a worker. */
	if (wire_is_over(w))
		return out > 0 ? (ssize_t)out : fail(s, EAGAIN, GNUTLS_E_AGAIN);
	do {
		got = receive(s, p + out, n - out);
		if (got <= 0)
			return out > 0 ? (ssize_t)out : got;
		kept = wire_pass(w, p + out, (size_t)got, n - out);
		out += kept;
	} while (kept < (size_t)got && out < n && !wire_is_over(w));
	/* Beside an answer that went out early there is no other: the connection closes. */
	if (w->state == WIRE_BROKEN && has_answer(c))
		return fail(s, ECONNRESET, GNUTLS_E_PULL_ERROR);
	return (ssize_t)out;
}

ssize_t __wrap_recv(int fd, void *p, size_t n, int flags)
{
	const struct source s = { .fd = fd, .flags = flags };
	struct conn *c = find(fd);

	return c != NULL ? receive_strictly(c, &s, p, n) : receive(&s, p, n);
}

ssize_t __wrap_gnutls_record_recv(gnutls_session_t session, void *p, size_t n)
{
	const struct source s = { .session = session };
	struct conn *c = find(gnutls_transport_get_int(session));

	return c != NULL ? receive_strictly(c, &s, p, n) : receive(&s, p, n);
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
