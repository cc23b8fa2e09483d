/*
 * seal.h - objects whose bytes are encrypted: AES-256-GCM segments over a blob_writer or
 * blob_reader, each bound to its object and its place, readable at any offset. The bytes are
 * specified in docs/segment-format.md.
 *
 * Every segment holds SEAL_SEGMENT bytes of plaintext but the last, which is shorter (maybe empty)
 * and alone says that it is the last. So a plaintext size and an object's size follow from each
 * other, and nothing that was cut, extended, reordered, swapped or changed opens: a reader hands
 * out only what was authenticated.
 *
 * An upload may pause at any byte. Full segments stand in the object; the tail of less than a
 * segment is given to the caller, sealed, to keep in its row. No segment is overwritten in place:
 * what lies behind the acknowledged bytes is cut off.
 *
 * Threads: one caller at a time for each reader and writer; different ones may run at once (and
 * call seal_key_fn so).
 */
#ifndef BERTH_STORE_SEAL_H
#define BERTH_STORE_SEAL_H

#include "base/buf.h"
#include "crypt/secret.h"
#include "store/blobstore.h"

#define SEAL_SEGMENT (64 * KIB)
#define SEAL_KEY_LEN 32
/* A tail is shorter than a segment; this is the most that seal_writer_tail appends. */
#define SEAL_TAIL_MAX (SEAL_SEGMENT + 256)

enum seal_suite {
	SEAL_SINGLE = 1, /* AES-256-GCM once, with keys of SEAL_INNER */
	SEAL_DOUBLE =
		2, /* twice, with independent keys and nonces: SEAL_INNER first, then SEAL_OUTER */
};

enum seal_layer { SEAL_INNER, SEAL_OUTER };

#define SEAL_LAYERS 2

/* Gives the pool's data key of a layer and version: SEAL_KEY_LEN bytes. Errors: KEY_UNKNOWN when
 * there is none of that version; whatever the ring says of a key that cannot be used. */
typedef bool (*seal_key_fn)(
	void *arg, enum seal_layer layer, uint32_t version, struct secret *out, struct err *err);

/* How the objects of one pool are sealed. Borrowed only during the calls that take it. */
struct seal_pool {
	int64_t pool_id;
	enum seal_suite suite;
	uint32_t version[SEAL_LAYERS]; /* of the keys for new objects; from 1. [SEAL_OUTER] is not
					  used by SEAL_SINGLE */
	seal_key_fn key;
	void *arg;
};

/* Bytes of the object that holds plain_size bytes, finished. */
uint64_t seal_inner_size(enum seal_suite suite, uint64_t plain_size);
/* The other way; false when no finished object has that size. */
bool seal_plain_size(enum seal_suite suite, uint64_t inner_size, uint64_t *out);

struct seal_writer;

/*
 * Opens an upload. plain_size: what is acknowledged (0: a fresh one); tail: what seal_writer_tail
 * gave at that size (empty when plain_size is 0). What the object holds beyond it is cut off.
 * Borrows inner until close, which does not close it. Errors: CORRUPT (the object or the tail is
 * not what was acknowledged), the inner store's, the key's.
 */
MUST_CHECK bool seal_writer_open(struct blob_writer *inner, const struct seal_pool *pool,
	const struct store_key *object, uint64_t plain_size, struct str tail,
	struct seal_writer **out, struct err *err);
/* On failure some prefix of the bytes was taken, which seal_writer_size tells; the writer can go
 * on. */
MUST_CHECK bool seal_writer_write(
	struct seal_writer *w, const void *bytes, size_t len, struct err *err);
uint64_t seal_writer_size(const struct seal_writer *w); /* plaintext bytes taken */
/* Writes all full segments to the object and appends the sealed rest to out. Then: sync the object,
 * commit size and tail in one row, acknowledge. The writer can go on. */
MUST_CHECK bool seal_writer_tail(struct seal_writer *w, struct buf *out, struct err *err);
/* Writes what is missing and the last segment. Then: sync the object, commit. Should that fail, the
 * writer can go on, and finish again. */
MUST_CHECK bool seal_writer_finish(struct seal_writer *w, struct err *err);
void seal_writer_close(struct seal_writer *w); /* accepts NULL; wipes the keys */
void seal_writer_closep(struct seal_writer **w);

struct seal_reader;

/*
 * Opens a finished object that holds plain_size bytes. Borrows inner until close, which does not
 * close it. Errors: CORRUPT (wrong size, header of another object or pool, damaged header), the
 * inner store's, the key's.
 */
MUST_CHECK bool seal_reader_open(struct blob_reader *inner, const struct seal_pool *pool,
	const struct store_key *object, uint64_t plain_size, struct seal_reader **out,
	struct err *err);
/* Opens a paused upload, up to what is acknowledged (see seal_writer_open); for hashing it again.
 * inner may be NULL while plain_size is less than a segment. What the object holds beyond it is not
 * looked at. */
MUST_CHECK bool seal_reader_open_paused(struct blob_reader *inner, const struct seal_pool *pool,
	const struct store_key *object, uint64_t plain_size, struct str tail,
	struct seal_reader **out, struct err *err);
uint64_t seal_reader_size(const struct seal_reader *r); /* plaintext bytes */
/* Nothing from end on will be asked for: reading ahead stops with the segment that holds the byte
 * before it. */
void seal_reader_limit(struct seal_reader *r, uint64_t end);
/* *out_n < len only at the end. Reading on where the last call ended decrypts each segment once and
 * reads several ahead. Errors: CORRUPT, with a detail that names the segment: bytes is not to be
 * used then; the inner store's. */
MUST_CHECK bool seal_reader_pread(struct seal_reader *r, void *bytes, size_t len, uint64_t off,
	size_t *out_n, struct err *err);
void seal_reader_close(struct seal_reader *r); /* accepts NULL; wipes the keys */
void seal_reader_closep(struct seal_reader **r);

#endif
