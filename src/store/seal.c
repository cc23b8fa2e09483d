#include "store/seal.h"

#include <assert.h>
#include <inttypes.h>

#include "base/codec.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "crypt/hkdf.h"
#include "crypt/random.h"
#include "store/seal_priv.h"

#define FORMAT_VERSION 1
#define SEGMENT_LOG2   16

_Static_assert(SEAL_SEGMENT == (size_t)1 << SEGMENT_LOG2, "the header tells the segment size");
_Static_assert(SEAL_KEY_LEN == AEAD_KEY_LEN, "data keys feed HKDF, but have the cipher's strength");

static const char magic[8] = { 'B', 'E', 'R', 'T', 'H', 'S', 'E', 'G' };
static const char key_label[] = "berth segment v1";

static const char *const layer_names[SEAL_LAYERS] = { "inner", "outer" };

/* Offsets in the header: docs/segment-format.md. */
enum {
	AT_MAGIC = 0,
	AT_FORMAT = 8,
	AT_SUITE = 9,
	AT_SEGMENT_LOG2 = 10,
	AT_ZERO = 11,
	AT_VERSIONS = 12,
	AT_POOL = 20,
	AT_ZEROS = 28,
	AT_OBJECT = 32,
};

static void put_be(uint8_t *to, uint64_t value, size_t len)
{
	for (size_t i = len; i-- > 0; value >>= 8)
		to[i] = (uint8_t)value;
}

static uint64_t get_be(const uint8_t *from, size_t len)
{
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | from[i];
	return value;
}

size_t seal_overhead(enum seal_suite suite)
{
	return suite == SEAL_DOUBLE ? 2 * SEAL_LAYER_LEN : SEAL_LAYER_LEN;
}

size_t seal_sealed_segment(enum seal_suite suite)
{
	return SEAL_SEGMENT + seal_overhead(suite);
}

uint64_t seal_inner_size(enum seal_suite suite, uint64_t plain_size)
{
	return SEAL_HEADER_LEN + plain_size +
	       (plain_size / SEAL_SEGMENT + 1) * seal_overhead(suite);
}

bool seal_plain_size(enum seal_suite suite, uint64_t inner_size, uint64_t *out)
{
	size_t full = seal_sealed_segment(suite);
	if (inner_size < SEAL_HEADER_LEN)
		return false;
	uint64_t body = inner_size - SEAL_HEADER_LEN;
	uint64_t last = body % full;
	if (last < seal_overhead(suite)) /* no last segment is there, or not all of it */
		return false;
	*out = body / full * SEAL_SEGMENT + last - seal_overhead(suite);
	return true;
}

void seal_lock_fini(struct seal_lock *lock)
{
	for (size_t i = 0; i < SEAL_LAYERS; i++)
		aead_freep(&lock->layers[i]);
	mem_wipe(lock, sizeof(*lock));
}

/* The key of one layer of one object: HKDF of the pool's data key. */
static bool make_layer(const struct seal_pool *pool, const struct store_key *object,
	enum seal_layer layer, uint32_t version, struct aead **out, struct err *err)
{
	struct secret data_key CLEANUP(secret_wipe) = { .len = 0 };
	struct secret key CLEANUP(secret_wipe) = { .len = 0 };
	char info[sizeof(key_label) - 1 + 1 + STORE_KEY_LEN];
	if (!pool->key(pool->arg, layer, version, &data_key, err))
		return err_wrap(err, "%s data key %" PRIu32 " of pool %" PRId64, layer_names[layer],
			version, pool->pool_id);
	assert(data_key.len == SEAL_KEY_LEN);
	memcpy(info, key_label, sizeof(key_label) - 1);
	info[sizeof(key_label) - 1] = (char)layer;
	memcpy(info + sizeof(key_label), object->bytes, STORE_KEY_LEN);
	return hkdf_sha256(&data_key, STR(""), (struct str){ info, sizeof(info) }, AEAD_KEY_LEN,
		       &key, err) &&
	       aead_new(&key, out, err);
}

/* lock has its header; the rest follows from it. */
static bool complete(const struct seal_pool *pool, struct seal_lock *lock, struct err *err)
{
	struct digest hash;
	struct str header = { (const char *)lock->header, SEAL_HEADER_LEN };
	if (!hash_bytes(DIGEST_SHA256, header, &hash, err))
		return false;
	memcpy(lock->header_hash, hash.hash, sizeof(lock->header_hash));
	for (size_t i = 0; i < (lock->suite == SEAL_DOUBLE ? 2 : 1); i++) {
		uint32_t version = (uint32_t)get_be(lock->header + AT_VERSIONS + 4 * i, 4);
		if (!make_layer(pool, &lock->object, (enum seal_layer)i, version, &lock->layers[i],
			    err))
			return false;
	}
	return true;
}

/* The header that an object of the pool has, with keys of those versions. */
static void render_header(const struct seal_pool *pool, const struct store_key *object,
	const uint32_t version[SEAL_LAYERS], uint8_t out[SEAL_HEADER_LEN])
{
	memset(out, 0, SEAL_HEADER_LEN);
	memcpy(out + AT_MAGIC, magic, sizeof(magic));
	out[AT_FORMAT] = FORMAT_VERSION;
	out[AT_SUITE] = (uint8_t)pool->suite;
	out[AT_SEGMENT_LOG2] = SEGMENT_LOG2;
	put_be(out + AT_VERSIONS, version[SEAL_INNER], 4);
	if (pool->suite == SEAL_DOUBLE)
		put_be(out + AT_VERSIONS + 4, version[SEAL_OUTER], 4);
	put_be(out + AT_POOL, (uint64_t)pool->pool_id, 8);
	memcpy(out + AT_OBJECT, object->bytes, STORE_KEY_LEN);
}

static bool make_lock(const struct seal_pool *pool, const struct store_key *object,
	const uint8_t header[SEAL_HEADER_LEN], struct seal_lock *out, struct err *err)
{
	struct seal_lock lock CLEANUP(seal_lock_fini) = { .suite = pool->suite, .object = *object };
	memcpy(lock.header, header, SEAL_HEADER_LEN);
	if (!complete(pool, &lock, err))
		return false;
	*out = lock;
	memset(lock.layers, 0, sizeof(lock.layers)); /* they are the caller's now */
	return true;
}

bool seal_lock_make(const struct seal_pool *pool, const struct store_key *object,
	struct seal_lock *out, struct err *err)
{
	uint8_t header[SEAL_HEADER_LEN];
	assert(pool->suite == SEAL_SINGLE || pool->suite == SEAL_DOUBLE);
	render_header(pool, object, pool->version, header);
	return make_lock(pool, object, header, out, err);
}

/* Why a header is not the expected one; the first difference says it. */
static const char *complaint(const uint8_t *header, const uint8_t *expected)
{
	if (memcmp(header, expected, sizeof(magic)) != 0)
		return "no header of a sealed object";
	if (header[AT_FORMAT] != expected[AT_FORMAT])
		return "another version of the format";
	if (header[AT_SUITE] != expected[AT_SUITE])
		return "another cipher suite than its pool's";
	if (header[AT_SEGMENT_LOG2] != expected[AT_SEGMENT_LOG2])
		return "another segment size";
	if (memcmp(header + AT_POOL, expected + AT_POOL, 8) != 0)
		return "an object of another pool";
	if (memcmp(header + AT_OBJECT, expected + AT_OBJECT, STORE_KEY_LEN) != 0)
		return "another object";
	return "bytes that are to be zero are not";
}

bool seal_lock_from_header(const struct seal_pool *pool, const struct store_key *object,
	const uint8_t header[SEAL_HEADER_LEN], struct seal_lock *out, struct err *err)
{
	uint8_t expected[SEAL_HEADER_LEN];
	uint32_t version[SEAL_LAYERS];
	/* All but the versions is known beforehand, so there is nothing to parse. */
	for (size_t i = 0; i < SEAL_LAYERS; i++)
		version[i] = (uint32_t)get_be(header + AT_VERSIONS + 4 * i, 4);
	render_header(pool, object, version, expected);
	if (memcmp(header, expected, SEAL_HEADER_LEN) != 0)
		return err_sys(
			err, ERR_CORRUPT, 0, "sealed object: %s", complaint(header, expected));
	return make_lock(pool, object, header, out, err);
}

#define AAD_LEN (32 + STORE_KEY_LEN + 8 + 1)

static struct str render_aad(
	const struct seal_lock *lock, uint64_t index, enum seal_place place, uint8_t out[AAD_LEN])
{
	memcpy(out, lock->header_hash, 32);
	memcpy(out + 32, lock->object.bytes, STORE_KEY_LEN);
	put_be(out + 32 + STORE_KEY_LEN, index, 8);
	out[AAD_LEN - 1] = (uint8_t)place;
	return (struct str){ (const char *)out, AAD_LEN };
}

void seal_segment(struct seal_lock *lock, uint64_t index, enum seal_place place, const void *plain,
	size_t len, uint8_t *out)
{
	uint8_t aad_bytes[AAD_LEN];
	uint8_t nonces[SEAL_LAYERS][AEAD_NONCE_LEN];
	struct str aad = render_aad(lock, index, place, aad_bytes);
	random_bytes(nonces, sizeof(nonces));
	if (lock->suite == SEAL_DOUBLE) {
		/* The outer layer encrypts the inner one in its place: nonce, ciphertext, tag. */
		uint8_t *inner = out + AEAD_NONCE_LEN;
		uint8_t *text = inner + AEAD_NONCE_LEN;
		memcpy(inner, nonces[SEAL_INNER], AEAD_NONCE_LEN);
		aead_seal(lock->layers[SEAL_INNER], nonces[SEAL_INNER], aad, plain, len, text,
			text + len);
		memcpy(out, nonces[SEAL_OUTER], AEAD_NONCE_LEN);
		len += SEAL_LAYER_LEN;
		aead_seal(lock->layers[SEAL_OUTER], nonces[SEAL_OUTER], aad, inner, len, inner,
			inner + len);
		return;
	}
	uint8_t *text = out + AEAD_NONCE_LEN;
	memcpy(out, nonces[SEAL_INNER], AEAD_NONCE_LEN);
	aead_seal(lock->layers[SEAL_INNER], nonces[SEAL_INNER], aad, plain, len, text, text + len);
}

bool seal_open_segment(struct seal_lock *lock, uint64_t index, enum seal_place place,
	struct seal_piece *piece, uint8_t *to, struct err *err)
{
	uint8_t aad_bytes[AAD_LEN];
	struct str aad = render_aad(lock, index, place, aad_bytes);
	uint8_t *at = piece->bytes;
	size_t n = piece->len;
	assert(n >= seal_overhead(lock->suite));
	for (size_t i = lock->suite == SEAL_DOUBLE ? 2 : 1; i-- > 0;) {
		uint8_t *text = at + AEAD_NONCE_LEN;
		uint8_t *plain = i == 0 && to != NULL ? to : text;
		n -= SEAL_LAYER_LEN;
		if (!aead_open(lock->layers[i], at, aad, text, n, text + n, plain)) {
			char name[2 * STORE_KEY_LEN];
			hex_encode(lock->object.bytes, STORE_KEY_LEN, name);
			return err_sys(err, ERR_CORRUPT, 0,
				"object %.*s: %s %" PRIu64 " does not open (%s key)",
				(int)sizeof(name), name,
				place == SEAL_TAIL ? "upload tail at segment" : "segment", index,
				layer_names[i]);
		}
		at = plain;
	}
	*piece = (struct seal_piece){ at, n };
	return true;
}

bool seal_open_tail(const struct seal_pool *pool, const struct store_key *object,
	uint64_t plain_size, struct str tail, struct seal_lock *out_lock, struct buf *out,
	struct err *err)
{
	struct seal_lock lock CLEANUP(seal_lock_fini) = { 0 };
	size_t rest = (size_t)(plain_size % SEAL_SEGMENT);
	if (tail.len != SEAL_HEADER_LEN + seal_overhead(pool->suite) + rest)
		return err_sys(err, ERR_CORRUPT, 0,
			"the tail of an upload of %" PRIu64 " bytes has %zu bytes", plain_size,
			tail.len);
	if (!seal_lock_from_header(pool, object, (const uint8_t *)tail.ptr, &lock, err))
		return err_wrap(err, "upload tail");
	uint8_t *sealed CLEANUP(freep) = xmalloc_raw(SEAL_SEALED_MAX); /* opened in place */
	struct str body = str_sub(tail, SEAL_HEADER_LEN, SIZE_MAX);
	memcpy(sealed, body.ptr, body.len);
	struct seal_piece piece = { sealed, body.len };
	if (!seal_open_segment(&lock, plain_size / SEAL_SEGMENT, SEAL_TAIL, &piece, NULL, err))
		return false;
	buf_add(out, piece.bytes, piece.len);
	mem_wipe(sealed, SEAL_SEALED_MAX);
	if (!buf_ok(out))
		return err_set(err, ERR_UNAVAILABLE, "out of memory");
	*out_lock = lock;
	memset(lock.layers, 0, sizeof(lock.layers)); /* they are the caller's now */
	return true;
}
