/*
 * events.h - delivers events to webhooks: one thread each, so that a slow one holds up nobody else.
 *
 * An event is posted until the webhook answers with 2xx, after failures less and less often, for at
 * most --event-max-age; then it is given up, with a line in the log. The next event of the same
 * repository comes after it. What is delivered is settled in the database afterwards, so a crash in
 * between delivers again: receivers know an event by its id.
 */
#ifndef BERTH_APP_EVENTS_H
#define BERTH_APP_EVENTS_H

#include "app/webhooks.h"
#include "base/buf.h"
#include "base/log.h"

struct events;

/* *out NULL: there are no webhooks. Borrows all until events_stop. Errors: CONFIG. */
MUST_CHECK bool events_start(struct core *core, const struct config *c,
	const struct webhooks *webhooks, struct log *log, struct events **out, struct err *err);
/* Deliveries that run are given up; they come again. Accepts NULL. */
void events_stop(struct events *e);
/* e NULL: nothing. */
MUST_CHECK bool events_render_metrics(struct events *e, struct buf *out, struct err *err);

#endif
