#include <assert.h>
#include <stdio.h>

#include "auth/auth_priv.h"
#include "auth/token_memo.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypt/aead.h"
#include "crypt/hmac.h"
#include "crypt/random.h"
#include "iam/iam_key.h"
#include "meta/key_table.h"

#define TOKEN_KEY_NAME "token-key"
#define TOKEN_KEY_WHAT STR("server-value:" TOKEN_KEY_NAME)
#define TOKEN_KEY_LEN  32

bool auth_is_account(struct str s)
{
	uint64_t ignored;
	return s.len == ACCOUNT_LEN && str_to_u64(s, UINT64_MAX, &ignored);
}

bool auth_is_region(struct str s)
{
	if (s.len < 2 || s.len > REGION_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-'))
			return false;
	}
	return true;
}

bool auth_is_root_arn(struct str arn)
{
	/* Nothing but "arn:aws:iam::<account>:root": a role may well be called "x:root". */
	const struct str head = STR("arn:aws:iam::");
	const struct str tail = STR(":root");
	return arn.len == head.len + ACCOUNT_LEN + tail.len && str_starts(arn, head) &&
	       str_ends(arn, tail) && auth_is_account(str_sub(arn, head.len, ACCOUNT_LEN));
}

bool auth_principal_make(struct arena *arena, const struct key_info *key, struct str key_id,
	struct str region, struct principal *out, struct err *err)
{
	struct principal who = {
		.account = arena_str(arena, str_from(key->account)),
		.region = arena_str(arena, region),
		.arn = arena_str(arena, str_from(key->principal)),
		.key_id = arena_str(arena, key_id),
		.entity_id = key->user_id,
		.name = arena_str(arena, str_from(key->user_name)),
	};
	who.is_root = key->user_id == 0 && auth_is_root_arn(who.arn);
	who.user_id = key->user_id == 0 ? who.account : arena_str(arena, str_from(key->user_uid));
	if (who.account.ptr == NULL || who.region.ptr == NULL || who.arn.ptr == NULL ||
		who.key_id.ptr == NULL || who.name.ptr == NULL || who.user_id.ptr == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
	*out = who;
	return true;
}

/* The token key: found, or made. Its row holds it wrapped. */
struct token_key {
	const struct secret *secrets_key;
	struct secret value;
	bool found;
};

static bool unwrap_token_key(struct token_key *k, const struct secret *stored, struct err *err)
{
	if (k->secrets_key == NULL) {
		k->value = *stored;
		return true;
	}
	return aead_unwrap_secret(k->secrets_key, TOKEN_KEY_WHAT,
		(struct str){ (const char *)stored->bytes, stored->len }, &k->value, err);
}

static bool wrap_token_key(const struct token_key *k, struct secret *out, struct err *err)
{
	struct buf wrapped CLEANUP(buf_fini) = { 0 };
	if (k->secrets_key == NULL) {
		*out = k->value;
		return true;
	}
	buf_init(&wrapped, SECRET_MAX);
	return aead_wrap(k->secrets_key, TOKEN_KEY_WHAT,
		       (struct str){ (const char *)k->value.bytes, k->value.len }, &wrapped, err) &&
	       (secret_set(out, wrapped.ptr, wrapped.len) ||
		       err_sys(err, ERR_INTERNAL, 0, "the token key is too long"));
}

static bool get_token_key(struct db_conn *c, void *arg, struct err *err)
{
	struct token_key *k = arg;
	struct secret stored CLEANUP(secret_wipe) = { .len = 0 };
	if (!server_value_get(c, TOKEN_KEY_NAME, &stored, &k->found, err))
		return false;
	return !k->found || unwrap_token_key(k, &stored, err);
}

/* Looks again inside the writing transaction: another process may just have made the key. */
static bool make_token_key(struct db_conn *c, void *arg, struct err *err)
{
	struct token_key *k = arg;
	if (!get_token_key(c, k, err))
		return false;
	if (k->found)
		return true;
	uint8_t bytes[TOKEN_KEY_LEN];
	random_bytes(bytes, sizeof(bytes));
	bool fits = secret_set(&k->value, bytes, sizeof(bytes));
	mem_wipe(bytes, sizeof(bytes));
	assert(fits);
	struct secret stored CLEANUP(secret_wipe) = { .len = 0 };
	return wrap_token_key(k, &stored, err) && server_value_put(c, TOKEN_KEY_NAME, &stored, err);
}

static void token_key_wipe(struct token_key *k)
{
	secret_wipe(&k->value);
}

static bool load_token_key(struct auth *a, const struct secret *secrets_key, struct err *err)
{
	struct token_key k CLEANUP(token_key_wipe) = { .secrets_key = secrets_key };
	if (!db_read(a->db, get_token_key, &k, err))
		return err_wrap(err, "reading the token key");
	if (!k.found && !db_write(a->db, make_token_key, &k, err))
		return err_wrap(err, "making the token key");
	if (k.value.len != TOKEN_KEY_LEN)
		return err_sys(err, ERR_CORRUPT, 0, "the token key has %zu bytes", k.value.len);
	hmac_sha256(k.value.bytes, k.value.len, STR("berth registry token"), a->token_key);
	hmac_sha256(k.value.bytes, k.value.len, STR("berth signed text"), a->text_key);
	hmac_sha256(k.value.bytes, k.value.len, STR("berth session token"), a->session_key.bytes);
	a->session_key.len = HMAC_LEN;
	return true;
}

static void auth_closep(struct auth **a)
{
	auth_close(*a);
}

bool auth_open(const struct auth_options *o, struct auth **out, struct err *err)
{
	struct auth *a CLEANUP(auth_closep) = xmalloc(sizeof(*a));
	a->db = o->db;
	a->no_auth = o->no_auth;
	a->source = o->resource_policies;
	if (!auth_is_account(str_from(o->account)))
		return err_set(err, ERR_CONFIG, "account must be twelve digits");
	if (!auth_is_region(str_from(o->region)))
		return err_set(
			err, ERR_CONFIG, "region must be 2 to 25 characters of a-z, 0-9 and '-'");
	memcpy(a->account, o->account, ACCOUNT_LEN);
	memcpy(a->region, o->region, strlen(o->region));
	(void)snprintf(a->root_arn, sizeof(a->root_arn), "arn:aws:iam::%s:root", a->account);
	if (!load_token_key(a, o->secrets_key, err) ||
		!iam_open(a->db, o->secrets_key, &a->iam, err) ||
		!oidc_open(o->oidc_ca_file, &a->oidc, err))
		return false;
	a->memo = token_memo_make();
	a->keys = key_cache_new(a->db, a->iam);
	a->grants = grants_cache_new(a->iam);
	*out = a;
	a = NULL;
	return true;
}

void auth_close(struct auth *a)
{
	if (a == NULL)
		return;
	oidc_close(a->oidc);
	grants_cache_free(a->grants);
	key_cache_free(a->keys);
	token_memo_free(a->memo);
	iam_close(a->iam);
	mem_wipe(a, sizeof(*a));
	freep(&a);
}

struct iam *auth_iam(struct auth *a)
{
	return a->iam;
}

bool auth_is_off(const struct auth *a)
{
	return a->no_auth;
}

void auth_default_principal(const struct auth *a, struct principal *out)
{
	*out = (struct principal){
		.account = str_from(a->account),
		.region = str_from(a->region),
		.arn = str_from(a->root_arn),
		.user_id = str_from(a->account),
		.key_id = STR(""),
		.is_root = true,
	};
}

static bool add_key(struct db_conn *c, void *arg, struct err *err)
{
	return key_table_add(c, arg, err);
}

static void key_row_wipe(struct key_row *row)
{
	secret_wipe(&row->secret);
}

bool auth_make_root_key(
	struct auth *a, const char *account, struct access_key *out, struct err *err)
{
	if (!auth_is_account(str_from(account)))
		return err_set(err, ERR_INVALID, "account must be twelve digits");
	struct access_key key = { .id = "AKIA" };
	random_text(key.id + 4, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	random_text(
		key.secret, 40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	memcpy(key.account, account, ACCOUNT_LEN);

	struct key_row row CLEANUP(key_row_wipe) = {
		.is_active = true,
		.created_at_ms = clock_now_ms(),
	};
	memcpy(row.id, key.id, sizeof(key.id));
	memcpy(row.account, key.account, sizeof(key.account));
	(void)snprintf(row.principal, sizeof(row.principal), "arn:aws:iam::%s:root", account);
	struct secret plain CLEANUP(secret_wipe) = { .len = 0 };
	bool done = secret_set(&plain, key.secret, 40) &&
		    iam_secret_encode(a->iam, str_from(row.id), &plain, &row.secret, err) &&
		    db_write(a->db, add_key, &row, err);
	if (done)
		*out = key;
	mem_wipe(&key, sizeof(key));
	return done;
}

static bool count_keys(struct db_conn *c, void *arg, struct err *err)
{
	return key_table_count(c, arg, err);
}

bool auth_count_keys(struct auth *a, uint64_t *out, struct err *err)
{
	uint64_t n = 0;
	if (!db_read(a->db, count_keys, &n, err))
		return false;
	*out = n;
	return true;
}
