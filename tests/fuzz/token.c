/*
 * Authorization headers with registry tokens. The server's key is fixed, so that the corpus can
 * hold a token that is good; a token that is accepted must be refused with any of its characters
 * changed.
 */
#include "auth/token.h"

#include <stdio.h>
#include <string.h>

#include "auth/auth_priv.h"
#include "crypt/hash.h"
#include "fuzz.h"
#include "meta/db.h"
#include "meta/key_table.h"

static struct auth *auth;

static char folder[] = "/tmp/berth-fuzz-XXXXXX";

static void clean_up(void)
{
	static const char *const names[] = { "db", "db-wal", "db-shm" };
	for (size_t i = 0; i < 3; i++) {
		char path[64];
		if (snprintf(path, sizeof(path), "%s/%s", folder, names[i]) > 0)
			(void)remove(path);
	}
	(void)remove(folder);
}

static bool put_key(struct db_conn *c, void *arg, struct err *err)
{
	return key_table_add(c, arg, err);
}

/* A database with the key that the corpus's tokens were given to; token and text keys are all zero.
 * Its files go at the
 * end. */
static void start(void)
{
	struct err err;
	char path[64];
	struct db *db;
	struct key_row row = { .id = "AKIDEXAMPLE",
		.account = "123456789012",
		.principal = "arn:aws:iam::123456789012:root",
		.is_active = true };
	CHECK(crypt_init(&err) && mkdtemp(folder) != NULL && atexit(clean_up) == 0 &&
		secret_set(&row.secret, "secret", 6));
	CHECK(snprintf(path, sizeof(path), "%s/db", folder) > 0);
	CHECK(db_open(&(struct db_options){ .path = path }, &db, &err));
	CHECK(auth_open(
		&(struct auth_options){ .db = db, .account = row.account, .region = "us-east-1" },
		&auth, &err));
	CHECK(db_write(db, put_key, &row, &err));
	memset(auth->token_key, 0, sizeof(auth->token_key));
	memset(auth->text_key, 0, sizeof(auth->text_key));
}

static bool verify(struct str token)
{
	struct err err;
	struct principal who;
	struct arena *arena = arena_new(16 * KIB);
	bool done = token_verify(auth, token, arena, &who, &err);
	CHECK(done || err.kind == ERR_UNAUTHENTICATED || err.kind == ERR_TOKEN_EXPIRED);
	arena_free(arena);
	return done;
}

static void try_basic(struct str header)
{
	struct err err;
	struct principal who;
	struct arena *arena = arena_new(16 * KIB);
	CHECK(token_from_basic(auth, header, arena, &who, &err) ||
		err.kind == ERR_UNAUTHENTICATED || err.kind == ERR_TOKEN_EXPIRED);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static bool is_ready;
	struct str text = { (const char *)bytes, len };
	if (!is_ready)
		start();
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
