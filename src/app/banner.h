/* banner.h - what `berth serve` says on standard output when it is ready: where things are, and
 * what to type next. Pure. */
#ifndef BERTH_APP_BANNER_H
#define BERTH_APP_BANNER_H

#include "app/identity.h"
#include "app/listen.h"

struct banner {
	const struct identity *identity;
	const char *data; /* absolute */
	const char (*urls)[LISTEN_URL_MAX];
	size_t url_count;
	bool no_auth;
	int64_t ready_ms; /* since the program began */
};

void banner_render(struct buf *out, const struct banner *b);

#endif
