/* event_priv.h - events inside a change's transaction. For registry/ only. */
#ifndef BERTH_REGISTRY_EVENT_PRIV_H
#define BERTH_REGISTRY_EVENT_PRIV_H

#include "meta/image_table.h"
#include "registry/event.h"

struct event_set;

/* Each does nothing when no webhook is there to tell. tag: empty for none. */
MUST_CHECK bool event_add(struct core *c, struct db_conn *conn, const struct image_row *row,
	enum event_action action, struct str tag, struct err *err);
/* Before an image goes: one for each of its tags, or one without. */
MUST_CHECK bool event_image_gone(
	struct core *c, struct db_conn *conn, const struct image_row *row, struct err *err);
/* event_add for an image by its row's id. */
MUST_CHECK bool event_add_id(struct core *c, struct db_conn *conn, int64_t image_id,
	enum event_action action, struct err *err);

void event_set_free(struct event_set *s); /* accepts NULL */

#endif
