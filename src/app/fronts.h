/* fronts.h - which fronts a server has, in the order in which they are asked. */
#ifndef BERTH_APP_FRONTS_H
#define BERTH_APP_FRONTS_H

#include "aws/kms_front.h"
#include "front/front.h"

struct ops;

#define FRONTS_MAX 8

struct fronts {
	struct front_options options;
	struct kms_front kms; /* the fronts borrow it: struct fronts must not move */
	struct http_front items[FRONTS_MAX];
	size_t count;
};

void fronts_init(
	struct fronts *f, struct ops *ops, const struct front_options *options, struct kms *kms);

#endif
