/* rules.h - what must hold between the settings of `berth serve`, checked before anything is
 * opened. */
#ifndef BERTH_APP_RULES_H
#define BERTH_APP_RULES_H

#include "app/listen.h"
#include "app/webhooks.h"

/* What the settings mean, where their text alone does not say it. */
struct rules {
	struct listen listen[LISTEN_MAX];
	size_t listen_count;
	bool mounting_by_default;
	struct webhooks webhooks;
};

/* Errors: CONFIG, the whole line. */
MUST_CHECK bool rules_check(const struct config *c, struct rules *out, struct err *err);

struct throttle;

/* What throttle and rate say, once they are checked; NULL: no limits. The caller frees it. */
struct throttle *rules_throttle(const struct config *c);

#endif
