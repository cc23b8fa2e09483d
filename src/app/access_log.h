/* access_log.h - the line that the log gets for each request, a JSON object. Pure. */
#ifndef BERTH_APP_ACCESS_LOG_H
#define BERTH_APP_ACCESS_LOG_H

#include "base/buf.h"

struct http_req;

#define ACCESS_LOG_MAX (16 * KIB)

struct access {
	struct str user_agent;
	int64_t duration_us;
	int64_t now_ms; /* wall clock, at the end of the request */
};

/* out: init'ed with ACCESS_LOG_MAX. The query string is left out: it may hold signatures. */
void access_log_render(struct buf *out, const struct http_req *req, const struct access *access);

#endif
