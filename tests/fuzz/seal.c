/*
 * Objects and upload tails as a hostile store could hold them. The first byte chooses: 'o' the rest
 * is an object, 't' the rest is the tail of an upload; anything else edits a good object (each
 * edit: what, where, how much). A reader may refuse what it is given, or hand out the very bytes
 * that were sealed; nothing else.
 */
#include "store/seal.h"

#include "base/mem.h"
#include "crypt/hash.h"
#include "fuzz.h"
#include "store/store_mem.h"

#define PLAIN_LEN (SEAL_SEGMENT + 300)

static const struct store_key object = { { 1, 2, 3 } };
static const struct store_key other = { { 4, 5, 6 } };

static bool key_of(void *arg UNUSED, enum seal_layer layer, uint32_t version, struct secret *out,
	struct err *err)
{
	if (version == 0 || version > 2)
		return err_set(err, ERR_KEY_UNKNOWN, "no such version");
	memset(out->bytes, (int)(10 * version + layer), SEAL_KEY_LEN);
	out->len = SEAL_KEY_LEN;
	return true;
}

static struct seal_pool pool_of(enum seal_suite suite)
{
	return (struct seal_pool){
		.pool_id = 7, .suite = suite, .version = { 1, 2 }, .key = key_of
	};
}

static uint8_t plain_at(uint64_t at)
{
	return (uint8_t)(at * 13 + at / 251);
}

/* Reads all of it. Bytes that nobody sealed must not come out. */
static void read_all(struct seal_reader *r, uint64_t sealed_len)
{
	uint8_t out[5000];
	struct err err;
	size_t n;
	uint64_t at = 0;
	while (seal_reader_pread(r, out, sizeof(out), at, &n, &err)) {
		for (size_t i = 0; i < n; i++)
			CHECK(out[i] == plain_at(at + i));
		at += n;
		if (n == sizeof(out))
			continue;
		CHECK(at == seal_reader_size(r) && at == sealed_len);
		return;
	}
	CHECK(err.kind == ERR_CORRUPT);
}

static void put(struct blobstore *s, const struct store_key *key, const void *bytes, size_t len)
{
	struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
	struct err err;
	CHECK(blobstore_append(s, key, &w, &err));
	CHECK(blob_writer_write(w, bytes, len, &err));
}

/* sealed_len: of what was sealed under these keys; UINT64_MAX when nothing was, so that nothing may
 * come out. */
static void try_object(const uint8_t *raw, size_t len, enum seal_suite suite, uint64_t sealed_len)
{
	struct seal_pool pool = pool_of(suite);
	struct blobstore *s = store_mem_new();
	struct blob_reader *inner = NULL;
	struct seal_reader *r = NULL;
	struct err err;
	uint64_t plain_len;
	put(s, &object, raw, len);
	CHECK(blobstore_open(s, &object, &inner, &err));
	if (seal_plain_size(suite, len, &plain_len)) {
		CHECK(seal_inner_size(suite, plain_len) == len);
		if (seal_reader_open(inner, &pool, &object, plain_len, &r, &err))
			read_all(r, sealed_len);
		else
			CHECK(err.kind == ERR_CORRUPT || err.kind == ERR_KEY_UNKNOWN);
		seal_reader_close(r);
	}
	blob_reader_close(inner);
	blobstore_close(s);
}

/* The first two bytes are the size that the row tells. */
static void try_tail(const uint8_t *data, size_t len, enum seal_suite suite)
{
	struct seal_pool pool = pool_of(suite);
	struct seal_reader *r = NULL;
	struct err err;
	if (len < 2)
		return;
	uint64_t size = (uint64_t)data[0] << 8 | data[1];
	struct str tail = { (const char *)data + 2, len - 2 };
	if (seal_reader_open_paused(NULL, &pool, &object, size, tail, &r, &err))
		CHECK(size == 0 && tail.len == 0); /* nothing was ever sealed here */
	else
		CHECK(err.kind == ERR_CORRUPT || err.kind == ERR_KEY_UNKNOWN);
	seal_reader_close(r);
}

/* A good object in raw, which has room for it. */
static size_t seal(enum seal_suite suite, const struct store_key *key, uint8_t *raw, size_t cap)
{
	struct seal_pool pool = pool_of(suite);
	struct blobstore *s = store_mem_new();
	struct blob_writer *inner = NULL;
	struct blob_reader *reader = NULL;
	struct seal_writer *w = NULL;
	uint8_t *plain CLEANUP(freep) = xmalloc(PLAIN_LEN);
	struct err err;
	size_t len;
	for (size_t i = 0; i < PLAIN_LEN; i++)
		plain[i] = plain_at(i);
	CHECK(blobstore_append(s, key, &inner, &err));
	CHECK(seal_writer_open(inner, &pool, key, 0, STR(""), &w, &err));
	CHECK(seal_writer_write(w, plain, PLAIN_LEN, &err));
	CHECK(seal_writer_finish(w, &err));
	seal_writer_close(w);
	blob_writer_close(inner);
	CHECK(blobstore_open(s, key, &reader, &err));
	CHECK(blob_reader_pread(reader, raw, cap, 0, &len, &err));
	CHECK(len == reader->size_bytes);
	blob_reader_close(reader);
	blobstore_close(s);
	return len;
}

/* Six bytes an edit: what, where (3), how much (2). */
static void try_edits(const uint8_t *data, size_t len, enum seal_suite suite)
{
	const size_t cap = 2 * PLAIN_LEN;
	uint8_t *raw CLEANUP(freep) = xmalloc(cap);
	uint8_t *foreign CLEANUP(freep) = xmalloc(cap);
	size_t n = seal(suite, &object, raw, cap);
	CHECK(seal(suite, &other, foreign, cap) == n);
	for (; len >= 6; data += 6, len -= 6) {
		size_t at = ((size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3]) % (n + 1);
		size_t count = (size_t)data[4] << 8 | data[5];
		if (count > n - at)
			count = n - at;
		switch (data[0]) {
		case 'x': /* flip bits */
			if (at < n)
				raw[at] ^= data[5];
			break;
		case 'c': /* cut out */
			memmove(raw + at, raw + at + count, n - at - count);
			n -= count;
			break;
		case 'r': /* repeat at the end */
			if (count > cap - n)
				count = cap - n;
			memmove(raw + n, raw + at, count);
			n += count;
			break;
		case 'f': /* from another object of the pool */
			memcpy(raw + at, foreign + at, count < cap - at ? count : cap - at);
			break;
		default: /* the front to the place */
			memmove(raw + at, raw, count);
		}
	}
	try_object(raw, n, suite, PLAIN_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	if (size < 2)
		return 0;
	CHECK(crypt_init(&err));
	enum seal_suite suite = data[1] % 2 == 0 ? SEAL_SINGLE : SEAL_DOUBLE;
	if (data[0] == 'o')
		try_object(data + 2, size - 2, suite, UINT64_MAX);
	else if (data[0] == 't')
		try_tail(data + 2, size - 2, suite);
	else
		try_edits(data + 2, size - 2, suite);
	return 0;
}
