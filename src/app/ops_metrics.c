#include <stdio.h>
#include <sys/statvfs.h>

#include "app/audit.h"
#include "app/events.h"
#include "app/ops.h"
#include "app/sandbox.h"
#include "meta/db.h"
#include "registry/collect.h"
#include "registry/core.h"
#include "registry/mount.h"
#include "registry/savings.h"

#define REGISTRIES_MAX 100 /* that get samples of their own; all are in the totals */

static void render_build(struct buf *out)
{
	metrics_family(out, "berth_build_info", "gauge", "The running version.");
	buf_add_c(out, "berth_build_info{version=\"" BERTH_VERSION "\"} 1\n");
}

static void render_mounts(struct core *core, struct buf *out)
{
	uint64_t counts[MOUNT_OUTCOME_COUNT];
	mount_counters(core, counts);
	metrics_family(out, "berth_mounts_total", "counter", "Mounts asked for, by outcome.");
	for (unsigned i = 0; i < MOUNT_OUTCOME_COUNT; i++)
		buf_addf(out, "berth_mounts_total{outcome=\"%s\"} %llu\n",
			mount_outcome_text((enum mount_outcome)i), (unsigned long long)counts[i]);
}

static void render_core(struct core *core, struct buf *out)
{
	struct core_counters c;
	core_counters(core, &c);
	metrics_single(out, "berth_blobs_pushed_total", "counter",
		"Layers whose bytes were taken and kept.", c.blobs_pushed);
	metrics_single(out, "berth_pushed_bytes_total", "counter", "Bytes of those layers.",
		c.bytes_pushed);
	metrics_family(out, "berth_saved_bytes_total", "counter",
		"Bytes that need not be stored: mounted (not even sent), or sent although they were "
		"there.");
	buf_addf(out, "berth_saved_bytes_total{how=\"mounted\"} %llu\n",
		(unsigned long long)c.bytes_mounted);
	buf_addf(out, "berth_saved_bytes_total{how=\"duplicate\"} %llu\n",
		(unsigned long long)c.bytes_duplicate);
	metrics_single(
		out, "berth_images_pushed_total", "counter", "Images pushed.", c.images_pushed);
	metrics_single(
		out, "berth_images_deleted_total", "counter", "Images deleted.", c.images_deleted);
	metrics_single(
		out, "berth_uploads_open", "gauge", "Uploads being written now.", c.uploads_open);
	metrics_single(out, "berth_uploads_expired_total", "counter",
		"Unfinished uploads given up.", c.uploads_expired);
	metrics_single(
		out, "berth_db_queue_length", "gauge", "Changes waiting for a commit.", c.db_queue);
	metrics_single(out, "berth_collected_links_total", "counter",
		"Layers taken from repositories that did not need them.", c.links_collected);
	metrics_single(out, "berth_collected_blobs_total", "counter",
		"Layers removed from storage.", c.blobs_collected);
	metrics_single(out, "berth_collected_bytes_total", "counter", "Bytes of those.",
		c.bytes_collected);
	metrics_single(out, "berth_collect_runs_total", "counter", "Rounds of collection.",
		c.collect_runs);
	metrics_single(out, "berth_collect_errors_total", "counter",
		"Rounds of collection that failed.", c.collect_errors);
}

static void render_http(struct http_server *server, struct buf *out)
{
	struct http_stats s = { 0 };
	if (server != NULL)
		http_server_stats(server, &s);
	metrics_single(out, "berth_connections", "gauge", "Open connections.", s.connections);
	metrics_single(out, "berth_requests_active", "gauge", "Requests being answered.",
		s.requests_active);
	metrics_single(out, "berth_workers", "gauge", "Worker threads.", s.workers);
	metrics_single(
		out, "berth_workers_busy", "gauge", "Worker threads at work.", s.workers_busy);
	metrics_single(out, "berth_worker_queue_length", "gauge", "Requests waiting for a worker.",
		s.queue_length);
	metrics_single(out, "berth_whole_body_bytes", "gauge",
		"Memory of request bodies that are read whole.", s.whole_body_bytes);
	metrics_single(out, "berth_answer_bytes", "gauge",
		"Memory of long answers that clients have not read yet.", s.answer_bytes);
}

static bool render_backlog(struct core *core, struct buf *out, struct err *err)
{
	struct collect_backlog b;
	if (!collect_backlog(core, &b, err))
		return false;
	metrics_single(out, "berth_collect_candidates", "gauge",
		"Layers that wait for a look by the collector.", b.candidates);
	metrics_single(out, "berth_collect_trash", "gauge", "Stored objects that wait for removal.",
		b.trash);
	return true;
}

/* Left out when it cannot be had: a wrong number would silence an alarm. */
static void render_storage(const char *blobs, struct buf *out)
{
	struct statvfs fs;
	if (statvfs(blobs, &fs) == 0)
		metrics_single(out, "berth_storage_free_bytes", "gauge",
			"Bytes that the file system of the layers has left.",
			(uint64_t)fs.f_bavail * fs.f_frsize);
}

struct registry_sums {
	struct registry_id id[REGISTRIES_MAX];
	struct savings_total each[REGISTRIES_MAX];
	size_t count;
	struct savings_total all;
};

static bool sum_up(void *arg, const struct registry_id *reg, const struct savings_total *t)
{
	struct registry_sums *sums = arg;
	if (sums->count < REGISTRIES_MAX) {
		sums->id[sums->count] = *reg;
		sums->each[sums->count++] = *t;
	}
	sums->all.repositories += t->repositories;
	sums->all.images += t->images;
	sums->all.blobs += t->blobs;
	sums->all.links += t->links;
	sums->all.logical_bytes += t->logical_bytes;
	sums->all.stored_bytes += t->stored_bytes;
	sums->all.waiting_bytes += t->waiting_bytes;
	return true;
}

static const struct gauge {
	const char *name, *help;
	size_t offset;
} gauges[] = {
	{ "repositories", "Repositories.", offsetof(struct savings_total, repositories) },
	{ "images", "Images.", offsetof(struct savings_total, images) },
	{ "blobs", "Layers stored.", offsetof(struct savings_total, blobs) },
	{ "links", "Layers held, each counted in every repository that holds it.",
		offsetof(struct savings_total, links) },
	{ "logical_bytes", "Bytes that would be stored without sharing.",
		offsetof(struct savings_total, logical_bytes) },
	{ "stored_bytes", "Bytes stored.", offsetof(struct savings_total, stored_bytes) },
	{ "waiting_bytes", "Bytes held by no repository, not yet collected.",
		offsetof(struct savings_total, waiting_bytes) },
};

static unsigned long long gauge_of(const struct savings_total *t, const struct gauge *g)
{
	return *(const uint64_t *)(const void *)((const char *)t + g->offset);
}

static bool render_savings(struct core *core, struct buf *out, struct err *err)
{
	struct registry_sums sums = { .count = 0 };
	if (!savings_registries(core, sum_up, &sums, err))
		return false;
	for (size_t g = 0; g < ARRAY_LEN(gauges); g++) {
		char name[64];
		snprintf(name, sizeof(name), "berth_%s", gauges[g].name);
		metrics_single(out, name, "gauge", gauges[g].help, gauge_of(&sums.all, &gauges[g]));
		snprintf(name, sizeof(name), "berth_registry_%s", gauges[g].name);
		metrics_family(out, name, "gauge", gauges[g].help);
		for (size_t i = 0; i < sums.count; i++)
			buf_addf(out, "%s{account=\"%s\",region=\"%s\"} %llu\n", name,
				sums.id[i].account, sums.id[i].region,
				gauge_of(&sums.each[i], &gauges[g]));
	}
	return true;
}

bool ops_render_metrics(struct ops *ops, struct buf *out, struct err *err)
{
	struct core *core = ops->stack->core;
	render_build(out);
	metrics_render_requests(ops->metrics, out);
	render_mounts(core, out);
	render_core(core, out);
	render_http(atomic_load(&ops->server), out);
	render_storage(ops->blobs, out);
	if (!render_backlog(core, out, err) || !render_savings(core, out, err) ||
		!events_render_metrics(ops->events, out, err))
		return false;
	audit_render_metrics(ops->audit, out);
	sandbox_render_metrics(ops->sandbox, out);
	metrics_render_process(out);
	return true;
}
