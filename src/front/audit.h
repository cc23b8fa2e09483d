/*
 * audit.h - what a front tells of a request for the audit log; app/ makes the record when the
 * request is over.
 *
 * A front begins a note for what is to be recorded; everything else here does nothing for a request
 * without one, so that auditing costs nothing while it is off. Notes never hold what proves a
 * caller (passwords, tokens, signatures, secret keys), nor bytes of layers, plaintexts or
 * manifests. Strings live in the request's arena; when that is full the note says less.
 */
#ifndef BERTH_FRONT_AUDIT_H
#define BERTH_FRONT_AUDIT_H

#include "base/json.h"
#include "front/front.h"

#define AUDIT_TEXT_MAX (48 * KIB) /* of parameters, and of an answer's elements */

struct audit_note {
	const char *source; /* "ecr.amazonaws.com" */
	const char *event;  /* the API operation; NULL: the request's own name */
	bool is_data_plane;
	bool has_who;
	struct principal who;
	struct str subject, provider;    /* of a web identity, which is no principal */
	struct str parameters, response; /* JSON objects; empty: null */
	struct str error_code, error_message;
	struct str other_repository; /* a second one that it is about */
};

/* NULL: nobody audits this. source and event: constants. */
struct audit_note *audit_begin(const struct front_options *o, struct http_req *req,
	const char *source, bool is_data_plane);
/* Takes the note back: nothing worth recording happened. */
void audit_forget(struct http_req *req);

void audit_event(struct http_req *req, const char *event);
/* Borrows the principal's strings, which live as long as the request. */
void audit_who(struct http_req *req, const struct principal *who);
void audit_web_identity(struct http_req *req, struct str subject, struct str provider);
void audit_error(struct http_req *req, struct str code, struct str message);

/* The members of an object, those named in omit (ended by NULL; also one level deeper) left out,
 * with small first letters as CloudTrail has them. */
void audit_parameters(struct http_req *req, const struct json *input, const char *const *omit);
void audit_response(struct http_req *req, const struct json *output, const char *const *omit);
/* The same of text that is a JSON object. */
void audit_parameters_text(struct http_req *req, struct str json);
void audit_response_text(struct http_req *req, struct str json);

#endif
