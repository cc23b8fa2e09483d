/* ops.h - the table of operations: name, input, permission, handler. */
#ifndef BERTH_ECR_OPS_H
#define BERTH_ECR_OPS_H

#include "ecr/handlers.h"
#include "front/shape.h"

/* What the permission is asked for, before the handler runs. */
enum ecr_resource {
	ECR_RESOURCE_REPOSITORY, /* the one that repositoryName names */
	ECR_RESOURCE_ANY,        /* "*" */
	ECR_RESOURCE_HANDLER,    /* the handler asks: it alone knows which */
};

struct ecr_op {
	struct http_op http; /* first: http_req.op points here */
	const char *action;  /* "ecr:PutImage" */
	enum ecr_resource resource;
	const struct shape *input;
	ecr_handler_fn handle; /* NULL: known by name, not available */
};

/* NULL: ECR has no such operation. */
const struct ecr_op *ecr_op_find(struct str name);
/* Every operation, by index, NULL at the end; for tests. */
const struct ecr_op *ecr_op_at(size_t i);

/* Serves a call of req->op, an operation of the table (ecr.c). */
void ecr_serve(struct http_req *req);
void ecr_refuse_large(struct http_req *req);

#endif
