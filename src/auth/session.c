#include "auth/session.h"

#include "auth/auth_priv.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/mem.h"
#include "crypt/aead.h"
#include "crypt/random.h"

/*
 * A record: version byte; entity_id, issued_at_ms, ends_at_ms (8 bytes each, big-endian); then
 * texts behind two bytes of length: key_id, account, uid, name, parent_key, policy; a byte that
 * counts policy ARNs, and those; a byte that counts tags, and their names and values.
 */
#define VERSION    1
#define SECRET_LEN 40
#define WHAT       STR("session-token")
#define TEXTS      6

static struct str *text_at(struct session *s, size_t i)
{
	struct str *texts[TEXTS] = { &s->key_id, &s->account, &s->uid, &s->name, &s->parent_key,
		&s->policy };
	return texts[i];
}

static void put_number(struct buf *b, uint64_t n)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_add_char(b, (char)(uint8_t)(n >> shift));
}

static void put_text(struct buf *b, struct str s)
{
	if (s.len > UINT16_MAX)
		b->failed = true;
	buf_add_char(b, (char)(uint8_t)(s.len >> 8));
	buf_add_char(b, (char)(uint8_t)s.len);
	buf_add_str(b, s);
}

static void render(struct session *s, struct buf *b)
{
	buf_add_char(b, VERSION);
	put_number(b, (uint64_t)s->entity_id);
	put_number(b, (uint64_t)s->issued_at_ms);
	put_number(b, (uint64_t)s->ends_at_ms);
	for (size_t i = 0; i < TEXTS; i++)
		put_text(b, *text_at(s, i));
	buf_add_char(b, (char)s->policy_arn_count);
	for (size_t i = 0; i < s->policy_arn_count; i++)
		put_text(b, s->policy_arns[i]);
	buf_add_char(b, (char)s->tag_count);
	for (size_t i = 0; i < s->tag_count; i++) {
		put_text(b, s->tags[i].name);
		put_text(b, s->tags[i].value);
	}
}

static bool take_number(struct str *s, size_t bytes, uint64_t *out)
{
	uint64_t n = 0;
	if (s->len < bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | (uint8_t)s->ptr[i];
	*s = (struct str){ s->ptr + bytes, s->len - bytes };
	*out = n;
	return true;
}

static bool take_text(struct str *s, struct str *out)
{
	uint64_t len;
	if (!take_number(s, 2, &len) || s->len < len)
		return false;
	*out = (struct str){ s->ptr, (size_t)len };
	*s = (struct str){ s->ptr + len, s->len - (size_t)len };
	return true;
}

static bool take_lists(struct str *s, struct session *out)
{
	uint64_t n;
	if (!take_number(s, 1, &n) || n > SESSION_ARNS_MAX)
		return false;
	out->policy_arn_count = (size_t)n;
	for (size_t i = 0; i < n; i++) {
		if (!take_text(s, &out->policy_arns[i]))
			return false;
	}
	if (!take_number(s, 1, &n) || n > SESSION_TAGS_MAX)
		return false;
	out->tag_count = (size_t)n;
	for (size_t i = 0; i < n; i++) {
		if (!take_text(s, &out->tags[i].name) || !take_text(s, &out->tags[i].value))
			return false;
	}
	return s->len == 0;
}

bool session_parse(struct str record, struct session *out)
{
	struct session s = { .record = record };
	uint64_t n[4];
	for (size_t i = 0; i < ARRAY_LEN(n); i++) {
		if (!take_number(&record, i == 0 ? 1 : 8, &n[i]))
			return false;
	}
	if (n[0] != VERSION)
		return false;
	s.entity_id = (int64_t)n[1];
	s.issued_at_ms = (int64_t)n[2];
	s.ends_at_ms = (int64_t)n[3];
	for (size_t i = 0; i < TEXTS; i++) {
		if (!take_text(&record, text_at(&s, i)))
			return false;
	}
	if (!take_lists(&record, &s))
		return false;
	*out = s;
	return true;
}

static void wipe_buf(struct buf *b)
{
	if (b->ptr != NULL)
		mem_wipe(b->ptr, b->len);
	buf_fini(b);
}

bool session_issue(struct auth *a, const struct session *s, struct arena *arena,
	struct credentials *out, struct err *err)
{
	char id[] = "ASIA0000000000000000";
	char secret[SECRET_LEN];
	struct buf plain CLEANUP(wipe_buf);
	struct buf sealed CLEANUP(buf_fini);
	struct session made = *s;
	random_text(id + 4, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	random_text(secret, SECRET_LEN,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	made.key_id = str_from(id);
	buf_init(&plain, SECRET_LEN + SESSION_RECORD_MAX);
	buf_init(&sealed, SECRET_LEN + SESSION_RECORD_MAX + AEAD_WRAP_LEN);
	buf_add(&plain, secret, SECRET_LEN);
	render(&made, &plain);
	if (!buf_ok(&plain)) {
		mem_wipe(secret, sizeof(secret));
		return err_set(err, ERR_TOO_LARGE, "the session's policies and tags are too large");
	}
	struct credentials c = {
		.key_id = arena_str(arena, made.key_id),
		.secret = arena_str(arena, (struct str){ secret, SECRET_LEN }),
		.ends_at_ms = made.ends_at_ms,
	};
	mem_wipe(secret, sizeof(secret));
	if (!aead_wrap(&a->session_key, WHAT, buf_str(&plain), &sealed, err))
		return false;
	char *text = arena_alloc(arena, BASE64_LEN(sealed.len) + 1);
	if (c.key_id.ptr == NULL || c.secret.ptr == NULL || text == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
	base64_encode((const uint8_t *)sealed.ptr, sealed.len, text);
	c.token = (struct str){ text, BASE64_LEN(sealed.len) };
	*out = c;
	return true;
}

bool session_open(struct auth *a, struct str key_id, struct str token, struct arena *arena,
	struct opened_session *out, bool *found, struct err *err)
{
	struct buf plain CLEANUP(wipe_buf);
	struct err ignored;
	size_t len = 0;
	buf_init(&plain, SESSION_TOKEN_MAX);
	*found = false;
	if (token.len > SESSION_TOKEN_MAX)
		return true;
	uint8_t *sealed = arena_alloc(arena, token.len + 1);
	if (sealed == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
	/* Whatever is wrong with it, it is no token of this server. */
	if (!base64_decode(token, sealed, &len) ||
		!aead_unwrap(&a->session_key, WHAT, (struct str){ (char *)sealed, len }, &plain,
			&ignored) ||
		plain.len < SECRET_LEN)
		return true;
	struct str record =
		arena_str(arena, (struct str){ plain.ptr + SECRET_LEN, plain.len - SECRET_LEN });
	struct session s;
	if (record.ptr == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
	if (!session_parse(record, &s) || !str_eq(s.key_id, key_id) ||
		!secret_set(&out->secret, plain.ptr, SECRET_LEN))
		return true;
	out->session = s;
	*found = true;
	return true;
}

/* A session of a user or of root lives with the key that asked for it. */
static bool key_session(struct auth *a, const struct session *s, struct str region,
	struct arena *arena, struct principal *out, bool *found, struct err *err)
{
	struct key_info key;
	if (!key_cache_info(a->keys, s->parent_key, &key, found, err))
		return false;
	if (*found && (key.user_id != s->entity_id || !str_eq_c(s->account, key.account)))
		*found = false;
	if (!*found)
		return true;
	struct principal who;
	if (!auth_principal_make(arena, &key, s->key_id, region, &who, err))
		return false;
	who.session = s->record;
	*out = who;
	return true;
}

static bool role_session(struct auth *a, const struct session *s, struct str region,
	struct arena *arena, struct principal *out, bool *found, struct err *err)
{
	struct grants *g = NULL;
	*found = false;
	if (!grants_take(a->grants, s->entity_id, s, &g, err))
		return false;
	if (g == NULL)
		return true;
	if (g->type == IAM_TYPE_ROLE && str_eq(g->uid, s->uid)) {
		*out = (struct principal){
			.account = arena_str(arena, g->account),
			.region = arena_str(arena, region),
			.arn = arena_printf(arena,
				"arn:aws:sts::" STR_FMT ":assumed-role/" STR_FMT "/" STR_FMT,
				STR_ARG(g->account), STR_ARG(g->name), STR_ARG(s->name)),
			.user_id = arena_printf(
				arena, STR_FMT ":" STR_FMT, STR_ARG(g->uid), STR_ARG(s->name)),
			.key_id = s->key_id,
			.entity_id = s->entity_id,
			.name = arena_str(arena, g->name),
			.role_arn = arena_str(arena, g->arn),
			.session = s->record,
		};
		*found = true;
	}
	grants_release(a->grants, g);
	if (*found && (out->account.ptr == NULL || out->region.ptr == NULL ||
			      out->arn.ptr == NULL || out->user_id.ptr == NULL ||
			      out->name.ptr == NULL || out->role_arn.ptr == NULL))
		return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
	return true;
}

bool session_principal(struct auth *a, const struct session *s, struct str region,
	struct arena *arena, struct principal *out, bool *found, struct err *err)
{
	struct principal who;
	bool done = s->parent_key.len != 0 ? key_session(a, s, region, arena, &who, found, err)
					   : role_session(a, s, region, arena, &who, found, err);
	if (!done)
		return false;
	if (*found) {
		who.session_issued_ms = s->issued_at_ms;
		who.session_ends_ms = s->ends_at_ms;
		*out = who;
	}
	return true;
}
