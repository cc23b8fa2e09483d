#include "base/lines.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define BATCH_MS    INT64_C(100)
#define BATCH_BYTES (64 * KIB)  /* handed on at once, without waiting for BATCH_MS */
#define KEEP_BYTES  (256 * KIB) /* a buffer that has grown beyond this is given back */

struct lines {
	lines_fn fn;
	void *arg;
	size_t max_bytes;
	struct mutex mutex; /* guards what follows */
	struct cond wake;
	struct buf queue;
	uint64_t dropped;
	bool is_closing;
	struct thread *thread;
};

/* Waits until there is something to hand on, and a little longer for more; then takes it. False:
 * closing and nothing left. */
static bool take_batch(struct lines *l, struct buf *batch, uint64_t *dropped)
{
	LOCKED(&l->mutex);
	while (l->queue.len == 0 && !l->is_closing)
		cond_wait(&l->wake, &l->mutex);
	int64_t until_us = clock_mono_us() + BATCH_MS * 1000;
	while (l->queue.len < BATCH_BYTES && !l->is_closing) {
		int64_t left_ms = (until_us - clock_mono_us()) / 1000;
		if (left_ms <= 0 || !cond_wait_ms(&l->wake, &l->mutex, left_ms))
			break;
	}
	struct buf full = l->queue;
	l->queue = *batch;
	*batch = full;
	*dropped = l->dropped;
	l->dropped = 0;
	return full.len != 0 || !l->is_closing;
}

static void lines_main(void *arg)
{
	struct lines *l = arg;
	struct buf batch CLEANUP(buf_fini);
	uint64_t dropped;
	buf_init(&batch, l->max_bytes);
	while (take_batch(l, &batch, &dropped)) {
		l->fn(l->arg, buf_str(&batch), dropped);
		if (batch.cap > KEEP_BYTES)
			buf_fini(&batch);
		buf_reset(&batch);
	}
}

bool lines_open(const char *thread, size_t max_bytes, lines_fn fn, void *arg, struct lines **out,
	struct err *err)
{
	struct lines *l = xmalloc(sizeof(*l));
	l->fn = fn;
	l->arg = arg;
	l->max_bytes = max_bytes;
	mutex_init(&l->mutex, thread);
	cond_init(&l->wake);
	buf_init(&l->queue, max_bytes);
	*out = l; /* before the thread: its function may ask for it */
	if (!thread_start(thread, lines_main, l, 0, &l->thread, err)) {
		*out = NULL;
		lines_close(l);
		return false;
	}
	return true;
}

void lines_close(struct lines *l)
{
	if (l == NULL)
		return;
	mutex_lock(&l->mutex);
	l->is_closing = true;
	cond_signal(&l->wake);
	mutex_unlock(&l->mutex);
	thread_join(l->thread);
	buf_fini(&l->queue);
	cond_fini(&l->wake);
	mutex_fini(&l->mutex);
	free(l);
}

bool lines_add(struct lines *l, struct str line)
{
	LOCKED(&l->mutex);
	struct buf *queue = &l->queue;
	size_t before = queue->len;
	/* Checked first, so that there is never half a line. */
	if (line.len >= queue->max - before) {
		l->dropped++;
		return false;
	}
	buf_add_str(queue, line);
	buf_add_char(queue, '\n');
	if (!buf_ok(queue)) {
		queue->failed = false;
		queue->len = before;
		l->dropped++;
		return false;
	}
	/* The thread sleeps in two ways; one wake-up for each is enough. */
	if (before == 0 || (before < BATCH_BYTES && queue->len >= BATCH_BYTES))
		cond_signal(&l->wake);
	return true;
}

bool lines_wait(struct lines *l, int64_t ms)
{
	int64_t until_us = clock_mono_us() + ms * 1000;
	LOCKED(&l->mutex);
	while (!l->is_closing) {
		int64_t left_ms = (until_us - clock_mono_us()) / 1000;
		if (left_ms <= 0 || !cond_wait_ms(&l->wake, &l->mutex, left_ms))
			break;
	}
	return l->is_closing;
}
