/*
 * oidc.h - JSON Web Tokens of OIDC issuers (CI systems, Kubernetes): verified by cjose with the
 * keys that the issuer publishes (OpenID Connect Discovery 1.0, RFC 7517, RFC 7519).
 *
 * Invariants: signatures RS256, RS384, RS512, ES256, ES384 and ES512 only, each with a key of its
 * own kind, RSA from 2048 bits; nothing of a token is believed before its signature was found
 * right. An issuer's keys are kept for OIDC_KEYS_LIFE_MS; a token whose key is not among them has
 * them fetched again, at most every OIDC_RETRY_MS. Threads: safe; a caller may wait for the issuer.
 */
#ifndef BERTH_AUTH_OIDC_H
#define BERTH_AUTH_OIDC_H

#include "base/arena.h"
#include "base/err.h"

struct oidc;

#define OIDC_ISSUERS_MAX    64
#define OIDC_KEYS_LIFE_MS   ((int64_t)3600 * 1000)
#define OIDC_RETRY_MS       ((int64_t)10 * 1000)
#define OIDC_FIRST_RETRY_MS ((int64_t)2 * 1000) /* while nothing is known of an issuer */
#define OIDC_TOKEN_MAX      ((size_t)20000)     /* characters: STS's limit */
#define OIDC_CLAIMS_MAX     64                  /* that are texts; GitHub's tokens have about 30 */
#define OIDC_SKEW_S         60                  /* that clocks may differ */

/* ca_file NULL: the system's certificates. */
MUST_CHECK bool oidc_open(const char *ca_file, struct oidc **out, struct err *err);
void oidc_close(struct oidc *o); /* accepts NULL */

/* A claim that is a text or a list of texts. */
struct oidc_claim {
	struct str name;
	const struct str *values; /* in the arena */
	size_t count;
};

struct oidc_token {
	struct str issuer, subject; /* never empty */
	struct oidc_claim claims[OIDC_CLAIMS_MAX];
	size_t claim_count;
};

/* Only who issued it, by its own words. Errors: INVALID as oidc_verify. */
MUST_CHECK bool oidc_issuer(
	struct str token, struct arena *arena, struct str *out, struct err *err);
/* issuer: the URL that is trusted; the token's must be the same. Texts in the arena.
 * Errors: INVALID with msg "<AWS code>: <text>": InvalidIdentityToken, ExpiredTokenException,
 * IDPCommunicationError (detail: why). */
MUST_CHECK bool oidc_verify(struct oidc *o, struct str token, struct str issuer, int64_t now_ms,
	struct arena *arena, struct oidc_token *out, struct err *err);
/* The same by a key set (RFC 7517) at hand: nobody is asked for one, and o has no part in it. */
MUST_CHECK bool oidc_verify_with(struct str set, struct str token, struct str issuer,
	int64_t now_ms, struct arena *arena, struct oidc_token *out, struct err *err);
/* The claim of that name, or NULL. */
const struct oidc_claim *oidc_claim(const struct oidc_token *t, const char *name);

#endif
