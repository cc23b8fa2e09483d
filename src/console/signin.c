/* signin.c - POST /console/signin: a one-time link's token for a session. */
#include "auth/console_link.h"
#include "base/json.h"
#include "console/console_priv.h"

#define TYPE       "application/json"
#define BODY_MAX   1024
#define ANSWER_MAX (32 * KIB)

static void reply_message(struct http_req *req, int status, struct str message)
{
	struct buf text;
	struct json_out out;
	buf_init(&text, ANSWER_MAX);
	jo_init(&out, &text);
	jo_object(&out, NULL);
	jo_str(&out, "message", message);
	jo_end(&out, '}');
	http_reply_buf(req, status, TYPE, &text);
	buf_fini(&text);
}

/*
 * The token alone decides, and another site has none. But a page of another site shall not even be
 * able to use one up: it cannot send JSON across origins (there is no CORS here), and browsers say
 * where a request comes from.
 */
static bool is_from_elsewhere(const struct http_req *req)
{
	struct str site = http_header(req, "Sec-Fetch-Site");
	struct str origin = http_header(req, "Origin");
	struct str scheme;
	struct str host;
	if (site.ptr != NULL && !str_eq_c(site, "same-origin"))
		return true;
	if (origin.ptr == NULL)
		return false;
	/* The scheme is left out: a proxy may have ended TLS. "null" has no host. */
	if (!str_cut(origin, '/', &scheme, &host) || !str_starts(host, STR("/")))
		return true;
	return !str_eq_nocase(str_sub(host, 1, host.len), req->host);
}

static bool is_json(const struct http_req *req)
{
	struct str type = http_header(req, "Content-Type");
	struct str rest;
	(void)str_cut(type, ';', &type, &rest);
	return str_eq_nocase(str_trim(type), STR(TYPE));
}

static void reply_session(struct http_req *req, const struct credentials *c, const char *account)
{
	const struct front_options *options = req->ctx;
	struct buf text;
	struct json_out out;
	buf_init(&text, ANSWER_MAX);
	jo_init(&out, &text);
	jo_object(&out, NULL);
	jo_str(&out, "accessKeyId", c->key_id);
	jo_str(&out, "secretAccessKey", c->secret);
	jo_str(&out, "sessionToken", c->token);
	jo_time(&out, "expiration", c->ends_at_ms);
	jo_c(&out, "account", account);
	jo_c(&out, "region", options->region);
	jo_end(&out, '}');
	http_reply_buf(req, 200, TYPE, &text);
	buf_fini(&text);
}

static void sign_in(struct http_req *req)
{
	const struct front_options *options = req->ctx;
	struct json *input CLEANUP(json_freep) = NULL;
	struct credentials c;
	char account[13];
	struct err err;
	console_headers(req);
	http_header_set(req, "Cache-Control", STR("no-store"));
	if (!str_eq_c(req->method, "POST")) {
		http_header_set(req, "Allow", STR("POST"));
		http_reply(req, 405);
		return;
	}
	if (is_from_elsewhere(req)) {
		reply_message(req, 403, STR("This request comes from another site"));
		return;
	}
	if (!is_json(req)) {
		reply_message(req, 415, STR("The Content-Type must be " TYPE));
		return;
	}
	if (!json_parse(http_body(req), &input, &err) ||
		json_type(json_get(input, "token")) != JSON_STRING) {
		reply_message(req, 400, STR("The body must be {\"token\": \"...\"}"));
		return;
	}
	if (console_link_redeem(
		    options->auth, json_get_str(input, "token"), req->arena, &c, account, &err)) {
		req->log_principal = arena_printf(req->arena, "arn:aws:iam::%s:root", account);
		reply_session(req, &c, account);
		return;
	}
	req->log_error = arena_str(req->arena, str_from(err_kind_name(err.kind)));
	if (err.kind == ERR_DENIED) {
		reply_message(req, 403, str_from(err_text(&err)));
		return;
	}
	if (options->log != NULL)
		log_err(options->log, LOG_ERROR, "console", &err);
	reply_message(req, 503, STR("The server cannot sign anybody in now; try again"));
}

const struct http_op console_signin_op = {
	.name = "ConsoleSignin",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_WHOLE,
	.body_max = BODY_MAX,
	.handle = sign_in,
};
