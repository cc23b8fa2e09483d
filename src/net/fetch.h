/*
 * fetch.h - requests that Berth itself sends: one HTTP exchange, bounded in size and time. libcurl
 * has its only home here.
 *
 * TLS is verified, redirections are not followed, and nothing but http and https is spoken. A
 * client keeps a few connections open between its requests.
 */
#ifndef BERTH_NET_FETCH_H
#define BERTH_NET_FETCH_H

#include "base/buf.h"
#include "base/err.h"

/* Signs requests as an AWS client does (Signature Version 4). */
struct fetch_sigv4 {
	const char *region, *service;
	const char *access_key_id, *secret; /* of secret the caller's memory is used, not a copy */
};

struct fetch_options {
	const char *ca_file;             /* PEM; NULL: the system's */
	int64_t timeout_ms;              /* of a whole exchange */
	int64_t connect_timeout_ms;      /* 0: timeout_ms */
	bool uses_proxy;                 /* of the environment, except to this machine */
	const struct fetch_sigv4 *sigv4; /* borrowed until fetch_close; NULL: unsigned */
	/* Once true, exchanges end within a second, also those that run; NULL: never. */
	const _Atomic bool *is_cancelled;
};

struct fetch;

/* Copies ca_file; connects to nothing. Errors: CONFIG. */
MUST_CHECK bool fetch_open(const struct fetch_options *o, struct fetch **out, struct err *err);
void fetch_close(struct fetch *f); /* accepts NULL */

struct fetch_request {
	const char *url;
	const char *const *headers; /* "Name: value", ended by NULL; NULL: none */
	bool is_post;               /* else GET, without body */
	struct str body;
};

/*
 * Sends once. The answer's body goes behind what answer holds; one that does not fit is a failure.
 * answer NULL: the body does not matter, and at most 64 KiB of it are read. *out_status: of any
 * answer, also 500. Errors: UNAVAILABLE (no answer), the reason in detail, without the URL, which
 * may hold a secret. Threads: safe.
 */
MUST_CHECK bool fetch_send(struct fetch *f, const struct fetch_request *request, struct buf *answer,
	int *out_status, struct err *err);

/* The authority of an http or https URL ("host:port"), if there is one and it names no user. */
bool fetch_authority(struct str url, bool *out_is_https, struct str *out);
/* Whether an authority is this machine by its usual names: localhost, 127.0.0.1, [::1]. */
bool fetch_is_loopback(struct str authority);

#endif
