/*
 * file.h - files and folders, with the only durable write path of whole small files.
 * Every descriptor is opened O_CLOEXEC. Threads: safe.
 */
#ifndef BERTH_BASE_FILE_H
#define BERTH_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

void fd_closep(int *fd); /* for CLEANUP; closes when >= 0 and sets -1 */
int take_fd(int *fd);    /* returns *fd and sets it to -1 */

/* What a failed system call on a file means: STORAGE_FULL, UNAVAILABLE (the device, or out of
 * descriptors), or INTERNAL. */
enum err_kind file_err_kind(int errnum);
/* Creates path and its missing parents, mode 0700, and makes the new entries durable. Existing
 * folders are kept as they are. */
MUST_CHECK bool file_mkdirs(const char *path, struct err *err);
/* Writes a temporary in the same folder, fsyncs it, renames it over path, fsyncs the folder. mode:
 * of the new file. */
MUST_CHECK bool file_write_atomic(
	const char *path, struct str content, unsigned mode, struct err *err);
/* The same for a file that must not be replaced: *out_made is false, and nothing changed, when path
 * exists already. */
MUST_CHECK bool file_write_new(
	const char *path, struct str content, unsigned mode, bool *out_made, struct err *err);
/* Appends the content of path to out. Errors: INVALID if it does not exist (message names it),
 * TOO_LARGE past out's maximum. */
MUST_CHECK bool file_read(const char *path, struct buf *out, struct err *err);
MUST_CHECK bool file_fsync_dir(const char *path, struct err *err);
/* All of it, at an offset, retrying short and interrupted calls. Errors: STORAGE_FULL for ENOSPC
 * and EDQUOT. */
/* On failure errno is what pwrite left. */
MUST_CHECK bool file_pwrite_all(
	int fd, const void *bytes, size_t len, uint64_t off, struct err *err);
/* Up to len bytes; *out_n < len only at the end of the file. */
MUST_CHECK bool file_pread_all(
	int fd, void *bytes, size_t len, uint64_t off, size_t *out_n, struct err *err);
bool file_exists(const char *path);

#endif
