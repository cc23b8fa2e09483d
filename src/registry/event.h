/*
 * event.h - events that tell webhooks what happened to images: what ECR sends to EventBridge.
 *
 * A change writes its events in its own transaction (event_priv.h), one row for each webhook that
 * wants it: what is committed is told, what is not is not. Whoever delivers (app/) takes what is
 * due and settles it afterwards, so that an event arrives at least once; those of one repository
 * arrive at a webhook in the order in which they happened. Nothing is told of a repository's end.
 *
 * Threads: event_load and event_configure before anything else uses the core; then safe, one caller
 * of event_due and event_settle a webhook.
 */
#ifndef BERTH_REGISTRY_EVENT_H
#define BERTH_REGISTRY_EVENT_H

#include "meta/event_table.h"
#include "registry/core.h"

/* Stored. */
enum event_kind { EVENT_IMAGE = 1, EVENT_REFERRER = 2 };

enum event_action { EVENT_PUSH = 1, EVENT_DELETE = 2, EVENT_ARCHIVE = 3, EVENT_RESTORE = 4 };

#define EVENT_WEBHOOKS_MAX 16

struct event_webhook {
	struct str url;        /* its name, too: with another one it is another webhook */
	struct str repository; /* pattern with '*' of the names that it wants; empty: all */
	enum event_kind kind;  /* only these; 0: all */
};

/* For whoever changes images: events are written for the webhooks that were configured last. */
MUST_CHECK bool event_load(struct core *c, struct err *err);
/* For the server: these are the webhooks from now on. What waits for others is dropped (*dropped).
 */
MUST_CHECK bool event_configure(struct core *c, const struct event_webhook *webhooks, size_t count,
	uint64_t *dropped, struct err *err);

/* Some that are due for a webhook (by its place in event_configure), none two of one repository. */
MUST_CHECK bool event_due(struct core *c, size_t webhook, int64_t now_ms, struct arena *arena,
	struct event_batch *out, struct err *err);

struct event_settled {
	const struct event_row *row;
	int64_t due_at_ms; /* to be tried again then; 0: delivered or given up, so it goes */
};

MUST_CHECK bool event_settle(
	struct core *c, const struct event_settled *items, size_t count, struct err *err);
/* How many wait for a webhook. */
MUST_CHECK bool event_waiting(struct core *c, size_t webhook, uint64_t *out, struct err *err);
/* Changes when a transaction has written events, a moment before it commits. */
uint64_t event_generation(struct core *c);

#endif
