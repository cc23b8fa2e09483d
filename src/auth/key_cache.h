/*
 * key_cache.h - access keys and the signing keys derived from them, kept so that a signed request
 * costs no read of the database and one HMAC instead of five.
 *
 * Invariants: at most KEY_CACHE_MAX keys, each for at most KEY_CACHE_LIFE_MS after its row was read
 * (so a key that another process disabled stops working within that time) and until IAM's
 * generation grows (so that what this process changes counts at once); unknown keys are never kept,
 * so that made-up ids cannot push real ones out; a derived key goes when its secret does; all of it
 * is wiped when it leaves. Threads: safe. The lock is never held over a read of the database.
 */
#ifndef BERTH_AUTH_KEY_CACHE_H
#define BERTH_AUTH_KEY_CACHE_H

#include "base/err.h"
#include "base/str.h"

struct db;
struct iam;
struct key_cache;

#define KEY_CACHE_MAX     128
#define KEY_CACHE_LIFE_MS 5000
#define KEY_SCOPE_MAX     8 /* derived keys a key: date, Region and service */

/* A key as a verifier needs it. The secret itself is not handed out. */
struct key_info {
	char account[13];
	char principal[2049];
	int64_t user_id; /* IAM's row; 0: root */
	char user_name[65], user_uid[33];
};

/* iam may be NULL: then only age makes a key be read again. */
struct key_cache *key_cache_new(struct db *db, const struct iam *iam);
void key_cache_free(struct key_cache *c); /* accepts NULL */

/* Which key, and what its signing key is for. */
struct key_use {
	struct str id;
	struct str date; /* "20261124" */
	struct str region, service;
};

/*
 * Looks up the active key u->id and derives (or remembers) its signing key.
 * *found false: no such key, or it is not active; out and out_signing_key are untouched then.
 */
MUST_CHECK bool key_cache_find(struct key_cache *c, const struct key_use *u, struct key_info *out,
	uint8_t out_signing_key[32], bool *found, struct err *err);
/* Whether id is an active key, and whose. */
MUST_CHECK bool key_cache_info(
	struct key_cache *c, struct str id, struct key_info *out, bool *found, struct err *err);

#endif
