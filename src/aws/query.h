/*
 * query.h - AWS's query protocol as its services share it: parameters in a query or a form, answers
 * and errors in XML. The AWS query protocol:
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
#ifndef BERTH_AWS_QUERY_H
#define BERTH_AWS_QUERY_H

#include "base/codec.h"
#include "http/http.h"

#define QUERY_ANSWER_MAX (64 * KIB)

/* The request's id in AWS's form, a UUID. */
void query_request_id(const struct http_req *req, char out[UUID_TEXT_LEN + 1]);

/* Takes the next pair, still encoded, from the front of a form or query. False: there is none. */
bool query_next(struct str *form, struct str *key, struct str *value);
/* A parameter from the body of a form, else from the query; decoded, in the request's arena. ptr
 * NULL: absent or malformed. */
struct str query_param(struct http_req *req, const char *name);

/* Names the operation of the request in log and metrics: which one it is stands in the body, so the
 * route cannot know. name: a constant. */
void query_name_op(struct http_req *req, const char *name);

/* Tells the audit log the parameters: all that the operation's form or query has, but for the
 * protocol's own and for what proves a caller. */
void query_audit(struct http_req *req);

/* Text (UTF-8) with what XML 1.0 gives a meaning escaped; control characters become '?'. */
void query_add_text(struct buf *out, struct str text);
/* <name>text</name> */
void query_add_element(struct buf *out, const char *name, struct str text);

/* Answers 200 with <action>Response around <action>Result around the given elements, which are
 * emptied. NULL: an operation without a result. */
void query_reply(struct http_req *req, const char *xmlns, const char *action, struct buf *elements);
/* Answers <ErrorResponse>; Type is Sender below 500, else Receiver. */
void query_reply_error(
	struct http_req *req, const char *xmlns, int status, struct str code, struct str message);
/* The same for err: AWS's code and status for its kind. For UNAUTHENTICATED and INVALID the code is
 * in its message, "<AWS code>: <text>" (front_split_error). */
void query_reply_err(struct http_req *req, const char *xmlns, const struct err *err);

#endif
