#include "app/access_log.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/json.h"
#include "http/http.h"

#define TEXT_MAX 1024 /* of what a client sent: longer paths and agents are cut */

static void text(struct json_out *o, const char *name, struct str value)
{
	if (value.len > 0)
		jo_str(o, name, str_sub(value, 0, TEXT_MAX));
}

void access_log_render(
	struct buf *out, const struct http_req *req, int64_t duration_us, int64_t now_ms)
{
	struct json_out o;
	char now[ISO8601_MAX], ms[32];
	iso8601(now_ms, now);
	int n = snprintf(ms, sizeof(ms), "%lld.%03lld", (long long)(duration_us / 1000),
		(long long)(duration_us % 1000));
	jo_init(&o, out);
	jo_object(&o, NULL);
	jo_c(&o, "time", now);
	jo_c(&o, "level", "info");
	jo_c(&o, "event", "request");
	jo_c(&o, "request_id", req->id);
	text(&o, "principal", req->log_principal);
	text(&o, "registry", req->log_registry);
	text(&o, "repository", req->log_repository);
	jo_c(&o, "operation", req->op == NULL ? "none" : req->op->name);
	text(&o, "method", req->method);
	text(&o, "path", req->path);
	jo_int(&o, "status", req->status);
	jo_int(&o, "bytes_in", (int64_t)req->bytes_in);
	jo_int(&o, "bytes_out", (int64_t)req->bytes_out);
	jo_raw(&o, "ms", (struct str){ ms, (size_t)n });
	text(&o, "mount_outcome", req->log_outcome);
	text(&o, "remote_ip", req->remote_ip);
	text(&o, "user_agent", http_header(req, "User-Agent"));
	jo_end(&o, '}');
}
