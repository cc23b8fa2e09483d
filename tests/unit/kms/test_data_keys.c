/* Data keys: wrapped and unwrapped, tampered with, rotated, cached. */
#include <unistd.h>

#include "kms/kms_priv.h"
#include "kms_fixture.h"

static void a_data_key_opens_with_its_key_and_context_only(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct data_key d;
	struct secret plain;
	struct kms_key key = make_key(f), other = make_key(f);
	data_key_make(f, key.arn, &d);
	ASSERT_DONE(data_key_opens(f, key.arn, &d, &err));
	/* The order of the pairs does not matter. */
	struct kms_pair turned[] = { pool_pairs[1], pool_pairs[0] };
	struct kms_context same = { turned, 2 };
	ASSERT_DONE(kms_decrypt_data_key(
		f->kms, str_from(key.arn), buf_str(&d.wrapped), &same, &plain, &err));
	assert_memory_equal(plain.bytes, d.plain.bytes, plain.len);
	ASSERT_FAILS(ERR_KMS_CIPHERTEXT_INVALID, data_key_opens(f, other.arn, &d, &err));
	/* Texts that a careless rendering would confuse. */
	static const struct kms_pair wrong[][2] = {
		{ { { "pool", 4 }, { "13", 2 } }, { { "aaa", 3 }, { "", 0 } } },
		{ { { "pool", 4 }, { "12", 2 } }, { { "aaa", 3 }, { "x", 1 } } },
		{ { { "pool1", 5 }, { "2", 1 } }, { { "aaa", 3 }, { "", 0 } } },
		{ { { "aaapool", 7 }, { "12", 2 } }, { { "", 0 }, { "", 0 } } },
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct kms_context c = { wrong[i], 2 };
		ASSERT_FAILS(
			ERR_KMS_CIPHERTEXT_INVALID, kms_decrypt_data_key(f->kms, str_from(key.arn),
							    buf_str(&d.wrapped), &c, &plain, &err));
	}
	struct kms_context one = { pool_pairs, 1 };
	ASSERT_FAILS(ERR_KMS_CIPHERTEXT_INVALID, kms_decrypt_data_key(f->kms, str_from(key.arn),
							 buf_str(&d.wrapped), &one, &plain, &err));
	ASSERT_FAILS(ERR_KMS_CIPHERTEXT_INVALID, kms_decrypt_data_key(f->kms, str_from(key.arn),
							 buf_str(&d.wrapped), NULL, &plain, &err));
	buf_fini(&d.wrapped);
}

static void every_changed_byte_and_every_other_length_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct data_key d;
	struct secret plain;
	struct kms_key key = make_key(f);
	ASSERT_DONE(kms_key_rotate(f->kms, &key, &err)); /* versions 1 and 2 exist */
	data_key_make(f, key.arn, &d);
	struct str w = buf_str(&d.wrapped);
	assert_int_equal(w.len, KMS_DATA_KEY_LEN + KMS_CIPHERTEXT_OVERHEAD);
	for (size_t i = 0; i < w.len; i++) {
		for (int bit = 1; bit < 256; bit <<= 1) {
			d.wrapped.ptr[i] = (char)(d.wrapped.ptr[i] ^ bit);
			if (kms_decrypt_data_key(
				    f->kms, str_from(key.arn), w, &pool_context, &plain, &err))
				fail_msg("byte %zu, bit %d: accepted", i, bit);
			assert_int_equal(err.kind, ERR_KMS_CIPHERTEXT_INVALID);
			d.wrapped.ptr[i] = (char)(d.wrapped.ptr[i] ^ bit);
		}
	}
	for (size_t n = 0; n < w.len; n++)
		ASSERT_FAILS(ERR_KMS_CIPHERTEXT_INVALID,
			kms_decrypt_data_key(f->kms, str_from(key.arn), str_sub(w, 0, n),
				&pool_context, &plain, &err));
	buf_add_char(&d.wrapped, 0);
	ASSERT_FAILS(ERR_KMS_CIPHERTEXT_INVALID, data_key_opens(f, key.arn, &d, &err));
	buf_fini(&d.wrapped);
}

static void what_an_external_kms_wrapped_needs_one(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct secret plain;
	struct kms_key key = make_key(f);
	struct str foreign = STR("arn:aws:kms:us-east-1:111122223333:key/"
				 "01234567-89ab-cdef-0123-456789abcdef");
	ASSERT_FAILS(ERR_KMS_UNAVAILABLE,
		kms_decrypt_data_key(f->kms, foreign, STR("Eblob"), &pool_context, &plain, &err));
	/* A key of ours never has such: somebody changed the row. */
	ASSERT_FAILS(
		ERR_KMS_CIPHERTEXT_INVALID, kms_decrypt_data_key(f->kms, str_from(key.arn),
						    STR("Eblob"), &pool_context, &plain, &err));
}

static void a_disabled_key_stops_at_once_and_goes_on_when_enabled(void **state)
{
	struct fixture *f = *state;
	struct err err;
	int64_t at;
	struct data_key d, fresh;
	struct kms_key key = make_key(f), other = make_key(f);
	data_key_make(f, key.arn, &d);
	ASSERT_DONE(data_key_opens(f, key.arn, &d, &err)); /* cached now */
	ASSERT_DONE(kms_key_disable(f->kms, &key, &err));
	ASSERT_FAILS(ERR_KMS_KEY_DISABLED, data_key_opens(f, key.arn, &d, &err));
	char text[200];
	snprintf(text, sizeof(text), "%s is disabled.", key.arn);
	assert_string_equal(err.msg, text);
	buf_init(&fresh.wrapped, KMS_WRAPPED_MAX);
	ASSERT_FAILS(
		ERR_KMS_KEY_DISABLED, kms_generate_data_key(f->kms, str_from(key.arn),
					      &pool_context, &fresh.plain, &fresh.wrapped, &err));
	assert_int_equal(fresh.wrapped.len, 0);
	data_key_make(f, other.arn, &fresh);
	ASSERT_DONE(data_key_opens(f, other.arn, &fresh, &err));
	ASSERT_DONE(kms_key_enable(f->kms, &key, &err));
	ASSERT_DONE(data_key_opens(f, key.arn, &d, &err));
	ASSERT_DONE(kms_key_schedule_deletion(f->kms, &key, 7, &at, &err));
	ASSERT_FAILS(ERR_KMS_KEY_STATE, data_key_opens(f, key.arn, &d, &err));
	ASSERT_DONE(kms_key_cancel_deletion(f->kms, &key, &err));
	ASSERT_DONE(kms_key_enable(f->kms, &key, &err));
	ASSERT_DONE(data_key_opens(f, key.arn, &d, &err));
	buf_fini(&d.wrapped);
	buf_fini(&fresh.wrapped);
}

static void another_process_that_disables_a_key_is_noticed_within_the_caches_life(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct data_key d;
	struct kms *other = NULL;
	struct kms_options o = { .db = f->db, .wrapping_key = &f->wrapping_key };
	fixture_open(f, NULL, 200);
	ASSERT_DONE(kms_open(&o, &other, &err));
	struct kms_key key = make_key(f);
	data_key_make(f, key.arn, &d);
	ASSERT_DONE(data_key_opens(f, key.arn, &d, &err));
	ASSERT_DONE(kms_key_disable(other, &key, &err));
	usleep(250 * 1000);
	ASSERT_FAILS(ERR_KMS_KEY_DISABLED, data_key_opens(f, key.arn, &d, &err));
	kms_close(other);
	buf_fini(&d.wrapped);
}

static void after_a_rotation_old_data_keys_open_and_can_be_rewrapped(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct data_key d;
	bool needs = true;
	struct kms_key key = make_key(f);
	data_key_make(f, key.arn, &d);
	ASSERT_DONE(kms_needs_rewrap(f->kms, str_from(key.arn), buf_str(&d.wrapped), &needs, &err));
	assert_false(needs);
	ASSERT_DONE(kms_key_rotate(f->kms, &key, &err));
	ASSERT_DONE(data_key_opens(f, key.arn, &d, &err));
	ASSERT_DONE(kms_needs_rewrap(f->kms, str_from(key.arn), buf_str(&d.wrapped), &needs, &err));
	assert_true(needs);
	struct data_key again = { .plain = d.plain };
	buf_init(&again.wrapped, KMS_WRAPPED_MAX);
	ASSERT_DONE(kms_rewrap(f->kms, str_from(key.arn), buf_str(&d.wrapped), &pool_context,
		&again.wrapped, &err));
	ASSERT_DONE(
		kms_needs_rewrap(f->kms, str_from(key.arn), buf_str(&again.wrapped), &needs, &err));
	assert_false(needs);
	ASSERT_DONE(data_key_opens(f, key.arn, &again, &err));
	ASSERT_DONE(data_key_opens(f, key.arn, &d, &err));
	buf_fini(&d.wrapped);
	buf_fini(&again.wrapped);
}

static void data_keys_outlive_the_process_but_not_the_wrapping_key(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct data_key d;
	struct kms_key key = make_key(f);
	data_key_make(f, key.arn, &d);
	fixture_open(f, NULL, 0);
	ASSERT_DONE(data_key_opens(f, key.arn, &d, &err));
	f->wrapping_key.bytes[0] ^= 1;
	fixture_open(f, NULL, 0);
	ASSERT_FAILS(ERR_CORRUPT, data_key_opens(f, key.arn, &d, &err));
	buf_fini(&d.wrapped);
}

static void a_context_beyond_its_limits_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct kms_key key = make_key(f);
	struct kms_pair pairs[KMS_CONTEXT_MAX_PAIRS + 1] = { 0 };
	static char big[KMS_CONTEXT_MAX_BYTES + 1];
	struct buf out;
	buf_init(&out, 64 * KIB);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		pairs[i] = (struct kms_pair){ STR("n"), STR("v") };
	struct kms_context many = { pairs, KMS_CONTEXT_MAX_PAIRS + 1 };
	ASSERT_FAILS(ERR_INVALID, kms_encrypt(f->kms, key.uuid, &many, STR("x"), &out, &err));
	struct kms_pair one = { { big, 1 }, { big, KMS_CONTEXT_MAX_BYTES } };
	struct kms_context large = { &one, 1 };
	ASSERT_FAILS(ERR_INVALID, kms_encrypt(f->kms, key.uuid, &large, STR("x"), &out, &err));
	one.value.len--;
	ASSERT_DONE(kms_encrypt(f->kms, key.uuid, &large, STR("x"), &out, &err));
	struct buf plain;
	buf_init(&plain, KIB);
	ASSERT_DONE(kms_decrypt(f->kms, buf_str(&out), &large, &plain, &err));
	ASSERT_STR(buf_str(&plain), "x");
	buf_fini(&plain);
	buf_fini(&out);
}

static bool file_holds(const char *path, struct str needle)
{
	static char bytes[8 * 1024 * 1024];
	FILE *file = fopen(path, "rbe");
	if (file == NULL)
		return false;
	size_t n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	return memmem(bytes, n, needle.ptr, needle.len) != NULL;
}

static bool database_holds(const struct fixture *f, struct str needle)
{
	char wal[310];
	snprintf(wal, sizeof(wal), "%s-wal", f->path);
	return file_holds(f->path, needle) || file_holds(wal, needle);
}

struct stored {
	const uint8_t *uuid;
	struct buf material;
};

static bool read_material(struct db_conn *c, void *arg, struct err *err)
{
	struct stored *s = arg;
	struct kms_row row;
	bool found = false;
	return kms_table_find(c, s->uuid, NULL, &row, &found, err) &&
	       kms_table_material(c, row.id, 1, &s->material, &found, err);
}

static void the_database_holds_key_material_only_wrapped(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct secret material;
	struct kms_key key = make_key(f);
	struct stored s = { .uuid = key.uuid };
	buf_init(&s.material, KMS_MATERIAL_MAX);
	ASSERT_DONE(db_read(f->db, read_material, &s, &err));
	assert_true(database_holds(f, buf_str(&s.material))); /* the search finds what is there */
	ASSERT_DONE(kms_material_open(f->kms, key.uuid, 1, buf_str(&s.material), &material, &err));
	assert_false(database_holds(f, (struct str){ (const char *)material.bytes, 16 }));
	/* Nor does it open as that of another key or version. */
	ASSERT_FAILS(ERR_CORRUPT,
		kms_material_open(f->kms, key.uuid, 2, buf_str(&s.material), &material, &err));
	key.uuid[0] ^= 1;
	ASSERT_FAILS(ERR_CORRUPT,
		kms_material_open(f->kms, key.uuid, 1, buf_str(&s.material), &material, &err));
	buf_fini(&s.material);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_data_key_opens_with_its_key_and_context_only),
		TEST(every_changed_byte_and_every_other_length_is_noticed),
		TEST(what_an_external_kms_wrapped_needs_one),
		TEST(a_disabled_key_stops_at_once_and_goes_on_when_enabled),
		TEST(another_process_that_disables_a_key_is_noticed_within_the_caches_life),
		TEST(after_a_rotation_old_data_keys_open_and_can_be_rewrapped),
		TEST(data_keys_outlive_the_process_but_not_the_wrapping_key),
		TEST(a_context_beyond_its_limits_is_refused),
		TEST(the_database_holds_key_material_only_wrapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
