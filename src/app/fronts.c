#include "app/fronts.h"

#include <assert.h>

#include "app/ops.h"
#include "aws/iam_front.h"
#include "aws/kms_front.h"
#include "aws/sts.h"
#include "console/console.h"
#include "ecr/ecr.h"
#include "oci/oci.h"

static void add(struct fronts *f, struct http_front front)
{
	assert(f->count < FRONTS_MAX);
	f->items[f->count++] = front;
}

void fronts_init(
	struct fronts *f, struct ops *ops, const struct front_options *options, struct kms *kms)
{
	*f = (struct fronts){ .options = *options };
	f->kms = (struct kms_front){ &f->options, kms };
	add(f, oci_front(&f->options));
	add(f, ecr_front(&f->options));
	add(f, (struct http_front){ .route = kms_front_route, .ctx = &f->kms });
	add(f, (struct http_front){ .route = iam_route, .ctx = &f->options });
	add(f, (struct http_front){ .route = sts_route, .ctx = &f->options });
	add(f, ops_front(ops));
	add(f, console_front(&f->options)); /* last: others serve "/" too */
}
