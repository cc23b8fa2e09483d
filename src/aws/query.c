#include "aws/query.h"

#include <stdio.h>

#include "front/audit.h"

bool query_next(struct str *form, struct str *key, struct str *value)
{
	struct str part;
	if (form->len == 0)
		return false;
	str_cut(*form, '&', &part, form);
	str_cut(part, '=', key, value);
	return true;
}

static struct str find_param(struct http_req *req, struct str form, const char *name)
{
	struct str key;
	struct str value;
	while (query_next(&form, &key, &value)) {
		if (!str_eq_c(key, name))
			continue;
		struct str out = { NULL, 0 };
		char *p = arena_alloc(req->arena, value.len + 1);
		if (p != NULL && percent_decode(value, true, p, &out.len))
			out.ptr = p;
		return out;
	}
	return (struct str){ NULL, 0 };
}

struct str query_param(struct http_req *req, const char *name)
{
	struct str value = { NULL, 0 };
	if (req->op->body == HTTP_BODY_WHOLE)
		value = find_param(req, http_body(req), name);
	return value.ptr != NULL ? value : find_param(req, req->query, name);
}

void query_name_op(struct http_req *req, const char *name)
{
	struct http_op *op = arena_alloc(req->arena, sizeof(*op));
	if (op == NULL)
		return;
	*op = *req->op;
	op->name = name;
	req->op = op;
}

void query_add_text(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '&')
			buf_add_c(out, "&amp;");
		else if (c == '<')
			buf_add_c(out, "&lt;");
		else if (c == '>')
			buf_add_c(out, "&gt;");
		else if (c == '"')
			buf_add_c(out, "&quot;");
		else if (c == '\t' || c == '\n' || c == '\r')
			buf_addf(out, "&#%d;", c); /* XML 1.0 2.11: as they are they would change */
		else
			buf_add_char(out, (char)((unsigned char)c >= ' ' && c != 0x7f ? c : '?'));
	}
}

void query_add_element(struct buf *out, const char *name, struct str text)
{
	buf_addf(out, "<%s>", name);
	query_add_text(out, text);
	buf_addf(out, "</%s>", name);
}

/* Request ids of AWS are UUIDs in form; ours is hex of the same length. */
void query_request_id(const struct http_req *req, char out[UUID_TEXT_LEN + 1])
{
	(void)snprintf(out, UUID_TEXT_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", req->id, req->id + 8,
		req->id + 12, req->id + 16, req->id + 20);
}

static void reply(struct http_req *req, int status, struct buf *xml)
{
	char id[UUID_TEXT_LEN + 1];
	query_request_id(req, id);
	http_header_set(req, "x-amzn-RequestId", str_from(id));
	if (buf_ok(xml))
		http_reply_buf(req, status, "text/xml", xml);
	else
		http_reply(req, 500);
}

void query_reply(struct http_req *req, const char *xmlns, const char *action, struct buf *elements)
{
	char id[UUID_TEXT_LEN + 1];
	struct buf xml CLEANUP(buf_fini);
	query_request_id(req, id);
	buf_init(&xml, (elements != NULL ? elements->len : 0) + 4 * KIB);
	buf_addf(&xml, "<%sResponse xmlns=\"%s\">", action, xmlns);
	if (elements != NULL) {
		buf_addf(&xml, "<%sResult>", action);
		buf_add_str(&xml, buf_str(elements));
		buf_addf(&xml, "</%sResult>", action);
		xml.failed |= !buf_ok(elements);
		buf_fini(elements);
	}
	buf_add_c(&xml, "<ResponseMetadata>");
	query_add_element(&xml, "RequestId", str_from(id));
	buf_addf(&xml, "</ResponseMetadata></%sResponse>\n", action);
	reply(req, 200, &xml);
}

void query_reply_error(
	struct http_req *req, const char *xmlns, int status, struct str code, struct str message)
{
	char id[UUID_TEXT_LEN + 1];
	struct buf xml CLEANUP(buf_fini);
	req->log_error = arena_str(req->arena, code);
	audit_error(req, code, message);
	query_request_id(req, id);
	buf_init(&xml, QUERY_ANSWER_MAX);
	buf_addf(&xml, "<ErrorResponse xmlns=\"%s\"><Error>", xmlns);
	query_add_element(&xml, "Type", status < 500 ? STR("Sender") : STR("Receiver"));
	query_add_element(&xml, "Code", code);
	query_add_element(&xml, "Message", message);
	buf_add_c(&xml, "</Error>");
	query_add_element(&xml, "RequestId", str_from(id));
	buf_add_c(&xml, "</ErrorResponse>\n");
	reply(req, status, &xml);
}

/* The JSON services' codes are those of auth/; the query services have older names for the same. */
static struct str query_code(struct str code)
{
	static const struct {
		const char *json, *query;
	} names[] = {
		{ "InvalidSignatureException", "SignatureDoesNotMatch" },
		{ "UnrecognizedClientException", "InvalidClientTokenId" },
		{ "MissingAuthenticationTokenException", "MissingAuthenticationToken" },
		{ "IncompleteSignatureException", "IncompleteSignature" },
		{ "ExpiredTokenException", "ExpiredToken" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_eq_c(code, names[i].json))
			return str_from(names[i].query);
	}
	return code;
}

/* The statuses of the models of IAM and STS. */
static int query_status(struct str code)
{
	static const struct {
		const char *code;
		int status;
	} others[] = {
		{ "NoSuchEntity", 404 },
		{ "EntityAlreadyExists", 409 },
		{ "DeleteConflict", 409 },
		{ "LimitExceeded", 409 },
		{ "IDPRejectedClaim", 403 },
		{ "AccessDenied", 403 },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (str_eq_c(code, others[i].code))
			return others[i].status;
	}
	return 400;
}

void query_reply_err(struct http_req *req, const char *xmlns, const struct err *err)
{
	struct str code;
	struct str message;
	if (err->kind == ERR_UNAUTHENTICATED && front_split_error(err, &code, &message))
		query_reply_error(req, xmlns, 403, query_code(code), message);
	else if (err->kind == ERR_DENIED)
		query_reply_error(req, xmlns, 403, STR("AccessDenied"), str_from(err_text(err)));
	else if (err->kind == ERR_INVALID && front_split_error(err, &code, &message))
		query_reply_error(req, xmlns, query_status(code), code, message);
	else if (err->kind == ERR_UNAVAILABLE)
		query_reply_error(req, xmlns, 503, STR("ServiceUnavailable"),
			STR("The request has failed due to a temporary failure of the server."));
	else if (err->kind == ERR_TOO_LARGE)
		query_reply_error(
			req, xmlns, 413, STR("RequestEntityTooLarge"), str_from(err_text(err)));
	else
		query_reply_error(req, xmlns, 500, STR("InternalFailure"),
			STR("The request processing has failed because of an unknown error, exception or failure."));
}
