/* status.h - how the server does, for the front that tells it (front/status.h). */
#ifndef BERTH_APP_STATUS_H
#define BERTH_APP_STATUS_H

#include "app/ops.h"
#include "front/status.h"

/* Borrows ops for the life of the server. */
struct front_status status_source(struct ops *ops);

#endif
