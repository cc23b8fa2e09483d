/* mount_log.h - mount-log rows that wait for the next batch. For registry/ only. */
#ifndef BERTH_REGISTRY_MOUNT_LOG_H
#define BERTH_REGISTRY_MOUNT_LOG_H

#include "registry/core_priv.h"

/* Writes what waits, in transactions of some hundred rows; keeps on failure what is not written. */
MUST_CHECK bool mount_log_flush(struct core *c, struct err *err);
void mount_log_drop(struct core *c);

#endif
