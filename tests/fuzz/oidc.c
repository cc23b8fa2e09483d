/*
 * Web identity tokens: the first line is the key set that the issuer published, the second the
 * token. One that is accepted names its issuer, somebody and an audience, and is refused with any
 * character of what was signed changed.
 */
#include "auth/oidc.h"

#include <string.h>

#include "fuzz.h"

#define ISSUER STR("https://issuer.example")
#define NOW_MS ((int64_t)1800000000 * 1000)

static bool verify(struct str set, struct str token, struct oidc_token *out, struct arena *arena)
{
	struct err err;
	bool done = oidc_verify_with(set, token, ISSUER, NOW_MS, arena, out, &err);
	CHECK(done || (err.kind == ERR_INVALID && strchr(err.msg, ':') != NULL));
	return done;
}

static bool verify_only(struct str set, struct str token)
{
	struct oidc_token t;
	struct arena *arena = arena_new(256 * KIB);
	bool done = verify(set, token, &t, arena);
	arena_free(arena);
	return done;
}

static void check(const struct oidc_token *t, struct str token, struct arena *arena)
{
	struct err err;
	struct str issuer;
	CHECK(oidc_issuer(token, arena, &issuer, &err));
	CHECK(str_eq(issuer, t->issuer) && str_eq(issuer, ISSUER) && t->subject.len > 0);
	CHECK(t->claim_count <= OIDC_CLAIMS_MAX && oidc_claim(t, "aud") != NULL);
	for (size_t i = 0; i < t->claim_count; i++)
		CHECK(t->claims[i].count > 0);
}

/* What was signed ends at the last dot. */
static void alter_each(struct str set, struct str token)
{
	static char copy[OIDC_TOKEN_MAX];
	size_t end = token.len;
	while (token.ptr[end - 1] != '.')
		end--;
	for (size_t i = 0; i < end; i++) {
		memcpy(copy, token.ptr, token.len);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		CHECK(!verify_only(set, (struct str){ copy, token.len }));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str set;
	struct str token;
	struct oidc_token t;
	struct err ignored;
	struct str who;
	(void)str_cut((struct str){ (const char *)bytes, len }, '\n', &set, &token);
	struct arena *arena = arena_new(256 * KIB);
	err_ignore(oidc_issuer(token, arena, &who, &ignored)); /* any answer will do */
	if (verify(set, token, &t, arena)) {
		check(&t, token, arena);
		alter_each(set, token);
	}
	arena_free(arena);
	return 0;
}
