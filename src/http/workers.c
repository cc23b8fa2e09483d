/*
 * The worker pool: one queue of requests that have something to run, threads started when none is
 * free and ended after ten seconds without work.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "http/http_priv.h"

#define IDLE_MS 10000

struct worker {
	struct worker *next;
	struct workers *pool;
	struct thread *thread;
};

void workers_init(struct workers *w, unsigned max)
{
	memset(w, 0, sizeof(*w));
	mutex_init(&w->lock, "http.workers");
	cond_init(&w->wake);
	w->max = max;
}

static void push(struct workers *w, struct request *r)
{
	r->next_queued = NULL;
	if (w->tail != NULL)
		w->tail->next_queued = r;
	else
		w->head = r;
	w->tail = r;
	w->queued++;
}

static struct request *pop(struct workers *w)
{
	struct request *r = w->head;

	if (r != NULL) {
		w->head = r->next_queued;
		if (w->head == NULL)
			w->tail = NULL;
		w->queued--;
	}
	return r;
}

static void worker_main(void *arg);

/* Holds the lock. Failure is not an error: requests wait for the threads there are, and
 * workers_tend tries again. */
static bool start_one(struct workers *w)
{
	struct worker *self = xmalloc(sizeof(*self));
	struct err err;

	self->pool = w;
	if (!thread_start("http-worker", worker_main, self, 0, &self->thread, &err)) {
		free(self);
		return false;
	}
	self->next = w->running;
	w->running = self;
	w->threads++;
	return true;
}

/*
 * Gets one more thread to work, if requests wait and none is on its way already: that one will call
 * this again before it begins. So a burst of requests that take microseconds is served by a few
 * threads without a wake-up for each, and one of requests that wait for the disk gets all threads
 * within a moment. Holds the lock. True: workers_wake must follow, best without the lock, which the
 * thread takes first of all.
 */
static bool claim_one(struct workers *w)
{
	if (w->is_waking || w->head == NULL)
		return false;
	if (w->idle > 0) {
		w->is_waking = true;
		return true;
	}
	if (w->threads < w->max)
		w->is_waking = start_one(w);
	return false;
}

/* The next request, or NULL when the thread shall end. Holds the lock. *wake: as for claim_one. */
static struct request *next(struct workers *w, bool *wake)
{
	for (;;) {
		struct request *r = pop(w);
		bool is_woken;

		*wake = r != NULL && claim_one(w);
		if (r != NULL || w->is_closed)
			return r;
		w->idle++;
		is_woken = cond_wait_ms(&w->wake, &w->lock, IDLE_MS);
		w->idle--;
		w->is_waking = false;
		if (!is_woken && w->head == NULL)
			return NULL;
	}
}

static void worker_main(void *arg)
{
	struct worker *self = arg;
	struct workers *w = self->pool;
	struct request *r;
	bool wake;

	mutex_lock(&w->lock);
	w->is_waking = false;
	while ((r = next(w, &wake)) != NULL) {
		w->busy++;
		mutex_unlock(&w->lock);
		if (wake)
			workers_wake(w);
		serve_work(r);
		mutex_lock(&w->lock);
		w->busy--;
	}
	w->threads--;
	for (struct worker **p = &w->running; *p != NULL; p = &(*p)->next)
		if (*p == self) {
			*p = self->next;
			break;
		}
	self->next = w->finished;
	w->finished = self;
	if (w->is_closed)
		cond_broadcast(&w->wake); /* for workers_close */
	mutex_unlock(&w->lock);
}

bool workers_submit(struct workers *w, struct request *r, bool *wake)
{
	bool is_open;

	mutex_lock(&w->lock);
	is_open = !w->is_closed;
	if (is_open)
		push(w, r);
	*wake = is_open && claim_one(w);
	mutex_unlock(&w->lock);
	return is_open;
}

void workers_wake(struct workers *w)
{
	cond_signal(&w->wake);
}

bool workers_yield(struct workers *w, struct request *r)
{
	bool others;

	mutex_lock(&w->lock);
	others = w->head != NULL;
	if (others)
		push(w, r); /* the yielding thread comes for the next one itself */
	mutex_unlock(&w->lock);
	return others;
}

static void join_finished(struct workers *w)
{
	struct worker *list;

	mutex_lock(&w->lock);
	list = w->finished;
	w->finished = NULL;
	mutex_unlock(&w->lock);
	while (list != NULL) {
		struct worker *next_one = list->next;

		thread_join(list->thread);
		free(list);
		list = next_one;
	}
}

void workers_tend(struct workers *w)
{
	mutex_lock(&w->lock);
	if (claim_one(w))
		workers_wake(w);
	mutex_unlock(&w->lock);
	join_finished(w);
}

void workers_close(struct workers *w)
{
	struct request *r;

	mutex_lock(&w->lock);
	w->is_closed = true;
	cond_broadcast(&w->wake);
	while (w->running != NULL)
		cond_wait(&w->wake, &w->lock);
	/* Only if no thread could ever be started. */
	while ((r = pop(w)) != NULL) {
		mutex_unlock(&w->lock);
		serve_work(r);
		mutex_lock(&w->lock);
	}
	mutex_unlock(&w->lock);
	join_finished(w);
}

void workers_fini(struct workers *w)
{
	cond_fini(&w->wake);
	mutex_fini(&w->lock);
}
