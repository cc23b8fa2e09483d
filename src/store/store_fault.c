#include "store/store_fault.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"

struct fault {
	struct blobstore base;
	struct blobstore *inner;
	struct mutex mutex; /* guards what follows */
	unsigned countdown;
	enum err_kind kind;
	bool is_spent;
};

struct fault_writer {
	struct blob_writer base;
	struct blob_writer *inner;
};

struct fault_reader {
	struct blob_reader base;
	struct blob_reader *inner;
};

static struct fault *fault_of(struct blobstore *s)
{
	return (struct fault *)s;
}

static struct blob_writer *inner_writer(struct blob_writer *w)
{
	return ((struct fault_writer *)w)->inner;
}

static struct blob_reader *inner_reader(struct blob_reader *r)
{
	return ((struct fault_reader *)r)->inner;
}

/* Counts a call; false, with err filled, when it is the one to fail. */
static bool pass(struct blobstore *s, const char *call, struct err *err)
{
	struct fault *f = fault_of(s);
	LOCKED(&f->mutex);
	if (f->countdown == 0 || --f->countdown != 0)
		return true;
	f->is_spent = true;
	return err_sys(err, f->kind, 0, "injected fault in %s", call);
}

static bool fault_room(struct blobstore *s, uint64_t len, struct err *err)
{
	return pass(s, "room", err) && blobstore_room(fault_of(s)->inner, len, err);
}

static bool fault_append(
	struct blobstore *s, const struct store_key *key, struct blob_writer **out, struct err *err)
{
	struct blob_writer *inner;
	if (!pass(s, "append", err) || !blobstore_append(fault_of(s)->inner, key, &inner, err))
		return false;
	struct fault_writer *w = xmalloc(sizeof(*w));
	w->base.store = s;
	w->base.size_bytes = inner->size_bytes;
	w->inner = inner;
	*out = &w->base;
	return true;
}

static bool fault_write(struct blob_writer *w, const void *bytes, size_t len, struct err *err)
{
	bool passed = pass(w->store, "write", err);
	struct err second;
	bool done = blob_writer_write(
		inner_writer(w), bytes, passed ? len : len / 2, passed ? err : &second);
	w->size_bytes = inner_writer(w)->size_bytes;
	return passed && done;
}

static bool fault_sync(struct blob_writer *w, struct err *err)
{
	bool done = pass(w->store, "sync", err) && blob_writer_sync(inner_writer(w), err);
	w->size_bytes = inner_writer(w)->size_bytes;
	return done;
}

static bool fault_cut(struct blob_writer *w, uint64_t size_bytes, struct err *err)
{
	bool done = pass(w->store, "cut", err) && blob_writer_cut(inner_writer(w), size_bytes, err);
	w->size_bytes = inner_writer(w)->size_bytes;
	return done;
}

static void fault_close_writer(struct blob_writer *w)
{
	blob_writer_close(inner_writer(w));
	free(w);
}

static bool fault_open(
	struct blobstore *s, const struct store_key *key, struct blob_reader **out, struct err *err)
{
	struct blob_reader *inner;
	if (!pass(s, "open", err) || !blobstore_open(fault_of(s)->inner, key, &inner, err))
		return false;
	struct fault_reader *r = xmalloc(sizeof(*r));
	r->base.store = s;
	r->base.size_bytes = inner->size_bytes;
	r->base.fd = -1;
	r->inner = inner;
	*out = &r->base;
	return true;
}

static bool fault_pread(struct blob_reader *r, void *bytes, size_t len, uint64_t off, size_t *out_n,
	struct err *err)
{
	return pass(r->store, "pread", err) &&
	       blob_reader_pread(inner_reader(r), bytes, len, off, out_n, err);
}

static void fault_close_reader(struct blob_reader *r)
{
	blob_reader_close(inner_reader(r));
	free(r);
}

static bool fault_remove(struct blobstore *s, const struct store_key *key, struct err *err)
{
	return pass(s, "remove", err) && blobstore_remove(fault_of(s)->inner, key, err);
}

static bool fault_sync_removed(struct blobstore *s, struct err *err)
{
	return pass(s, "sync_removed", err) && blobstore_sync_removed(fault_of(s)->inner, err);
}

static bool fault_stat(struct blobstore *s, const struct store_key *key, uint64_t *size_bytes,
	int64_t *last_write_ms, struct err *err)
{
	return pass(s, "stat", err) &&
	       blobstore_stat(fault_of(s)->inner, key, size_bytes, last_write_ms, err);
}

static bool fault_each(struct blobstore *s, blobstore_each_fn fn, void *arg, struct err *err)
{
	return pass(s, "each", err) && blobstore_each(fault_of(s)->inner, fn, arg, err);
}

static void fault_close(struct blobstore *s)
{
	struct fault *f = fault_of(s);
	blobstore_close(f->inner);
	mutex_fini(&f->mutex);
	free(f);
}

static const struct blobstore_ops fault_ops = {
	.room = fault_room,
	.append = fault_append,
	.write = fault_write,
	.sync = fault_sync,
	.cut = fault_cut,
	.close_writer = fault_close_writer,
	.open = fault_open,
	.pread = fault_pread,
	.close_reader = fault_close_reader,
	.remove = fault_remove,
	.sync_removed = fault_sync_removed,
	.stat = fault_stat,
	.each = fault_each,
	.close = fault_close,
};

struct blobstore *store_fault_new(struct blobstore *inner)
{
	struct fault *f = xmalloc(sizeof(*f));
	f->base.ops = &fault_ops;
	f->inner = inner;
	mutex_init(&f->mutex, "store_fault");
	return &f->base;
}

void store_fault_set(struct blobstore *s, unsigned countdown, enum err_kind kind)
{
	struct fault *f = fault_of(s);
	LOCKED(&f->mutex);
	f->countdown = countdown;
	f->kind = kind;
	f->is_spent = false;
}

bool store_fault_is_spent(struct blobstore *s)
{
	struct fault *f = fault_of(s);
	LOCKED(&f->mutex);
	return f->is_spent;
}
