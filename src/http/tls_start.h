/*
 * tls_start.h - GnuTLS starts where TLS is served, not with the process. It would start twice: by
 * itself, which it lets a program decline, and by libmicrohttpd when that is loaded. What it reads
 * and builds then (its share of ASN.1, settings, random numbers) is most of a megabyte.
 */
#ifndef BERTH_HTTP_TLS_START_H
#define BERTH_HTTP_TLS_START_H

#include "base/err.h"

/* Before anything else of GnuTLS, and before a module is loaded that may use it. May be called
 * again. Errors: CONFIG. */
MUST_CHECK bool tls_start(struct err *err);

#endif
