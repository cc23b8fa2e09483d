/* auth_fixture.h - for the tests of auth/: a database of its own, one known key, and requests
 * written down as text. */
#ifndef BERTH_TESTS_AUTH_FIXTURE_H
#define BERTH_TESTS_AUTH_FIXTURE_H

#include "../unit.h"
#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/codec.h"
#include "crypt/hash.h"
#include "crypt/hmac.h"
#include "meta/key_table.h"

#define TEST_KEY_ID  "AKIDEXAMPLE"
#define TEST_SECRET  "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define TEST_ACCOUNT "123456789012"
#define TEST_REGION  "eu-west-1"

struct fixture {
	char folder[256];
	char path[300];
	struct db *db;
	struct auth *auth;
	struct arena *arena;
	struct err err;
};

static inline UNUSED bool fixture_put_row(struct db_conn *c, void *arg, struct err *err)
{
	return key_table_add(c, arg, err);
}

static inline UNUSED void fixture_put_key(
	struct fixture *f, const char *id, const char *principal, bool is_active)
{
	struct err err;
	struct key_row row = { .account = TEST_ACCOUNT, .is_active = is_active };
	snprintf(row.id, sizeof(row.id), "%s", id);
	snprintf(row.principal, sizeof(row.principal), "%s", principal);
	assert_true(secret_set(&row.secret, TEST_SECRET, strlen(TEST_SECRET)));
	ASSERT_DONE(db_write(f->db, fixture_put_row, &row, &err));
}

static inline UNUSED void fixture_open_auth(struct fixture *f, bool no_auth)
{
	struct err err;
	struct auth_options o = {
		.db = f->db, .no_auth = no_auth, .account = TEST_ACCOUNT, .region = TEST_REGION
	};
	auth_close(f->auth);
	ASSERT_DONE(auth_open(&o, &f->auth, &err));
}

static inline UNUSED int fixture_setup(void **state)
{
	struct err err;
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	ASSERT_DONE(crypt_init(&err));
	make_temp_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/berth.db", f->folder);
	struct db_options o = { .path = f->path };
	ASSERT_DONE(db_open(&o, &f->db, &err));
	fixture_open_auth(f, false);
	f->arena = arena_new(256 * KIB);
	*state = f;
	return 0;
}

static inline UNUSED int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	arena_free(f->arena);
	auth_close(f->auth);
	db_close(f->db);
	remove_temp_folder(f->folder);
	free(f);
	return 0;
}

/* Headers as text: "Name: value\n" each. */
static inline UNUSED void fixture_headers(
	void *arg, bool (*fn)(void *, struct str, struct str), void *fn_arg)
{
	const char *const *text = arg;
	struct str rest = str_from(*text), line, name, value;
	while (rest.len != 0) {
		str_cut(rest, '\n', &line, &rest);
		str_cut(line, ':', &name, &value);
		if (!fn(fn_arg, name, value))
			return;
	}
}

#endif
