/*
 * recv.h - what libmicrohttpd reads of a connection passes the scanner of wire.h first.
 *
 * Linked with --wrap, its recv and gnutls_record_recv are these. That works with the archive whose
 * inside is known (HAS_POOL); with another version, which is linked dynamically, nothing is
 * scanned.
 *
 * Threads: a connection's event loop. Descriptors that are not watched are read as ever.
 */
#ifndef BERTH_HTTP_RECV_H
#define BERTH_HTTP_RECV_H

struct conn;

#ifdef HAS_POOL
void recv_watch(struct conn *c);
/* Before its descriptor is closed. */
void recv_forget(const struct conn *c);
#else
static inline void recv_watch(struct conn *c)
{
	(void)c;
}

static inline void recv_forget(const struct conn *c)
{
	(void)c;
}
#endif

#endif
