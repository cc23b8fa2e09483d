#include "app/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "meta/key_table.h"

#define TEXT_TYPE         "text/plain; charset=utf-8"
#define METRICS_TYPE      "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_MAX_BYTES (8 * MIB)

/* GET and HEAD only. True: answered. */
static bool refuse_method(struct http_req *req)
{
	if (str_eq_c(req->method, "GET") || str_eq_c(req->method, "HEAD"))
		return false;
	http_header_set(req, "Allow", STR("GET, HEAD"));
	http_reply(req, 405);
	return true;
}

static void reply_text(struct http_req *req, int status, struct str text)
{
	http_header_set(req, "Cache-Control", STR("no-store"));
	if (str_eq_c(req->method, "HEAD"))
		http_reply_head(req, status, TEXT_TYPE, text.len);
	else
		http_reply_bytes(req, status, TEXT_TYPE, text);
}

static void health_handle(struct http_req *req)
{
	if (!refuse_method(req))
		reply_text(req, 200, STR("ok\n"));
}

/* Any read will do: it shows that a connection can be had and the file be read. */
static bool read_something(struct db_conn *conn, void *arg, struct err *err)
{
	struct secret value = { .len = 0 };
	bool is_found;
	(void)arg;
	bool done = server_value_get(conn, "account", &value, &is_found, err);
	secret_wipe(&value);
	return done;
}

/* Really makes a file, one that has no name and is gone when it is closed. NULL: it can be written.
 */
static const char *storage_problem(const struct ops *ops)
{
	struct statvfs fs;
	if (statvfs(ops->blobs, &fs) != 0)
		return "the storage folder cannot be looked at";
	if ((uint64_t)fs.f_bavail * fs.f_frsize < ops->min_free)
		return "the file system is full";
	int fd CLEANUP(fd_closep) = open(ops->blobs, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EOPNOTSUPP ? NULL : "the storage folder cannot be written";
	return write(fd, "x", 1) == 1 ? NULL : "the storage folder cannot be written";
}

static void ready_handle(struct http_req *req)
{
	struct ops *ops = req->ctx;
	struct err err;
	if (refuse_method(req))
		return;
	const char *problem = NULL;
	if (atomic_load(&ops->is_stopping))
		problem = "the server is stopping";
	else if (!db_read(ops->stack->db, read_something, NULL, &err))
		problem = "the database does not answer";
	else
		problem = storage_problem(ops);
	if (problem == NULL) {
		reply_text(req, 200, STR("ready\n"));
		return;
	}
	struct str text = arena_printf(req->arena, "not ready: %s\n", problem);
	reply_text(req, 503, text.ptr == NULL ? STR("not ready\n") : text);
}

static bool is_loopback(struct str ip)
{
	return str_starts(ip, STR("127.")) || str_eq_c(ip, "::1") ||
	       str_starts(ip, STR("::ffff:127."));
}

static void metrics_handle(struct http_req *req)
{
	struct ops *ops = req->ctx;
	struct buf text CLEANUP(buf_fini);
	struct err err;
	buf_init(&text, METRICS_MAX_BYTES);
	if (refuse_method(req))
		return;
	if (!ops->metrics_open && !is_loopback(req->remote_ip)) {
		reply_text(
			req, 403, STR("metrics are for clients on loopback; see metrics-open\n"));
		return;
	}
	if (!ops_render_metrics(ops, &text, &err)) {
		reply_text(req, 503, STR("the database does not answer\n"));
		return;
	}
	http_header_set(req, "Cache-Control", STR("no-store"));
	if (str_eq_c(req->method, "HEAD"))
		http_reply_head(req, 200, METRICS_TYPE, text.len);
	else
		http_reply_buf(req, 200, METRICS_TYPE, &text);
}

static const struct http_op health_op = {
	.name = "Healthz",
	.run = HTTP_INLINE,
	.body = HTTP_BODY_NONE,
	.handle = health_handle,
};

static const struct http_op ready_op = {
	.name = "Readyz",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_NONE,
	.handle = ready_handle,
};

static const struct http_op metrics_op = {
	.name = "Metrics",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_NONE,
	.handle = metrics_handle,
};

static const struct http_op *route(struct http_req *req, void *ctx)
{
	(void)ctx;
	if (str_eq_c(req->path, "/healthz"))
		return &health_op;
	if (str_eq_c(req->path, "/readyz"))
		return &ready_op;
	if (str_eq_c(req->path, "/metrics"))
		return &metrics_op;
	return NULL;
}

struct http_front ops_front(struct ops *ops)
{
	return (struct http_front){ .route = route, .ctx = ops };
}
