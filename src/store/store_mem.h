/* store_mem.h - objects in memory, for tests. */
#ifndef BERTH_STORE_STORE_MEM_H
#define BERTH_STORE_STORE_MEM_H

#include "store/blobstore.h"

struct blobstore *store_mem_new(void);

#endif
