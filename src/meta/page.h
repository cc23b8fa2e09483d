/* page.h - which rows of a list are wanted, and where their texts go. */
#ifndef BERTH_META_PAGE_H
#define BERTH_META_PAGE_H

#include "base/arena.h"
#include "base/str.h"

struct page {
	int64_t after_id;    /* of lists by id: rows behind this one */
	struct str after;    /* of lists by name: rows behind it in byte order; ptr NULL: all */
	unsigned max;        /* the array of the rows has room for so many */
	struct arena *arena; /* takes the texts */
};

#endif
