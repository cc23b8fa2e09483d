/*
 * iam_front.h - AWS IAM's API (query protocol, version 2010-05-08): who there is in the caller's
 * account. iam_call.h has what a call is, iam_ops_*.c the operations.
 */
#ifndef BERTH_AWS_IAM_FRONT_H
#define BERTH_AWS_IAM_FRONT_H

#include "front/front.h"

/* A route for struct http_front; ctx is a struct front_options. Takes requests for "/" that are
 * signed for "iam". */
const struct http_op *iam_route(struct http_req *req, void *ctx);

#endif
