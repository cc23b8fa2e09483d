/* mem.h - small fixed allocations that abort when memory is gone; sizes from outside go through buf
 * and arena instead. */
#ifndef BERTH_BASE_MEM_H
#define BERTH_BASE_MEM_H

#include <stddef.h>

void *xmalloc(size_t len); /* zeroed */
void *xmalloc_raw(
	size_t len); /* not zeroed: buffers of many pages that are written before they are read */
void *xcalloc(size_t n, size_t len); /* zeroed */
char *xstrdup(const char *s);
void mem_wipe(void *p, size_t len); /* not optimised away */
void freep(void *pp);               /* for CLEANUP(freep) on any pointer */

#endif
