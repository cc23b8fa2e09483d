/*
 * store_fs.h - objects as files <folder>/<first two hex digits>/<32 hex digits>, mode 0600.
 * Appending starts write-back every 8 MiB (sync_file_range) so that the closing fsync is short.
 */
#ifndef BERTH_STORE_STORE_FS_H
#define BERTH_STORE_STORE_FS_H

#include "store/blobstore.h"

/* folder: exists or is made. min_free_bytes: a write that would leave less than this on the file
 * system fails with STORAGE_FULL, so that metadata and deletions still have room; checked when an
 * object is opened for append and every 8 MiB. */
MUST_CHECK bool store_fs_open(
	const char *folder, uint64_t min_free_bytes, struct blobstore **out, struct err *err);

#endif
