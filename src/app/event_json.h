/* event_json.h - an event as EventBridge would deliver ECR's, and the signature of a delivery.
 * Pure. */
#ifndef BERTH_APP_EVENT_JSON_H
#define BERTH_APP_EVENT_JSON_H

#include "base/buf.h"
#include "crypt/secret.h"
#include "meta/event_table.h"

#define EVENT_JSON_MAX      (16 * KIB)
#define EVENT_SIGNATURE_MAX 96

/* user guide, "Amazon ECR events and EventBridge". out: init'ed with EVENT_JSON_MAX. */
void event_json(struct buf *out, const struct event_row *e);

/* "t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, "<unix seconds>.<body>")>": the time is signed
 * too, so that a receiver can refuse what somebody recorded and sends again. */
void event_sign(const struct secret *secret, int64_t unix_s, struct str body,
	char out[EVENT_SIGNATURE_MAX]);

#endif
