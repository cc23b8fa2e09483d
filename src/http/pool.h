/*
 * pool.h - the memory of a connection, instead of libmicrohttpd's own pool. That one clears all of
 * it between two requests, and so holds 32 KiB for a connection that has asked for a few hundred
 * bytes and waits; this one clears what was used.
 *
 * It is linked in the place of libmicrohttpd's memorypool.c, whose functions have these names and
 * do this in version 0.9.75. With another version, or where there is no archive of libmicrohttpd to
 * link with, meson.build leaves it out.
 */
#ifndef BERTH_HTTP_POOL_H
#define BERTH_HTTP_POOL_H

#include <stdbool.h>
#include <stddef.h>

/* libmicrohttpd uses this pool. */
bool pool_is_ours(void);

/* --- what libmicrohttpd calls. Threads: one caller a pool. NULL: not enough memory. --- */

struct MemoryPool;

/* NOLINTBEGIN(readability-identifier-naming): the names are libmicrohttpd's */

void MHD_init_mem_pools_(void);
struct MemoryPool *MHD_pool_create(size_t max);
void MHD_pool_destroy(struct MemoryPool *p);
size_t MHD_pool_get_free(struct MemoryPool *p);
/* From below, or from above for what stays until the end. */
void *MHD_pool_allocate(struct MemoryPool *p, size_t size, bool from_end);
/* From above. *required, when there is no room: by how much the last block from below would have to
 * shrink; SIZE_MAX if that would not do. */
void *MHD_pool_try_alloc(struct MemoryPool *p, size_t size, size_t *required);
/* Of a block from below. It stays where it is if it is the last one, or shrinks. */
void *MHD_pool_reallocate(struct MemoryPool *p, void *old, size_t old_size, size_t new_size);
/* Begins anew with one block of new_size that holds the keep_len bytes at keep: what has come of
 * the next request. The request before it ends there, and is cleared, with the headers found in it:
 * it may have held a password. */
void *MHD_pool_reset(struct MemoryPool *p, void *keep, size_t keep_len, size_t new_size);
/* NOLINTEND(readability-identifier-naming) */

#endif
