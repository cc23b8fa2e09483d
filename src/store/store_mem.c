#include "store/store_mem.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define BUCKETS 256

/* Lives as long as the store names it or somebody has it open. */
struct object {
	struct object *next; /* in the bucket */
	struct store_key key;
	struct buf content;
	unsigned refs;
	int64_t last_write_ms;
};

struct mem {
	struct blobstore base;
	struct mutex mutex; /* guards everything, the objects' content included */
	struct object *buckets[BUCKETS];
};

struct mem_writer {
	struct blob_writer base;
	struct object *object;
};

struct mem_reader {
	struct blob_reader base;
	struct object *object;
};

static struct mem *mem_of(struct blobstore *s)
{
	return (struct mem *)s;
}

/* The link that points at the object, or at NULL at the end of its bucket. */
static struct object **find(struct mem *mem, const struct store_key *key)
{
	struct object **at = &mem->buckets[key->bytes[0]];
	while (*at != NULL && memcmp((*at)->key.bytes, key->bytes, STORE_KEY_LEN) != 0)
		at = &(*at)->next;
	return at;
}

static void unref(struct object *o)
{
	if (--o->refs != 0)
		return;
	buf_fini(&o->content);
	free(o);
}

static bool unknown(struct err *err)
{
	return err_sys(err, ERR_BLOB_UNKNOWN, 0, "no such object");
}

static bool mem_room(struct blobstore *s UNUSED, uint64_t len UNUSED, struct err *err UNUSED)
{
	return true;
}

static bool mem_append(struct blobstore *s, const struct store_key *key, struct blob_writer **out,
	struct err *err UNUSED)
{
	struct mem *mem = mem_of(s);
	struct mem_writer *w = xmalloc(sizeof(*w));
	LOCKED(&mem->mutex);
	struct object **at = find(mem, key);
	if (*at == NULL) {
		*at = xmalloc(sizeof(**at));
		(*at)->key = *key;
		(*at)->refs = 1;
		buf_init(&(*at)->content, SIZE_MAX);
		(*at)->last_write_ms = clock_now_ms();
	}
	w->object = *at;
	w->object->refs++;
	w->base.store = s;
	w->base.size_bytes = w->object->content.len;
	*out = &w->base;
	return true;
}

static bool mem_write(struct blob_writer *base, const void *bytes, size_t len, struct err *err)
{
	struct object *o = ((struct mem_writer *)base)->object;
	LOCKED(&mem_of(base->store)->mutex);
	buf_add(&o->content, bytes, len);
	if (!buf_ok(&o->content)) {
		o->content.failed = false; /* nothing of this piece went in */
		return err_sys(err, ERR_STORAGE_FULL, 0, "out of memory");
	}
	o->last_write_ms = clock_now_ms();
	base->size_bytes = o->content.len;
	return true;
}

static bool mem_sync(struct blob_writer *base UNUSED, struct err *err UNUSED)
{
	return true;
}

static bool mem_cut(struct blob_writer *base, uint64_t size_bytes, struct err *err UNUSED)
{
	struct object *o = ((struct mem_writer *)base)->object;
	LOCKED(&mem_of(base->store)->mutex);
	o->content.len = (size_t)size_bytes;
	o->last_write_ms = clock_now_ms();
	base->size_bytes = size_bytes;
	return true;
}

static void mem_close_writer(struct blob_writer *base)
{
	LOCKED(&mem_of(base->store)->mutex);
	unref(((struct mem_writer *)base)->object);
	free(base);
}

static bool mem_open(
	struct blobstore *s, const struct store_key *key, struct blob_reader **out, struct err *err)
{
	struct mem *mem = mem_of(s);
	LOCKED(&mem->mutex);
	struct object *o = *find(mem, key);
	if (o == NULL)
		return unknown(err);
	struct mem_reader *r = xmalloc(sizeof(*r));
	o->refs++;
	r->object = o;
	r->base.store = s;
	r->base.size_bytes = o->content.len;
	r->base.fd = -1;
	*out = &r->base;
	return true;
}

static bool mem_pread(struct blob_reader *base, void *bytes, size_t len, uint64_t off,
	size_t *out_n, struct err *err UNUSED)
{
	const struct object *o = ((struct mem_reader *)base)->object;
	LOCKED(&mem_of(base->store)->mutex);
	struct str piece =
		str_sub(buf_str(&o->content), off < SIZE_MAX ? (size_t)off : SIZE_MAX, len);
	if (piece.len != 0)
		memcpy(bytes, piece.ptr, piece.len);
	*out_n = piece.len;
	return true;
}

static void mem_close_reader(struct blob_reader *base)
{
	LOCKED(&mem_of(base->store)->mutex);
	unref(((struct mem_reader *)base)->object);
	free(base);
}

static bool mem_remove(struct blobstore *s, const struct store_key *key, struct err *err UNUSED)
{
	struct mem *mem = mem_of(s);
	LOCKED(&mem->mutex);
	struct object **at = find(mem, key);
	struct object *o = *at;
	if (o != NULL) {
		*at = o->next;
		unref(o);
	}
	return true;
}

static bool mem_sync_removed(struct blobstore *s UNUSED, struct err *err UNUSED)
{
	return true;
}

static bool mem_stat(struct blobstore *s, const struct store_key *key, uint64_t *size_bytes,
	int64_t *last_write_ms, struct err *err)
{
	struct mem *mem = mem_of(s);
	LOCKED(&mem->mutex);
	const struct object *o = *find(mem, key);
	if (o == NULL)
		return unknown(err);
	*size_bytes = o->content.len;
	*last_write_ms = o->last_write_ms;
	return true;
}

static bool mem_each(struct blobstore *s, blobstore_each_fn fn, void *arg, struct err *err UNUSED)
{
	struct mem *mem = mem_of(s);
	size_t count = 0;
	size_t n = 0;
	/* The callback may use the store, so it is called without the lock, over a copy. */
	mutex_lock(&mem->mutex);
	for (size_t b = 0; b < BUCKETS; b++) {
		for (const struct object *o = mem->buckets[b]; o != NULL; o = o->next)
			count++;
	}

	struct listed {
		struct store_key key;
		uint64_t size_bytes;
	} * list CLEANUP(freep) = xcalloc(count, sizeof(*list));

	for (size_t b = 0; b < BUCKETS; b++) {
		for (const struct object *o = mem->buckets[b]; o != NULL; o = o->next)
			list[n++] = (struct listed){ o->key, o->content.len };
	}
	mutex_unlock(&mem->mutex);
	for (size_t i = 0; i < n; i++) {
		if (!fn(arg, &list[i].key, list[i].size_bytes))
			break;
	}
	return true;
}

static void mem_close(struct blobstore *s)
{
	struct mem *mem = mem_of(s);
	for (size_t b = 0; b < BUCKETS; b++) {
		while (mem->buckets[b] != NULL) {
			struct object *o = mem->buckets[b];
			mem->buckets[b] = o->next;
			unref(o);
		}
	}
	mutex_fini(&mem->mutex);
	free(mem);
}

static const struct blobstore_ops mem_ops = {
	.room = mem_room,
	.append = mem_append,
	.write = mem_write,
	.sync = mem_sync,
	.cut = mem_cut,
	.close_writer = mem_close_writer,
	.open = mem_open,
	.pread = mem_pread,
	.close_reader = mem_close_reader,
	.remove = mem_remove,
	.sync_removed = mem_sync_removed,
	.stat = mem_stat,
	.each = mem_each,
	.close = mem_close,
};

struct blobstore *store_mem_new(void)
{
	struct mem *mem = xmalloc(sizeof(*mem));
	mem->base.ops = &mem_ops;
	mutex_init(&mem->mutex, "store_mem");
	return &mem->base;
}
