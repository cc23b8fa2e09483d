#include "app/jobs.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/due.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kms/kms.h"
#include "registry/collect.h"
#include "registry/history.h"
#include "registry/lifecycle.h"
#include "registry/pull.h"
#include "registry/reencrypt.h"

#define TICK_MS    ((int64_t)1000)  /* the mount log is at most this late */
#define COLLECT_MS ((int64_t)10000) /* between rounds that found nothing left over */
#define KEYS_MS    ((int64_t)30000)
#define HISTORY_MS ((int64_t)60000)
#define PAUSE_MS \
	((int64_t)10) /* between rounds while work is left over: the writer serves others */
#define BACKOFF_MS  ((int64_t)5 * 60 * 1000)
#define ROUND_STEPS 16 /* transactions a round; the writer is free between them */
#define STACK_BYTES (512 * KIB)

struct jobs {
	struct core *core;
	struct kms *kms;
	struct log *log;
	struct thread *thread;
	struct mutex mutex; /* guards is_stopping */
	struct cond wake;
	bool is_stopping;
	/* Of the jobs' thread. */
	bool has_more; /* the collector left work over */
	struct due_clock due;
};

/* One thing that is done again and again; after failures less and less often. */
struct job {
	const char *event; /* of its log lines */
	int64_t due_us;    /* clock_mono_us */
	int64_t backoff_ms;
};

static void job_plan(struct job *job, int64_t after_ms)
{
	job->due_us = clock_mono_us() + after_ms * 1000;
}

/* Plans the next turn after one that failed, and logs it. */
static void job_failed(struct job *job, struct log *log, const struct err *err)
{
	job->backoff_ms = job->backoff_ms == 0 ? TICK_MS : job->backoff_ms * 2;
	if (job->backoff_ms > BACKOFF_MS)
		job->backoff_ms = BACKOFF_MS;
	log_err(log, LOG_ERROR, job->event, err);
	job_plan(job, job->backoff_ms);
}

/* What counts as old enough to go, whatever the wall clock was set to a moment ago: nothing that
 * deletes asks for the time elsewhere. */
static int64_t time_to_delete(struct jobs *j)
{
	int64_t set_ms;
	int64_t now_ms = due_clock_now(&j->due, clock_now_ms(), clock_mono_us(), &set_ms);
	if (set_ms > 0)
		log_event(j->log, LOG_WARN, "clock",
			"the clock was set forward by %lld s: for the next %lld s nothing is "
			"deleted that would not have been without that",
			(long long)((set_ms + 500) / 1000), (long long)(j->due.keep_ms / 1000));
	else if (set_ms < 0)
		log_event(j->log, LOG_WARN, "clock",
			"the clock was set back by %lld s: what is from later is kept",
			(long long)((500 - set_ms) / 1000));
	return now_ms;
}

static bool did_something(const struct collect_report *r)
{
	return (r->links | r->blobs | r->uploads | r->images | r->repositories) != 0;
}

static void collect(struct jobs *j, struct job *job)
{
	struct collect_report r = { 0 };
	struct err err;
	if (!collect_run(j->core, time_to_delete(j), ROUND_STEPS, &r, &err)) {
		j->has_more = false;
		job_failed(job, j->log, &err);
		return;
	}
	job->backoff_ms = 0;
	job_plan(job, r.more ? 0 : COLLECT_MS);
	j->has_more = r.more;
	if (did_something(&r))
		log_event(j->log, LOG_DEBUG, job->event,
			"links %llu, blobs %llu, bytes %llu, uploads %llu, images %llu, "
			"repositories %llu",
			(unsigned long long)r.links, (unsigned long long)r.blobs,
			(unsigned long long)r.bytes, (unsigned long long)r.uploads,
			(unsigned long long)r.images, (unsigned long long)r.repositories);
}

/* Previews are waited for, so this looks each second; it costs some look-ups when nothing is due.
 */
static void live(struct jobs *j, struct job *job)
{
	struct lifecycle_report r = { 0 };
	struct err err;
	if (!lifecycle_run(j->core, clock_now_ms(), time_to_delete(j), ROUND_STEPS, &r, &err)) {
		job_failed(job, j->log, &err);
		return;
	}
	job->backoff_ms = 0;
	job_plan(job, TICK_MS);
	if ((r.expired | r.archived | r.restored) != 0)
		log_event(j->log, LOG_INFO, job->event,
			"%llu images expired, %llu archived, %llu restored",
			(unsigned long long)r.expired, (unsigned long long)r.archived,
			(unsigned long long)r.restored);
}

static void flush_log(struct jobs *j, struct job *job)
{
	struct err err;
	if (!collect_flush_log(j->core, &err) || !pull_flush(j->core, &err)) {
		job_failed(job, j->log, &err);
		return;
	}
	job->backoff_ms = 0;
	job_plan(job, TICK_MS);
}

/* Keys whose rotation or deletion is due. */
static void tend_keys(struct jobs *j, struct job *job)
{
	struct err err;
	bool more = false;
	if (!kms_tick(j->kms, time_to_delete(j), &more, &err)) {
		job_failed(job, j->log, &err);
		return;
	}
	job->backoff_ms = 0;
	job_plan(job, more ? TICK_MS : KEYS_MS);
}

/* Data keys that a rotation left behind. Apart from the keys themselves: one damaged data key must
 * not put off their rotation. */
static void rewrap(struct jobs *j, struct job *job)
{
	struct err err;
	uint64_t rewrapped = 0;
	if (!reencrypt_rewrap(j->core, &rewrapped, &err)) {
		job_failed(job, j->log, &err);
		return;
	}
	job->backoff_ms = 0;
	job_plan(job, KEYS_MS);
	if (rewrapped)
		log_event(j->log, LOG_INFO, job->event,
			"%llu pools: data keys wrapped by the newest key version",
			(unsigned long long)rewrapped);
}

/* What sharing saves, for those who look at it over time. */
static void take_history(struct jobs *j, struct job *job)
{
	struct err err;
	if (!history_tick(j->core, clock_now_ms(), &err)) {
		job_failed(job, j->log, &err);
		return;
	}
	job->backoff_ms = 0;
	job_plan(job, HISTORY_MS);
}

/* False: stop. */
static bool wait_tick(struct jobs *j)
{
	LOCKED(&j->mutex);
	if (!j->is_stopping)
		(void)cond_wait_ms(&j->wake, &j->mutex, j->has_more ? PAUSE_MS : TICK_MS);
	return !j->is_stopping;
}

static void jobs_main(void *arg)
{
	struct jobs *j = arg;
	struct job collecting = { .event = "collect" };
	struct job living = { .event = "lifecycle" };
	struct job flushing = { .event = "mount_log" };
	struct job keys = { .event = "keys" };
	struct job data_keys = { .event = "keys" };
	struct job history = { .event = "history" };
	while (wait_tick(j)) {
		if (clock_mono_us() >= flushing.due_us)
			flush_log(j, &flushing);
		if (clock_mono_us() >= living.due_us)
			live(j, &living);
		if (clock_mono_us() >= collecting.due_us)
			collect(j, &collecting);
		if (clock_mono_us() >= keys.due_us)
			tend_keys(j, &keys);
		if (clock_mono_us() >= data_keys.due_us)
			rewrap(j, &data_keys);
		if (clock_mono_us() >= history.due_us)
			take_history(j, &history);
	}
}

bool jobs_start(struct core *core, struct kms *kms, struct log *log, int64_t keep_ms,
	struct jobs **out, struct err *err)
{
	struct jobs *j = xmalloc(sizeof(*j));
	j->core = core;
	j->kms = kms;
	j->log = log;
	due_clock_init(&j->due, keep_ms, clock_now_ms(), clock_mono_us());
	mutex_init(&j->mutex, "jobs");
	cond_init(&j->wake);
	if (!thread_start("jobs", jobs_main, j, STACK_BYTES, &j->thread, err)) {
		jobs_stop(j);
		return false;
	}
	*out = j;
	return true;
}

void jobs_stop(struct jobs *j)
{
	if (j == NULL)
		return;
	mutex_lock(&j->mutex);
	j->is_stopping = true;
	cond_signal(&j->wake);
	mutex_unlock(&j->mutex);
	thread_join(j->thread);
	cond_fini(&j->wake);
	mutex_fini(&j->mutex);
	free(j);
}
