/* oidc_fetch.h - documents of OIDC issuers by HTTPS: one GET, bounded in size and time. */
#ifndef BERTH_AUTH_OIDC_FETCH_H
#define BERTH_AUTH_OIDC_FETCH_H

#include "base/buf.h"
#include "base/err.h"

#define OIDC_DOCUMENT_MAX ((size_t)128 * KIB)
#define OIDC_URL_MAX      1024

/* Whether url may be asked at all: https, or http to this machine (a CI's or a test's issuer beside
 * the server). No user, no fragment. */
bool oidc_url_ok(struct str url);
/* Appends the body of a 200. ca_file NULL: the system's certificates. Follows no redirection.
 * Errors: UNAVAILABLE, the reason in detail. */
MUST_CHECK bool oidc_fetch(struct str url, const char *ca_file, struct buf *out, struct err *err);

#endif
