/* sharing_server.c - how the server does, and what is being uploaded. */
#include <stdio.h>

#include "base/clock.h"
#include "ecr/sharing.h"
#include "front/status.h"
#include "registry/upload_list.h"

static void put_seconds(struct json_out *out, const char *name, int64_t us)
{
	char text[32];
	if (us == 0)
		return;
	int n = snprintf(text, sizeof(text), "%.6g", (double)us / 1e6);
	jo_raw(out, name, (struct str){ text, (size_t)n });
}

static void put_requests(struct json_out *out, const struct server_status *s)
{
	jo_array(out, "requests");
	for (size_t i = 0; i < s->op_count; i++) {
		const struct status_op *op = &s->ops[i];
		jo_object(out, NULL);
		jo_c(out, "operation", op->name);
		jo_int(out, "count", (int64_t)op->count);
		jo_int(out, "failed", (int64_t)op->failed);
		jo_int(out, "rejected", (int64_t)op->rejected);
		put_seconds(out, "p50Seconds", op->p50_us);
		put_seconds(out, "p90Seconds", op->p90_us);
		put_seconds(out, "p99Seconds", op->p99_us);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	jo_int(out, "requestsInAll", (int64_t)s->requests);
}

static void put_storage(struct json_out *out, const struct server_status *s)
{
	jo_object(out, "storage");
	jo_int(out, "totalBytes", (int64_t)s->disk_bytes);
	jo_int(out, "freeBytes", (int64_t)s->disk_free_bytes);
	jo_int(out, "storedBytes", (int64_t)s->stored_bytes);
	jo_int(out, "minFreeBytes", (int64_t)s->min_free_bytes);
	jo_end(out, '}');
	jo_object(out, "collection");
	jo_int(out, "waitingBytes", (int64_t)s->waiting_bytes);
	jo_int(out, "candidates", (int64_t)s->candidates);
	jo_int(out, "trash", (int64_t)s->trash);
	jo_int(out, "runs", (int64_t)s->collect_runs);
	jo_int(out, "errors", (int64_t)s->collect_errors);
	jo_int(out, "collectedBytes", (int64_t)s->collected_bytes);
	jo_end(out, '}');
	jo_object(out, "uploads");
	jo_int(out, "open", (int64_t)s->uploads_active);
	jo_int(out, "inProgress", (int64_t)s->uploads_open);
	jo_end(out, '}');
}

bool ecr_get_server_status(struct ecr_call *call, struct json_out *out, struct err *err)
{
	const struct front_status *source = call->options->status;
	struct server_status s = { 0 };
	/* It is about all accounts: only who runs the server is told. */
	if (!str_eq_c(call->who.account, call->options->account))
		return err_set(err, ERR_DENIED,
			"GetServerStatus is only for the account that the server belongs to");
	if (source == NULL)
		return err_set(err, ERR_UNAVAILABLE, "This server does not tell its status");
	if (!source->read(source->arg, call->arena, &s, err))
		return false;
	jo_c(out, "version", BERTH_VERSION);
	jo_time(out, "startedAt", s.started_at_ms);
	jo_time(out, "now", clock_now_ms());
	put_requests(out, &s);
	put_storage(out, &s);
	jo_int(out, "connections", (int64_t)s.connections);
	jo_int(out, "databaseQueue", (int64_t)s.db_queue);
	jo_int(out, "memoryBytes", (int64_t)s.memory_bytes);
	return true;
}

/* --- uploads --- */

/* A cursor's text: the time and the key in hex. */
static bool read_cursor(struct str text, struct upload_cursor *out)
{
	struct str at;
	struct str key;
	uint64_t ms;
	if (!str_cut(text, ' ', &at, &key) || !str_to_u64(at, INT64_MAX, &ms) ||
		!hex_decode(key, true, out->key, sizeof(out->key)))
		return false;
	out->at_ms = (int64_t)ms;
	return true;
}

static void put_upload(struct json_out *out, const struct upload_item *u)
{
	jo_object(out, NULL);
	jo_c(out, "uploadId", u->id);
	jo_str(out, "repositoryName", u->repo);
	jo_int(out, "receivedBytes", (int64_t)u->received_bytes);
	if (u->expected_bytes)
		jo_int(out, "expectedBytes", (int64_t)u->expected_bytes);
	jo_time(out, "startedAt", u->started_at_ms);
	if (u->last_at_ms)
		jo_time(out, "lastActivityAt", u->last_at_ms);
	jo_bool(out, "isActive", u->is_active);
	jo_end(out, '}');
}

bool ecr_list_uploads(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct upload_cursor from = { 0 };
	struct upload_page page;
	struct str text;
	char hex[2 * sizeof(from.key)];
	if (!sharing_open_page(call, STR(""), &text, err))
		return false;
	if (text.ptr != NULL && !read_cursor(text, &from))
		return ecr_bad_parameter(err, "NextToken", "Invalid token");
	if (!upload_list(call->core, &call->reg, &from, ecr_max_results(call, 100), call->arena,
		    &page, err))
		return false;
	jo_array(out, "uploads");
	for (size_t i = 0; i < page.count; i++)
		put_upload(out, &page.items[i]);
	jo_end(out, ']');
	if (!page.more)
		return true;
	hex_encode(page.next.key, sizeof(page.next.key), hex);
	text = arena_printf(
		call->arena, "%lld %.*s", (long long)page.next.at_ms, (int)sizeof(hex), hex);
	return sharing_put_page(call, out, STR(""), text, err);
}
