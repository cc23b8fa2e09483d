/*
 * Authorization headers with registry tokens. The server's key is fixed, so that the corpus can
 * hold a token that is good; a token that is accepted must be refused with any of its characters
 * changed.
 */
#include "auth/token.h"

#include "auth/auth_priv.h"
#include "crypt/hash.h"
#include "fuzz.h"

/* Token and text keys are all zero; there is no database, since tokens need none. */
static struct auth auth = { .account = "123456789012", .region = "us-east-1" };

static bool verify(struct str token)
{
	struct err err;
	struct principal who;
	struct arena *arena = arena_new(16 * KIB);
	bool done = token_verify(&auth, token, arena, &who, &err);
	CHECK(done || err.kind == ERR_UNAUTHENTICATED || err.kind == ERR_TOKEN_EXPIRED);
	arena_free(arena);
	return done;
}

static void try_basic(struct str header)
{
	struct err err;
	struct principal who;
	struct arena *arena = arena_new(16 * KIB);
	CHECK(token_from_basic(&auth, header, arena, &who, &err) ||
		err.kind == ERR_UNAUTHENTICATED || err.kind == ERR_TOKEN_EXPIRED);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static bool is_ready;
	struct err err;
	struct str text = { (const char *)bytes, len };
	if (!is_ready)
		CHECK(crypt_init(&err));
	is_ready = true;
	try_basic(text);
	if (!verify(text))
		return 0;
	char copy[4096];
	CHECK(len <= sizeof(copy)); /* no token is longer */
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, bytes, len);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		CHECK(!verify((struct str){ copy, len }));
	}
	return 0;
}
