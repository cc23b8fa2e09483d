/*
 * ecr.h - the front that speaks Amazon ECR's API: AWS JSON 1.1, POST / with
 * X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.<Operation>, signed with SigV4 for service
 * "ecr".
 */
#ifndef BERTH_ECR_ECR_H
#define BERTH_ECR_ECR_H

#include "front/front.h"

/* Whether ECR's API has an operation of this name. */
bool ecr_is_operation(struct str name);

/* o is borrowed for the life of the server. Requests with other targets, methods or paths are left
 * to other fronts. */
struct http_front ecr_front(struct front_options *o);

#endif
