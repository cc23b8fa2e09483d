/*
 * kms_front.h - the operations of AWS KMS that users of a registry need, in AWS JSON 1.1: POST /
 * with X-Amz-Target: TrentService.<Operation>, signed for service "kms". So `aws kms` makes,
 * disables and rotates the keys that repositories are encrypted with.
 */
#ifndef BERTH_AWS_KMS_FRONT_H
#define BERTH_AWS_KMS_FRONT_H

#include "front/front.h"

struct kms;

struct kms_front {
	const struct front_options *options;
	struct kms *kms;
};

/* A route for struct http_front; ctx is a struct kms_front. */
const struct http_op *kms_front_route(struct http_req *req, void *ctx);

#endif
