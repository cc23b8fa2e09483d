/*
 * blobstore.h - where the bytes of blobs are: objects named by a random 16-byte key, written once
 * from front to back.
 *
 * The store knows no digest, repository or pool. An upload writes straight into the object that the
 * blob will keep, so that nothing is copied or renamed when it closes (with S3 a rename is a copy).
 * Which objects are blobs is said by rows (meta/): a row is written after blob_writer_sync and
 * removed before blobstore_remove.
 *
 * Back ends embed struct blobstore as first member `base`.
 * Threads: a store is safe; a writer or reader has one caller at a time.
 */
#ifndef BERTH_STORE_BLOBSTORE_H
#define BERTH_STORE_BLOBSTORE_H

#include "base/err.h"
#include "base/str.h"

#define STORE_KEY_LEN 16

struct store_key {
	uint8_t bytes[STORE_KEY_LEN];
};

struct blobstore;

/* Embedded as first member by each back end's writer and reader. */
struct blob_writer {
	struct blobstore *store;
	uint64_t size_bytes; /* bytes in the object, those from before it was reopened included */
};

struct blob_reader {
	struct blobstore *store;
	uint64_t size_bytes;
	int fd; /* >= 0: these very bytes stand in this file from offset 0, fit for sendfile; -1:
		   read through pread only */
};

/* Called for each object; return false to stop early. */
typedef bool (*blobstore_each_fn)(void *arg, const struct store_key *key, uint64_t size_bytes);

struct blobstore_ops {
	/* Whether there is room for another len bytes. Append and write look for themselves; this
	 * is for bytes that go elsewhere on the same storage. Errors: STORAGE_FULL, UNAVAILABLE. */
	bool (*room)(struct blobstore *s, uint64_t len, struct err *err);
	/* Opens an object for appending; creates it when absent. size_bytes tells what it holds
	 * already. The object need not be durable before sync. Errors: STORAGE_FULL, UNAVAILABLE.
	 */
	bool (*append)(struct blobstore *s, const struct store_key *key, struct blob_writer **out,
		struct err *err);
	/* On failure the object holds some prefix of the bytes; size_bytes says how many are known
	 * to be there. */
	bool (*write)(struct blob_writer *w, const void *bytes, size_t len, struct err *err);
	/* Returns after every byte and the object's name are on stable storage. */
	bool (*sync)(struct blob_writer *w, struct err *err);
	/* Drops the bytes from size_bytes on, so that the next write stands there; for an upload
	 * that is resumed with more in its object than was promised to its client. Callers keep
	 * what they may have promised: no less than the object held at the last sync that a
	 * committed row tells of; a back end whose objects are made of parts may keep older parts
	 * as they are. Durable after the next sync: a crash before it may bring dropped bytes back.
	 * On failure the object holds at least size_bytes of its bytes and the writer's size says
	 * how many. */
	bool (*cut)(struct blob_writer *w, uint64_t size_bytes, struct err *err);
	void (*close_writer)(struct blob_writer *w);
	/* Errors: BLOB_UNKNOWN when there is no such object. */
	bool (*open)(struct blobstore *s, const struct store_key *key, struct blob_reader **out,
		struct err *err);
	/* *out_n < len only at the end of the object. */
	bool (*pread)(struct blob_reader *r, void *bytes, size_t len, uint64_t off, size_t *out_n,
		struct err *err);
	void (*close_reader)(struct blob_reader *r);
	/* Optional: a back end that reads ahead stops before end. */
	void (*limit)(struct blob_reader *r, uint64_t end);
	/* Done too when there is no such object. Open readers keep working. */
	bool (*remove)(struct blobstore *s, const struct store_key *key, struct err *err);
	/* Returns after every removal that was done before is on stable storage: until then a power
	 * cut may bring the object back, so what remembers that it is to go must stay. */
	bool (*sync_removed)(struct blobstore *s, struct err *err);
	/* Errors: BLOB_UNKNOWN. last_write_ms: wall clock of the last append. */
	bool (*stat)(struct blobstore *s, const struct store_key *key, uint64_t *size_bytes,
		int64_t *last_write_ms, struct err *err);
	/* Every object, in no order; objects that come or go meanwhile may be missed. */
	bool (*each)(struct blobstore *s, blobstore_each_fn fn, void *arg, struct err *err);
	void (*close)(struct blobstore *s);
};

struct blobstore {
	const struct blobstore_ops *ops;
};

/* Thin forwards to ops (blobstore.c); the close functions accept NULL. */
MUST_CHECK bool blobstore_room(struct blobstore *s, uint64_t len, struct err *err);
MUST_CHECK bool blobstore_append(struct blobstore *s, const struct store_key *key,
	struct blob_writer **out, struct err *err);
MUST_CHECK bool blob_writer_write(
	struct blob_writer *w, const void *bytes, size_t len, struct err *err);
MUST_CHECK bool blob_writer_sync(struct blob_writer *w, struct err *err);
/* Asserts that the object holds size_bytes. */
MUST_CHECK bool blob_writer_cut(struct blob_writer *w, uint64_t size_bytes, struct err *err);
void blob_writer_close(struct blob_writer *w);
void blob_writer_closep(struct blob_writer **w);
MUST_CHECK bool blobstore_open(struct blobstore *s, const struct store_key *key,
	struct blob_reader **out, struct err *err);
MUST_CHECK bool blob_reader_pread(struct blob_reader *r, void *bytes, size_t len, uint64_t off,
	size_t *out_n, struct err *err);
/* Nothing from end on will be asked for, until another call says otherwise. */
void blob_reader_limit(struct blob_reader *r, uint64_t end);
void blob_reader_close(struct blob_reader *r);
void blob_reader_closep(struct blob_reader **r);
MUST_CHECK bool blobstore_remove(struct blobstore *s, const struct store_key *key, struct err *err);
MUST_CHECK bool blobstore_sync_removed(struct blobstore *s, struct err *err);
MUST_CHECK bool blobstore_stat(struct blobstore *s, const struct store_key *key,
	uint64_t *size_bytes, int64_t *last_write_ms, struct err *err);
MUST_CHECK bool blobstore_each(
	struct blobstore *s, blobstore_each_fn fn, void *arg, struct err *err);
void blobstore_close(struct blobstore *s);

#endif
