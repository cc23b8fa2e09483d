#include "auth/console_link.h"

#include "auth/auth_priv.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "crypt/random.h"
#include "meta/console_table.h"

#define SECRET_LEN 32

struct link_args {
	struct digest hash; /* SHA-256: CONSOLE_HASH_LEN bytes */
	struct str account;
	int64_t now_ms;
	/* of redeeming */
	char holder[13], key_id[33];
	bool found, has_key;
};

static bool hash_of(struct str text, struct digest *out, struct err *err)
{
	return hash_bytes(DIGEST_SHA256, text, out, err);
}

static bool add_in(struct db_conn *conn, void *arg, struct err *err)
{
	const struct link_args *a = arg;
	return console_table_add(
		conn, a->hash.hash, a->account, a->now_ms + CONSOLE_LINK_MS, a->now_ms, err);
}

bool console_link_make(
	struct db *db, const char *account, char text[CONSOLE_LINK_TEXT_MAX], struct err *err)
{
	uint8_t secret[SECRET_LEN];
	struct link_args a = { .account = str_from(account), .now_ms = clock_now_ms() };
	char made[CONSOLE_LINK_TEXT_MAX];
	random_bytes(secret, sizeof(secret));
	base64url_encode(secret, sizeof(secret), made);
	made[BASE64URL_LEN(SECRET_LEN)] = '\0';
	mem_wipe(secret, sizeof(secret));
	if (!hash_of(str_from(made), &a.hash, err) || !db_write(db, add_in, &a, err))
		return false;
	memcpy(text, made, sizeof(made));
	return true;
}

static bool take_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct link_args *a = arg;
	a->has_key = false;
	if (!console_table_take(conn, a->hash.hash, a->now_ms, a->holder, &a->found, err))
		return false;
	return !a->found ||
	       console_table_root_key(conn, str_from(a->holder), a->key_id, &a->has_key, err);
}

bool console_link_redeem(struct auth *a, struct str text, struct arena *arena,
	struct credentials *out, char account[13], struct err *err)
{
	struct link_args link = { .now_ms = clock_now_ms() };
	if (!hash_of(text, &link.hash, err) || !db_write(a->db, take_in, &link, err))
		return false;
	if (!link.found)
		return err_set(err, ERR_DENIED,
			"This link was used before, or is older than five minutes; berth console "
			"prints a new one");
	if (!link.has_key)
		return err_set(err, ERR_DENIED,
			"The account's root has no active access key; berth new-key makes one");
	struct session s = {
		.account = str_from(link.holder),
		.uid = str_from(link.holder),
		.parent_key = str_from(link.key_id),
		.issued_at_ms = link.now_ms,
		.ends_at_ms = link.now_ms + CONSOLE_SESSION_MS,
	};
	if (!session_issue(a, &s, arena, out, err))
		return false;
	memcpy(account, link.holder, sizeof(link.holder));
	return true;
}
