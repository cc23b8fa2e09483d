/*
 * iam_call.h - one call of IAM: its parameters, whom it is about, and what is answered.
 *
 * Parameters are checked by the constraints of the service's model (botocore, iam/2010-05-08) and
 * refused in its words.
 */
#ifndef BERTH_AWS_IAM_CALL_H
#define BERTH_AWS_IAM_CALL_H

#include "aws/query.h"
#include "front/front.h"
#include "iam/iam.h"
#include "iam/iam_part.h"
#include "iam/iam_policy.h"

#define IAM_PAGE_DEFAULT 100
#define IAM_PAGE_LARGEST 200 /* "IAM might return fewer than MaxItems" */
#define IAM_ANSWER_MAX   ((size_t)4 * MIB)
#define IAM_ARENA_MAX    ((size_t)4 * MIB)

struct managed_policy;
struct iam_call;

/* What a permission for an operation is asked on. */
enum iam_target {
	IAM_ON_ALL,  /* "*" */
	IAM_ON_LIST, /* all of a type below PathPrefix */
	IAM_ON_NEW,  /* one that is to be made: its name, and Path */
	IAM_ON_ONE,  /* one that is there, by its name or ARN */
	IAM_ON_SELF, /* a user, by UserName; without it: the caller */
};

struct iam_op {
	const char *name;
	/* False: c->err is filled. */
	bool (*run)(struct iam_call *c);
	enum iam_type type;
	enum iam_target target;
	bool is_void; /* answers without a result */
};

struct iam_call {
	struct http_req *req;
	const struct front_options *o;
	struct iam *iam;
	const struct iam_op *op;
	struct principal who;
	struct arena *arena; /* of the call; larger than the request's */
	struct buf xml;
	struct err *err;
	/* Whom it is about, by target: the reference (NEW, ONE, SELF; SELF by root: name.ptr NULL).
	 */
	struct iam_ref ref;
	struct str path;                      /* NEW */
	struct str arn;                       /* ONE of policies and providers: as given */
	const struct managed_policy *managed; /* one of AWS's own */
};

/* The tables of operations, one a file; each ends with name NULL. */
extern const struct iam_op iam_ops_users[], iam_ops_roles[], iam_ops_policies[], iam_ops_parts[],
	iam_ops_providers[], iam_ops_rest[];

/* Parameters: those that the table of shapes (query_input.h) bounds are within it by now; optional
 * text is read with query_param. */
/* One that must be there. False: c->err is filled (ValidationError). */
MUST_CHECK bool iam_param(struct iam_call *c, const char *name, struct str *out);
MUST_CHECK bool iam_param_bool(struct iam_call *c, const char *name, bool *out);
/* 0: it is not there. */
MUST_CHECK bool iam_param_int(
	struct iam_call *c, const char *name, int64_t min, int64_t max, int64_t *out);
/* "<name>.member.N"; out points into the arena. */
MUST_CHECK bool iam_param_list(
	struct iam_call *c, const char *name, unsigned max, const struct str **out, size_t *out_n);
MUST_CHECK bool iam_param_tags(struct iam_call *c, struct iam_tags *out);
/* A document in the named parameter: compiled as kind (enum policy_kind), at most max characters.
 * Errors: MalformedPolicyDocument, LimitExceeded naming quota. */
MUST_CHECK bool iam_param_document(struct iam_call *c, const char *name, int kind, size_t max,
	const char *quota, struct str *out);

/* Whether a permissions boundary (ptr NULL: none) is a policy that is there. */
MUST_CHECK bool iam_check_boundary(struct iam_call *c, struct str arn);

/* Fills c->err with "<code>: <text>"; returns false. */
bool iam_fail(struct iam_call *c, const char *code, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool iam_full(struct iam_call *c); /* the arena is */
/* The type's name in parameters and elements: "User", "Group", "Role", "Policy". */
const char *iam_noun(enum iam_type type);

/* Pages: Marker and MaxItems. */
struct iam_cursor {
	struct str after; /* what Marker stands for; empty */
	unsigned limit;   /* of rows to ask for: one more than the page has */
};

MUST_CHECK bool iam_page(struct iam_call *c, struct iam_cursor *out);
/* How many of the n rows that came are the page's. */
size_t iam_page_rows(const struct iam_cursor *p, size_t n);
/* IsTruncated, and Marker behind `last`, when n rows came. */
void iam_page_end(struct iam_call *c, const struct iam_cursor *p, size_t n, struct str last);

/* Elements. */
void iam_add(struct iam_call *c, const char *name, struct str text);
void iam_add_time(struct iam_call *c, const char *name, int64_t at_ms);
/* A document, percent-encoded as RFC 3986 has it. */
void iam_add_document(struct iam_call *c, const char *name, struct str text);
/* <element> with what lists have of a user, group or role; whole: with boundary and tags. */
MUST_CHECK bool iam_add_entity(
	struct iam_call *c, const char *element, const struct iam_entity *e, bool whole);
MUST_CHECK bool iam_add_tags(struct iam_call *c, const struct iam_ref *ref);

/* Whether the caller may do the operation to that resource. boundary and policy: of the condition
 * keys iam:PermissionsBoundary and iam:PolicyARN; may be empty. */
MUST_CHECK bool iam_allow(struct iam_call *c, struct str resource);

#endif
