#include "auth/token.h"

#include "auth/auth_priv.h"
#include "auth/session.h"
#include "auth/token_memo.h"
#include "base/clock.h"
#include "base/codec.h"
#include "crypt/hmac.h"
#include "crypt/secret.h"

/*
 * A token before base64url:
 *
 *     1   version
 *     8   end of its life, milliseconds since 1970, big-endian
 *     12  account
 *     1   length of the Region     n  Region
 *     1   length of the key id     n  key id (0 for a caller that needed none)
 *     2   length of the ARN        n  ARN of the principal, as it was then
 *     2   length of the record     n  the session's record (session.h); only in version 2
 *     32  HMAC-SHA256 of all before it
 */
#define VERSION_KEY     1 /* of a long-lived key */
#define VERSION_SESSION 2
#define KEY_ID_MAX      32
#define ARN_MAX                                                                           \
	1024 /* so that the token, base64url and then base64 of Basic, fits in any header \
	      */
#define FIXED_LEN   (1 + 8 + ACCOUNT_LEN + 1 + 1 + 2)
#define PAYLOAD_MAX (FIXED_LEN + REGION_MAX + KEY_ID_MAX + ARN_MAX + 2 + SESSION_RECORD_MAX)
#define TOKEN_MAX   ((size_t)PAYLOAD_MAX + HMAC_LEN)
#define HEX_LEN     64 /* of an HMAC */
#define BASIC_MAX                                                                       \
	(((size_t)4 + BASE64URL_LEN(TOKEN_MAX) + 2) / 3 * 4) /* base64 of "AWS:<token>" \
							      */

/* Long-lived keys' tokens are shorter. */
#define MEMO_PAYLOAD_MAX 1024
#define MEMO_TEXT_MAX    2048

static bool refuse(struct err *err)
{
	/* ECR's body of a 401; says nothing of why. */
	return err_set(err, ERR_UNAUTHENTICATED, "Not Authorized");
}

static uint8_t *put_str(uint8_t *p, struct str s)
{
	if (s.len != 0)
		memcpy(p, s.ptr, s.len);
	return p + s.len;
}

static size_t render(const struct principal *who, int64_t expires_at_ms, uint8_t out[PAYLOAD_MAX])
{
	uint8_t *p = out;
	*p++ = who->session.len == 0 ? VERSION_KEY : VERSION_SESSION;
	for (int shift = 56; shift >= 0; shift -= 8)
		*p++ = (uint8_t)((uint64_t)expires_at_ms >> shift);
	p = put_str(p, who->account);
	*p++ = (uint8_t)who->region.len;
	p = put_str(p, who->region);
	*p++ = (uint8_t)who->key_id.len;
	p = put_str(p, who->key_id);
	*p++ = (uint8_t)(who->arn.len >> 8);
	*p++ = (uint8_t)who->arn.len;
	p = put_str(p, who->arn);
	if (who->session.len != 0) {
		*p++ = (uint8_t)(who->session.len >> 8);
		*p++ = (uint8_t)who->session.len;
		p = put_str(p, who->session);
	}
	return (size_t)(p - out);
}

bool token_issue(struct auth *a, const struct principal *who, struct arena *arena, struct str *out,
	int64_t *expires_at_ms, struct err *err)
{
	uint8_t bytes[TOKEN_MAX];
	if (!auth_is_account(who->account) || !auth_is_region(who->region) || who->arn.len == 0)
		return err_sys(err, ERR_INTERNAL, 0, "token for a malformed principal");
	if (who->key_id.len > KEY_ID_MAX || who->arn.len > ARN_MAX ||
		who->session.len > SESSION_RECORD_MAX)
		return err_set(err, ERR_LIMIT, "The principal's name is too long for a token");
	int64_t expires = clock_now_ms() + TOKEN_LIFE_MS;
	if (who->session_ends_ms != 0 && who->session_ends_ms < expires)
		expires = who->session_ends_ms;
	size_t len = render(who, expires, bytes);
	hmac_sha256(a->token_key, sizeof(a->token_key), (struct str){ (char *)bytes, len },
		bytes + len);
	len += HMAC_LEN;

	char *text = arena_alloc(arena, BASE64URL_LEN(len) + 1);
	if (text == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
	base64url_encode(bytes, len, text);
	*out = (struct str){ text, BASE64URL_LEN(len) };
	*expires_at_ms = expires;
	return true;
}

/* Takes n bytes off the head of s. */
static bool take(struct str *s, size_t n, struct str *out)
{
	if (s->len < n)
		return false;
	*out = (struct str){ s->ptr, n };
	*s = (struct str){ s->ptr + n, s->len - n };
	return true;
}

/* As take, for a text behind its length of size_len bytes. */
static bool take_text(struct str *s, size_t size_len, struct str *out)
{
	struct str size;
	size_t n = 0;
	if (!take(s, size_len, &size))
		return false;
	for (size_t i = 0; i < size_len; i++)
		n = n << 8 | (uint8_t)size.ptr[i];
	return take(s, n, out);
}

/* The payload is our own (its HMAC was right), but another version of Berth may have written it. */
static bool parse(struct str s, struct principal *who, int64_t *expires_at_ms)
{
	struct str version;
	struct str expires;
	uint64_t ms = 0;
	*who = (struct principal){ .is_root = false };
	if (!take(&s, 1, &version) || !take(&s, 8, &expires) ||
		!take(&s, ACCOUNT_LEN, &who->account) || !take_text(&s, 1, &who->region) ||
		!take_text(&s, 1, &who->key_id) || !take_text(&s, 2, &who->arn))
		return false;
	if (version.ptr[0] == VERSION_SESSION && !take_text(&s, 2, &who->session))
		return false;
	if (version.ptr[0] != VERSION_KEY && version.ptr[0] != VERSION_SESSION)
		return false;
	if (s.len != 0)
		return false;
	for (size_t i = 0; i < expires.len; i++)
		ms = ms << 8 | (uint8_t)expires.ptr[i];
	*expires_at_ms = (int64_t)ms;
	return true;
}

/* Who was given the token, as they are now: the key must still be there and active, the session's
 * user or role too. */
static bool revive(struct auth *a, const struct principal *was, struct arena *arena,
	struct principal *out, struct err *err)
{
	bool found = false;
	if (was->session.len == 0) {
		struct key_info key;
		if (was->key_id.len == 0) /* given while nobody was checked */
			return refuse(err);
		if (!key_cache_info(a->keys, was->key_id, &key, &found, err))
			return false;
		if (!found || !str_eq_c(was->account, key.account))
			return refuse(err);
		return auth_principal_make(arena, &key, was->key_id, was->region, out, err);
	}
	struct str record = arena_str(arena, was->session);
	struct session session;
	if (record.ptr == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
	if (!session_parse(record, &session))
		return refuse(err);
	if (!session_principal(a, &session, was->region, arena, out, &found, err))
		return false;
	return found || refuse(err);
}

struct token_memo *token_memo_make(void)
{
	return token_memo_new(MEMO_TEXT_MAX, MEMO_PAYLOAD_MAX);
}

/* bytes: room for the token's; the payload of one whose MAC is right points into it. */
static bool open_token(struct auth *a, struct str token, uint8_t bytes[TOKEN_MAX],
	struct str *payload, struct err *err)
{
	uint8_t mac[HMAC_LEN];
	size_t len;
	if (token.len > BASE64URL_LEN(TOKEN_MAX) ||
		!base64url_decode(token, bytes, TOKEN_MAX, &len) || len < FIXED_LEN + HMAC_LEN)
		return refuse(err);
	*payload = (struct str){ (char *)bytes, len - HMAC_LEN };
	hmac_sha256(a->token_key, sizeof(a->token_key), *payload, mac);
	return secret_eq(mac, bytes + payload->len, HMAC_LEN) || refuse(err);
}

static bool accept_payload(struct auth *a, struct str payload, struct arena *arena,
	struct principal *out, struct err *err)
{
	struct principal who;
	int64_t expires_at_ms;
	if (!parse(payload, &who, &expires_at_ms))
		return refuse(err);
	if (clock_now_ms() >= expires_at_ms)
		return err_set(err, ERR_TOKEN_EXPIRED,
			"Your authorization token has expired. Reauthenticate and try again.");
	return revive(a, &who, arena, out, err);
}

bool token_verify(struct auth *a, struct str token, struct arena *arena, struct principal *out,
	struct err *err)
{
	uint8_t bytes[TOKEN_MAX];
	struct str payload;
	return open_token(a, token, bytes, &payload, err) &&
	       accept_payload(a, payload, arena, out, err);
}

/* credentials: base64 of "AWS:<token>". */
static bool open_basic(struct auth *a, struct str credentials, uint8_t bytes[TOKEN_MAX],
	struct str *payload, struct err *err)
{
	uint8_t text[BASIC_MAX];
	struct str user;
	struct str password;
	size_t len;
	if (credentials.len > BASIC_MAX || !base64_decode(credentials, text, &len))
		return refuse(err);
	if (!str_cut((struct str){ (char *)text, len }, ':', &user, &password) ||
		!str_eq(user, STR("AWS")))
		return refuse(err);
	return open_token(a, password, bytes, payload, err);
}

bool token_from_basic(struct auth *a, struct str authorization, struct arena *arena,
	struct principal *out, struct err *err)
{
	if (a->no_auth) {
		auth_default_principal(a, out);
		return true;
	}
	/* RFC 7617 2, RFC 9110 11.4: the scheme in any case, then at least one space. */
	struct str scheme;
	struct str rest;
	if (!str_cut(str_trim(authorization), ' ', &scheme, &rest) ||
		!str_eq_nocase(scheme, STR("Basic")))
		return refuse(err);
	rest = str_trim(rest);
	uint8_t bytes[TOKEN_MAX];
	struct str payload = { (char *)bytes, 0 };
	if (!token_memo_find(a->memo, rest, bytes, &payload.len)) {
		if (!open_basic(a, rest, bytes, &payload, err))
			return false;
		token_memo_keep(a->memo, rest, payload);
	}
	return accept_payload(a, payload, arena, out, err);
}

struct str token_sign_text(struct auth *a, struct str text, struct arena *arena)
{
	uint8_t mac[HMAC_LEN];
	char *hex = arena_alloc(arena, HEX_LEN + 1);
	if (hex == NULL)
		return (struct str){ NULL, 0 };
	hmac_sha256(a->text_key, sizeof(a->text_key), text, mac);
	hex_encode(mac, HMAC_LEN, hex);
	return (struct str){ hex, HEX_LEN };
}

bool token_check_text(struct auth *a, struct str text, struct str signature)
{
	uint8_t mac[HMAC_LEN];
	uint8_t given[HMAC_LEN];
	if (!hex_decode(signature, true, given, sizeof(given)))
		return false;
	hmac_sha256(a->text_key, sizeof(a->text_key), text, mac);
	return secret_eq(mac, given, HMAC_LEN);
}
