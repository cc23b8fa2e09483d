/* sharing_mounts.c - the sharing API's mounts: the log, and what enabling blob mounting would have
 * saved. */
#include "base/clock.h"
#include "base/codec.h"
#include "ecr/sharing.h"
#include "registry/mount_report.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static void put_entry(struct json_out *out, const struct mount_log_item *e)
{
	const char *reason = mount_outcome_reason(e->outcome);
	jo_object(out, NULL);
	jo_time(out, "at", e->at_ms);
	jo_str(out, "repositoryName", e->target);
	if (e->source.len)
		jo_str(out, "sourceRepositoryName", e->source);
	jo_str(out, "layerDigest", e->digest);
	if (e->size_bytes)
		jo_int(out, "layerSize", (int64_t)e->size_bytes);
	jo_str(out, "outcome", e->outcome);
	if (reason != NULL)
		jo_c(out, "reason", reason);
	if (e->principal.len)
		jo_str(out, "principal", e->principal);
	jo_end(out, '}');
}

bool ecr_list_mount_log(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct sharing_cursor at = { 0, INT64_MAX };
	struct mount_log_filter f = {
		.target = call->repo,
		.source = json_get_str(call->input, "sourceRepositoryName"),
		.from_ms = sharing_input_ms(call, "startTime", 0),
		.until_ms = sharing_input_ms(call, "endTime", 0),
		.limit = ecr_max_results(call, 100),
	};
	struct mount_log_page page;
	struct str *outcomes;
	if (!ecr_strings(call, "outcomes", &outcomes, &f.outcome_count, err) ||
		!sharing_open_cursor(call, STR(""), &at, err))
		return false;
	f.outcomes = outcomes;
	f.before = at.id;
	if (!mount_log_read(call->core, &call->reg, &f, call->arena, &page, err))
		return false;
	jo_array(out, "entries");
	for (size_t i = 0; i < page.count; i++)
		put_entry(out, &page.items[i]);
	jo_end(out, ']');
	at.id = page.next;
	return !page.more || sharing_put_cursor(call, out, STR(""), &at, err);
}

/* --- what enabling would have saved --- */

static void put_avoidable(struct json_out *out, const struct mount_sum *s)
{
	jo_int(out, "avoidableMounts", s->avoidable_mounts);
	jo_int(out, "avoidableBytes", s->avoidable_bytes);
}

static void put_lists(struct json_out *out, const struct mount_estimate *e)
{
	char date[ISO8601_MAX];
	jo_array(out, "outcomes");
	for (size_t i = 0; i < e->outcome_count; i++) {
		jo_object(out, NULL);
		jo_str(out, "outcome", e->outcomes[i].text);
		jo_int(out, "mounts", e->outcomes[i].mounts);
		jo_int(out, "bytes", e->outcomes[i].bytes);
		put_avoidable(out, &e->outcomes[i]);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	jo_array(out, "days");
	for (size_t i = 0; i < e->day_count; i++) {
		iso8601(e->days[i].day_ms, date);
		jo_object(out, NULL);
		jo_str(out, "date", str_sub(str_from(date), 0, 10));
		jo_int(out, "mounts", e->days[i].mounts);
		jo_int(out, "mountedBytes", e->days[i].mounted_bytes);
		put_avoidable(out, &e->days[i]);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	jo_array(out, "repositories");
	for (size_t i = 0; i < e->repo_count; i++) {
		jo_object(out, NULL);
		jo_str(out, "repositoryName", e->repos[i].text);
		put_avoidable(out, &e->repos[i]);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	if (e->is_partial)
		jo_bool(out, "isPartial", true);
}

bool ecr_estimate_mount_savings(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct mount_estimate_query q = {
		.until_ms = sharing_input_ms(call, "endTime", clock_now_ms()),
		.repos_max = ecr_max_results(call, 20),
	};
	struct sharing_summary summary;
	struct mount_estimate e;
	q.from_ms = sharing_input_ms(call, "startTime", q.until_ms - 29 * DAY_MS);
	if (q.from_ms > q.until_ms)
		return ecr_bad_parameter(err, "startTime", "startTime must not be after endTime");
	if (!sharing_summary(call->core, &call->reg, call->arena, &summary, err) ||
		!mount_estimate_read(call->core, &call->reg, &q, call->arena, &e, err))
		return false;
	jo_time(out, "startTime", e.from_ms);
	jo_time(out, "endTime", e.until_ms);
	jo_c(out, "blobMounting", summary.mounting_enabled ? "ENABLED" : "DISABLED");
	put_avoidable(out, &e.all);
	jo_int(out, "mountedMounts", e.mounted_mounts);
	jo_int(out, "mountedBytes", e.all.mounted_bytes);
	put_lists(out, &e);
	return true;
}
