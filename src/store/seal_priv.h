/* seal_priv.h - the segment format itself, shared by seal.c, seal_writer.c and seal_reader.c. */
#ifndef BERTH_STORE_SEAL_PRIV_H
#define BERTH_STORE_SEAL_PRIV_H

#include "base/digest.h"
#include "crypt/aead.h"
#include "store/seal.h"

#define SEAL_HEADER_LEN 48
#define SEAL_LAYER_LEN \
	((size_t)(AEAD_NONCE_LEN + AEAD_TAG_LEN)) /* that one layer adds to a segment */
#define SEAL_BATCH      4 /* segments in one write or read of the inner object */
#define SEAL_SEALED_MAX (SEAL_SEGMENT + SEAL_LAYERS * SEAL_LAYER_LEN)

/* The last byte of a segment's additional data. */
enum seal_place {
	SEAL_MORE = 0, /* a full segment; others follow */
	SEAL_LAST = 1,
	SEAL_TAIL = 2, /* the rest of a paused upload; never in an object */
};

/* What seals and opens the segments of one object. */
struct seal_lock {
	enum seal_suite suite;
	struct store_key object;
	uint8_t header[SEAL_HEADER_LEN];
	uint8_t header_hash[32];
	struct aead *layers[SEAL_LAYERS];
};

/* Bytes that sealing adds to a segment. */
size_t seal_overhead(enum seal_suite suite);
/* Size of a full segment as it stands in the object. */
size_t seal_sealed_segment(enum seal_suite suite);

/* For a new object, with the pool's current keys. */
MUST_CHECK bool seal_lock_make(const struct seal_pool *pool, const struct store_key *object,
	struct seal_lock *out, struct err *err);
/* For the object that has this header, once everything in it was found to be of the pool and the
 * object. */
MUST_CHECK bool seal_lock_from_header(const struct seal_pool *pool, const struct store_key *object,
	const uint8_t header[SEAL_HEADER_LEN], struct seal_lock *out, struct err *err);
void seal_lock_fini(struct seal_lock *lock); /* wipes */

/* out: len + seal_overhead bytes. */
void seal_segment(struct seal_lock *lock, uint64_t index, enum seal_place place, const void *plain,
	size_t len, uint8_t *out);

struct seal_piece {
	uint8_t *bytes;
	size_t len;
};

/* piece is the sealed segment, which this spoils, and then its plaintext: in its place, or, where
 * to is not NULL, there. Errors: CORRUPT; the bytes are wiped then. */
MUST_CHECK bool seal_open_segment(struct seal_lock *lock, uint64_t index, enum seal_place place,
	struct seal_piece *piece, uint8_t *to, struct err *err);
/* Takes apart what seal_writer_tail made for plain_size bytes: the lock by its header, and the
 * tail's plaintext (less than SEAL_SEGMENT bytes), appended to out. */
MUST_CHECK bool seal_open_tail(const struct seal_pool *pool, const struct store_key *object,
	uint64_t plain_size, struct str tail, struct seal_lock *out_lock, struct buf *out,
	struct err *err);

#endif
