#include "app/events.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/event_json.h"
#include "app/metrics.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "net/fetch.h"

#define TICK_MS      ((int64_t)100)   /* how late an event may be noticed */
#define LOOK_US      INT64_C(1000000) /* between looks when nothing was announced */
#define SOON_US      INT64_C(50000)
#define BATCH_US     INT64_C(1000000) /* after which what was done is written down */
#define RETRY_MIN    ((int64_t)1000)
#define RETRY_MAX    ((int64_t)5 * 60 * 1000)
#define ARENA_BYTES  (256 * KIB)
#define STACK_BYTES  (512 * KIB) /* libcurl and TLS */
#define NAME_MAX_LEN 128

struct worker {
	struct events *events;
	size_t index;
	char url[2048];
	char name[NAME_MAX_LEN]; /* for people: without path and query, which may be secret */
	struct thread *thread;
	struct fetch *fetch;
	/* of the thread alone */
	uint64_t seen; /* generation */
	int64_t look_us, pause_us, pause_ms;
	bool is_failing; /* and the log knows */
	_Atomic uint64_t delivered, failed, dropped;
};

struct events {
	struct core *core;
	struct log *log;
	struct secret secret; /* empty: deliveries are not signed */
	int64_t max_age_ms;
	struct mutex mutex; /* guards nothing but the sleep */
	struct cond wake;
	_Atomic bool is_stopping;
	struct worker workers[EVENT_WEBHOOKS_MAX];
	size_t count;
};

/* --- one delivery --- */

static bool post(struct worker *w, const struct event_row *e, int *status, struct err *err)
{
	struct buf body CLEANUP(buf_fini);
	char id[UUID_TEXT_LEN + 1];
	char id_line[64];
	char signature[EVENT_SIGNATURE_MAX];
	char signature_line[EVENT_SIGNATURE_MAX + 32];
	const char *headers[] = { "Content-Type: application/json", id_line, NULL, NULL };
	buf_init(&body, EVENT_JSON_MAX);
	event_json(&body, e);
	if (!buf_ok(&body))
		return err_sys(err, ERR_INTERNAL, 0, "an event does not fit its bounds");
	uuid_text(e->event_id, id);
	(void)snprintf(id_line, sizeof(id_line), "Berth-Event-Id: %s", id);
	if (w->events->secret.len != 0) {
		event_sign(&w->events->secret, clock_now_ms() / 1000, buf_str(&body), signature);
		(void)snprintf(
			signature_line, sizeof(signature_line), "Berth-Signature: %s", signature);
		headers[2] = signature_line;
	}
	struct fetch_request r = {
		.url = w->url, .headers = headers, .is_post = true, .body = buf_str(&body)
	};
	return fetch_send(w->fetch, &r, NULL, status, err);
}

static int64_t backoff(int64_t tries)
{
	int64_t ms = RETRY_MIN;
	for (; tries > 0 && ms < RETRY_MAX; tries--)
		ms *= 2;
	return ms < RETRY_MAX ? ms : RETRY_MAX;
}

static void tell_failure(struct worker *w, int status, const struct err *err)
{
	atomic_fetch_add(&w->failed, 1);
	if (w->is_failing)
		return;
	w->is_failing = true;
	if (status != 0)
		log_event(w->events->log, LOG_WARN, "events",
			"webhook %s answers with status %d; its events wait", w->name, status);
	else
		log_event(w->events->log, LOG_WARN, "events",
			"webhook %s does not answer: %s; its events wait", w->name, err->detail);
}

static void tell_success(struct worker *w)
{
	atomic_fetch_add(&w->delivered, 1);
	w->pause_ms = 0;
	if (w->is_failing)
		log_event(w->events->log, LOG_INFO, "events", "webhook %s takes events again",
			w->name);
	w->is_failing = false;
}

static bool is_too_old(const struct worker *w, const struct event_row *e)
{
	return clock_now_ms() - e->at_ms > w->events->max_age_ms;
}

static int64_t give_up(struct worker *w, const struct event_row *e)
{
	char id[UUID_TEXT_LEN + 1];
	uuid_text(e->event_id, id);
	atomic_fetch_add(&w->dropped, 1);
	log_event(w->events->log, LOG_WARN, "event_dropped",
		"event %s of repository %s/" STR_FMT
		" for webhook %s was given up after %lld tries",
		id, e->account.ptr, STR_ARG(e->repository), w->name, (long long)e->tries + 1);
	return 0;
}

/* What becomes of the event: 0, it goes; else when it is tried again. *go_on: with others. */
static int64_t deliver(struct worker *w, const struct event_row *e, bool *go_on)
{
	struct err err;
	int status = 0;
	/* While nobody answers, what is too old goes without a try of its own. */
	if (w->is_failing && e->tries > 0 && is_too_old(w, e))
		return give_up(w, e);
	bool answered = post(w, e, &status, &err);
	if (answered && status >= 200 && status < 300) {
		tell_success(w);
		return 0;
	}
	if (atomic_load(&w->events->is_stopping)) {
		*go_on = false;
		return e->at_ms; /* no verdict on the webhook: as it was */
	}
	tell_failure(w, status, &err);
	if (!answered || status == 429 || status == 503) {
		/* It is the webhook, not the event. */
		w->pause_ms = w->pause_ms == 0 ? RETRY_MIN : w->pause_ms * 2;
		if (w->pause_ms > RETRY_MAX)
			w->pause_ms = RETRY_MAX;
		w->pause_us = clock_mono_us() + w->pause_ms * 1000;
		*go_on = false;
	}
	if (is_too_old(w, e))
		return give_up(w, e);
	return clock_now_ms() + backoff(e->tries);
}

/* --- a webhook's thread --- */

/* False: nothing was due. */
static bool round_of(struct worker *w, struct arena *arena, struct err *err)
{
	struct event_batch batch;
	struct event_settled done[EVENT_BATCH_MAX];
	size_t i = 0;
	bool go_on = true;
	int64_t began_us = clock_mono_us();
	if (!event_due(w->events->core, w->index, clock_now_ms(), arena, &batch, err))
		return false;
	while (i < batch.count && go_on && clock_mono_us() - began_us < BATCH_US) {
		int64_t due_ms = deliver(w, &batch.rows[i], &go_on);
		done[i] = (struct event_settled){ &batch.rows[i], due_ms };
		i++;
	}
	if (!event_settle(w->events->core, done, i, err))
		return false;
	if (batch.count != 0)
		w->look_us = 0; /* there may be more, and the next ones of these */
	return true;
}

static bool is_time(struct worker *w)
{
	int64_t now = clock_mono_us();
	uint64_t generation = event_generation(w->events->core);
	if (now < w->pause_us)
		return false;
	if (generation == w->seen && now < w->look_us)
		return false;
	/* What is announced may not be committed yet, so there is another look soon. */
	w->look_us = now + (generation != w->seen ? SOON_US : LOOK_US);
	w->seen = generation;
	return true;
}

/* False: stop. */
static bool wait_tick(struct events *e)
{
	LOCKED(&e->mutex);
	if (!atomic_load(&e->is_stopping))
		(void)cond_wait_ms(&e->wake, &e->mutex, TICK_MS);
	return !atomic_load(&e->is_stopping);
}

static void worker_main(void *arg)
{
	struct worker *w = arg;
	while (wait_tick(w->events)) {
		while (is_time(w) && !atomic_load(&w->events->is_stopping)) {
			struct err err;
			struct arena *arena = arena_new(ARENA_BYTES);
			if (!round_of(w, arena, &err)) {
				log_err(w->events->log, LOG_ERROR, "events", &err);
				w->pause_us = clock_mono_us() + RETRY_MIN * 1000;
			}
			arena_free(arena);
		}
	}
}

/* --- start and stop --- */

static bool read_secret(const char *path, struct secret *out, struct err *err)
{
	struct buf text CLEANUP(buf_fini) = { 0 };
	buf_init(&text, 4 * KIB);
	if (path == NULL)
		return true;
	if (!file_read(path, &text, err)) {
		err->kind = ERR_CONFIG;
		return err_wrap(err, "--event-webhook-secret-file");
	}
	struct str s = buf_str(&text);
	while (s.len != 0 && strchr(" \t\r\n", s.ptr[s.len - 1]) != NULL)
		s.len--;
	bool ok = s.len != 0 && secret_set(out, s.ptr, s.len);
	mem_wipe(text.ptr, text.cap);
	return ok ||
	       err_set(err, ERR_CONFIG,
		       "--event-webhook-secret-file: %s: give a line of 1 to 256 bytes", path);
}

static bool worker_start(
	struct events *e, const struct config *c, const struct event_webhook *hook, struct err *err)
{
	struct worker *w = &e->workers[e->count];
	struct str authority = STR("");
	bool is_https = false;
	struct fetch_options o = {
		.ca_file = c->event_webhook_ca,
		.timeout_ms = c->event_timeout_ms,
		.uses_proxy = true,
		.is_cancelled = &e->is_stopping,
	};
	w->events = e;
	w->index = e->count;
	if (!str_to_c(hook->url, w->url, sizeof(w->url)) ||
		!fetch_authority(hook->url, &is_https, &authority))
		return err_set(err, ERR_CONFIG, "a webhook's URL is too long");
	(void)snprintf(w->name, sizeof(w->name), "%zu (" STR_FMT ")", e->count + 1,
		STR_ARG(str_sub(authority, 0, 100)));
	if (!fetch_open(&o, &w->fetch, err))
		return false;
	e->count++;
	return thread_start("events", worker_main, w, STACK_BYTES, &w->thread, err);
}

bool events_start(struct core *core, const struct config *c, const struct webhooks *webhooks,
	struct log *log, struct events **out, struct err *err)
{
	*out = NULL;
	if (webhooks->count == 0)
		return true;
	struct events *e = xmalloc(sizeof(*e));
	e->core = core;
	e->log = log;
	e->max_age_ms = c->event_max_age_ms;
	mutex_init(&e->mutex, "events");
	cond_init(&e->wake);
	bool ok = read_secret(c->event_webhook_secret_file, &e->secret, err);
	for (size_t i = 0; ok && i < webhooks->count; i++)
		ok = worker_start(e, c, &webhooks->items[i], err);
	if (!ok) {
		events_stop(e);
		return false;
	}
	*out = e;
	return true;
}

void events_stop(struct events *e)
{
	if (e == NULL)
		return;
	mutex_lock(&e->mutex);
	atomic_store(&e->is_stopping, true);
	cond_broadcast(&e->wake);
	mutex_unlock(&e->mutex);
	for (size_t i = 0; i < e->count; i++) {
		thread_join(e->workers[i].thread);
		fetch_close(e->workers[i].fetch);
	}
	secret_wipe(&e->secret);
	cond_fini(&e->wake);
	mutex_fini(&e->mutex);
	free(e);
}

/* --- metrics --- */

static void family(
	const struct events *e, struct buf *out, const char *name, const char *help, size_t offset)
{
	metrics_family(out, name, "counter", help);
	for (size_t i = 0; i < e->count; i++) {
		const char *field = (const char *)&e->workers[i] + offset;
		buf_addf(out, "%s{webhook=\"%s\"} %llu\n", name, e->workers[i].name,
			(unsigned long long)atomic_load(
				(const _Atomic uint64_t *)(const void *)field));
	}
}

bool events_render_metrics(struct events *e, struct buf *out, struct err *err)
{
	if (e == NULL)
		return true;
	metrics_family(out, "berth_event_outbox_length", "gauge",
		"Events that wait for a webhook to take them.");
	for (size_t i = 0; i < e->count; i++) {
		uint64_t n;
		if (!event_waiting(e->core, i, &n, err))
			return false;
		buf_addf(out, "berth_event_outbox_length{webhook=\"%s\"} %llu\n",
			e->workers[i].name, (unsigned long long)n);
	}
	family(e, out, "berth_events_delivered_total", "Events that a webhook took.",
		offsetof(struct worker, delivered));
	family(e, out, "berth_event_failures_total", "Deliveries that failed, to be tried again.",
		offsetof(struct worker, failed));
	family(e, out, "berth_events_dropped_total",
		"Events given up: the webhook did not take them in time.",
		offsetof(struct worker, dropped));
	return true;
}
