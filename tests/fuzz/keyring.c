/*
 * Keys as a hostile folder or database could hold them. The first byte chooses:
 *
 *     'f'  the rest is a root key file, 'h' one that an HSM's key opens
 *     'c'  a KMS ciphertext, 'd' a wrapped data key, 'v' the value by which a root key is known
 * again, 'w' a wrapped secret: the rest edits a good one (each edit: what, where, how much) 'C',
 * 'D', 'V', 'W'  the same, but the rest is taken as it is
 *
 * Only the very bytes that were made here may open.
 */
#include <stdio.h>
#include <string.h>

#include "crypt/aead.h"
#include "crypt/hash.h"
#include "crypt/root_key_priv.h"
#include "fuzz.h"
#include "kms/kms_crypt.h"
#include "kms/kms_key.h"
#include "meta/db.h"

/* As root_key.c and root_key_pkcs11.c have them. */
#define LABEL       "berth root key v1"
#define LABEL_HSM   "berth root key v1 wrapped by PKCS#11"
#define WRAPPED_LEN (12 + ROOT_KEY_LEN + 16)
#define KIND_MAX    4
#define LEN_MAX     8192

static char folder[] = "/tmp/berth-fuzz-XXXXXX";
static struct db *db;
static struct kms *kms;
static struct kms_key key;
static struct root_key root;
static struct secret wrapping;
static struct buf good[KIND_MAX]; /* 'c', 'd', 'v', 'w' */

static void finish(void)
{
	char command[64];
	kms_close(kms);
	db_close(db);
	for (size_t i = 0; i < KIND_MAX; i++)
		buf_fini(&good[i]);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a path that mkdtemp made */
	CHECK(system(command) == 0);
}

static void start(void)
{
	static const uint8_t bytes[ROOT_KEY_LEN] = { 1, 2, 3 };
	const struct kms_realm realm = { STR("123456789012"), STR("eu-west-1") };
	const struct kms_key_new in = { .description = STR("") };
	struct kms_options o = { .wrapping_key = &wrapping };
	struct arena *arena = arena_new(64 * KIB);
	struct secret plain;
	struct err err;
	char path[64];
	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/db", folder);
	CHECK(crypt_init(&err) && root_key_set(&root, bytes, &err) &&
		root_key_derive(&root, STR("kms"), &wrapping, &err) &&
		db_open(&(struct db_options){ .path = path }, &db, &err));
	o.db = db;
	CHECK(kms_open(&o, &kms, &err) && kms_key_create(kms, &realm, &in, arena, &key, &err));
	arena_free(arena);
	for (size_t i = 0; i < KIND_MAX; i++)
		buf_init(&good[i], LEN_MAX);
	CHECK(kms_encrypt(kms, key.uuid, NULL, STR("plain"), &good[0], &err) &&
		kms_generate_data_key(kms, str_from(key.arn), NULL, &plain, &good[1], &err) &&
		root_key_check_value(&root, &good[2], &err) &&
		aead_wrap(&wrapping, STR("fuzz"), STR("a secret"), &good[3], &err));
	CHECK(atexit(finish) == 0);
}

/* A file that is accepted is rendered to the same bytes, but for the end of its last line. */
static void try_file(struct str text, const char *label, size_t len)
{
	struct secret given = { .len = 0 }, again = { .len = 0 };
	uint8_t bytes[WRAPPED_LEN];
	if (!secret_set(&given, text.ptr, text.len) || !root_key_parse(&given, label, bytes, len))
		return;
	root_key_render(label, bytes, len, &again);
	CHECK(given.len == again.len || given.len + 1 == again.len);
	CHECK(memcmp(given.bytes, again.bytes, given.len) == 0);
}

static bool opens(size_t kind, struct str bytes, struct err *err)
{
	struct buf out;
	struct secret secret;
	bool done = false;
	buf_init(&out, LEN_MAX);
	switch (kind) {
	case 0:
		done = kms_decrypt(kms, bytes, NULL, &out, err);
		break;
	case 1:
		done = kms_decrypt_data_key(kms, str_from(key.arn), bytes, NULL, &secret, err);
		break;
	case 2:
		done = root_key_verify(&root, bytes, err);
		break;
	default:
		done = aead_unwrap(&wrapping, STR("fuzz"), bytes, &out, err);
		break;
	}
	buf_fini(&out);
	return done;
}

static void edit(struct buf *b, const uint8_t *edits, size_t len)
{
	for (; len >= 3; edits += 3, len -= 3) {
		size_t at = b->len == 0 ? 0 : edits[1] * 7 % b->len;
		switch (edits[0] % 3) {
		case 0:
			if (b->len != 0)
				b->ptr[at] = (char)(b->ptr[at] ^ (char)edits[2]);
			break;
		case 1:
			b->len = at;
			break;
		default:
			buf_add(b, edits + 2, 1);
			break;
		}
	}
}

static void try_kind(size_t kind, bool is_raw, struct str rest)
{
	struct buf b;
	struct err err;
	struct str wanted = buf_str(&good[kind]);
	buf_init(&b, 2 * LEN_MAX);
	if (is_raw) {
		buf_add_str(&b, rest);
	} else {
		buf_add_str(&b, wanted);
		edit(&b, (const uint8_t *)rest.ptr, rest.len);
	}
	CHECK(buf_ok(&b));
	if (opens(kind, buf_str(&b), &err))
		CHECK(str_eq(buf_str(&b), wanted));
	else
		CHECK(!str_eq(buf_str(&b), wanted) && err.kind != ERR_INTERNAL);
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char kinds[] = "cdvwCDVW";
	if (db == NULL)
		start();
	if (size == 0 || size > LEN_MAX)
		return 0;
	struct str rest = { (const char *)data + 1, size - 1 };
	const char *kind = memchr(kinds, data[0], sizeof(kinds) - 1);
	if (kind != NULL)
		try_kind((size_t)(kind - kinds) % KIND_MAX, kind - kinds >= KIND_MAX, rest);
	else if (data[0] == 'f')
		try_file(rest, LABEL, ROOT_KEY_LEN);
	else if (data[0] == 'h')
		try_file(rest, LABEL_HSM, WRAPPED_LEN);
	return 0;
}
