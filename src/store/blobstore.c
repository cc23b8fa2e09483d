#include "store/blobstore.h"

#include <assert.h>

bool blobstore_room(struct blobstore *s, uint64_t len, struct err *err)
{
	return s->ops->room(s, len, err);
}

bool blobstore_append(
	struct blobstore *s, const struct store_key *key, struct blob_writer **out, struct err *err)
{
	return s->ops->append(s, key, out, err);
}

bool blob_writer_write(struct blob_writer *w, const void *bytes, size_t len, struct err *err)
{
	return w->store->ops->write(w, bytes, len, err);
}

bool blob_writer_sync(struct blob_writer *w, struct err *err)
{
	return w->store->ops->sync(w, err);
}

bool blob_writer_cut(struct blob_writer *w, uint64_t size_bytes, struct err *err)
{
	assert(size_bytes <= w->size_bytes);
	return size_bytes == w->size_bytes || w->store->ops->cut(w, size_bytes, err);
}

void blob_writer_close(struct blob_writer *w)
{
	if (w != NULL)
		w->store->ops->close_writer(w);
}

void blob_writer_closep(struct blob_writer **w)
{
	blob_writer_close(*w);
	*w = NULL;
}

bool blobstore_open(
	struct blobstore *s, const struct store_key *key, struct blob_reader **out, struct err *err)
{
	return s->ops->open(s, key, out, err);
}

bool blob_reader_pread(struct blob_reader *r, void *bytes, size_t len, uint64_t off, size_t *out_n,
	struct err *err)
{
	return r->store->ops->pread(r, bytes, len, off, out_n, err);
}

void blob_reader_limit(struct blob_reader *r, uint64_t end)
{
	if (r->store->ops->limit != NULL)
		r->store->ops->limit(r, end);
}

void blob_reader_close(struct blob_reader *r)
{
	if (r != NULL)
		r->store->ops->close_reader(r);
}

void blob_reader_closep(struct blob_reader **r)
{
	blob_reader_close(*r);
	*r = NULL;
}

bool blobstore_remove(struct blobstore *s, const struct store_key *key, struct err *err)
{
	return s->ops->remove(s, key, err);
}

bool blobstore_sync_removed(struct blobstore *s, struct err *err)
{
	return s->ops->sync_removed(s, err);
}

bool blobstore_stat(struct blobstore *s, const struct store_key *key, uint64_t *size_bytes,
	int64_t *last_write_ms, struct err *err)
{
	return s->ops->stat(s, key, size_bytes, last_write_ms, err);
}

bool blobstore_each(struct blobstore *s, blobstore_each_fn fn, void *arg, struct err *err)
{
	return s->ops->each(s, fn, arg, err);
}

void blobstore_close(struct blobstore *s)
{
	if (s != NULL)
		s->ops->close(s);
}
