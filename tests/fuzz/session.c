/*
 * Temporary credentials. After 't': a key id, a newline and a session token as a client sends them,
 * under a server's key of zeros; one that is accepted is refused with any of its characters changed
 * and for any other key id. After 'r': a record, as it stands inside a token; one that can be read
 * survives being issued anew.
 */
#include "auth/session.h"

#include <string.h>

#include "auth/auth_priv.h"
#include "crypt/hash.h"
#include "fuzz.h"

static struct auth auth;

static bool open_token(struct str id, struct str token, struct arena *arena, struct session *out)
{
	struct err err;
	struct opened_session o;
	bool found;
	CHECK(session_open(&auth, id, token, arena, &o, &found, &err));
	if (!found)
		return false;
	CHECK(o.secret.len == 40);
	secret_wipe(&o.secret);
	*out = o.session;
	return true;
}

static bool is_good(struct str id, struct str token)
{
	struct session s;
	struct arena *arena = arena_new(64 * KIB);
	bool good = open_token(id, token, arena, &s);
	arena_free(arena);
	return good;
}

static void try_token(struct str text)
{
	static char copy[SESSION_TOKEN_MAX];
	struct str id;
	struct str token;
	if (!str_cut(text, '\n', &id, &token) || !is_good(id, token))
		return;
	CHECK(!is_good(str_sub(id, 0, id.len - 1), token));
	for (size_t i = 0; i < token.len; i++) {
		memcpy(copy, token.ptr, token.len);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		CHECK(!is_good(id, (struct str){ copy, token.len }));
	}
}

static void same(const struct session *a, const struct session *b)
{
	CHECK(a->entity_id == b->entity_id && a->issued_at_ms == b->issued_at_ms &&
		a->ends_at_ms == b->ends_at_ms && str_eq(a->account, b->account) &&
		str_eq(a->uid, b->uid) && str_eq(a->name, b->name) &&
		str_eq(a->parent_key, b->parent_key) && str_eq(a->policy, b->policy));
	CHECK(a->policy_arn_count == b->policy_arn_count && a->tag_count == b->tag_count);
	for (size_t i = 0; i < a->policy_arn_count; i++)
		CHECK(str_eq(a->policy_arns[i], b->policy_arns[i]));
	for (size_t i = 0; i < a->tag_count; i++)
		CHECK(str_eq(a->tags[i].name, b->tags[i].name) &&
			str_eq(a->tags[i].value, b->tags[i].value));
}

static void try_record(struct str record)
{
	struct err err;
	struct session s;
	struct session again;
	struct credentials made;
	if (!session_parse(record, &s))
		return;
	CHECK(s.policy_arn_count <= SESSION_ARNS_MAX && s.tag_count <= SESSION_TAGS_MAX);
	struct arena *arena = arena_new(64 * KIB);
	if (session_issue(&auth, &s, arena, &made, &err)) {
		CHECK(open_token(made.key_id, made.token, arena, &again));
		same(&s, &again);
	} else {
		CHECK(err.kind == ERR_TOO_LARGE);
	}
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint8_t zeros[32];
	static bool is_ready;
	struct err err;
	if (!is_ready)
		CHECK(crypt_init(&err) && secret_set(&auth.session_key, zeros, sizeof(zeros)));
	is_ready = true;
	if (len == 0)
		return 0;
	struct str text = { (const char *)bytes + 1, len - 1 };
	if (bytes[0] == 't')
		try_token(text);
	else if (bytes[0] == 'r')
		try_record(text);
	return 0;
}
