/*
 * stage.h - direct writes for large objects of the file system store (O_DIRECT): past the page
 * cache, which takes bytes several times slower than many disks do, and which the blobs of a push
 * would empty of what pulls need.
 *
 * Direct writes come in whole blocks. A stage gathers what is appended to an object in a buffer,
 * and writes the buffer when it is full. Buffers are few (STAGES_MAX): whoever gets none writes
 * through the page cache.
 *
 * Threads: a pool is safe; a stage has one caller at a time.
 */
#ifndef BERTH_STORE_STAGE_H
#define BERTH_STORE_STAGE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "base/macros.h"

#define STAGE_BYTES ((size_t)256 * KIB)
#define STAGE_ALIGN   \
	((size_t)64 * \
		KIB)  /* a stage begins at a multiple: no page of any size is written both ways */
#define STAGES_MAX 24 /* 6 MiB */

struct stage_pool {
	atomic_uint taken;
	atomic_bool is_unsupported; /* a direct write was refused as such: no more are tried */
};

/* All zero: not begun. */
struct stage {
	struct stage_pool *pool;
	uint8_t *bytes;
	size_t fill;
	uint64_t offset; /* in the file, of bytes[0] */
	int fd;
};

/* Begins at offset, a multiple of STAGE_ALIGN, of the object with that path under root. False: not
 * to be had; nothing is changed. */
MUST_CHECK bool stage_begin(
	struct stage *s, struct stage_pool *pool, int root, const char *path, uint64_t offset);
bool stage_has_begun(const struct stage *s);
/* Takes up to len bytes; *taken says how many. False: what was gathered before could not be
 * written; it is still there, and the next call tries again. */
MUST_CHECK bool stage_put(
	struct stage *s, const uint8_t *bytes, size_t len, size_t *taken, struct err *err);
/* Writes what is gathered, the last part of a block through `buffered`, and ends the stage, also
 * when that fails. */
MUST_CHECK bool stage_end(struct stage *s, int buffered, struct err *err);
/* Drops what is gathered from the offset on. False: it lies before the stage, which has ended. */
bool stage_cut(struct stage *s, uint64_t offset);
void stage_drop(struct stage *s);

#endif
