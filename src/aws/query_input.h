/*
 * query_input.h - the parameters of an operation of the query protocol (IAM, STS) against its
 * service's model, before anything else is asked about them.
 */
#ifndef BERTH_AWS_QUERY_INPUT_H
#define BERTH_AWS_QUERY_INPUT_H

#include "front/shape.h"
#include "http/http.h"

/* One an operation, by its name; of IAM and STS together. Ends with name NULL. An operation that is
 * not among them has no parameters. */
extern const struct shape query_inputs[];

/*
 * The first fault, as the services word it. Switches and numbers that are none are not looked at:
 * whoever reads them refuses them. Nothing secret is quoted.
 * Errors: INVALID, "ValidationError: 1 validation error detected: ..."; TOO_LARGE.
 */
MUST_CHECK bool query_check_input(struct http_req *req, const char *operation, struct err *err);

#endif
