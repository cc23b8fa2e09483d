/* request.c - who calls, which registry is meant, whether the caller may; and answers that several
 * operations give. */
#include "auth/token.h"
#include "front/throttle.h"
#include "oci/oci_priv.h"
#include "oci/oci_wire.h"

#define LINK_MAX_BYTES (16 * KIB)

struct oci_request *oci_request_of(const struct http_req *req)
{
	return req->user;
}

static bool authenticate(struct http_req *req, struct oci_request *r)
{
	struct err err;
	if (token_from_basic(
		    r->front->auth, http_header(req, "Authorization"), req->arena, &r->who, &err)) {
		req->log_principal = r->who.arn;
		return true;
	}
	if (err.kind == ERR_UNAUTHENTICATED) {
		oci_challenge(req);
		return false;
	}
	if (err.kind == ERR_TOKEN_EXPIRED)
		/* ECR's words: container tools print them, and people search for them. */
		err_ignore(err_set(&err, ERR_TOKEN_EXPIRED,
			"Your authorization token has expired. Reauthenticate and try again."));
	oci_error_from(req, &err);
	return false;
}

/* The host names a registry or, like localhost:5000, none: then the token's own is meant. Tokens
 * are bound to the Region that issued them; whether another account's registry may be used is the
 * permission's business. */
static bool find_registry(struct http_req *req, struct oci_request *r)
{
	struct err err;
	if (front_host_registry(req->host, r->front->domain, &r->reg)) {
		if (!auth_is_off(r->front->auth) && !str_eq_c(r->who.region, r->reg.region)) {
			err_ignore(err_set(&err, ERR_DENIED,
				"Your authorization token was issued for region " STR_FMT
				", but this registry is in %s. Log in with: aws ecr get-login-password --region %s",
				STR_ARG(r->who.region), r->reg.region, r->reg.region));
			oci_error_from(req, &err);
			return false;
		}
	} else if (!registry_id_make(r->who.account, r->who.region, &r->reg)) {
		err_ignore(err_set(&err, ERR_INTERNAL, "The token names no registry"));
		oci_error_from(req, &err);
		return false;
	}
	req->log_registry = arena_printf(req->arena, "%s/%s", r->reg.account, r->reg.region);
	return true;
}

/* True when the path and method name an operation. */
static bool check_path(struct http_req *req, const struct oci_request *r)
{
	if (r->path.endpoint == OCI_BAD_NAME) {
		oci_error(req, 400, "NAME_INVALID",
			STR("Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy "
			    "regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''"));
		return false;
	}
	if (r->path.endpoint == OCI_NOWHERE) {
		oci_error(req, 404, "UNSUPPORTED", STR("There is no such endpoint"));
		return false;
	}
	if (r->allow) {
		http_header_set(req, "Allow", str_from(r->allow));
		oci_error(
			req, 405, "UNSUPPORTED", STR("The endpoint does not support this method"));
		return false;
	}
	return true;
}

bool oci_begin(struct http_req *req)
{
	struct err err;
	struct oci_request *r = oci_request_of(req);
	http_header_set(req, "Docker-Distribution-Api-Version", STR("registry/2.0"));
	oci_audit_begin(req, r);
	if (!authenticate(req, r) || !find_registry(req, r))
		return false;
	oci_audit_place(req, r);
	if (!check_path(req, r))
		return false;
	const struct oci_op *op = (const struct oci_op *)(const void *)req->op;
	/* A list of all repositories is a question about all of them, as in the API. */
	struct str resource = r->path.endpoint == OCI_CATALOG ? STR("*") : r->path.name;
	for (size_t i = 0; i < OCI_ACTIONS_MAX && op->actions[i]; i++) {
		if (!throttle_take(r->front->throttle, &r->reg, op->actions[i], &err) ||
			!front_allow(
				r->front, req, &r->who, op->actions[i], &r->reg, resource, &err)) {
			oci_error_from(req, &err);
			return false;
		}
	}
	return !op->prepare || op->prepare(req, r);
}

void oci_ready(void *req)
{
	http_ready(req);
}

bool oci_no_memory(struct http_req *req)
{
	oci_no_memory_handle(req);
	return false;
}

void oci_no_memory_handle(struct http_req *req)
{
	oci_error(req, 500, "UNKNOWN", STR("The request needs too much memory"));
}

void oci_reply_json(struct http_req *req, const char *type, struct buf *body)
{
	struct err err;
	if (buf_ok(body)) {
		http_reply_buf(req, 200, type, body);
		return;
	}
	err_ignore(err_set(&err, ERR_INTERNAL, "The answer does not fit into its bounds"));
	oci_error_from(req, &err);
}

void oci_set_digest(struct http_req *req, const struct digest *d)
{
	char text[DIGEST_TEXT_MAX];
	http_header_set(req, "Docker-Content-Digest", str_from(digest_text(d, text)));
}

void oci_set_next(
	struct http_req *req, struct str path, struct str extra, unsigned n, struct str last)
{
	struct buf link CLEANUP(buf_fini);
	buf_init(&link, LINK_MAX_BYTES);
	oci_link_next(&link, path, extra, n, last);
	if (buf_ok(&link))
		http_header_set(req, "Link", buf_str(&link));
}

bool oci_page_size(struct http_req *req, unsigned max, unsigned *out)
{
	struct str text;
	*out = max;
	if (!http_query(req, "n", 0, &text) || text.len == 0 || oci_page_size_parse(text, max, out))
		return true;
	oci_error(req, 400, "PAGINATION_NUMBER_INVALID",
		STR("The parameter n is not a number of entries"));
	return false;
}
