/*
 * Requests with a signature: method, target, headers, an empty line, body. Whatever the bytes are,
 * the verifier must not crash, and a request that it accepts it must refuse with another method.
 */
#include "auth/sigv4.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/auth_priv.h"
#include "crypt/hash.h"
#include "fuzz.h"
#include "meta/key_table.h"

#define NOW 1440938160 /* the corpus was signed then: 20150830T123600Z */

/* The published example key, in a database of its own. */
static bool add_key(struct db_conn *c, void *arg, struct err *err)
{
	(void)arg;
	static const char secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
	struct key_row row = { .id = "AKIDEXAMPLE",
		.account = "123456789012",
		.principal = "arn:aws:iam::123456789012:root",
		.is_active = true };
	return secret_set(&row.secret, secret, sizeof(secret) - 1) && key_table_add(c, &row, err);
}

static char folder[] = "/tmp/berth-fuzz-XXXXXX";
static struct db *db;
static struct auth *auth;

static void finish(void)
{
	char command[64];
	auth_close(auth);
	db_close(db);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a path that mkdtemp made */
	CHECK(system(command) == 0);
}

static void start(void)
{
	struct err err;
	char path[64];
	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/db", folder);
	struct db_options o = { .path = path };
	struct auth_options a = { .account = "123456789012", .region = "us-east-1" };
	CHECK(crypt_init(&err) && db_open(&o, &db, &err) && db_write(db, add_key, NULL, &err));
	a.db = db;
	CHECK(auth_open(&a, &auth, &err) && atexit(finish) == 0);
}

static void each_header(void *arg, bool (*fn)(void *, struct str, struct str), void *fn_arg)
{
	const struct str *lines = arg;
	struct str rest = *lines, line, name, value;
	while (rest.len != 0) {
		str_cut(rest, '\n', &line, &rest);
		str_cut(line, ':', &name, &value);
		if (!fn(fn_arg, name, value))
			return;
	}
}

static bool verify(const struct sigv4_request *r)
{
	struct err err;
	struct principal who;
	struct arena *arena = arena_new(256 * KIB);
	struct str service = sigv4_service(r, arena);
	char expected[16] = "";
	if (service.ptr == NULL || !str_to_c(service, expected, sizeof(expected)))
		memcpy(expected, "ecr", 4);
	bool done = sigv4_verify(auth, r, expected, NOW, arena, &who, &err);
	CHECK(!done || who.is_root);
	arena_free(arena);
	return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (auth == NULL)
		start();
	struct str rest = { (const char *)bytes, len }, line, target, headers = rest;
	struct sigv4_request r = { .headers = each_header, .headers_arg = &headers };
	str_cut(rest, '\n', &line, &rest);
	str_cut(line, ' ', &r.method, &target);
	str_cut(target, '?', &r.path, &r.query);
	headers = rest;
	for (size_t i = 0; i + 1 < rest.len; i++) {
		if (rest.ptr[i] != '\n' || rest.ptr[i + 1] != '\n')
			continue;
		headers = str_sub(rest, 0, i);
		r.body = str_sub(rest, i + 2, rest.len);
		break;
	}
	if (!verify(&r))
		return 0;
	r.method = STR("BREW");
	CHECK(!verify(&r));
	return 0;
}
