/*
 * layer_url.h - URLs that let anyone who has one read one layer for a while: made for
 * GetDownloadUrlForLayer, served by oci/.
 *
 * The path is /layers/<account>/<region>/<expiry, unix seconds>/<signature>/<digest>/<repository>;
 * the signature (64 hex digits, auth/token.h) covers all the rest, so nothing in it can be changed.
 */
#ifndef BERTH_FRONT_LAYER_URL_H
#define BERTH_FRONT_LAYER_URL_H

#include "base/arena.h"
#include "base/digest.h"
#include "registry/core.h"

struct auth;

struct layer_url {
	struct registry_id reg;
	int64_t expires_at_s;
	struct digest digest;
	struct str repo;
};

/* The path, to be put behind http_base_url; in the arena (ptr NULL when it is full). */
struct str layer_url_path(struct auth *a, const struct layer_url *url, struct arena *arena);

/* path: raw, as the client sent it. Errors: DENIED when it is no such path, the signature is not
 * this server's, or now_s is past its expiry; INTERNAL when the arena is full. */
MUST_CHECK bool layer_url_check(struct auth *a, struct str path, int64_t now_s, struct arena *arena,
	struct layer_url *out, struct err *err);

#endif
