/* kms_fixture.h - for the tests of kms/: a database of its own and a KMS over it. */
#ifndef BERTH_TESTS_KMS_FIXTURE_H
#define BERTH_TESTS_KMS_FIXTURE_H

#include "../unit.h"
#include "base/clock.h"
#include "crypt/hash.h"
#include "kms/kms_alias.h"
#include "kms/kms_crypt.h"
#include "kms/kms_tag.h"
#include "meta/db.h"

#define ACCOUNT "123456789012"
#define REGION  "eu-west-1"
#define DAY_MS  ((int64_t)24 * 3600 * 1000)

static const struct kms_realm realm UNUSED = { { ACCOUNT, 12 }, { REGION, 9 } };
static const struct kms_realm elsewhere UNUSED = { { ACCOUNT, 12 }, { "us-east-1", 9 } };
static const struct kms_realm stranger UNUSED = { { "999999999999", 12 }, { REGION, 9 } };

struct fixture {
	char folder[256];
	char path[300];
	struct db *db;
	struct secret wrapping_key;
	struct kms *kms;
	struct arena *arena;
};

static inline UNUSED void fixture_open(
	struct fixture *f, const struct kms_external_options *external, int64_t cache_life_ms)
{
	struct err err;
	struct kms_options o = { .db = f->db,
		.wrapping_key = &f->wrapping_key,
		.external = external,
		.cache_life_ms = cache_life_ms };
	kms_close(f->kms);
	f->kms = NULL;
	ASSERT_DONE(kms_open(&o, &f->kms, &err));
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
	f->wrapping_key.len = 32;
	memset(f->wrapping_key.bytes, 7, 32);
	f->arena = arena_new(8 * MIB);
	fixture_open(f, NULL, 0);
	*state = f;
	return 0;
}

static inline UNUSED int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	arena_free(f->arena);
	kms_close(f->kms);
	db_close(f->db);
	remove_temp_folder(f->folder);
	free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static inline UNUSED struct kms_key make_key(struct fixture *f)
{
	struct err err;
	struct kms_key key;
	struct kms_key_new in = { .description = STR("a key") };
	ASSERT_DONE(kms_key_create(f->kms, &realm, &in, f->arena, &key, &err));
	return key;
}

static inline UNUSED struct kms_key read_key(struct fixture *f, const char *text)
{
	struct err err;
	struct kms_key key;
	ASSERT_DONE(kms_key_get(f->kms, &realm, str_from(text), f->arena, &key, &err));
	return key;
}

static const struct kms_pair pool_pairs[] UNUSED = { { { "pool", 4 }, { "12", 2 } },
	{ { "aaa", 3 }, { "", 0 } } };
static const struct kms_context pool_context UNUSED = { pool_pairs, 2 };

/* A data key, in memory and wrapped. */
struct data_key {
	struct secret plain;
	struct buf wrapped;
};

static inline UNUSED void data_key_make(struct fixture *f, const char *arn, struct data_key *out)
{
	struct err err;
	buf_init(&out->wrapped, KMS_WRAPPED_MAX);
	ASSERT_DONE(kms_generate_data_key(
		f->kms, str_from(arn), &pool_context, &out->plain, &out->wrapped, &err));
	assert_int_equal(out->plain.len, KMS_DATA_KEY_LEN);
}

/* Decrypts, and compares. */
static inline UNUSED bool data_key_opens(
	struct fixture *f, const char *arn, const struct data_key *k, struct err *err)
{
	struct secret plain;
	if (!kms_decrypt_data_key(
		    f->kms, str_from(arn), buf_str(&k->wrapped), &pool_context, &plain, err))
		return false;
	assert_int_equal(plain.len, k->plain.len);
	assert_memory_equal(plain.bytes, k->plain.bytes, plain.len);
	return true;
}

#endif
