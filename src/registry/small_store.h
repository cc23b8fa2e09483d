/*
 * small_store.h - a blobstore over another in which small objects have no file: a writer keeps
 * their bytes in memory until its caller puts them into the transaction that makes them a blob
 * (small_object_add, meta/blob_table.h). That one commit makes them durable, where a file takes two
 * more syncs; and so many files are not opened, read and removed.
 *
 * An object that grows beyond the limit, or must be durable before it is a blob (blob_writer_sync),
 * goes into the store below. Removal, size and enumeration are about what is there; rows go with
 * their blobs. For registry/ only. Threads: as blobstore.h.
 */
#ifndef BERTH_REGISTRY_SMALL_STORE_H
#define BERTH_REGISTRY_SMALL_STORE_H

#include "base/buf.h"
#include "meta/db.h"
#include "registry/core.h"
#include "store/blobstore.h"

/* Borrows files and db. max_bytes: of the object as it is stored; at most SMALL_OBJECT_MAX. */
struct blobstore *small_store_open(struct blobstore *files, struct db *db, size_t max_bytes);

/* Whether all bytes of a writer of such a store are in memory only; then *out is them, until the
 * writer is used again. False for a writer of any other store. */
bool small_store_bytes(const struct blob_writer *w, struct str *out);

/* Where whoever looks a blob up has read its row in the same transaction: a reader of these bytes,
 * which it takes over, as blobstore_open of `s` would give it. */
struct blob_reader *small_store_reader(struct blobstore *s, struct buf *bytes);

#endif
