/* auth_priv.h - what the modules of auth/ share: the object behind struct auth. */
#ifndef BERTH_AUTH_AUTH_PRIV_H
#define BERTH_AUTH_AUTH_PRIV_H

#include "auth/auth.h"
#include "auth/grants.h"
#include "auth/key_cache.h"
#include "auth/oidc.h"
#include "crypt/secret.h"

#define ACCOUNT_LEN 12
#define REGION_MAX  25

struct auth {
	struct db *db;
	bool no_auth;
	char account[ACCOUNT_LEN + 1];
	char region[REGION_MAX + 1];
	char root_arn[64];
	struct iam *iam;
	struct auth_policy_source source;
	/* All derived from the server's token key, one a purpose, so that no signature of one kind
	 * can ever pass for the other. */
	uint8_t token_key[32];
	uint8_t text_key[32];
	struct secret session_key;
	struct token_memo *memo;
	struct key_cache *keys;
	struct grants_cache *grants;
	struct oidc *oidc;
};

struct token_memo *token_memo_make(void); /* token.c: for the tokens there */
bool auth_is_account(struct str s);       /* twelve digits */
bool auth_is_region(struct str s);        /* [0-9a-z-]{2,25} */
bool auth_is_root_arn(struct str arn);

/* The holder of a long-lived key; copied into the arena. Errors: INTERNAL when that is exhausted.
 */
MUST_CHECK bool auth_principal_make(struct arena *arena, const struct key_info *key,
	struct str key_id, struct str region, struct principal *out, struct err *err);

/* The decision about assuming a role (assume.c): trust is the role's trust policy. caller: who
 * asks; NULL: a web identity of the given provider, q->who is not read then. */
MUST_CHECK bool auth_allow_trust(struct auth *a, const struct auth_question *q, struct str provider,
	struct str trust, struct err *err);

#endif
