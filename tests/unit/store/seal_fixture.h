/* seal_fixture.h - pools with made-up keys, and plaintext that tells where it is from; for the
 * tests of sealed objects. */
#ifndef BERTH_TESTS_SEAL_FIXTURE_H
#define BERTH_TESTS_SEAL_FIXTURE_H

#include "../unit.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "store/seal.h"
#include "store/store_fault.h"
#include "store/store_fs.h"
#include "store/store_mem.h"

#define SEG ((size_t)65536)

static const struct store_key key_a = { { 0xaa, 1 } };
static const struct store_key key_b = { { 0xbb, 2 } };

/* Versions 1 to 3 exist. arg: an int that stands for which ring it is. */
static inline UNUSED bool ring_key(
	void *arg, enum seal_layer layer, uint32_t version, struct secret *out, struct err *err)
{
	const int *ring = arg;
	if (version < 1 || version > 3)
		return err_set(err, ERR_KEY_UNKNOWN, "no such version");
	uint8_t bytes[SEAL_KEY_LEN];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 10 * version + 100 * (size_t)layer + 77 * (size_t)*ring);
	return secret_set(out, bytes, sizeof(bytes));
}

static int ring_one UNUSED = 1;
static int ring_two UNUSED = 2;

static inline UNUSED struct seal_pool pool_of(enum seal_suite suite)
{
	return (struct seal_pool){ .pool_id = 12,
		.suite = suite,
		.version = { 1, 2 },
		.key = ring_key,
		.arg = &ring_one };
}

/* Never the same at two places of one object that lie a multiple of a segment apart. */
static inline UNUSED uint8_t *plain_new(size_t len)
{
	uint8_t *bytes = xmalloc(len + 1);
	uint32_t x = 12345;
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(x >> 24);
	}
	return bytes;
}

static inline UNUSED struct blob_writer *appended(struct blobstore *s, const struct store_key *key)
{
	struct blob_writer *w = NULL;
	struct err err;
	ASSERT_DONE(blobstore_append(s, key, &w, &err));
	return w;
}

static inline UNUSED struct blob_reader *opened(struct blobstore *s, const struct store_key *key)
{
	struct blob_reader *r = NULL;
	struct err err;
	ASSERT_DONE(blobstore_open(s, key, &r, &err));
	return r;
}

/* Seals len bytes in pieces. */
static inline UNUSED void seal_object(struct blobstore *s, const struct seal_pool *pool,
	const struct store_key *key, const uint8_t *bytes, size_t len, size_t piece)
{
	struct blob_writer *inner CLEANUP(blob_writer_closep) = appended(s, key);
	struct seal_writer *w CLEANUP(seal_writer_closep) = NULL;
	struct err err;
	ASSERT_DONE(seal_writer_open(inner, pool, key, 0, STR(""), &w, &err));
	for (size_t at = 0; at < len; at += piece)
		ASSERT_DONE(seal_writer_write(
			w, bytes + at, piece < len - at ? piece : len - at, &err));
	assert_int_equal(seal_writer_size(w), len);
	ASSERT_DONE(seal_writer_finish(w, &err));
	ASSERT_DONE(blob_writer_sync(inner, &err));
}

/* Reads all of r in pieces; false when a read fails. Whatever was handed out before must be right.
 */
static inline UNUSED bool read_all(
	struct seal_reader *r, const uint8_t *expected, size_t piece, struct err *err)
{
	uint8_t *out CLEANUP(freep) = xmalloc(piece);
	uint64_t size = seal_reader_size(r);
	for (uint64_t at = 0;; at += piece) {
		size_t n = 99;
		if (!seal_reader_pread(r, out, piece, at, &n, err))
			return false;
		assert_int_equal(n, size - at < piece ? size - at : piece);
		assert_memory_equal(out, expected + at, n);
		if (at + n == size)
			return true;
	}
}

/* Opens and reads all of an object. */
static inline UNUSED bool check_object(struct blobstore *s, const struct seal_pool *pool,
	const struct store_key *key, const uint8_t *expected, uint64_t len, struct err *err)
{
	struct blob_reader *inner CLEANUP(blob_reader_closep) = opened(s, key);
	struct seal_reader *r CLEANUP(seal_reader_closep) = NULL;
	return seal_reader_open(inner, pool, key, len, &r, err) &&
	       read_all(r, expected, 100000, err);
}

/* The bytes of an object as they stand in the store. */
static inline UNUSED uint8_t *raw_of(struct blobstore *s, const struct store_key *key, size_t *len)
{
	struct blob_reader *r CLEANUP(blob_reader_closep) = opened(s, key);
	struct err err;
	uint8_t *bytes = xmalloc(r->size_bytes + 1);
	ASSERT_DONE(blob_reader_pread(r, bytes, r->size_bytes, 0, len, &err));
	return bytes;
}

/* Puts bytes in the place of an object. */
static inline UNUSED void put_raw(
	struct blobstore *s, const struct store_key *key, const uint8_t *bytes, size_t len)
{
	struct blob_writer *w CLEANUP(blob_writer_closep) = appended(s, key);
	struct err err;
	ASSERT_DONE(blob_writer_cut(w, 0, &err));
	ASSERT_DONE(blob_writer_write(w, bytes, len, &err));
	ASSERT_DONE(blob_writer_sync(w, &err));
}

static inline UNUSED int init_crypt(void **state UNUSED)
{
	struct err err;
	return crypt_init(&err) ? 0 : -1;
}

#endif
