/* audit_record.h - audit records in the shape of CloudTrail's (its user guide, "CloudTrail record
 * contents"). Pure but for the event's id. */
#ifndef BERTH_APP_AUDIT_RECORD_H
#define BERTH_APP_AUDIT_RECORD_H

#include "base/buf.h"
#include "registry/lifecycle_told.h"

struct http_req;

#define AUDIT_RECORD_MAX (128 * KIB)

struct audit_context {
	int64_t now_ms;
	struct str user_agent;
	struct str account, region; /* where a request names none */
};

/* A request with a note (front/audit.h). out: init'ed with AUDIT_RECORD_MAX. */
void audit_record_request(
	struct buf *out, const struct http_req *req, const struct audit_context *context);

/* What a lifecycle policy did, or in a preview would do: PolicyExecutionEvent, DryRunEvent. */
void audit_record_lifecycle(struct buf *out, const struct lifecycle_told *told, int64_t now_ms);

#endif
