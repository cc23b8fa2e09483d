#include "base/json.h"
#include "console/assets.h"
#include "console/console_priv.h"

#define PREFIX "/console/"
/* Nothing from elsewhere, nothing inline, in nobody's frame. */
#define POLICY                                                                            \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " \
	"font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "  \
	"form-action 'none'"

void console_headers(struct http_req *req)
{
	http_header_set(req, "Content-Security-Policy", STR(POLICY));
	http_header_set(req, "X-Content-Type-Options", STR("nosniff"));
	http_header_set(req, "X-Frame-Options", STR("DENY"));
	http_header_set(req, "Referrer-Policy", STR("no-referrer"));
	http_header_set(req, "Cross-Origin-Opener-Policy", STR("same-origin"));
	http_header_set(req, "Cross-Origin-Embedder-Policy", STR("require-corp"));
	http_header_set(req, "Cross-Origin-Resource-Policy", STR("same-origin"));
}

/* GET and HEAD only. True: answered. */
static bool refuse_method(struct http_req *req)
{
	console_headers(req);
	if (str_eq_c(req->method, "GET") || str_eq_c(req->method, "HEAD"))
		return false;
	http_header_set(req, "Allow", STR("GET, HEAD"));
	http_reply(req, 405);
	return true;
}

static const struct console_asset *find(struct str path)
{
	size_t low = 0;
	size_t high = console_asset_count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = str_cmp(path, str_from(console_assets[mid].path));
		if (order == 0)
			return &console_assets[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* --- files --- */

static bool form_pread(
	void *arg, void *bytes, size_t len, uint64_t off, size_t *out_n, struct err *err)
{
	const struct console_form *form = arg;
	size_t size = (size_t)(form->end - form->bytes);
	size_t n = off < size ? size - (size_t)off : 0;
	(void)err;
	n = n < len ? n : len;
	memcpy(bytes, form->bytes + off, n);
	*out_n = n;
	return true;
}

static void form_close(void *arg)
{
	(void)arg;
}

static void reply_form(struct http_req *req, const struct console_asset *a,
	const struct console_form *form, const char *coding)
{
	struct str etag =
		arena_printf(req->arena, "%s%s%s", a->hash, coding[0] == '\0' ? "" : "-", coding);
	struct console_form *copy = arena_alloc(req->arena, sizeof(*copy));
	if (etag.ptr == NULL || copy == NULL) {
		http_reply(req, 500);
		return;
	}
	*copy = *form;
	struct http_object object = {
		.fd = -1,
		.size_bytes = (uint64_t)(form->end - form->bytes),
		.pread = form_pread,
		.close = form_close,
		.arg = copy,
	};
	if (coding[0] != '\0')
		http_header_set(req, "Content-Encoding", str_from(coding));
	http_reply_object(req, a->type, etag, &object);
}

static void reply_asset(struct http_req *req, const struct console_asset *a)
{
	struct console_codings codings = console_codings_of(http_header(req, "Accept-Encoding"));
	http_header_set(req, "Cache-Control",
		a->is_immutable ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
	http_header_set(req, "Vary", STR("Accept-Encoding"));
	if (codings.brotli && a->brotli.bytes != NULL)
		reply_form(req, a, &a->brotli, "br");
	else if (codings.gzip && a->gzip.bytes != NULL)
		reply_form(req, a, &a->gzip, "gzip");
	else
		reply_form(req, a, &a->plain, "");
}

/* A path that is no file is a page of the application, unless it looks for one of its parts. */
static void serve_file(struct http_req *req)
{
	struct str path = str_sub(req->path, sizeof(PREFIX) - 1, req->path.len);
	if (refuse_method(req))
		return;
	const struct console_asset *a = find(path);
	if (a == NULL && !str_starts(path, STR("assets/")))
		a = find(STR("index.html"));
	if (a != NULL) {
		reply_asset(req, a);
		return;
	}
	http_header_set(req, "Cache-Control", STR("no-store"));
	http_reply(req, 404);
}

/* --- what it has to know before anybody signs in --- */

static void serve_server(struct http_req *req)
{
	const struct front_options *options = req->ctx;
	struct buf text;
	struct json_out out;
	if (refuse_method(req))
		return;
	buf_init(&text, 1024);
	jo_init(&out, &text);
	jo_object(&out, NULL);
	jo_c(&out, "region", options->region);
	jo_end(&out, '}');
	http_header_set(req, "Cache-Control", STR("no-store"));
	if (str_eq_c(req->method, "HEAD"))
		http_reply_head(req, 200, "application/json", text.len);
	else
		http_reply_buf(req, 200, "application/json", &text);
	buf_fini(&text);
}

static void redirect(struct http_req *req)
{
	if (refuse_method(req))
		return;
	http_header_set(req, "Location", STR(PREFIX));
	http_header_set(req, "Cache-Control", STR("no-store"));
	http_reply(req, 302);
}

static const struct http_op file_op = {
	.name = "ConsoleFile", .run = HTTP_INLINE, .body = HTTP_BODY_NONE, .handle = serve_file
};
static const struct http_op server_op = {
	.name = "ConsoleServer", .run = HTTP_INLINE, .body = HTTP_BODY_NONE, .handle = serve_server
};
static const struct http_op redirect_op = {
	.name = "ConsoleRedirect", .run = HTTP_INLINE, .body = HTTP_BODY_NONE, .handle = redirect
};

static const struct http_op *route(struct http_req *req, void *ctx)
{
	(void)ctx;
	/* Somebody who opens the server's address in a browser looks for the console. */
	if (str_eq_c(req->path, "/console") ||
		(str_eq_c(req->path, "/") && str_eq_c(req->method, "GET") && req->query.len == 0))
		return &redirect_op;
	if (!str_starts(req->path, STR(PREFIX)))
		return NULL;
	if (str_eq_c(req->path, PREFIX "signin"))
		return &console_signin_op;
	return str_eq_c(req->path, PREFIX "server.json") ? &server_op : &file_op;
}

struct http_front console_front(struct front_options *options)
{
	return (struct http_front){ .route = route, .ctx = options };
}
