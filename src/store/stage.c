#include "store/stage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define BLOCK ((size_t)4096) /* no disk's is larger */

static bool take_place(struct stage_pool *pool)
{
	unsigned taken = atomic_load(&pool->taken);
	while (taken < STAGES_MAX) {
		if (atomic_compare_exchange_weak(&pool->taken, &taken, taken + 1))
			return true;
	}
	return false;
}

bool stage_begin(
	struct stage *s, struct stage_pool *pool, int root, const char *path, uint64_t offset)
{
	void *bytes;
	assert(s->bytes == NULL && offset % STAGE_ALIGN == 0);
	if (atomic_load(&pool->is_unsupported) || !take_place(pool))
		return false;
	int fd = openat(root, path, O_WRONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || posix_memalign(&bytes, STAGE_ALIGN, STAGE_BYTES) != 0) {
		if (fd >= 0)
			(void)close(fd);
		else if (errno == EINVAL)
			atomic_store(&pool->is_unsupported, true);
		atomic_fetch_sub(&pool->taken, 1);
		return false;
	}
	*s = (struct stage){ .pool = pool, .bytes = bytes, .offset = offset, .fd = fd };
	return true;
}

bool stage_has_begun(const struct stage *s)
{
	return s->bytes != NULL;
}

/* A file system that opens for direct writes may still refuse them: then the same bytes go through
 * the page cache, on the same descriptor. */
static bool write_blocks(struct stage *s, size_t len, struct err *err)
{
	if (file_pwrite_all(s->fd, s->bytes, len, s->offset, err))
		return true;
	if (errno != EINVAL)
		return false;
	atomic_store(&s->pool->is_unsupported, true);
	int flags = fcntl(s->fd, F_GETFL);
	if (flags < 0 || fcntl(s->fd, F_SETFL, flags & ~O_DIRECT) != 0)
		return false;
	return file_pwrite_all(s->fd, s->bytes, len, s->offset, err);
}

static bool make_room(struct stage *s, struct err *err)
{
	if (s->fill < STAGE_BYTES)
		return true;
	if (!write_blocks(s, STAGE_BYTES, err))
		return false;
	s->offset += STAGE_BYTES;
	s->fill = 0;
	return true;
}

bool stage_put(struct stage *s, const uint8_t *bytes, size_t len, size_t *taken, struct err *err)
{
	*taken = 0;
	while (*taken < len) {
		if (!make_room(s, err))
			return false;
		size_t n = STAGE_BYTES - s->fill;
		if (n > len - *taken)
			n = len - *taken;
		memcpy(s->bytes + s->fill, bytes + *taken, n);
		s->fill += n;
		*taken += n;
	}
	return true;
}

bool stage_end(struct stage *s, int buffered, struct err *err)
{
	size_t blocks = s->fill / BLOCK * BLOCK;
	if (s->bytes == NULL)
		return true;
	bool done = (blocks == 0 || write_blocks(s, blocks, err)) &&
		    file_pwrite_all(
			    buffered, s->bytes + blocks, s->fill - blocks, s->offset + blocks, err);
	stage_drop(s);
	return done;
}

bool stage_cut(struct stage *s, uint64_t offset)
{
	if (offset >= s->offset && offset <= s->offset + s->fill) {
		s->fill = (size_t)(offset - s->offset);
		return true;
	}
	stage_drop(s);
	return false;
}

void stage_drop(struct stage *s)
{
	if (s->bytes == NULL)
		return;
	free(s->bytes);
	(void)close(s->fd);
	atomic_fetch_sub(&s->pool->taken, 1);
	*s = (struct stage){ 0 };
}
