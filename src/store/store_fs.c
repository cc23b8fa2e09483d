#include "store/store_fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/stage.h"

#define SHARDS      256
#define SHARD_LEN   2
#define NAME_LEN    (2 * STORE_KEY_LEN)
#define PATH_LEN    (SHARD_LEN + 1 + NAME_LEN)
#define WINDOW      (8 * MIB) /* between two looks at the free space, and two starts of write-back */
#define DIRECT_FROM MIB       /* what an object holds beyond is written past the page cache */

struct fs {
	struct blobstore base;
	int root;
	uint64_t min_free_bytes;
	/* The shard's folder is durable: the root was fsynced by this process after the folder was
	 * there. Not known from the folder's mere existence, as another writer may have made it a
	 * moment ago. */
	atomic_bool is_shard_durable[SHARDS];
	/* Objects removed from the shard, and how many of these are known to be durably gone. */
	atomic_uint_fast64_t removed[SHARDS], removed_durably[SHARDS];
	struct stage_pool stages;
};

struct fs_writer {
	struct blob_writer base;
	struct store_key key;
	int fd;
	struct stage stage;     /* the last bytes of the object, if it has begun */
	uint64_t looked_bytes;  /* size at the last look at the free space */
	uint64_t flushed_bytes; /* write-back was started up to here */
	/* Where a failed fsync cuts: what this writer synced, or found when it opened the object,
	 * for an earlier one may have synced and acknowledged that. */
	uint64_t floor_bytes;
	bool is_name_durable;
	bool is_broken; /* an fsync failed: the kernel may have dropped what it could not write, and
			   will not say so again */
};

static struct fs *fs_of(struct blobstore *s)
{
	return (struct fs *)s;
}

static struct fs_writer *writer_of(struct blob_writer *w)
{
	return (struct fs_writer *)w;
}

/* "ab/ab12..."; the first SHARD_LEN characters name the folder. */
static void object_path(const struct store_key *key, char path[PATH_LEN + 1])
{
	hex_encode(key->bytes, 1, path);
	path[SHARD_LEN] = '/';
	hex_encode(key->bytes, STORE_KEY_LEN, path + SHARD_LEN + 1);
	path[PATH_LEN] = '\0';
}

static void shard_name(size_t shard, char name[SHARD_LEN + 1])
{
	uint8_t byte = (uint8_t)shard;
	hex_encode(&byte, 1, name);
	name[SHARD_LEN] = '\0';
}

static bool fail(struct err *err, int errnum, const char *what, const struct store_key *key)
{
	char path[PATH_LEN + 1];
	object_path(key, path);
	return err_sys(err, file_err_kind(errnum), errnum, "%s object %s", what, path);
}

static bool fs_room(struct blobstore *s, uint64_t wanted, struct err *err)
{
	const struct fs *fs = fs_of(s);
	struct statvfs vfs;
	if (fs->min_free_bytes == 0)
		return true;
	if (fstatvfs(fs->root, &vfs) != 0)
		return err_sys(err, file_err_kind(errno), errno, "statvfs");
	uint64_t free_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (free_bytes < wanted || free_bytes - wanted < fs->min_free_bytes)
		return err_sys(err, ERR_STORAGE_FULL, 0, "%llu bytes are free, %llu are to stay so",
			(unsigned long long)free_bytes, (unsigned long long)fs->min_free_bytes);
	return true;
}

/* -1 and errno on failure. Makes the shard's folder if it is missing. */
static int open_for_append(const struct fs *fs, const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(fs->root, path, flags, 0600);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	char shard[SHARD_LEN + 1];
	memcpy(shard, path, SHARD_LEN);
	shard[SHARD_LEN] = '\0';
	if (mkdirat(fs->root, shard, 0700) != 0 && errno != EEXIST)
		return -1;
	return openat(fs->root, path, flags, 0600);
}

static bool fs_append(
	struct blobstore *s, const struct store_key *key, struct blob_writer **out, struct err *err)
{
	struct fs *fs = fs_of(s);
	char path[PATH_LEN + 1];
	struct stat st;
	if (!fs_room(s, 0, err))
		return false;
	object_path(key, path);
	int fd CLEANUP(fd_closep) = open_for_append(fs, path);
	if (fd < 0 || fstat(fd, &st) != 0)
		return fail(err, errno, "opening", key);
	struct fs_writer *w = xmalloc(sizeof(*w));
	w->base.store = s;
	w->base.size_bytes = (uint64_t)st.st_size;
	w->looked_bytes = (uint64_t)st.st_size;
	w->flushed_bytes = (uint64_t)st.st_size;
	w->floor_bytes = (uint64_t)st.st_size;
	w->key = *key;
	w->fd = take_fd(&fd);
	*out = &w->base;
	return true;
}

static bool write_failed(const struct fs_writer *w, struct err *err)
{
	char path[PATH_LEN + 1];
	object_path(&w->key, path);
	return err_wrap(err, "writing object %s", path);
}

/* Through the page cache. */
static bool write_cached(struct fs_writer *w, const uint8_t *bytes, size_t len, struct err *err)
{
	struct blob_writer *base = &w->base;
	if (base->size_bytes - w->flushed_bytes >= WINDOW) {
		/* Only a head start for the fsync to come, which reports the errors too;
		 * unsupported on some file systems. */
		(void)sync_file_range(w->fd, (off_t)w->flushed_bytes,
			(off_t)(base->size_bytes - w->flushed_bytes), SYNC_FILE_RANGE_WRITE);
		w->flushed_bytes = base->size_bytes;
	}
	if (!file_pwrite_all(w->fd, bytes, len, base->size_bytes, err)) {
		/* Cut off what was written of this piece. Should that fail as well, the object
		 * still holds a prefix. */
		if (ftruncate(w->fd, (off_t)base->size_bytes) != 0)
			err_wrap(err, "and truncating");
		return write_failed(w, err);
	}
	base->size_bytes += len;
	return true;
}

/* Begins a stage where one may begin. */
static bool is_staged(struct fs_writer *w)
{
	uint64_t size = w->base.size_bytes;
	char path[PATH_LEN + 1];
	if (stage_has_begun(&w->stage))
		return true;
	if (size < DIRECT_FROM || size % STAGE_ALIGN != 0)
		return false;
	object_path(&w->key, path);
	struct fs *fs = fs_of(w->base.store);
	return stage_begin(&w->stage, &fs->stages, fs->root, path, size);
}

/* How many of len bytes go through the page cache, up to where a stage may begin. */
static size_t cached_part(uint64_t size, size_t len)
{
	uint64_t until =
		size < DIRECT_FROM ? DIRECT_FROM : (size + STAGE_ALIGN) / STAGE_ALIGN * STAGE_ALIGN;
	return until - size < len ? (size_t)(until - size) : len;
}

static bool write_some(
	struct fs_writer *w, const uint8_t *bytes, size_t len, size_t *taken, struct err *err)
{
	if (!is_staged(w)) {
		*taken = cached_part(w->base.size_bytes, len);
		return write_cached(w, bytes, *taken, err);
	}
	bool done = stage_put(&w->stage, bytes, len, taken, err);
	w->base.size_bytes += *taken;
	w->flushed_bytes = w->base.size_bytes;
	if (done)
		return true;
	/* What the stage holds is written again the next time; should what was written of it stay,
	 * it would stand behind an object that is cut before that. */
	if (ftruncate(w->fd, (off_t)w->stage.offset) != 0) {
		w->is_broken = true;
		err_wrap(err, "and truncating");
	}
	return write_failed(w, err);
}

static bool fs_write(struct blob_writer *base, const void *bytes, size_t len, struct err *err)
{
	struct fs_writer *w = writer_of(base);
	const uint8_t *from = bytes;
	if (w->is_broken)
		return fail(err, EIO, "an fsync failed before: writing", &w->key);
	if (base->size_bytes - w->looked_bytes >= WINDOW) {
		if (!fs_room(base->store, len, err))
			return false;
		w->looked_bytes = base->size_bytes;
	}
	while (len > 0) {
		size_t n = 0;
		if (!write_some(w, from, len, &n, err))
			return false;
		from += n;
		len -= n;
	}
	return true;
}

/* Makes the object's name durable: its entry in the shard's folder, and that folder's in the root.
 */
static bool sync_name(struct fs *fs, const struct store_key *key, struct err *err)
{
	size_t shard = key->bytes[0];
	char name[SHARD_LEN + 1];
	shard_name(shard, name);
	int fd CLEANUP(fd_closep) = openat(fs->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return fail(err, errno, "fsync of the folder of", key);
	if (!atomic_load(&fs->is_shard_durable[shard])) {
		if (fsync(fs->root) != 0)
			return fail(err, errno, "fsync of the root for", key);
		atomic_store(&fs->is_shard_durable[shard], true);
	}
	return true;
}

static bool fs_sync(struct blob_writer *base, struct err *err)
{
	struct fs_writer *w = writer_of(base);
	if (w->is_broken)
		return fail(err, EIO, "an fsync failed before: fsync of", &w->key);
	bool done = stage_end(&w->stage, w->fd, err);
	if (done && fsync(w->fd) != 0)
		done = fail(err, errno, "fsync of", &w->key);
	if (!done) {
		/* What this writer wrote since its last sync is of unknown content: it must not be
		 * appended to by another request. */
		w->is_broken = true;
		if (ftruncate(w->fd, (off_t)w->floor_bytes) == 0)
			base->size_bytes = w->floor_bytes;
		return write_failed(w, err);
	}
	w->floor_bytes = base->size_bytes;
	w->flushed_bytes = base->size_bytes;
	/* Whoever made the file may never have synced: each writer does it once itself. */
	if (!w->is_name_durable) {
		if (!sync_name(fs_of(base->store), &w->key, err))
			return false;
		w->is_name_durable = true;
	}
	return true;
}

static bool fs_cut(struct blob_writer *base, uint64_t size_bytes, struct err *err)
{
	struct fs_writer *w = writer_of(base);
	if (w->is_broken)
		return fail(err, EIO, "an fsync failed before: cutting", &w->key);
	/* What a stage holds is not in the file yet; where nothing is cut, nothing is torn either.
	 */
	if (stage_has_begun(&w->stage) && stage_cut(&w->stage, size_bytes)) {
		base->size_bytes = size_bytes;
		return true;
	}
	if (ftruncate(w->fd, (off_t)size_bytes) != 0)
		return fail(err, errno, "cutting", &w->key);
	base->size_bytes = size_bytes;
	if (w->flushed_bytes > size_bytes)
		w->flushed_bytes = size_bytes;
	if (w->looked_bytes > size_bytes)
		w->looked_bytes = size_bytes;
	if (w->floor_bytes > size_bytes)
		w->floor_bytes = size_bytes;
	return true;
}

static void fs_close_writer(struct blob_writer *base)
{
	struct fs_writer *w = writer_of(base);
	struct err err;
	/* Nobody was promised what was not synced, but what there is may save sending it again. */
	if (!w->is_broken)
		err_ignore(stage_end(&w->stage, w->fd, &err));
	stage_drop(&w->stage);
	fd_closep(&w->fd);
	free(w);
}

static bool fs_open(
	struct blobstore *s, const struct store_key *key, struct blob_reader **out, struct err *err)
{
	char path[PATH_LEN + 1];
	struct stat st;
	object_path(key, path);
	int fd CLEANUP(fd_closep) = openat(fs_of(s)->root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return err_sys(err, ERR_BLOB_UNKNOWN, 0, "no object %s", path);
	if (fd < 0 || fstat(fd, &st) != 0)
		return fail(err, errno, "opening", key);
	struct blob_reader *r = xmalloc(sizeof(*r));
	r->store = s;
	r->size_bytes = (uint64_t)st.st_size;
	r->fd = take_fd(&fd);
	*out = r;
	return true;
}

static bool fs_pread(struct blob_reader *r, void *bytes, size_t len, uint64_t off, size_t *out_n,
	struct err *err)
{
	size_t n;
	if (!file_pread_all(r->fd, bytes, len, off, &n, err))
		return err_wrap(err, "reading an object");
	if (n < len && off + n < r->size_bytes)
		return err_sys(err, ERR_CORRUPT, 0, "an object of %llu bytes ends at %llu",
			(unsigned long long)r->size_bytes, (unsigned long long)(off + n));
	*out_n = n;
	return true;
}

static void fs_close_reader(struct blob_reader *r)
{
	fd_closep(&r->fd);
	free(r);
}

/* Counted also if there was none: another process may have removed it a moment ago. */
static bool fs_remove(struct blobstore *s, const struct store_key *key, struct err *err)
{
	char path[PATH_LEN + 1];
	object_path(key, path);
	if (unlinkat(fs_of(s)->root, path, 0) != 0 && errno != ENOENT)
		return fail(err, errno, "removing", key);
	atomic_fetch_add(&fs_of(s)->removed[key->bytes[0]], 1);
	return true;
}

static bool sync_shard(const struct fs *fs, size_t shard, struct err *err)
{
	char name[SHARD_LEN + 1];
	shard_name(shard, name);
	int fd CLEANUP(fd_closep) = openat(fs->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return true; /* there was never an object */
	if (fd < 0 || fsync(fd) != 0)
		return err_sys(err, file_err_kind(errno), errno, "fsync of folder %s", name);
	return true;
}

static bool fs_sync_removed(struct blobstore *s, struct err *err)
{
	struct fs *fs = fs_of(s);
	for (size_t i = 0; i < SHARDS; i++) {
		uint_fast64_t n = atomic_load(&fs->removed[i]);
		if (n == atomic_load(&fs->removed_durably[i]))
			continue;
		if (!sync_shard(fs, i, err))
			return false;
		atomic_store(&fs->removed_durably[i], n);
	}
	return true;
}

static bool fs_stat(struct blobstore *s, const struct store_key *key, uint64_t *size_bytes,
	int64_t *last_write_ms, struct err *err)
{
	char path[PATH_LEN + 1];
	struct stat st;
	object_path(key, path);
	if (fstatat(fs_of(s)->root, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			return err_sys(err, ERR_BLOB_UNKNOWN, 0, "no object %s", path);
		return fail(err, errno, "stat of", key);
	}
	*size_bytes = (uint64_t)st.st_size;
	*last_write_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	return true;
}

static void dir_closep(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
	*dir = NULL;
}

/* Sets *go_on to false when fn has had enough. Foreign files are passed over. */
static bool each_in_shard(const struct fs *fs, size_t shard, blobstore_each_fn fn, void *arg,
	bool *go_on, struct err *err)
{
	char name[SHARD_LEN + 1];
	shard_name(shard, name);
	int fd CLEANUP(fd_closep) = openat(fs->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return true;
	DIR *dir CLEANUP(dir_closep) = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL)
		return err_sys(err, file_err_kind(errno), errno, "opening shard %s", name);
	take_fd(&fd); /* it is the stream's now */
	while (*go_on) {
		struct store_key key;
		struct stat st;
		errno = 0;
		/* glibc's readdir is safe where, as here, each stream has one caller.
		 * NOLINTNEXTLINE(concurrency-mt-unsafe) */
		const struct dirent *entry = readdir(dir);
		if (entry == NULL && errno != 0)
			return err_sys(err, file_err_kind(errno), errno, "reading shard %s", name);
		if (entry == NULL)
			return true;
		if (!hex_decode(str_from(entry->d_name), true, key.bytes, STORE_KEY_LEN) ||
			key.bytes[0] != shard)
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode))
			*go_on = fn(arg, &key, (uint64_t)st.st_size);
	}
	return true;
}

static bool fs_each(struct blobstore *s, blobstore_each_fn fn, void *arg, struct err *err)
{
	bool go_on = true;
	for (size_t shard = 0; shard < SHARDS && go_on; shard++) {
		if (!each_in_shard(fs_of(s), shard, fn, arg, &go_on, err))
			return false;
	}
	return true;
}

static void fs_close(struct blobstore *s)
{
	struct fs *fs = fs_of(s);
	fd_closep(&fs->root);
	free(fs);
}

static const struct blobstore_ops fs_ops = {
	.room = fs_room,
	.append = fs_append,
	.write = fs_write,
	.sync = fs_sync,
	.cut = fs_cut,
	.close_writer = fs_close_writer,
	.open = fs_open,
	.pread = fs_pread,
	.close_reader = fs_close_reader,
	.remove = fs_remove,
	.sync_removed = fs_sync_removed,
	.stat = fs_stat,
	.each = fs_each,
	.close = fs_close,
};

bool store_fs_open(
	const char *folder, uint64_t min_free_bytes, struct blobstore **out, struct err *err)
{
	if (!file_mkdirs(folder, err))
		return false;
	int root CLEANUP(fd_closep) = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, file_err_kind(errno), errno, "opening folder %s", folder);
	struct fs *fs = xmalloc(sizeof(*fs));
	fs->base.ops = &fs_ops;
	fs->root = take_fd(&root);
	fs->min_free_bytes = min_free_bytes;
	*out = &fs->base;
	return true;
}
