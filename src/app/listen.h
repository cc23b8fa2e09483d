/* listen.h - the addresses that the server may serve on, read and judged before anything is opened.
 * Pure. */
#ifndef BERTH_APP_LISTEN_H
#define BERTH_APP_LISTEN_H

#include "app/config.h"

#define LISTEN_MAX         64
#define LISTEN_ADDRESS_MAX 64

struct listen {
	char address[LISTEN_ADDRESS_MAX]; /* "127.0.0.1:5000", "[::1]:5000", ":5000" */
	bool tls;
	bool is_loopback;
};

/*
 * "[http://|https://]HOST:PORT" where HOST is an IPv4 address, an IPv6 address in brackets,
 * "localhost" or nothing. Without a scheme it is TLS when there is a certificate.
 * Errors: CONFIG, what is wrong with it ("give an address and a port, such as 127.0.0.1:5000").
 */
MUST_CHECK bool listen_parse(
	struct str text, bool has_certificate, struct listen *out, struct err *err);

/* All addresses of the configuration, and the rules on them: plain HTTP only on loopback unless
 * told otherwise, no-auth only on loopback. out: LISTEN_MAX. Errors: CONFIG, the whole line. */
MUST_CHECK bool listen_all(
	const struct config *c, struct listen *out, size_t *out_count, struct err *err);

/* "http://127.0.0.1:5000": how a client on this machine calls it. port: the one really bound. */
#define LISTEN_URL_MAX 96
const char *listen_url(const struct listen *l, unsigned port, char out[LISTEN_URL_MAX]);

#endif
