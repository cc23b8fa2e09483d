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

/* The path without the signature of a layer URL, which is a secret while it lasts
 * (front/layer_url.h: a segment of exactly 64 hex digits; digests have their algorithm before
 * them). */
static void path_member(struct json_out *o, struct str path)
{
	char shown[TEXT_MAX];
	struct str rest = path;
	struct str segment;
	size_t at = 0;
	uint8_t hash[32];
	if (!str_starts(path, STR("/layers/"))) {
		text(o, "path", path);
		return;
	}
	while (rest.len > 0) {
		bool has_more = str_cut(rest, '/', &segment, &rest);
		struct str part =
			hex_decode(segment, false, hash, sizeof(hash)) ? STR("-") : segment;
		if (at + part.len + 1 > sizeof(shown))
			break;
		memcpy(shown + at, part.ptr, part.len);
		at += part.len;
		if (has_more)
			shown[at++] = '/';
	}
	text(o, "path", (struct str){ shown, at });
}

void access_log_render(struct buf *out, const struct http_req *req, const struct access *access)
{
	struct json_out o;
	char now[ISO8601_MAX];
	char ms[32];
	iso8601(access->now_ms, now);
	int n = snprintf(ms, sizeof(ms), "%lld.%03lld", (long long)(access->duration_us / 1000),
		(long long)(access->duration_us % 1000));
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
	path_member(&o, req->path);
	jo_int(&o, "status", req->status);
	jo_int(&o, "bytes_in", (int64_t)req->bytes_in);
	jo_int(&o, "bytes_out", (int64_t)req->bytes_out);
	jo_raw(&o, "ms", (struct str){ ms, (size_t)n });
	text(&o, "mount_outcome", req->log_outcome);
	text(&o, "error", req->log_error);
	text(&o, "remote_ip", req->remote_ip);
	text(&o, "user_agent", access->user_agent);
	jo_end(&o, '}');
}
