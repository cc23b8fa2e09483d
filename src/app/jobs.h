/* jobs.h - the background work of a server: one thread that writes the mount log and collects. */
#ifndef BERTH_APP_JOBS_H
#define BERTH_APP_JOBS_H

#include "base/err.h"
#include "base/log.h"

struct core;
struct jobs;
struct kms;

/* Borrows core and log until jobs_stop. keep_ms: for so long after the clock was set forward
 * nothing counts as older than it is. */
MUST_CHECK bool jobs_start(struct core *core, struct kms *kms, struct log *log, int64_t keep_ms,
	struct jobs **out, struct err *err);
void jobs_stop(struct jobs *j); /* waits for the step that is running; accepts NULL */

#endif
