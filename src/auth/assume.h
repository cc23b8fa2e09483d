/*
 * assume.h - how callers become sessions: roles assumed by principals and by web identities, and
 * session tokens of users and root. The rules of AWS STS, without its wire format.
 *
 * Errors that all share: those of auth.h; DENIED with AWS's sentence; INVALID with msg "<AWS code>:
 * <text>" (ValidationError, MalformedPolicyDocument, PackedPolicyTooLarge, InvalidIdentityToken,
 * ExpiredTokenException, IDPCommunicationError). Texts in the arena. Threads: safe.
 */
#ifndef BERTH_AUTH_ASSUME_H
#define BERTH_AUTH_ASSUME_H

#include "auth/session.h"

#define ASSUME_POLICY_MAX   2048 /* characters of a session policy */
#define ASSUME_DURATION_MIN 900

struct assume_request {
	struct str role_arn;
	struct str session_name;
	int64_t duration_s; /* 0: an hour */
	struct str policy;  /* empty: none */
	const struct str *policy_arns;
	size_t policy_arn_count;
	struct str external_id; /* empty: none */
	const struct auth_tag *tags;
	size_t tag_count;
	struct str web_token; /* the issuer's JWT; empty: none */
};

struct assumed {
	struct credentials credentials;
	struct str arn, user_id; /* of the session */
	unsigned packed_percent; /* how much of what a session may carry is used */
};

MUST_CHECK bool assume_role(struct auth *a, const struct principal *who,
	const struct auth_context *context, const struct assume_request *r, struct arena *arena,
	struct assumed *out, struct err *err);

struct web_identity {
	struct str subject, audience, provider; /* issuer's URL without "https://" */
};

/* Whoever holds r->web_token is the caller; nothing is signed. */
MUST_CHECK bool assume_role_with_web_identity(struct auth *a, const struct auth_context *context,
	const struct assume_request *r, struct arena *arena, struct assumed *out,
	struct web_identity *out_identity, struct err *err);

/* duration_s 0: twelve hours; root's at most an hour. Errors also: DENIED for a session. */
MUST_CHECK bool assume_session_token(struct auth *a, const struct principal *who,
	int64_t duration_s, struct arena *arena, struct credentials *out, struct err *err);

#endif
