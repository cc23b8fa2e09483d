/*
 * token.h - registry tokens: the password of `docker login -u AWS`. Stateless: base64url of a
 * payload (version, expiry, account, Region, key, session) and its HMAC-SHA256 under the server's
 * token key. Valid 12 hours, but not beyond the session that asked for it, and as long as the key,
 * user or role that it came from is there and active; bound to principal and registry. Also signed
 * layer URLs (GetDownloadUrlForLayer).
 */
#ifndef BERTH_AUTH_TOKEN_H
#define BERTH_AUTH_TOKEN_H

#include "auth/auth.h"

#define TOKEN_LIFE_MS ((int64_t)12 * 3600 * 1000)

/* In the arena; *expires_at_ms gets the end of its life. */
MUST_CHECK bool token_issue(struct auth *a, const struct principal *who, struct arena *arena,
	struct str *out, int64_t *expires_at_ms, struct err *err);
/* Errors: UNAUTHENTICATED for anything that is not a token of this server; TOKEN_EXPIRED.
 * Constant-time comparison. */
MUST_CHECK bool token_verify(struct auth *a, struct str token, struct arena *arena,
	struct principal *out, struct err *err);
/* From an Authorization header "Basic base64(AWS:token)". Errors as token_verify; UNAUTHENTICATED
 * when header is absent or the user is not AWS. With no_auth: the default principal, whatever the
 * header. */
MUST_CHECK bool token_from_basic(struct auth *a, struct str authorization, struct arena *arena,
	struct principal *out, struct err *err);

/* A signature over text (a layer URL's path and expiry), as hex in the arena; and its check. */
struct str token_sign_text(struct auth *a, struct str text, struct arena *arena);
bool token_check_text(struct auth *a, struct str text, struct str signature);

#endif
