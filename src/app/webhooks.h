/* webhooks.h - where events go, as the settings say it: "URL|repository=PATTERN|type=KIND". */
#ifndef BERTH_APP_WEBHOOKS_H
#define BERTH_APP_WEBHOOKS_H

#include "app/config.h"
#include "registry/event.h"

struct webhooks {
	struct event_webhook items[EVENT_WEBHOOKS_MAX]; /* borrow from the configuration */
	size_t count;
};

/* Errors: CONFIG, the whole line. */
MUST_CHECK bool webhooks_read(const struct config *c, struct webhooks *out, struct err *err);

#endif
