/*
 * session.h - temporary credentials: key id "ASIA...", secret and session token.
 *
 * Stateless: the session token holds, encrypted and authenticated under a key of the server (AEAD),
 * the secret and the session's record, which says whose it is, how long, and what narrows it. So it
 * is good on every node that shares the database. What it came from is looked up at every use: with
 * the user, role or key go its sessions.
 */
#ifndef BERTH_AUTH_SESSION_H
#define BERTH_AUTH_SESSION_H

#include "auth/auth.h"
#include "crypt/secret.h"

#define SESSION_ARNS_MAX   10
#define SESSION_TAGS_MAX   50
#define SESSION_RECORD_MAX ((size_t)6 * KIB)
#define SESSION_TOKEN_MAX  ((size_t)10 * KIB) /* base64 of secret and record */

struct session {
	struct str key_id;
	struct str account;
	int64_t entity_id;     /* row of the user or role; 0: the account's root */
	struct str uid;        /* the entity's unique id: a role made anew is another one */
	struct str name;       /* the role session's; empty: GetSessionToken's of user or root */
	struct str parent_key; /* the long-lived key that asked for it; empty: a role's session */
	int64_t issued_at_ms, ends_at_ms;
	struct str policy; /* a session policy's text; empty: none */
	struct str policy_arns[SESSION_ARNS_MAX];
	size_t policy_arn_count;
	struct auth_tag tags[SESSION_TAGS_MAX];
	size_t tag_count;
	struct str record; /* the bytes that all this was read from */
};

struct opened_session {
	struct session session;
	struct secret secret; /* wiped by the caller */
};

/* As AWS's Credentials. Texts in the arena. */
struct credentials {
	struct str key_id, secret, token;
	int64_t ends_at_ms;
};

/* s without key_id, which is made. Errors: TOO_LARGE when its record is over SESSION_RECORD_MAX. */
MUST_CHECK bool session_issue(struct auth *a, const struct session *s, struct arena *arena,
	struct credentials *out, struct err *err);
/* *found false: it is no token of this server for that key id. An end that is past is the caller's
 * to judge. Texts in the arena. */
MUST_CHECK bool session_open(struct auth *a, struct str key_id, struct str token,
	struct arena *arena, struct opened_session *out, bool *found, struct err *err);
/* Reads a record; false: it is damaged. Borrows. */
bool session_parse(struct str record, struct session *out);

/* Who the session is now. *found false: what it came from is gone, or was disabled. Borrows the
 * record, which must live as long as the principal. */
MUST_CHECK bool session_principal(struct auth *a, const struct session *s, struct str region,
	struct arena *arena, struct principal *out, bool *found, struct err *err);

#endif
