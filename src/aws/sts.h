/*
 * sts.h - AWS STS (query protocol, version 2011-06-15): who one is, and how one becomes another for
 * a while. Terraform's AWS provider asks GetCallerIdentity at every start.
 */
#ifndef BERTH_AWS_STS_H
#define BERTH_AWS_STS_H

#include "front/front.h"

/*
 * A route for struct http_front; ctx is a struct front_options. Takes requests for "/" that are
 * signed for "sts", or that are not JSON calls (X-Amz-Target), are signed for no other service, and
 * name an Action in the query or announce a form as their body.
 */
const struct http_op *sts_route(struct http_req *req, void *ctx);

#endif
