/* upload_list.h - unfinished blobs, for those who look at a registry. */
#ifndef BERTH_REGISTRY_UPLOAD_LIST_H
#define BERTH_REGISTRY_UPLOAD_LIST_H

#include "base/codec.h"
#include "registry/core.h"

struct upload_item {
	char id[UUID_TEXT_LEN + 1];
	struct str repo;
	uint64_t received_bytes; /* about: what came last may be missing */
	int64_t started_at_ms;
	int64_t last_at_ms;      /* 0: nothing came yet */
	uint64_t expected_bytes; /* 0: the client does not say */
	bool is_active;          /* a request writes to it now */
};

struct upload_cursor {
	int64_t at_ms;
	uint8_t key[16];
};

struct upload_page {
	struct upload_item *items; /* oldest first */
	size_t count;
	bool more; /* a page looks at a bounded number of uploads: it may be short, or empty */
	struct upload_cursor next;
};

/* from: zeroes, or the last page's next. limit: 1..1000. */
MUST_CHECK bool upload_list(struct core *c, const struct registry_id *reg,
	const struct upload_cursor *from, unsigned limit, struct arena *arena,
	struct upload_page *out, struct err *err);

#endif
