#include "registry/small_store.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "meta/blob_table.h"

struct small {
	struct blobstore base;
	struct blobstore *files;
	struct db *db;
	size_t max_bytes;
};

struct small_writer {
	struct blob_writer base;
	struct store_key key;
	struct blob_writer *file; /* NULL: all bytes are here */
	struct buf bytes;
	bool has_file; /* even if writing to it failed */
};

struct small_reader {
	struct blob_reader base;
	struct buf bytes;
};

static const struct blobstore_ops small_ops;

static struct small *small_of(struct blobstore *s)
{
	return (struct small *)s;
}

static void take_size(struct small_writer *w)
{
	w->base.size_bytes = w->file ? w->file->size_bytes : w->bytes.len;
}

static bool open_file(struct small_writer *w, struct err *err)
{
	return blobstore_append(small_of(w->base.store)->files, &w->key, &w->file, err);
}

static bool small_room(struct blobstore *s, uint64_t len, struct err *err)
{
	return blobstore_room(small_of(s)->files, len, err);
}

static bool small_append(
	struct blobstore *s, const struct store_key *key, struct blob_writer **out, struct err *err)
{
	const struct small *small = small_of(s);
	uint64_t size = 0;
	int64_t last = 0;
	bool has_file =
		small->max_bytes == 0 || blobstore_stat(small->files, key, &size, &last, err);
	if (!has_file && (err->kind != ERR_BLOB_UNKNOWN ||
				 !blobstore_room(small->files, small->max_bytes, err)))
		return false;
	struct small_writer *w = xmalloc(sizeof(*w));
	w->base.store = s;
	w->key = *key;
	w->has_file = has_file;
	buf_init(&w->bytes, small->max_bytes);
	if (has_file && !open_file(w, err)) {
		free(w);
		return false;
	}
	take_size(w);
	*out = &w->base;
	return true;
}

/* Should it fail, the bytes stay here, and what the file took is dropped the next time. */
static bool move_to_file(struct small_writer *w, struct err *err)
{
	w->has_file = true;
	if (!open_file(w, err))
		return false;
	assert(w->file);
	struct str bytes = buf_str(&w->bytes);
	if ((w->file->size_bytes == 0 || blob_writer_cut(w->file, 0, err)) &&
		blob_writer_write(w->file, bytes.ptr, bytes.len, err)) {
		buf_fini(&w->bytes);
		return true;
	}
	blob_writer_close(w->file);
	w->file = NULL;
	return false;
}

static bool small_write(struct blob_writer *base, const void *bytes, size_t len, struct err *err)
{
	struct small_writer *w = (struct small_writer *)base;
	if (!w->file && len <= small_of(base->store)->max_bytes - w->bytes.len) {
		buf_add(&w->bytes, bytes, len);
		take_size(w);
		if (buf_ok(&w->bytes))
			return true;
		w->bytes.failed = false; /* nothing of this piece went in */
		return err_sys(err, ERR_UNAVAILABLE, 0, "no memory for a small object");
	}
	if (!w->file && !move_to_file(w, err))
		return false;
	bool ok = blob_writer_write(w->file, bytes, len, err);
	take_size(w);
	return ok;
}

static bool small_sync(struct blob_writer *base, struct err *err)
{
	struct small_writer *w = (struct small_writer *)base;
	bool ok = (w->file || move_to_file(w, err)) && blob_writer_sync(w->file, err);
	take_size(w); /* one that failed may have cut the file */
	return ok;
}

static bool small_cut(struct blob_writer *base, uint64_t size_bytes, struct err *err)
{
	struct small_writer *w = (struct small_writer *)base;
	bool ok = true;
	if (w->file)
		ok = blob_writer_cut(w->file, size_bytes, err);
	else
		w->bytes.len = (size_t)size_bytes;
	take_size(w);
	return ok;
}

static void small_close_writer(struct blob_writer *base)
{
	struct small_writer *w = (struct small_writer *)base;
	blob_writer_close(w->file);
	buf_fini(&w->bytes);
	free(w);
}

struct read_args {
	const struct store_key *key;
	struct buf *bytes;
	bool found;
};

static bool read_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct read_args *a = arg;
	buf_reset(a->bytes);
	return small_object_get(conn, a->key->bytes, a->bytes, &a->found, err);
}

/* Files first: a row costs a look into the database. */
static bool small_open(
	struct blobstore *s, const struct store_key *key, struct blob_reader **out, struct err *err)
{
	if (blobstore_open(small_of(s)->files, key, out, err))
		return true;
	if (err->kind != ERR_BLOB_UNKNOWN)
		return false;
	struct err none = *err;
	struct buf bytes CLEANUP(buf_fini);
	buf_init(&bytes, SMALL_OBJECT_MAX);
	struct read_args a = { key, &bytes, false };
	if (!db_read(small_of(s)->db, read_in, &a, err))
		return false;
	if (!a.found) {
		*err = none;
		return false;
	}
	*out = small_store_reader(s, &bytes);
	return true;
}

struct blob_reader *small_store_reader(struct blobstore *s, struct buf *bytes)
{
	assert(s->ops == &small_ops);
	struct small_reader *r = xmalloc(sizeof(*r));
	r->bytes = *bytes;
	r->base = (struct blob_reader){ s, bytes->len, -1 };
	buf_init(bytes, bytes->max);
	return &r->base;
}

static bool small_pread(struct blob_reader *base, void *bytes, size_t len, uint64_t off,
	size_t *out_n, struct err *err UNUSED)
{
	const struct buf *b = &((struct small_reader *)base)->bytes;
	size_t left = off < b->len ? b->len - (size_t)off : 0;
	size_t n = left < len ? left : len;
	if (n)
		memcpy(bytes, b->ptr + off, n);
	*out_n = n;
	return true;
}

static void small_close_reader(struct blob_reader *base)
{
	struct small_reader *r = (struct small_reader *)base;
	buf_fini(&r->bytes);
	free(r);
}

static bool small_remove(struct blobstore *s, const struct store_key *key, struct err *err)
{
	return blobstore_remove(small_of(s)->files, key, err);
}

static bool small_sync_removed(struct blobstore *s, struct err *err)
{
	return blobstore_sync_removed(small_of(s)->files, err);
}

static bool small_stat(struct blobstore *s, const struct store_key *key, uint64_t *size_bytes,
	int64_t *last_write_ms, struct err *err)
{
	return blobstore_stat(small_of(s)->files, key, size_bytes, last_write_ms, err);
}

static bool small_each(struct blobstore *s, blobstore_each_fn fn, void *arg, struct err *err)
{
	return blobstore_each(small_of(s)->files, fn, arg, err);
}

static void small_close(struct blobstore *s)
{
	free(s);
}

static const struct blobstore_ops small_ops = {
	.room = small_room,
	.append = small_append,
	.write = small_write,
	.sync = small_sync,
	.cut = small_cut,
	.close_writer = small_close_writer,
	.open = small_open,
	.pread = small_pread,
	.close_reader = small_close_reader,
	.remove = small_remove,
	.sync_removed = small_sync_removed,
	.stat = small_stat,
	.each = small_each,
	.close = small_close,
};

struct blobstore *small_store_open(struct blobstore *files, struct db *db, size_t max_bytes)
{
	assert(max_bytes <= SMALL_OBJECT_MAX);
	struct small *s = xmalloc(sizeof(*s));
	*s = (struct small){ { &small_ops }, files, db, max_bytes };
	return &s->base;
}

bool small_store_bytes(const struct blob_writer *base, struct str *out)
{
	const struct small_writer *w = (const struct small_writer *)base;
	if (base->store->ops != &small_ops || w->has_file)
		return false;
	*out = buf_str(&w->bytes);
	return true;
}
