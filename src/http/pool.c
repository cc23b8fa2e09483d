#include "http/pool.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(MHD_VERSION == 0x00097500, "what libmicrohttpd expects was read in 0.9.75");

/* Blocks from below grow and shrink (the buffers), those from above stay (headers). What lies
 * between is free and has perhaps never been touched. */
struct MemoryPool {
	size_t size, low, high;
	_Alignas(16) uint8_t memory[];
};

static bool is_ours;

bool pool_is_ours(void)
{
	return is_ours;
}

/* To the next 16; SIZE_MAX for what would turn over, which fits nowhere. */
static size_t aligned(size_t n)
{
	return n > SIZE_MAX - 15 ? SIZE_MAX : (n + 15) & ~(size_t)15;
}

void MHD_init_mem_pools_(void)
{
	is_ours = true;
}

struct MemoryPool *MHD_pool_create(size_t max)
{
	size_t size = aligned(max);
	/* Not cleared: then all of it would be there at once. */
	struct MemoryPool *p = size < SIZE_MAX / 2 ? malloc(sizeof(*p) + size) : NULL;

	if (p != NULL)
		*p = (struct MemoryPool){ .size = size, .high = size };
	return p;
}

void MHD_pool_destroy(struct MemoryPool *p)
{
	free(p);
}

size_t MHD_pool_get_free(struct MemoryPool *p)
{
	return p->high - p->low;
}

void *MHD_pool_allocate(struct MemoryPool *p, size_t size, bool from_end)
{
	size_t len = aligned(size);

	if (len > p->high - p->low)
		return NULL;
	if (from_end) {
		p->high -= len;
		return p->memory + p->high;
	}
	p->low += len;
	return p->memory + p->low - len;
}

void *MHD_pool_try_alloc(struct MemoryPool *p, size_t size, size_t *required)
{
	size_t len = aligned(size);

	if (len <= p->high - p->low)
		return MHD_pool_allocate(p, size, true);
	*required = len <= p->high ? len - (p->high - p->low) : SIZE_MAX;
	return NULL;
}

void *MHD_pool_reallocate(struct MemoryPool *p, void *old, size_t old_size, size_t new_size)
{
	size_t from = old != NULL ? (size_t)((uint8_t *)old - p->memory) : 0;
	void *new;

	if (old != NULL && p->low == aligned(from + old_size)) {
		/* The last block changes where it is. */
		size_t end = new_size <= p->size ? aligned(from + new_size) : SIZE_MAX;

		if (end > p->high)
			return NULL;
		p->low = end;
		return old;
	}
	if (old != NULL && new_size < old_size)
		return old;
	new = MHD_pool_allocate(p, new_size, false);
	if (new != NULL && old != NULL)
		memcpy(new, old, old_size);
	return new;
}

void *MHD_pool_reset(struct MemoryPool *p, void *keep, size_t keep_len, size_t new_size)
{
	size_t used = keep != NULL ? (size_t)((uint8_t *)keep - p->memory) + keep_len : p->low;

	if (keep != NULL)
		memmove(p->memory, keep, keep_len);
	memset(p->memory + keep_len, 0, used - keep_len);
	memset(p->memory + p->high, 0, p->size - p->high);
	p->low = aligned(new_size);
	p->high = p->size;
	assert(keep_len <= new_size && p->low <= p->high);
	return p->memory;
}
