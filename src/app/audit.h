/*
 * audit.h - the audit log: records, about in the order in which requests end, to a rotating file or
 * to standard output, a JSON object a line.
 *
 * A record is queued when its request is over and written by a thread of its own, so that no
 * request waits for it. While the file cannot be written the thread tries again every second and
 * records queue up, to 4 MiB; what does not fit then is lost, counted, and said in the log. What
 * the kernel has taken outlives a kill of the server; the last tenth of a second before one may be
 * missing.
 */
#ifndef BERTH_APP_AUDIT_H
#define BERTH_APP_AUDIT_H

#include "app/config.h"
#include "base/buf.h"
#include "base/log.h"

struct audit;
struct http_req;
struct lifecycle_told;

/* *out NULL: it is off. account and region: of requests that name none; borrowed, as log. Errors:
 * CONFIG when the file cannot be opened. */
MUST_CHECK bool audit_open(const struct config *c, const char *account, const char *region,
	struct log *log, struct audit **out, struct err *err);
/* Writes what is queued, if it can be written at once. Accepts NULL. */
void audit_close(struct audit *a);
/* A request that is over; one without a note is not recorded. a may be NULL. */
void audit_request(struct audit *a, const struct http_req *req);
/* As lifecycle_told_fn; arg: the audit. */
void audit_lifecycle(void *arg, const struct lifecycle_told *told);
/* The file is opened anew before the next record: somebody may have renamed it. a may be NULL. */
void audit_reopen(struct audit *a);
/* a NULL: nothing. */
void audit_render_metrics(const struct audit *a, struct buf *out);

#endif
