#include "app/fronts.h"

#include <assert.h>

#include "app/ops.h"
#include "aws/sts.h"
#include "ecr/ecr.h"
#include "oci/oci.h"

static void add(struct fronts *f, struct http_front front)
{
	assert(f->count < FRONTS_MAX);
	f->items[f->count++] = front;
}

void fronts_init(struct fronts *f, struct ops *ops, const struct front_options *options)
{
	*f = (struct fronts){ .options = *options };
	add(f, oci_front(&f->options));
	add(f, ecr_front(&f->options));
	add(f, (struct http_front){ .route = sts_route, .ctx = &f->options });
	add(f, ops_front(ops));
}
