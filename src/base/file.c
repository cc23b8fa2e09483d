#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

void fd_closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* whoever needs to know has called fsync before */
	*fd = -1;
}

int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

enum err_kind file_err_kind(int errnum)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
		return ERR_STORAGE_FULL;
	case EIO:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EROFS:
		return ERR_UNAVAILABLE;
	default:
		return ERR_INTERNAL;
	}
}

bool file_fsync_dir(const char *path, struct err *err)
{
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, file_err_kind(errno), errno, "opening folder %s", path);
	if (fsync(fd) != 0)
		return err_sys(err, file_err_kind(errno), errno, "fsync of folder %s", path);
	return true;
}

/* dst: the folder that holds path ("." and "/" where the text has none). */
static void parent_of(const char *path, char *dst)
{
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len == 0) {
		memcpy(dst, ".", 2);
		return;
	}
	memcpy(dst, path, len);
	dst[len] = '\0';
}

static bool make_dir(const char *path, struct err *err)
{
	struct stat st;
	if (mkdir(path, 0700) == 0) {
		char parent[PATH_MAX];
		parent_of(path, parent);
		return file_fsync_dir(parent, err);
	}
	int why = errno;
	/* A folder that exists is fine, whatever mkdir said: EEXIST, or EROFS, EACCES above a mount
	 * point. */
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	return err_sys(err, file_err_kind(why), why, "making folder %s", path);
}

bool file_mkdirs(const char *path, struct err *err)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(part))
		return err_sys(err, ERR_INVALID, 0, "folder name of %zu bytes", len);
	memcpy(part, path, len + 1);
	for (size_t i = 1; i < len; i++) {
		if (part[i] != '/' || part[i - 1] == '/')
			continue;
		part[i] = '\0';
		if (!make_dir(part, err))
			return false;
		part[i] = '/';
	}
	return make_dir(path, err);
}

/* The temporary file, whole and on disk. */
static bool write_tmp(int fd, const char *tmp, struct str content, unsigned mode, struct err *err)
{
	if (fchmod(fd, (mode_t)mode) != 0)
		return err_sys(err, file_err_kind(errno), errno, "chmod of %s", tmp);
	if (!file_pwrite_all(fd, content.ptr, content.len, 0, err))
		return err_wrap(err, "writing %s", tmp);
	if (fsync(fd) != 0)
		return err_sys(err, file_err_kind(errno), errno, "fsync of %s", tmp);
	return true;
}

/* Gives the temporary file its name; one that is taken stays whose it was unless it may be
 * replaced. */
static bool place_tmp(
	const char *tmp, const char *path, bool replaces, bool *out_made, struct err *err)
{
	if (replaces) {
		if (rename(tmp, path) != 0)
			return err_sys(
				err, file_err_kind(errno), errno, "renaming %s to %s", tmp, path);
		*out_made = true;
		return true;
	}
	*out_made = link(tmp, path) == 0;
	if (!*out_made && errno != EEXIST)
		return err_sys(err, file_err_kind(errno), errno, "linking %s to %s", tmp, path);
	return true;
}

static bool write_whole(const char *path, struct str content, unsigned mode, bool replaces,
	bool *out_made, struct err *err)
{
	char tmp[PATH_MAX];
	char parent[PATH_MAX];
	bool made = false;
	int len = snprintf(tmp, sizeof(tmp), "%s.tmp-XXXXXX", path);
	if (len < 0 || (size_t)len >= sizeof(tmp) || path[0] == '\0')
		return err_sys(err, ERR_INVALID, 0, "file name of %zu bytes", strlen(path));
	int fd CLEANUP(fd_closep) = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, file_err_kind(errno), errno,
			"making a temporary file beside %s", path);
	bool done = write_tmp(fd, tmp, content, mode, err) &&
		    place_tmp(tmp, path, replaces, &made, err);
	if (!done || !replaces)
		(void)unlink(tmp); /* the failure to report is the one above */
	if (!done)
		return false;
	parent_of(path, parent);
	if (!file_fsync_dir(parent, err))
		return false;
	*out_made = made;
	return true;
}

bool file_write_atomic(const char *path, struct str content, unsigned mode, struct err *err)
{
	bool made;
	return write_whole(path, content, mode, true, &made, err);
}

bool file_write_new(
	const char *path, struct str content, unsigned mode, bool *out_made, struct err *err)
{
	return write_whole(path, content, mode, false, out_made, err);
}

/* Reads on until the end of fd; one byte more than out may hold shows whether the file is too
 * large. */
static bool read_all(int fd, struct buf *out, struct err *err)
{
	for (;;) {
		char probe;
		size_t want = out->max - out->len < 64 * KIB ? out->max - out->len : 64 * KIB;
		char *to = want != 0 ? buf_reserve(out, want) : &probe;
		if (to == NULL)
			return err_set(err, ERR_UNAVAILABLE, "out of memory");
		ssize_t n = read(fd, to, want != 0 ? want : 1);
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return err_sys(err, file_err_kind(errno), errno, "reading");
		if (n > 0 && want == 0)
			return err_set(
				err, ERR_TOO_LARGE, "the file is larger than %zu bytes", out->max);
		if (n > 0)
			buf_commit(out, (size_t)n);
	}
}

bool file_read(const char *path, struct buf *out, struct err *err)
{
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(err, ERR_INVALID, "%s does not exist", path);
	if (fd < 0)
		return err_sys(err, file_err_kind(errno), errno, "opening %s", path);
	size_t before = out->len;
	if (!read_all(fd, out, err)) {
		out->len = before;
		return err_wrap(err, "%s", path);
	}
	return true;
}

bool file_pwrite_all(int fd, const void *bytes, size_t len, uint64_t off, struct err *err)
{
	const char *from = bytes;
	while (len > 0) {
		ssize_t n = pwrite(fd, from, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, file_err_kind(errno), errno, "pwrite");
		from += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return true;
}

bool file_pread_all(int fd, void *bytes, size_t len, uint64_t off, size_t *out_n, struct err *err)
{
	char *to = bytes;
	size_t done = 0;
	while (done < len) {
		ssize_t n = pread(fd, to + done, len - done, (off_t)(off + done));
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, file_err_kind(errno), errno, "pread");
		done += (size_t)n;
	}
	*out_n = done;
	return true;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}
