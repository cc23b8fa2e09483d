/* auth_priv.h - what the modules of auth/ share: the object behind struct auth. */
#ifndef BERTH_AUTH_AUTH_PRIV_H
#define BERTH_AUTH_AUTH_PRIV_H

#include "auth/auth.h"
#include "auth/key_cache.h"

#define ACCOUNT_LEN 12
#define REGION_MAX  25

struct auth {
	struct db *db;
	bool no_auth;
	char account[ACCOUNT_LEN + 1];
	char region[REGION_MAX + 1];
	char root_arn[64];
	/* Both derived from the server's token key, one a purpose, so that no signature of one kind
	 * can ever pass for the other. */
	uint8_t token_key[32];
	uint8_t text_key[32];
	struct key_cache *keys;
};

bool auth_is_account(struct str s); /* twelve digits */
bool auth_is_region(struct str s);  /* [0-9a-z-]{2,25} */
bool auth_is_root_arn(struct str arn);

/* Fills out from its texts, copied into the arena. Errors: INTERNAL when that is exhausted. */
MUST_CHECK bool auth_principal_make(struct arena *arena, struct str account, struct str region,
	struct str arn, struct str key_id, struct principal *out, struct err *err);

#endif
