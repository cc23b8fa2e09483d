/*
 * front.h - what the protocol fronts share: the signature of an HTTP request, the caller's
 * circumstances, which registry a host name means, how a registry is named to clients, and the
 * question whether a caller may.
 *
 * Invariants: a front never includes another front; what two of them need stands here. Strings
 * handed out live in the request's arena (ptr NULL when it is exhausted: answer 500). Threads:
 * safe, one caller a request.
 */
#ifndef BERTH_FRONT_FRONT_H
#define BERTH_FRONT_FRONT_H

#include "auth/auth.h"
#include "http/http.h"
#include "registry/core.h"

/* What app/ gives to every front; borrowed for the life of the server. */
struct front_options {
	struct auth *auth;
	struct core *core;
	const char
		*domain; /* under which registries have host names of their own; NULL: none set */
	const char *account; /* the defaults */
	const char *region;
	const struct front_status *status;  /* how the server does; NULL: nobody knows */
	struct throttle *throttle;          /* NULL: no limits */
	struct resource_policies *policies; /* of tags that conditions read; NULL: none */
	bool audits, audits_data_plane;     /* whether notes are made for the audit log (audit.h) */
	struct log
		*log; /* where failures that the client only sees the id of are told; may be NULL */
};

/*
 * Verifies the request's SigV4 signature for service ("ecr", "sts"). body: as received (empty for
 * none). On success the access log's principal is set too. Errors: UNAUTHENTICATED with msg "<AWS
 * code>: <text>" (front_split_error); INTERNAL and UNAVAILABLE from the database.
 */
MUST_CHECK bool front_sigv4(struct auth *a, struct http_req *req, struct str body,
	const char *service, struct principal *out, struct err *err);
/* The service in the credential scope of the request, ptr NULL when it is not signed. Verifies
 * nothing. */
struct str front_sigv4_service(struct http_req *req);
/* Cuts err's message "<AWS code>: <text>" in two; false (outputs untouched) when it has no such
 * form. */
bool front_split_error(const struct err *err, struct str *out_code, struct str *out_text);

/* Address, TLS and User-Agent of the caller, for policy conditions. Borrows from req. */
void front_context(struct http_req *req, struct auth_context *out);

/*
 * Reads a registry out of a Host: "<account>.dkr.ecr.<region>.<domain>[:port]", any case, also with
 * "dkr.ecr-fips", "dkr-ecr" and "dkr-ecr-fips". domain NULL: any domain will do. False for every
 * other host, out untouched.
 */
bool front_host_registry(struct str host, const char *domain, struct registry_id *out);
/* The host (with port) of ECR's repositoryUri and proxyEndpoint: with a domain
 * "<account>.dkr.ecr.<region>.<domain>" and the port of the request's Host, else the request's Host
 * itself. */
struct str front_registry_host(
	struct http_req *req, const struct front_options *o, const struct registry_id *reg);

/* arn:aws:ecr:<region>:<account>:repository/<name> */
struct str front_repo_arn(struct arena *arena, const struct registry_id *reg, struct str repo);
/* May who do action to a resource (an ARN, or "*") of an account? Errors: DENIED; INTERNAL. */
MUST_CHECK bool front_allow_resource(const struct front_options *o, struct http_req *req,
	const struct principal *who, const char *action, struct str account, struct str resource,
	struct err *err);

/* A question about ECR with more circumstances than the request itself has. */
struct front_question {
	const char *action; /* "ecr:PutImage" */
	const struct registry_id *reg;
	struct str repo; /* ptr NULL: the resource is "*" (in reg's account) */
	/* Tags that the request brings, and keys of the action's own (auth/policy.h). */
	const struct auth_tag *request_tags;
	size_t request_tag_count;
	const struct policy_key *keys;
	size_t key_count;
	const struct policy *repository_policy; /* as in auth_question */
};

/* Errors: DENIED with ECR's sentence; INTERNAL. */
MUST_CHECK bool front_ask(const struct front_options *o, struct http_req *req,
	const struct principal *who, const struct front_question *question, struct err *err);
/* May who do action ("ecr:PutImage") to the repository of reg? repo.ptr NULL: the resource is "*"
 * (in reg's account). Errors: DENIED with ECR's sentence; INTERNAL. */
MUST_CHECK bool front_allow(const struct front_options *o, struct http_req *req,
	const struct principal *who, const char *action, const struct registry_id *reg,
	struct str repo, struct err *err);

#endif
