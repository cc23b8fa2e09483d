/* errors.h - how a failure reads on the wire: exception code, HTTP status, JSON body. */
#ifndef BERTH_ECR_ERRORS_H
#define BERTH_ECR_ERRORS_H

#include "base/json.h"
#include "base/log.h"
#include "http/http.h"

enum ecr_exception {

#define EXC(name, code, status) ECR_##name,
#include "ecr/exceptions.def"
#undef EXC
};

const char *ecr_exception_code(enum ecr_exception e);
int ecr_exception_status(enum ecr_exception e);
/* What a kind of failure is where the handler does not know better. */
enum ecr_exception ecr_exception_of(enum err_kind kind);

/* An answer, before it is sent. Texts are copied. */
struct ecr_fault {
	struct str code;
	int status;
	struct str message;
	struct str members; /* more members as JSON text, each led by a comma: `,"uploadId":"..."`;
			       or empty */
};

/* {"__type":code,"message":message,...} with x-amzn-ErrorType. */
void ecr_reply_fault(struct http_req *req, const struct ecr_fault *fault);
/* The same for an exception with a fixed text. */
void ecr_reply_exception(struct http_req *req, enum ecr_exception e, struct str message);
/* For err: splits the AWS code out of what sigv4 says, hides what is not for clients, and notes the
 * rest for the access log. What is the server's fault gets a line in the log. */
void ecr_reply_err(struct http_req *req, struct log *log, const struct err *err);

/* Headers of every answer. */
void ecr_reply_headers(struct http_req *req);
#define ECR_CONTENT_TYPE "application/x-amz-json-1.1"

#endif
